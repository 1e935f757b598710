"""Places given up beside each other, beside walls and beside matchings; spots dealt beside each other."""

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import LiteralString

from tests.concurrency import test_two_sessions
from tests.concurrency.sessions import sessions, slug
from tests.concurrency.test_two_sessions import BLOCK, CANCEL, MATCH, Scene

scene = test_two_sessions.scene  # a minute before the deadline of `two`, with Ann to Eve on its list

GIVE_UP: LiteralString = "select app.cancel_place('stanford', tests.member(%s), tests.slot('two'))"
DELETE: LiteralString = "select app.delete_member('stanford', tests.member(%s))"
RECOUNT: LiteralString = "select app.recount_pairs('stanford', array(select user_id from app.users))"
MORE = ["gil", "hal", "ida", "joe", "kim", "lea", "moe", "ned", "oda", "pat", "roy", "sue", "tom", "una", "vic"]


def circles(scene: Scene) -> list[str]:
    return [row[0] for row in scene.control.execute("select tests.circles('two')").fetchall()]


def seated(scene: Scene, *groups: str) -> None:
    """Seat these people in circles 1, 2 ... of `two`, half an hour before it begins."""
    scene.control.execute(
        "select tests.create_member(name) from unnest(%s::text[]) as people (name) where tests.member(name) is null",
        (" ".join(groups).split(),),
    )
    scene.control.execute("delete from app.waitlist_entries")
    for number, group in enumerate(groups, 1):
        for name in group.split():
            scene.control.execute("select tests.in_circle(%s, 'two', %s)", (name, number))
    scene.clock("13:30")


def test_two_of_one_circle_give_up_at_once_and_the_last_is_not_left_alone(scene: Scene) -> None:
    seated(scene, "ann bob cyd", "dan eve fay")
    scene.one.run(GIVE_UP, "ann")
    second = scene.other.start(GIVE_UP, "bob")
    scene.other.until_it_waits("ExclusiveLock", scene.pairs)
    scene.one.commit()
    assert slug(second) is None
    scene.other.commit()
    assert circles(scene) == ["cyd dan eve fay"]


def test_the_other_circle_is_not_filled_twice(scene: Scene) -> None:
    """Two small circles look for room at the same moment: there is some for one."""
    seated(scene, "ann bob cyd", "dan eve fay", "gil hal ida")
    scene.one.run(GIVE_UP, "ann")
    second = scene.other.start(GIVE_UP, "dan")
    scene.other.until_it_waits("ExclusiveLock", scene.pairs)
    scene.one.commit()
    assert slug(second) is None
    scene.other.commit()
    assert sorted(len(circle.split()) for circle in circles(scene)) == [3, 4]


def test_a_wall_that_goes_up_meanwhile_is_seen(scene: Scene) -> None:
    seated(scene, "ann bob cyd", "dan eve fay")
    scene.one.run(BLOCK, "fay", "bob")
    leaving = scene.other.start(GIVE_UP, "ann")
    scene.other.until_it_waits("ExclusiveLock", scene.pairs)
    scene.one.commit()
    assert slug(leaving) is None
    scene.other.commit()
    assert circles(scene) == ["bob cyd", "dan eve fay"]


def test_a_wall_comes_after_a_merger_that_was_first(scene: Scene) -> None:
    seated(scene, "ann bob cyd", "dan eve fay")
    scene.one.run(GIVE_UP, "ann")
    blocking = scene.other.start(BLOCK, "fay", "bob")
    scene.other.until_it_waits("ShareLock", scene.pairs)
    scene.one.commit()
    assert slug(blocking) is None
    scene.other.commit()
    assert circles(scene) == ["bob cyd dan eve fay"]


def test_giving_up_waits_for_the_matching_and_finds_its_place(scene: Scene) -> None:
    scene.clock("13:00")
    scene.one.run(MATCH, "two")
    leaving = scene.other.start(GIVE_UP, "ann")
    scene.other.until_it_waits("ShareLock", scene.slot())
    scene.one.commit()
    assert slug(leaving) is None
    scene.other.commit()
    assert circles(scene) == ["bob cyd dan eve"]


def test_a_slot_that_is_called_off_meanwhile_is_left_by_nobody(scene: Scene) -> None:
    seated(scene, "ann bob cyd", "dan eve fay")
    scene.one.run(CANCEL, "two")
    leaving = scene.other.start(GIVE_UP, "ann")
    scene.other.until_it_waits("ShareLock", scene.slot())
    scene.one.commit()
    assert slug(leaving) == "slot_cancelled"


def test_spots_of_slots_with_a_minute_in_common_are_dealt_once(scene: Scene) -> None:
    """Both are matched at once: the second waits for the campus's spots, and takes what is left."""
    scene.control.execute("select tests.create_slot('ten past', '14:10')")
    scene.control.execute("select tests.create_member(name) from unnest(%s::text[]) as people (name)", (MORE,))
    scene.control.execute("select tests.joined(name, 'ten past') from unnest(%s::text[]) as people (name)", (MORE,))
    scene.control.execute(
        "select app.add_meeting_spot('stanford', spot, spot) from unnest('{court,steps,hall}'::text[]) as spots (spot)"
    )
    scene.clock("13:10")
    scene.one.run(MATCH, "two")
    second = scene.other.start(MATCH, "ten past")
    scene.other.until_it_waits("ExclusiveLock", scene.pairs)
    scene.one.commit()
    assert slug(second) is None
    scene.other.commit()
    dealt = scene.control.execute("select spot_id from app.circles where spot_id is not null").fetchall()
    assert len(dealt) == len(set(dealt)) == 3


def test_everybody_gives_up_at_once(scene: Scene) -> None:
    """Twelve circles lose two thirds of their people in eight sessions, some by deleting their accounts."""
    draw = random.Random(27)
    people = [f"p{number}" for number in range(48)]
    seated(scene, *[" ".join(people[start : start + 4]) for start in range(0, 48, 4)])
    scene.control.execute("select identity.add_key('k', convert_to(repeat('s', 40), 'UTF8'))")
    scene.control.execute(
        "select app.add_meeting_spot('stanford', 's' || number, 'S') from generate_series(1, 12) as spots (number)"
    )
    scene.control.execute("update app.circles set spot_id = 's' || circle_no")
    for _ in range(12):
        one, other = draw.sample(people, 2)
        if not scene.count("app.blocks", f"user_id = tests.member('{one}') and blocked_id = tests.member('{other}')"):
            scene.control.execute("select tests.blocked(%s, %s)", (one, other))
    scene.control.execute(RECOUNT)
    leavers = draw.sample(people, 32)
    with sessions(scene.control.info.dsn, 8) as (_, crowd), ThreadPoolExecutor(8) as pool:
        ready = Barrier(8)

        def leave(number: int) -> None:
            ready.wait(20)
            for at, name in enumerate(leavers[number::8]):
                crowd[number].run(DELETE if at == 3 else GIVE_UP, name)
                crowd[number].commit()

        for done in [pool.submit(leave, number) for number in range(8)]:
            done.result(60)

    left = scene.control.execute("""
        select circle_no, array_agg(user_id), count(*) from app.circle_members
        where cancelled_at is null group by circle_no
    """).fetchall()
    assert sum(row[2] for row in left) == 16
    assert all(row[2] <= 5 for row in left)
    # No two stand apart who could stand together, but for the walls: whoever is too few has no room anywhere.
    scene.control.execute("begin")
    assert scene.value("select app.merge_circles('stanford', tests.slot('two'), app.clock())") == []
    scene.control.execute("rollback")
    walls = """
        select count(*) from app.blocks inner join app.circle_members as ones on ones.user_id = blocks.user_id
        inner join app.circle_members as others on others.user_id = blocked_id and others.circle_no = ones.circle_no
        where ones.cancelled_at is null and others.cancelled_at is null
        and ones.moved_from is distinct from others.moved_from
    """
    assert scene.value(walls) == 0
    spots = scene.control.execute("select circle_no from app.circles where spot_id is not null").fetchall()
    assert sorted(spots) == sorted((row[0],) for row in left), "each circle has a spot, and no empty one"
    # Who has met whom is what the books say.
    met = "select user_a, user_b, meetings_count, last_met_at from app.meetings order by 1, 2"
    kept = scene.control.execute(met).fetchall()
    scene.control.execute(RECOUNT)
    assert scene.control.execute(met).fetchall() == kept
