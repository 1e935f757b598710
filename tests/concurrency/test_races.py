"""Thousands of calls around hundreds of deadlines, in real time: what was accepted counts, and nothing else does.

Joins, leaves, blocks and deletions. `pytest tests/concurrency/test_races.py --calls 10000 --timeout 0` makes so many.
"""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, LiteralString

import psycopg
import pytest

MEMBERS = 40
GOERS = 20  # of them, who may be deleted
DEADLINES = 50  # in one batch
APART = timedelta(milliseconds=40)
SESSIONS = 8
SCHEDULERS = 3

CLIENTS = 500
CONNECTIONS = 50
MANY_SCHEDULERS = 20

SETUP = """
select tests.create_campus();
select tests.create_member('m' || n) from generate_series(1, {members}) as n;
"""

# As many members as before, whoever was deleted; those who came first, first.
FILL_UP = """
select tests.create_member('m' || (select count(*) from tests.people) + n)
from generate_series(1, %s - (select count(*) from app.user_campuses where closed_at is null)) as n
"""
STAY = """
select people.user_id
from tests.people
inner join app.user_campuses as directory using (user_id)
where directory.closed_at is null
order by people.name
"""

# Deadlines from a moment that lies ahead on; each list has some people on it already.
OPEN = """
with opened as (
  insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
  select
    'stanford', deadline_at + interval '1 hour', deadline_at, deadline_at + interval '80 minutes', app.next_version()
  from (
    select date_trunc('milliseconds', app.clock()) + interval '0.2 seconds' + n * %(apart)s::interval as deadline_at
    from generate_series(1, %(slots)s) as n
  ) as deadlines
  returning time_slot, deadline_at
), entered as (
  insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, version)
  select 'stanford', opened.time_slot, people.user_id, opened.deadline_at - interval '1 day', app.next_version()
  from opened
  cross join (select unnest(%(first)s::uuid[])) as people (user_id)
)
select array_agg(array[deadline_at, time_slot] order by deadline_at) from opened
"""

# What must never be, as rows.
WRONG: dict[str, LiteralString] = {
    "a slot that was not matched": """
        select time_slot from app.time_slots where matched_at is null or match_report is null
    """,
    "a slot that was not matched exactly once": """
        select slots.time_slot, count(log.id)
        from app.time_slots as slots
        left join audit.log on log.time_slot = slots.time_slot and log.action = 'slot.matched'
        group by slots.time_slot
        having count(log.id) <> 1
    """,
    "a report that counts other people than those on the list": """
        select time_slot, match_report, (
          select count(*) from app.waitlist_entries as entries
          where entries.time_slot = slots.time_slot and entries.left_at is null
        ) as on_list
        from app.time_slots as slots
        where (match_report ->> 'people')::integer <> (
          select count(*) from app.waitlist_entries as entries
          where entries.time_slot = slots.time_slot and entries.left_at is null
        )
    """,
    "somebody lost: neither placed nor counted as left out": """
        select time_slot, match_report
        from app.time_slots as slots
        where (match_report ->> 'people')::integer - (match_report ->> 'leftOut')::integer <> (
          select count(*) from app.circle_members as members where members.time_slot = slots.time_slot
        )
    """,
    "somebody left out where a circle could be formed": """
        select time_slot, match_report from app.time_slots
        where (match_report ->> 'leftOut')::integer > 0 and (match_report ->> 'people')::integer >= 3
          and match_inputs -> 'walls' = '[]'
    """,
    "two in a circle though one had blocked the other before the matching": """
        select ones.time_slot, ones.circle_no, blocked.user_id, blocked.details
        from audit.log as matched
        inner join audit.log as blocked on blocked.action = 'user.blocked' and blocked.id < matched.id
        inner join app.circle_members as ones
          on ones.time_slot = matched.time_slot and ones.user_id = blocked.user_id
        inner join app.circle_members as others
          on others.time_slot = matched.time_slot and others.user_id = (blocked.details ->> 'blockedId')::uuid
        where matched.action = 'slot.matched'
          and coalesce(ones.moved_from, ones.circle_no) = coalesce(others.moved_from, others.circle_no)
    """,
    "a wall that the matching did not know, or knew too early": """
        select slots.time_slot, slots.match_inputs -> 'walls'
        from app.time_slots as slots
        inner join audit.log as matched on matched.time_slot = slots.time_slot and matched.action = 'slot.matched'
        where jsonb_array_length(slots.match_inputs -> 'walls') <> (
          select count(*)
          from audit.log as blocked
          inner join app.waitlist_entries as ones
            on ones.time_slot = slots.time_slot and ones.left_at is null and ones.user_id = blocked.user_id
          inner join app.waitlist_entries as others
            on others.time_slot = slots.time_slot and others.left_at is null
            and others.user_id = (blocked.details ->> 'blockedId')::uuid
          where blocked.action = 'user.blocked' and blocked.id < matched.id
        )
    """,
    "somebody deleted who still has a place ahead": """
        select places.time_slot, places.user_id
        from app.circle_members as places
        inner join app.user_campuses as directory using (user_id)
        where directory.closed_at is not null and places.cancelled_at is null
    """,
    "somebody placed who had left": """
        select members.time_slot, members.user_id
        from app.circle_members as members
        inner join app.waitlist_entries as entries using (campus_id, time_slot, user_id)
        where entries.left_at is not null
    """,
    "somebody who came or went after the deadline": """
        select entries.time_slot, entries.user_id, entries.joined_at, entries.left_at, slots.deadline_at
        from app.waitlist_entries as entries
        inner join app.time_slots as slots using (campus_id, time_slot)
        inner join app.user_campuses as directory using (user_id)
        where entries.joined_at >= slots.deadline_at
          or (entries.left_at >= slots.deadline_at and directory.closed_at is null)  -- who is deleted goes at any time
    """,
    "something accepted after the matching": """
        select later.*
        from audit.log as matched
        inner join audit.log as later on later.time_slot = matched.time_slot and later.id > matched.id
        where matched.action = 'slot.matched' and later.action in ('waitlist.joined', 'waitlist.left')
    """,
    "an entry that is newer than the matching": """
        select entries.time_slot, entries.user_id, entries.version, slots.version
        from app.waitlist_entries as entries
        inner join app.time_slots as slots using (campus_id, time_slot)
        where entries.version >= slots.version
          and not exists (  -- who was deleted after it
            select from app.circle_members as places
            where places.time_slot = entries.time_slot and places.user_id = entries.user_id
              and places.cancelled_at is not null
          )
    """,
    "a circle of another size": """
        select time_slot, coalesce(moved_from, circle_no), count(*)
        from app.circle_members
        group by time_slot, coalesce(moved_from, circle_no)
        having count(*) not between 3 and 5
    """,
}


@dataclass
class Calls:
    """What all sessions have called, and what they were told."""

    accepted: list[tuple[str, datetime, dict[str, Any]]] = field(default_factory=list)  # member, slot, button
    refused: Counter[str] = field(default_factory=Counter)
    reports: list[dict[str, Any]] = field(default_factory=list)

    def racing(self) -> int:
        """Return how many came in time or too late."""
        return len(self.accepted) + self.refused["deadline_passed"]

    def refuse(self, error: psycopg.Error) -> None:
        self.refused[error.diag.message_detail if str(error.sqlstate).startswith("PT") else repr(error)] += 1  # type: ignore[index]


def check(connection: psycopg.Connection[Any], calls: Calls) -> None:
    """Assert what must hold after any race."""
    for what, query in WRONG.items():
        assert connection.execute(query).fetchall() == [], what
    assert set(calls.refused) <= {"deadline_passed", "account_deleted"}, calls.refused
    for report in calls.reports:
        assert report["failed"] == []
        assert report["missed"] == []
    done = [each["timeSlot"] for report in calls.reports for each in report["matched"]]
    assert len(done) == len(set(done)), "two schedulers say that they matched one slot"

    # The last word of each member and slot, by its version, is what is stored.
    last: dict[tuple[str, datetime], dict[str, Any]] = {}
    for member, slot, button in calls.accepted:
        if button["version"] >= last.get((member, slot), button)["version"]:
            last[member, slot] = button
    gone = {
        str(row[0])
        for row in connection.execute("select user_id from app.user_campuses where closed_at is not null").fetchall()
    }
    stored = {
        (str(member), slot): on_list
        for member, slot, on_list in connection.execute(
            "select user_id, time_slot, left_at is null from app.waitlist_entries"
        ).fetchall()
    }
    for key, button in last.items():
        # The answer to a late repetition says what became of it.
        if button["slotStatus"] == "open" and key[0] not in gone:
            assert stored.get(key, False) == (button["buttonState"] == "leave"), (key, button)


def schedule(address: str, calls: Calls, stop: threading.Event) -> None:
    """Run deadlines when they are due, as the worker does, until there are none any more."""
    with psycopg.connect(address, autocommit=True) as connection:
        while not stop.is_set():
            row = connection.execute("select app.run_due_deadlines(), app.clock()").fetchone()
            assert row is not None
            report, now = row
            calls.reports.append(report)
            if report["left"] == 0:
                if report["nextDeadlineAt"] is None:
                    return
                ahead = datetime.fromisoformat(report["nextDeadlineAt"]) - now
                stop.wait(min(0.1, max(0, ahead.total_seconds())))


def beside(connection: psycopg.Connection[Any], chance: random.Random, members: list[str], calls: Calls) -> None:
    """Block a neighbour, so that walls stay few; or delete an account."""
    at = 2 * chance.randrange(MEMBERS // 2)
    try:
        with connection.transaction():
            if chance.random() < 0.8:
                pair = chance.sample(members[at : at + 2], 2)
                connection.execute("select app.block_user('stanford', %s, %s)", pair)
            else:
                goer = chance.choice(members[:GOERS])
                connection.execute("select app.delete_member('stanford', %s)", (goer,))
            connection.execute("select")
    except psycopg.Error as error:
        calls.refuse(error)


def race(address: str, batch: int, calls: Calls) -> None:
    """Open deadlines that come one after the other, call around them, and let several schedulers run them."""
    with psycopg.connect(address, autocommit=True) as control:
        control.execute(FILL_UP, (MEMBERS,))
        members = [str(row[0]) for row in control.execute(STAY).fetchall()]
        options = {"slots": DEADLINES, "apart": APART, "first": members[-4:]}
        [(opened,)] = control.execute(OPEN, options).fetchall()
        slots: list[tuple[datetime, datetime]] = [(deadline, at) for deadline, at in opened]
        [(now,)] = control.execute("select app.clock()").fetchall()
    stop = threading.Event()
    # The database's clock, as a session reckons it: off by a round trip, which is what these sessions are about.
    began, here = now, datetime.now().astimezone()

    def client(number: int) -> None:
        chance = random.Random(SESSIONS * batch + number)
        with psycopg.connect(address) as connection:
            while True:
                ahead = began + (datetime.now().astimezone() - here) - slots[0][0]
                nearest = round(ahead / APART)
                if nearest >= DEADLINES:
                    return
                # Mostly the one that comes or has just been, else one of those around it.
                around = nearest + chance.choice([-1, 0, 0, 0, 1, 2])
                chosen = [slots[max(0, min(DEADLINES - 1, around))][1]]
                if chance.random() < 0.1:  # several in one transaction, in any order, as an array through the view
                    chosen = [slot for _, slot in chance.sample(slots[max(0, nearest) :][:8] or slots[-1:], 1)] + chosen
                member = chance.choice(members)
                function = "join" if chance.random() < 0.7 else "leave"
                if chance.random() < 0.05:
                    beside(connection, chance, members, calls)
                    continue
                try:
                    with connection.transaction():
                        said = []
                        for slot in chosen:
                            answer = connection.execute(
                                f"select app.{function}_waitlist('stanford', %s, %s)",
                                (member, slot),
                            ).fetchone()
                            assert answer is not None
                            said.append((member, slot, answer[0]))
                        connection.execute("select")  # one round trip more between joining and committing
                except psycopg.Error as error:
                    calls.refuse(error)
                else:
                    calls.accepted.extend(said)

    with ThreadPoolExecutor(SESSIONS + SCHEDULERS) as pool:
        schedulers = [pool.submit(schedule, address, calls, stop) for _ in range(SCHEDULERS)]
        clients = [pool.submit(client, number) for number in range(SESSIONS)]
        try:
            for each in clients + schedulers:
                each.result(120)
        finally:
            stop.set()


def test_calls_around_deadlines(postgresql: psycopg.Connection[Any], request: pytest.FixtureRequest) -> None:
    address = postgresql.info.dsn
    with psycopg.connect(address, autocommit=True) as control:
        control.execute(SETUP.format(members=MEMBERS))
        control.execute("analyze")
    # As many batches as it takes: a busy machine makes fewer calls around each deadline.
    calls, wanted = Calls(), request.config.getoption("--calls", 500)
    for batch in count():
        race(address, batch, calls)
        if calls.racing() >= wanted and min(len(calls.accepted), calls.refused["deadline_passed"]) > 50:
            break
    with psycopg.connect(address) as connection:
        check(connection, calls)
    print(f"{(batch + 1) * DEADLINES} deadlines, {calls.racing()} racing calls, refused: {dict(calls.refused)}")


def test_twenty_schedulers_and_five_hundred_clients_make_one_matching(postgresql: psycopg.Connection[Any]) -> None:
    """The deadline comes when half of the clients have joined."""
    address = postgresql.info.dsn
    with psycopg.connect(address, autocommit=True) as control:
        control.execute(SETUP.format(members=CLIENTS))
        control.execute("analyze")
        control.execute("select tests.create_slot('two', '14:00'), tests.clock('12:00')")
        members = [str(row[0]) for row in control.execute("select user_id from tests.people").fetchall()]
        row = control.execute("select tests.slot('two')").fetchone()
        assert row is not None
        slot = row[0]
        calls, stop, joined = Calls(), threading.Event(), count(1)
        start = threading.Barrier(CONNECTIONS + MANY_SCHEDULERS)
        half = threading.Event()

        def client(number: int) -> None:
            with psycopg.connect(address) as connection:
                start.wait()
                for member in members[number::CONNECTIONS]:
                    try:
                        with connection.transaction():
                            answer = connection.execute(
                                "select app.join_waitlist('stanford', %s, %s)", (member, slot)
                            ).fetchone()
                            connection.execute("select")
                    except psycopg.Error as error:
                        calls.refuse(error)
                    else:
                        assert answer is not None
                        calls.accepted.append((member, slot, answer[0]))
                        if next(joined) >= CLIENTS / 2:
                            half.set()

        def scheduler(_: int) -> None:
            start.wait()
            schedule(address, calls, stop)

        with ThreadPoolExecutor(CONNECTIONS + MANY_SCHEDULERS) as pool:
            schedulers = [pool.submit(scheduler, number) for number in range(MANY_SCHEDULERS)]
            clients = [pool.submit(client, number) for number in range(CONNECTIONS)]
            try:
                assert half.wait(20)
                control.execute("select tests.clock('13:00')")
                for each in clients + schedulers:
                    each.result(20)
            finally:
                stop.set()
        check(control, calls)
        assert sum(len(report["matched"]) for report in calls.reports) == 1
        report = next(report["matched"][0] for report in calls.reports if report["matched"])
        assert report["people"] == len(calls.accepted) >= CLIENTS / 2
        assert report["leftOut"] == 0
        placed = {str(row[0]) for row in control.execute("select user_id from app.circle_members").fetchall()}
        assert placed == {member for member, _, _ in calls.accepted}
        assert calls.refused["deadline_passed"] == CLIENTS - len(calls.accepted)
