"""Deleting, suspending and judging beside whatever else the same people do at that moment."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import LiteralString

import psycopg

from circle27.stack.supervision import wait_until
from tests.concurrency import test_two_sessions
from tests.concurrency.sessions import Session, sessions, slug
from tests.concurrency.test_two_sessions import BLOCK, CANCEL, FEEDBACK, JOIN, MATCH, Scene

scene = test_two_sessions.scene  # a minute before the deadline of `two`, with Ann to Eve on its list

DELETE: LiteralString = "select app.delete_member('stanford', tests.member(%s))"
SUSPEND: LiteralString = "select app.suspend_user('stanford', tests.member(%s), 'infinity', 'Unkind')"
UPDATE: LiteralString = "select app.update_profile('stanford', tests.member(%s), 'Annie', null)"
REPORT: LiteralString = (
    "select app.report_user('stanford', tests.member(%s), tests.slot('two'), tests.member(%s), 'fake', 'By ann')"
)
OPEN_PARTITIONS: LiteralString = "select audit.open_partitions('2040-01-01')"


def on_list(scene: Scene, name: str) -> int:
    return scene.count("app.waitlist_entries", f"user_id = tests.member('{name}') and left_at is null")


def gone(scene: Scene, name: str) -> bool:
    """Whether a member's account is deleted, and whoever comes back with the address gets it back."""
    returned = "select user_id = tests.member(%s) and created from app.register_user(%s)"
    return bool(scene.value(returned, name, f"{name}@stanford.edu"))


def circle(scene: Scene) -> None:
    """Turn to the deadline of `two` and match it: Ann to Eve are one circle."""
    scene.clock("13:00")
    scene.value(MATCH, "two")


# Deleting.


def test_a_join_waits_for_the_deletion_and_seats_nobody(scene: Scene) -> None:
    scene.one.run(DELETE, "fay")
    joined = scene.other.start(JOIN, "fay", "two")
    scene.other.until_it_waits("ExclusiveLock", scene.member("fay"))
    scene.one.commit()
    assert slug(joined) == "account_deleted"
    scene.clock("13:00")
    assert scene.value(MATCH, "two")["people"] == 5


def test_a_deletion_waits_for_a_join_and_undoes_it(scene: Scene) -> None:
    scene.one.run(JOIN, "fay", "two")
    deleted = scene.other.start(DELETE, "fay")
    scene.other.until_it_waits("ExclusiveLock", scene.member("fay"))
    scene.one.commit()
    assert deleted.result(20) == {"deleted": True}
    scene.other.commit()
    assert on_list(scene, "fay") == 0


def test_two_deletions_are_one(scene: Scene) -> None:
    scene.one.run(DELETE, "ann")
    second = scene.other.start(DELETE, "ann")
    scene.other.until_it_waits("ExclusiveLock", scene.member("ann"))
    scene.one.commit()
    assert second.result(20) == {"deleted": True}
    scene.other.commit()
    assert scene.count("audit.log", "action = 'user.deleted'") == 1
    assert gone(scene, "ann"), "an address that is erased twice makes a stranger of its member"


def test_nothing_personal_is_written_behind_a_deletion(scene: Scene) -> None:
    """Whoever waited for it was let in when the account was still there."""
    circle(scene)
    scene.clock("14:30")
    writes: list[tuple[LiteralString, tuple[object, ...]]] = [
        (UPDATE, ("ann",)),
        (BLOCK, ("ann", "bob")),
        (FEEDBACK, ("ann", "two", 5, None)),
        (REPORT, ("ann", "bob")),
        ("select app.unblock_user('stanford', tests.member(%s), tests.member('bob'))", ("ann",)),
    ]
    with sessions(scene.control.info.dsn, len(writes)) as (_, writers):
        scene.one.run(DELETE, "ann")
        waiting = []
        for writer, (statement, parameters) in zip(writers, writes, strict=True):
            waiting.append(writer.start(statement, *parameters))
            writer.until_it_waits("ExclusiveLock", scene.member("ann"))
        scene.one.commit()
        for writer, answer in zip(writers, waiting, strict=True):
            assert slug(answer) == "account_deleted"
            writer.connection.rollback()
    assert scene.value("select display_name from app.users where user_id = tests.member('ann')") == "Former member"
    assert scene.count("app.blocks") + scene.count("app.feedback") + scene.count("app.reports") == 0


def test_a_deletion_waits_for_the_matching_and_gives_the_place_up(scene: Scene) -> None:
    scene.clock("13:00")
    scene.one.run(MATCH, "two")
    deleted = scene.other.start(DELETE, "ann")
    scene.other.until_it_waits("ShareLock", scene.slot())
    scene.one.commit()
    assert deleted.result(20) == {"deleted": True}
    scene.other.commit()
    assert scene.count("app.circle_members", "cancelled_at is null") == 4
    assert scene.count("app.meetings", "tests.member('ann') in (user_a, user_b)") == 0
    assert scene.count("app.meetings") == 6


def test_a_matching_waits_for_the_deletion_and_does_without_the_member(scene: Scene) -> None:
    scene.one.run(DELETE, "ann")
    scene.clock("13:00")
    report = scene.other.start(MATCH, "two")
    scene.other.until_it_waits("ExclusiveLock", scene.slot())
    scene.one.commit()
    assert report.result(20)["people"] == 4
    scene.other.commit()
    assert scene.count("app.circle_members", "user_id = tests.member('ann')") == 0


def test_a_matching_that_begins_late_waits_for_the_deletion_too(scene: Scene) -> None:
    scene.clock("13:00")
    assert scene.one.run(DELETE, "ann") == {"deleted": True}
    report = scene.other.start(MATCH, "two")
    scene.other.until_it_waits("ExclusiveLock", scene.slot())
    scene.one.commit()
    assert report.result(20)["people"] == 4
    scene.other.commit()
    assert scene.count("app.circle_members", "user_id = tests.member('ann')") == 0


def test_two_mates_who_go_at_once_neither_deadlock_nor_miscount(scene: Scene) -> None:
    circle(scene)
    scene.one.run(DELETE, "ann")
    other = scene.other.start(DELETE, "bob")
    scene.other.until_it_waits("ExclusiveLock", scene.pairs)
    scene.one.commit()
    other.result(20)
    scene.other.commit()
    assert scene.count("app.circle_members", "cancelled_at is null") == 3
    assert scene.count("app.meetings") == 3


def test_a_block_and_a_cancelling_beside_a_deletion(scene: Scene) -> None:
    circle(scene)
    scene.one.run(DELETE, "ann")
    with sessions(scene.control.info.dsn, 2) as (_, (third, fourth)):
        blocked = third.start(BLOCK, "bob", "ann")
        third.until_it_waits("ShareLock", scene.pairs)
        cancelled = fourth.start(CANCEL, "two")
        fourth.until_it_waits("ExclusiveLock", scene.slot())
        scene.one.commit()
        assert blocked.result(20)["blocked"] is True
        third.commit()
        assert cancelled.result(20)["slotStatus"] == "cancelled"
        fourth.commit()
    assert (scene.count("app.blocks"), scene.count("app.meetings")) == (1, 0)


def test_who_signs_in_while_the_account_is_deleted_is_signed_out(scene: Scene) -> None:
    """The code counts until the deletion has taken it: a session that it began is ended with the others."""
    scene.control.execute(
        "insert into identity.login_codes (email, requested_at, allowance, code_hash, code_expires_at, tries_left)"
        " values ('ann@stanford.edu', clock_timestamp(), 5,"
        " identity.secret_hash('code:ann@stanford.edu:123456'), clock_timestamp() + interval '1 hour', 5)"
    )
    scene.control.execute("select identity.add_key('access-1', sha256('a'))")
    verify: LiteralString = "select identity.verify_login_code('ann@stanford.edu', %s, clock_timestamp())"
    assert "accessToken" in scene.one.run(verify, "123456")
    deleted = scene.other.start(DELETE, "ann")
    wait_until(lambda: waits_for_a_row(scene, scene.other), 10, "the deletion waits for nobody")
    scene.one.commit()
    deleted.result(20)
    scene.other.commit()
    assert scene.count("identity.sessions", "ended_at is null") == 0
    assert scene.one.run(verify, "123456")["details"] == "login_code_wrong"


def waits_for_a_row(scene: Scene, session: Session) -> bool:
    waiting = "select exists (select from pg_locks where pid = %s and locktype = 'transactionid' and not granted)"
    return bool(scene.value(waiting, session.connection.info.backend_pid))


# Suspending.


def test_a_join_waits_for_the_suspension_and_is_refused(scene: Scene) -> None:
    scene.one.run(SUSPEND, "fay")
    joined = scene.other.start(JOIN, "fay", "two")
    scene.other.until_it_waits("ExclusiveLock", scene.member("fay"))
    scene.one.commit()
    assert slug(joined) == "suspended"
    assert on_list(scene, "fay") == 0


def test_a_suspension_waits_for_a_join_and_undoes_it(scene: Scene) -> None:
    scene.one.run(JOIN, "fay", "two")
    suspended = scene.other.start(SUSPEND, "fay")
    scene.other.until_it_waits("ExclusiveLock", scene.member("fay"))
    scene.one.commit()
    assert suspended.result(20)["suspendedUntil"] == "infinity"
    scene.other.commit()
    assert on_list(scene, "fay") == 0


# Judging.


def test_two_witnesses_at_the_same_moment_are_two(scene: Scene) -> None:
    circle(scene)
    scene.clock("14:30")
    away = json.dumps([{"userId": str(scene.value("select tests.member('eve')")), "noShow": True}])
    scene.one.run(FEEDBACK, "ann", "two", 3, away)
    second = scene.other.start(FEEDBACK, "bob", "two", 3, away)
    wait_until(lambda: waits_for_a_row(scene, scene.other), 10, "the second witness does not wait")
    scene.one.commit()
    second.result(20)
    scene.other.commit()
    assert scene.value("select attended from app.circle_members where user_id = tests.member('eve')") is False
    assert scene.count("audit.log", "action = 'user.stayed_away'") == 1


def test_the_third_fact_counts_though_two_meetings_are_judged_at_the_same_moment(scene: Scene) -> None:
    """Each alone would find two: its own, and the one of this morning."""
    scene.control.execute("select tests.create_slot('eleven', '11:00')")
    for slot in ("eleven", "two", "three"):
        scene.control.execute(
            "select tests.in_circle(name, %s) from unnest('{ann,bob,cyd,eve}'::text[]) as people (name)", (slot,)
        )
    scene.clock("16:00")
    away = json.dumps([{"userId": str(scene.value("select tests.member('eve')")), "noShow": True}])
    for witness, slot in (("ann", "eleven"), ("bob", "eleven"), ("ann", "two"), ("ann", "three")):
        scene.value(FEEDBACK, witness, slot, 3, away)
    scene.one.run(FEEDBACK, "bob", "two", 3, away)
    second = scene.other.start(FEEDBACK, "cyd", "three", 3, away)
    wait_until(lambda: waits_for_a_row(scene, scene.other), 10, "the second judgement does not wait")
    scene.one.commit()
    second.result(20)
    scene.other.commit()
    assert scene.count("audit.log", "action = 'user.suspended_by_rule'") == 1


# Storms.


def test_a_storm_of_joining_and_leaving_leaves_one_entry_and_an_order(scene: Scene) -> None:
    """Four devices of one member at once. What the last message says is what holds."""
    devices, turns = 4, 40
    start = Barrier(devices)

    def storm(_: int) -> None:
        with psycopg.connect(scene.control.info.dsn, autocommit=True) as connection:
            start.wait()
            for turn in range(turns):
                connection.execute(JOIN if turn % 2 == 0 else test_two_sessions.LEAVE, ("fay", "two"))

    with ThreadPoolExecutor(devices) as pool:
        list(pool.map(storm, range(devices)))
    assert scene.count("app.waitlist_entries", "user_id = tests.member('fay')") == 1
    fays = "channel = 'user:' || tests.member('fay')"
    told = scene.control.execute(
        f"select payload ->> 'buttonState', (payload ->> 'version')::bigint from events.outbox where {fays} order by id"
    ).fetchall()
    assert [state for state, _ in told] == ["leave", "join"] * (len(told) // 2), "each message is a change"
    versions = [version for _, version in told]
    assert versions == sorted(set(versions))
    assert (scene.button("fay")["buttonState"], scene.button("fay")["version"]) == told[-1]
    assert scene.count("audit.log", "user_id = tests.member('fay')") == len(told) <= devices * turns


# The trail's partitions.


def test_partitions_opened_by_two_workers_at_once_are_made_once(scene: Scene) -> None:
    assert scene.one.run(OPEN_PARTITIONS) == 3
    second = scene.other.start(OPEN_PARTITIONS)
    lock = "select exists (select from pg_locks where pid = %s and not granted)"
    wait_until(
        lambda: bool(scene.value(lock, scene.other.connection.info.backend_pid)), 10, "the second waits for nothing"
    )
    scene.one.commit()
    assert second.result(20) == 0
    scene.other.commit()


def test_what_is_recorded_while_partitions_are_made_is_kept(scene: Scene) -> None:
    scene.control.execute("insert into audit.log (at, action, actor_role) values ('2041-05-05', 'a.early', 'test')")
    scene.one.run(OPEN_PARTITIONS)
    joined = scene.other.start(JOIN, "fay", "two")
    lock = "select exists (select from pg_locks where pid = %s and not granted)"
    wait_until(
        lambda: bool(scene.value(lock, scene.other.connection.info.backend_pid)), 10, "the join waits for nothing"
    )
    scene.one.commit()
    joined.result(20)
    scene.other.commit()
    assert scene.count("audit.log", "action = 'waitlist.joined'") == 1
    assert scene.count("audit.log_2041") == 1
