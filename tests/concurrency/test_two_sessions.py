"""Two sessions about one thing: whoever comes second waits, and then sees what the first has done."""

import json
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from datetime import datetime
from threading import Barrier
from typing import Any, LiteralString

import psycopg
import pytest

from circle27.stack.supervision import wait_until
from tests.concurrency.sessions import Key, Session, sessions, slug

CAMPUS = "stanford"
PEOPLE = ["ann", "bob", "cyd", "dan", "eve", "fay"]

JOIN: LiteralString = "select app.join_waitlist('stanford', tests.member(%s), tests.slot(%s))"
LEAVE: LiteralString = "select app.leave_waitlist('stanford', tests.member(%s), tests.slot(%s))"
MATCH: LiteralString = "select app.match_time_slot('stanford', tests.slot(%s))"
CANCEL: LiteralString = "select app.cancel_time_slot('stanford', tests.slot(%s))"
BLOCK: LiteralString = "select app.block_user('stanford', tests.member(%s), tests.member(%s))"
FEEDBACK: LiteralString = "select app.submit_feedback('stanford', tests.member(%s), tests.slot(%s), %s, null, %s)"
RUN_DUE: LiteralString = "select app.run_due_deadlines()"


@dataclass
class Scene:
    """A minute before the deadline of `two` (14:00): Ann to Eve are on its list. `three` (15:00) is empty."""

    control: psycopg.Connection[Any]
    one: Session
    other: Session

    def value(self, statement: LiteralString, *parameters: object) -> Any:
        row = self.control.execute(statement, parameters).fetchone()
        assert row is not None
        return row[0]

    def clock(self, at: str) -> None:
        self.control.execute("select tests.clock(%s)", (at,))

    def slot(self, name: str = "two") -> Key:
        at: datetime = self.value("select tests.slot(%s)", name)
        return "slot", CAMPUS, at

    def member(self, name: str) -> Key:
        return "member", str(self.value("select tests.member(%s)", name)), None

    @property
    def pairs(self) -> Key:
        return "pairs", CAMPUS, None

    def count(self, table: str, where: str = "true") -> int:
        return int(self.value(f"select count(*) from {table} where {where}"))

    def button(self, name: str, slot: str = "two") -> dict[str, Any]:
        return self.value(  # type: ignore[no-any-return]
            "select app.button('stanford', tests.member(%s), tests.slot(%s), app.clock())", name, slot
        )


@pytest.fixture
def scene(postgresql: psycopg.Connection[Any]) -> Iterator[Scene]:
    with sessions(postgresql.info.dsn, 2) as (control, (one, other)):
        control.execute("select tests.create_member(name) from unnest(%s::text[]) as people (name)", (PEOPLE,))
        control.execute("select tests.create_slot('two', '14:00'), tests.create_slot('three', '15:00')")
        control.execute("select tests.joined(name, 'two') from unnest(%s::text[]) as people (name)", (PEOPLE[:5],))
        control.execute("select tests.clock('12:59')")
        yield Scene(control, one, other)


# Joining, leaving.


def test_a_matching_waits_for_a_join_and_counts_it(scene: Scene) -> None:
    scene.one.run(JOIN, "fay", "two")
    scene.clock("13:00")
    report = scene.other.start(MATCH, "two")
    scene.other.until_it_waits("ExclusiveLock", scene.slot())
    scene.one.commit()
    assert report.result(20)["people"] == 6
    scene.other.commit()
    assert scene.button("fay")["buttonState"] == "confirmed"


def test_a_join_waits_for_the_matching_and_is_refused(scene: Scene) -> None:
    """The clock is turned back meanwhile: what is written down decides, not the clock."""
    scene.clock("13:00")
    scene.one.run(MATCH, "two")
    scene.clock("12:59")
    joined = scene.other.start(JOIN, "fay", "two")
    scene.other.until_it_waits("ShareLock", scene.slot())
    scene.one.commit()
    assert slug(joined) == "deadline_passed"
    assert scene.count("app.waitlist_entries") == 5


def test_the_clock_is_read_once_the_lock_is_held(scene: Scene) -> None:
    """The deadline passes while a join waits: it is late, though it came in time."""
    scene.one.run("select app.lock_for_matching('stanford', tests.slot('two'), true)")
    joined = scene.other.start(JOIN, "fay", "two")
    scene.other.until_it_waits("ShareLock", scene.slot())
    scene.clock("13:00")
    scene.one.connection.rollback()
    assert slug(joined) == "deadline_passed"
    assert scene.count("app.waitlist_entries") == 5


def test_nobody_enters_without_the_lock_when_the_clock_is_turned_back(scene: Scene) -> None:
    """From its second reading on, the clock shows a time before the deadline again."""
    scene.control.execute("create sequence public.readings; grant all on sequence public.readings to public")
    scene.control.execute(
        "create or replace function app.clock() returns timestamptz language sql volatile as"
        " $$ select timestamptz '2030-06-12 13:00 America/Los_Angeles'"
        " - case nextval('public.readings') when 1 then interval '0' else interval '1 minute' end $$"
    )
    scene.one.run("select app.lock_for_matching('stanford', tests.slot('two'), true)")
    assert slug(scene.other.start(JOIN, "fay", "two")) == "deadline_passed"


def test_a_matching_waits_for_who_leaves_and_does_without_them(scene: Scene) -> None:
    scene.one.run(LEAVE, "ann", "two")
    scene.clock("13:00")
    report = scene.other.start(MATCH, "two")
    scene.other.until_it_waits("ExclusiveLock", scene.slot())
    scene.one.commit()
    assert report.result(20)["people"] == 4
    scene.other.commit()
    assert scene.button("ann")["buttonState"] == "past"
    assert scene.count("app.circle_members", "user_id = tests.member('ann')") == 0


def test_who_leaves_while_it_is_matched_stays_in_the_circle(scene: Scene) -> None:
    scene.clock("13:00")
    scene.one.run(MATCH, "two")
    scene.clock("12:59")
    left = scene.other.start(LEAVE, "ann", "two")
    scene.other.until_it_waits("ShareLock", scene.slot())
    scene.one.commit()
    assert slug(left) == "deadline_passed"
    assert scene.button("ann")["buttonState"] == "confirmed"


def test_two_joins_of_one_member_at_once_are_one(scene: Scene) -> None:
    first = scene.one.run(JOIN, "fay", "two")
    second = scene.other.start(JOIN, "fay", "two")
    scene.other.until_it_waits("ExclusiveLock", scene.member("fay"))
    scene.one.commit()
    assert second.result(20) == first
    scene.other.commit()
    assert scene.count("app.waitlist_entries", "user_id = tests.member('fay')") == 1
    assert scene.count("events.outbox", "channel = 'user:' || tests.member('fay')") == 1
    assert scene.count("audit.log", "action = 'waitlist.joined'") == 1


def test_two_members_join_one_slot_side_by_side(scene: Scene) -> None:
    scene.one.run(JOIN, "fay", "two")
    scene.other.run(LEAVE, "ann", "two")  # returns, though the other has not committed
    scene.one.commit()
    scene.other.commit()
    assert scene.count("app.waitlist_entries", "left_at is null") == 5


# Cancelling.


def test_a_matching_waits_for_the_cancelling_and_is_refused(scene: Scene) -> None:
    scene.clock("13:00")
    scene.one.run(CANCEL, "two")
    report = scene.other.start(MATCH, "two")
    scene.other.until_it_waits("ExclusiveLock", scene.slot())
    scene.one.commit()
    assert slug(report) == "slot_cancelled"
    assert scene.count("app.circles") == 0


def test_a_cancelling_waits_for_the_matching_and_undoes_it(scene: Scene) -> None:
    scene.clock("13:00")
    scene.one.run(MATCH, "two")
    facts = scene.other.start(CANCEL, "two")
    scene.other.until_it_waits("ExclusiveLock", scene.slot())
    scene.one.commit()
    assert facts.result(20)["slotStatus"] == "cancelled"
    scene.other.commit()
    assert scene.count("app.circle_members") == 5
    assert scene.count("app.meetings") == 0, "the members of circles of a cancelled slot have not met"
    assert scene.button("ann")["buttonState"] == "past"


def test_a_join_waits_for_the_cancelling_and_is_refused(scene: Scene) -> None:
    scene.one.run(CANCEL, "two")
    joined = scene.other.start(JOIN, "fay", "two")
    scene.other.until_it_waits("ShareLock", scene.slot())
    scene.one.commit()
    assert slug(joined) == "slot_cancelled"


def test_a_cancelling_waits_for_a_join_and_tells_who_joined(scene: Scene) -> None:
    scene.one.run(JOIN, "fay", "two")
    cancelled = scene.other.start(CANCEL, "two")
    scene.other.until_it_waits("ExclusiveLock", scene.slot())
    scene.one.commit()
    cancelled.result(20)
    scene.other.commit()
    told = "channel = 'user:' || tests.member('fay') and payload ->> 'slotStatus' = 'cancelled'"
    assert scene.count("events.outbox", told) == 1


# Blocking.


def test_a_matching_waits_for_a_block_and_keeps_to_it(scene: Scene) -> None:
    scene.value(JOIN, "fay", "two")  # six: two circles of three
    scene.one.run(BLOCK, "ann", "bob")
    scene.clock("13:00")
    report = scene.other.start(MATCH, "two")
    scene.other.until_it_waits("ExclusiveLock", scene.pairs)
    scene.one.commit()
    assert report.result(20)["leftOut"] == 0
    scene.other.commit()
    together = "user_id in (tests.member('ann'), tests.member('bob'))"
    assert scene.value(f"select count(distinct circle_no) from app.circle_members where {together}") == 2


def test_a_block_waits_for_the_matching_and_changes_no_circle(scene: Scene) -> None:
    scene.clock("13:00")
    scene.one.run(MATCH, "two")
    blocked = scene.other.start(BLOCK, "ann", "bob")
    scene.other.until_it_waits("ShareLock", scene.pairs)
    scene.one.commit()
    assert blocked.result(20)["blocked"] is True
    scene.other.commit()
    assert scene.count("app.blocks") == 1
    assert scene.count("app.circle_members", "cancelled_at is null") == 5


def test_two_who_block_each_other_at_once_do_not_wait(scene: Scene) -> None:
    scene.one.run(BLOCK, "ann", "bob")
    scene.other.run(BLOCK, "bob", "ann")
    scene.one.commit()
    scene.other.commit()
    assert scene.count("app.blocks") == 2


def test_who_leaves_in_time_is_not_put_back_by_a_late_join(scene: Scene) -> None:
    """The leave is under way; the join, which comes late and holds no lock, still sees the member on the list."""
    scene.clock("12:59")
    scene.one.run("select app.leave_waitlist('stanford', tests.member('ann'), tests.slot('two'))")
    scene.clock("13:00")
    scene.other.start(JOIN, "ann", "two").result(10)  # answers, and neither waits nor writes
    scene.other.commit()
    scene.one.commit()
    left = "select left_at is not null from app.waitlist_entries where user_id = tests.member('ann')"
    assert scene.control.execute(left).fetchone() == (True,)


# Several slots.


def test_a_member_who_joins_several_slots_in_a_transaction_and_a_matching_of_them_do_not_deadlock(scene: Scene) -> None:
    """The member holds `three` and waits for `two`; the matching holds `two` and finds `three` busy."""
    scene.clock("12:59")
    scene.one.run("select tests.act_as('fay')")
    insert: LiteralString = "insert into api.waitlist_entries (time_slot) values (tests.slot(%s))"
    scene.one.run(insert, "three")
    scene.clock("14:00")
    report = scene.other.run(RUN_DUE)
    assert len(report["matched"]) == 1
    assert report["left"] == 1, "a matching that holds a slot waits for no other"
    scene.clock("12:59")
    joined = scene.one.start(insert, "two")
    scene.one.until_it_waits("ShareLock", scene.slot("two"))
    scene.other.commit()
    assert slug(joined) == "deadline_passed"  # and the whole array with it
    scene.one.connection.rollback()
    scene.clock("14:00")
    assert scene.other.run(RUN_DUE)["matched"][0]["people"] == 0
    scene.other.commit()


def test_an_array_of_slots_waits_inside_one_insert(scene: Scene) -> None:
    """As a client inserts several rows: one statement, which holds the first slot while it waits for the second."""
    scene.other.run("select app.lock_for_matching('stanford', tests.slot('two'), true)")
    scene.one.run("select tests.act_as('fay')")
    joined = scene.one.start(
        "insert into api.waitlist_entries (time_slot) values (tests.slot('three')), (tests.slot('two'))"
    )
    scene.one.until_it_waits("ShareLock", scene.slot("two"))
    scene.clock("14:00")
    matching = scene.other.run(RUN_DUE)  # its second slot is held by the insert, its first by itself
    assert (len(matching["matched"]), matching["left"]) == (1, 1)
    scene.other.commit()
    assert slug(joined) == "deadline_passed"
    scene.one.connection.rollback()
    assert scene.count("app.waitlist_entries", "user_id = tests.member('fay')") == 0


def test_two_members_who_join_two_slots_crosswise_between_two_matchings_do_not_deadlock(scene: Scene) -> None:
    """Each waits behind a matching that waits for the other. PostgreSQL notices, and lets one of them pass."""
    with sessions(scene.control.info.dsn, 2) as (_, matchings):
        members, names, slots = [scene.one, scene.other], ["ann", "fay"], ["two", "three"]
        for session, name, name_of_slot in zip(members, names, slots, strict=True):
            session.run(JOIN, name, name_of_slot)
        reports = [session.start(MATCH, name) for session, name in zip(matchings, slots, strict=True)]
        for session, name in zip(matchings, slots, strict=True):
            session.until_it_waits("ExclusiveLock", scene.slot(name))
        joined = [
            session.start(JOIN, name, other) for session, name, other in zip(members, names, slots[::-1], strict=True)
        ]
        passed = joined.index(wait(joined, 20, FIRST_COMPLETED).done.pop())
        assert slug(joined[passed]) is None
        scene.clock("14:00")
        members[passed].commit()
        assert reports[passed].result(20)["people"] == (5 if passed == 0 else 1)
        matchings[passed].commit()
        assert slug(joined[1 - passed]) == "deadline_passed"
        members[1 - passed].connection.rollback()
        assert reports[1 - passed].result(20)["people"] == (1 if passed == 0 else 6)


def test_a_scheduler_that_gets_a_slot_without_the_pairs_lets_go_of_it(scene: Scene) -> None:
    """A member holds `two` and wants `three`, which the scheduler could have, were the pairs not held by a block."""
    scene.one.run("select tests.act_as('ann')")
    insert: LiteralString = "insert into api.waitlist_entries (time_slot) values (tests.slot(%s))"
    scene.one.run(insert, "two")
    with psycopg.connect(scene.control.info.dsn, autocommit=True) as beside:
        with scene.control.transaction():
            scene.control.execute("select app.block_user('stanford', tests.member('bob'), tests.member('cyd'))")
            beside.execute("select tests.clock('14:00')")
            report = scene.other.start(RUN_DUE)
            wait_until(lambda: waits(beside, scene.other), 10, "the scheduler does not wait")
            beside.execute("select tests.clock('12:59')")
            scene.one.start(insert, "three").result(10)  # waits for nobody
            beside.execute("select tests.clock('14:00')")
        scene.one.commit()
    assert [each["people"] for each in report.result(20)["matched"]] == [5, 1]
    scene.other.commit()


def waits(connection: psycopg.Connection[Any], session: Session) -> bool:
    blocked = connection.execute(
        "select cardinality(pg_blocking_pids(%s)) > 0", (session.connection.info.backend_pid,)
    ).fetchone()
    return blocked == (True,)


def test_two_matchings_of_overlapping_slots_share_a_spot_one_after_the_other(scene: Scene) -> None:
    scene.control.execute("select tests.create_slot('ten past', '14:10')")
    scene.control.execute(
        "select tests.joined(name, 'ten past') from unnest(%s::text[]) as people (name)", (PEOPLE[:3],)
    )
    scene.control.execute("select app.add_meeting_spot('stanford', 'steps', 'Library, front steps')")
    scene.clock("13:10")
    assert scene.one.run(MATCH, "two")["circlesWithoutSpot"] == 0
    report = scene.other.start(MATCH, "ten past")
    scene.other.until_it_waits("ExclusiveLock", scene.pairs)
    scene.one.commit()
    assert report.result(20)["circlesWithoutSpot"] == 1
    scene.other.commit()
    assert scene.count("app.circles", "spot_id = 'steps'") == 1
    # All three met twice, and both matchings wrote it.
    assert scene.value("select max(meetings_count) from app.meetings") == 2


# Feedback, profiles.


@pytest.fixture
def met(scene: Scene) -> Scene:
    """The meeting at two is over."""
    scene.clock("13:00")
    scene.value(MATCH, "two")
    scene.clock("14:20")
    return scene


@pytest.mark.parametrize(("rating", "answer"), [(5, None), (1, "feedback_given")])
def test_feedback_given_twice_at_once_is_given_once(met: Scene, rating: int, answer: str | None) -> None:
    before = met.button("ann")["version"]
    first = met.one.run(FEEDBACK, "ann", "two", 5, None)
    second = met.other.start(FEEDBACK, "ann", "two", rating, None)
    met.other.until_it_waits("ExclusiveLock", met.member("ann"))
    met.one.commit()
    assert slug(second) == answer
    assert answer or second.result() == first
    assert first["version"] > before
    assert met.button("ann") == first
    assert met.value("select array_agg(rating) from app.feedback") == [5]
    assert met.count("audit.log", "action = 'feedback.given'") == 1


def test_feedback_waits_for_the_matching_and_knows_its_circle(scene: Scene) -> None:
    """Whom it speaks about is looked up once the lock is held, too."""
    scene.clock("13:00")
    scene.one.run(MATCH, "two")
    scene.clock("14:20")
    about = json.dumps([{"userId": scene.member("bob")[1], "meetAgain": True}])
    given = scene.other.start(FEEDBACK, "ann", "two", 5, about)
    scene.other.until_it_waits("ShareLock", scene.slot())
    scene.one.commit()
    assert slug(given) is None
    scene.other.commit()
    assert scene.count("app.feedback_about") == 1


def test_feedback_waits_for_the_cancelling_and_is_refused(met: Scene) -> None:
    met.clock("14:19")
    met.one.run(CANCEL, "two")
    met.clock("14:20")
    given = met.other.start(FEEDBACK, "ann", "two", 5, None)
    met.other.until_it_waits("ShareLock", met.slot())
    met.one.commit()
    assert slug(given) == "slot_cancelled"


def test_of_two_updates_of_one_profile_none_is_lost(scene: Scene) -> None:
    update: LiteralString = "select app.update_profile('stanford', tests.member('ann'), %s, %s)"
    scene.one.run(update, "Ann B.", None)
    second = scene.other.start(update, None, '{"major": "music"}')
    scene.other.until_it_waits("ExclusiveLock", scene.member("ann"))
    scene.one.commit()
    profile = second.result(20)
    scene.other.commit()
    assert (profile["displayName"], profile["attributes"]) == ("Ann B.", {"major": "music"})
    assert scene.count("audit.log", "action = 'profile.updated'") == 2


def test_two_schedulers_match_a_slot_once(scene: Scene) -> None:
    scene.clock("13:00")
    start = Barrier(2)

    def run(session: Session) -> Any:
        start.wait()
        report = session._execute(RUN_DUE, ())
        session.commit()
        return report

    reports = [scene.one.pool.submit(run, scene.one), scene.other.pool.submit(run, scene.other)]
    assert sorted(len(report.result(20)["matched"]) for report in reports) == [0, 1]
    assert scene.count("audit.log", "action = 'slot.matched'") == 1
