"""kill -9 of PostgreSQL in the middle of a matching: all of it or nothing, and afterwards exactly one."""

import contextlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from threading import Barrier
from typing import Any

import psycopg
import pytest

from circle27.stack.settings import SUPERUSER
from circle27.stack.supervision import Supervisor, wait_until
from tests.stack import Stack

PEOPLE = 2000
SCHEDULERS = 4
CAMPUS = "crashes"

SETUP = """
select app.add_campus('crashes', 'Crashes', 'UTC', array['crashes.edu']);
insert into app.user_campuses (user_id, campus_id) select gen_random_uuid(), 'crashes' from generate_series(1, 2000);
insert into app.users (campus_id, user_id, email, display_name)
select campus_id, user_id, user_id || '@crashes.edu', 'Member' from app.user_campuses where campus_id = 'crashes';
analyze app.users, app.user_campuses;
"""

# A slot whose deadline has just passed, with everybody on its list; the worker may take it from now on.
DUE = """
with slot as (
  insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
  select 'crashes', at.now + interval '30 minutes', at.now, at.now + interval '50 minutes', app.next_version()
  from app.clock() as at (now)
  returning time_slot
), entered as (
  insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, version)
  select 'crashes', slot.time_slot, users.user_id, app.clock() - interval '1 hour', app.next_version()
  from app.users
  cross join slot
  where users.campus_id = 'crashes'
)
select time_slot from slot
"""

# All that one matching writes, in one snapshot. Events that were told are in the outbox no more.
WRITTEN = """
select
  (select count(matched_at) from app.time_slots where campus_id = %(campus)s and time_slot = %(slot)s),
  (select count(*) from app.circles where campus_id = %(campus)s and time_slot = %(slot)s),
  (select count(*) from app.circle_members where campus_id = %(campus)s and time_slot = %(slot)s),
  (select count(*) from app.meetings where campus_id = %(campus)s and last_met_at = %(slot)s),
  (select count(*) from audit.log where campus_id = %(campus)s and time_slot = %(slot)s and action = 'slot.matched'),
  (
    select count(*) from events.outbox
    where campus_id = %(campus)s and event in ('slot', 'button', 'circle')
      and (payload ->> 'timeSlot')::timestamptz = %(slot)s
  )
"""

# Where a matching is stopped: by a lock that it needs there. The later ones have the earlier ones' rows behind them.
POINTS = {
    "before anything is read": "select pg_advisory_xact_lock(app.lock_key('slot', 'crashes', %(slot)s))",
    "holding the slot": "select pg_advisory_xact_lock(app.lock_key('pairs', 'crashes'))",
    "circles are drawn": "lock table app.circles in share mode",
    "circles are written, places are not": "lock table app.circle_members in share mode",
    "places are written, pairs are not": "lock table app.meetings in share mode",
    "all but the slot's mark": "select from app.time_slots where time_slot = %(slot)s for update",
    "the slot is marked, nobody is told": "lock table events.outbox in share mode",
    "all but the trail": "lock table audit.log in share mode",
}


@pytest.fixture(scope="module")
def crashes(own_stack: Stack) -> Iterator[Stack]:
    """A stack with a campus of two thousand. No worker, so that the outbox keeps what was told."""
    Supervisor(own_stack.settings).rpc.stopProcess("worker", True)
    own_stack.sql("delete from events.outbox")
    with psycopg.connect(own_stack.settings.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(SETUP)
    yield own_stack


def due(stack: Stack) -> datetime:
    return stack.sql(DUE)[0][0]  # type: ignore[no-any-return]


def written(stack: Stack, slot: datetime) -> tuple[int, ...]:
    return stack.sql(WRITTEN.replace("%(campus)s", f"'{CAMPUS}'").replace("%(slot)s", f"'{slot.isoformat()}'"))[0]


def kill(stack: Stack) -> None:
    """Kill the postmaster; return when another one takes writes."""
    supervisor = Supervisor(stack.settings)
    # One that dies in its first second counts as not started: supervisord waits longer each time it tries that again.
    wait_until(lambda: supervisor.state("postgresql") == "RUNNING", 10, "the postmaster does not stay up")
    postmaster = supervisor.states()["postgresql"]["pid"]
    os.kill(postmaster, signal.SIGKILL)
    wait_until(lambda: supervisor.states()["postgresql"]["pid"] not in (postmaster, None), 10, "no new postmaster")
    wait_until(lambda: takes_writes(stack), 20, "PostgreSQL takes no writes")


def takes_writes(stack: Stack) -> bool:
    try:
        return stack.sql("select not pg_is_in_recovery()") == [(True,)]
    except psycopg.OperationalError:
        return False


def match(stack: Stack) -> None:
    """Start a matching that is not to end."""
    with contextlib.suppress(psycopg.Error), psycopg.connect(stack.settings.dsn(SUPERUSER), autocommit=True) as session:
        session.execute("set application_name = 'matching'")
        session.execute("select app.run_due_deadlines()")


def match_all_at_once(stack: Stack) -> list[dict[str, Any]]:
    """Let several schedulers run the deadlines until nothing is left; return all reports of matchings."""
    start = Barrier(SCHEDULERS)

    def scheduler(_: int) -> list[dict[str, Any]]:
        reports = []
        with psycopg.connect(stack.settings.dsn(SUPERUSER), autocommit=True) as session:
            start.wait()
            while True:
                row = session.execute("select app.run_due_deadlines()").fetchone()
                assert row is not None
                assert row[0]["failed"] == []
                reports += row[0]["matched"]
                if row[0]["left"] == 0:
                    return reports

    with ThreadPoolExecutor(SCHEDULERS) as pool:
        return [report for reports in pool.map(scheduler, range(SCHEDULERS)) for report in reports]


def check_one_whole_matching(stack: Stack, slot: datetime) -> None:
    reports = [report for report in match_all_at_once(stack) if datetime.fromisoformat(report["timeSlot"]) == slot]
    assert [(report["people"], report["leftOut"]) for report in reports] == [(PEOPLE, 0)]
    check_written(stack, slot, reports[0])


def check_written(stack: Stack, slot: datetime, report: dict[str, Any]) -> None:
    sizes = stack.sql(
        "select circle_no, count(*) from app.circle_members where campus_id = %s and time_slot = %s group by circle_no",
        CAMPUS,
        slot,
    )
    pairs = sum(size * (size - 1) // 2 for _, size in sizes)
    assert all(3 <= size <= 5 for _, size in sizes)
    # Each member hears of their button and of their circle, the campus of its slot.
    assert written(stack, slot) == (1, report["circles"], PEOPLE, pairs, 1, 2 * PEOPLE + 1)
    assert len(sizes) == report["circles"]


@pytest.mark.parametrize("point", POINTS)
def test_a_matching_that_was_killed_leaves_nothing_and_is_done_once(crashes: Stack, point: str) -> None:
    slot = due(crashes)
    with ThreadPoolExecutor(1) as pool, closing(psycopg.connect(crashes.settings.dsn(SUPERUSER))) as holder:
        holder.execute(POINTS[point].replace("%(slot)s", f"'{slot.isoformat()}'"))
        killed = pool.submit(match, crashes)
        wait_until(lambda: stopped(crashes), 20, f"no matching waits: {point}")
        kill(crashes)
        killed.result(20)
    assert written(crashes, slot) == (0, 0, 0, 0, 0, 0)
    check_one_whole_matching(crashes, slot)


def stopped(stack: Stack) -> bool:
    return stack.sql(
        "select count(*) from pg_stat_activity where application_name = 'matching' and wait_event_type = 'Lock'"
    ) == [(1,)]


@pytest.mark.parametrize("attempt", range(3))
def test_a_matching_that_is_killed_at_any_moment_is_all_or_nothing(crashes: Stack, attempt: int) -> None:
    slot = due(crashes)
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(match, crashes)
        working = "select count(*) from pg_stat_activity where application_name = 'matching' and query ~ 'run_due'"
        while not killed.done() and crashes.sql(working) == [(0,)]:
            pass
        kill(crashes)
        killed.result(20)
    if written(crashes, slot)[0]:  # it was quicker
        assert match_all_at_once(crashes) == []
        [(report,)] = crashes.sql("select match_report from app.time_slots where time_slot = %s", slot)
        check_written(crashes, slot, report)
    else:
        assert written(crashes, slot) == (0, 0, 0, 0, 0, 0)
        check_one_whole_matching(crashes, slot)


def test_a_worker_that_is_there_again_matches_what_is_due_and_tells_it(crashes: Stack) -> None:
    """Nobody calls anything but the worker itself."""
    crashes.sql("delete from events.outbox")  # what the tests before this one have left
    slot = due(crashes)
    kill(crashes)
    assert written(crashes, slot)[0] == 0
    Supervisor(crashes.settings).start("worker")
    wait_until(lambda: written(crashes, slot)[0] == 1, 20, "the worker matched nothing")
    wait_until(lambda: written(crashes, slot)[5] == 0, 20, "its members were not told")
    matched, circles, places, _, trail, events = written(crashes, slot)
    assert (matched, places, trail, events) == (1, PEOPLE, 1, 0)
    assert PEOPLE / 5 <= circles <= PEOPLE / 3


def test_a_worker_that_is_killed_in_the_middle_leaves_one_whole_matching(crashes: Stack) -> None:
    """PostgreSQL goes on, or takes it back; the next worker finds either, and everybody is told."""
    supervisor = Supervisor(crashes.settings)
    with closing(psycopg.connect(crashes.settings.dsn(SUPERUSER))) as holder:
        holder.execute("lock table audit.log in share mode")
        slot = due(crashes)
        supervisor.restart("worker")
        waits = "select count(*) from pg_stat_activity where query ~ 'run_due_deadlines' and wait_event_type = 'Lock'"
        wait_until(lambda: crashes.sql(waits) == [(1,)], 20, "the worker matches nothing")
        killed = supervisor.states()["worker"]["pid"]
        os.kill(killed, signal.SIGKILL)
        assert written(crashes, slot) == (0, 0, 0, 0, 0, 0)
        wait_until(lambda: supervisor.states()["worker"]["pid"] not in (killed, None), 20, "no new worker")
    wait_until(lambda: written(crashes, slot)[0] == 1, 30, "nobody matched it")
    wait_until(lambda: written(crashes, slot)[5] == 0, 20, "its members were not told")
    matched, circles, places, pairs, trail, events = written(crashes, slot)
    assert (matched, places, trail, events) == (1, PEOPLE, 1, 0)
    assert PEOPLE / 5 <= circles <= PEOPLE / 3
    assert pairs > PEOPLE


def test_housekeeping_that_fails_keeps_no_deadline_waiting(own_stack: Stack) -> None:
    """A right that is missing, a bug: whatever it is, the worker goes on with what members wait for."""
    own_stack.sql("revoke execute on function identity.forget_old(timestamptz) from circle27_worker")
    try:
        Supervisor(own_stack.settings).restart("worker")
        log = own_stack.home / "logs/worker.log"
        wait_until(lambda: "housekeeping failed" in log.read_text("utf-8"), 20, "it did not fail")
        assert "begins again: permission denied" not in log.read_text("utf-8")
    finally:
        own_stack.sql("grant execute on function identity.forget_old(timestamptz) to circle27_worker")
