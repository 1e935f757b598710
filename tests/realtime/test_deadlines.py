"""The worker runs deadlines by itself: at the deadline, after an outage, and beside other workers."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from circle27.stack.supervision import Supervisor, wait_until
from tests.realtime.test_stream import stream
from tests.stack import Stack

MEMBERS = [f"{name}@stanford.edu" for name in ("ann", "bob", "cid", "dot", "eve", "fay", "gil")]


@pytest.fixture(autouse=True)
def clock(own_stack: Stack) -> Iterator[None]:
    yield
    own_stack.run("clock", "--reset")


def open_slot(stack: Stack) -> dict[str, Any]:
    """The next slot that is open, and not the next but one: no two tests share one."""
    row = stack.sql(
        "select time_slot::text, deadline_at::text, ends_at::text from app.time_slots as slots"
        " where deadline_at > app.clock() + interval '1 minute' and matched_at is null and cancelled_at is null"
        " order by time_slot limit 1"
    )[0]
    return {"time_slot": row[0], "deadline_at": row[1], "ends_at": row[2]}


def join(stack: Stack, slot: dict[str, Any], members: list[str]) -> None:
    for email in members:
        answer = stack.rpc("join_waitlist", {"p_time_slot": slot["time_slot"]}, token=stack.token(email))
        assert answer.json()["buttonState"] == "leave", answer.text


def about(slot: dict[str, Any], payload: dict[str, Any]) -> bool:
    """A new stream may still hear what was said in the same second, of the slot before."""
    return datetime.fromisoformat(payload["timeSlot"]) == datetime.fromisoformat(slot["time_slot"])


def told(heard: Iterator[tuple[str, dict[str, Any]]], slot: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The button after the matching, and the circle, which comes before it."""
    ours = ((event, payload) for event, payload in heard if event in ("button", "circle") and about(slot, payload))
    circle = next(payload for event, payload in ours if event == "circle")
    return next(payload for event, payload in ours if event == "button" and payload["slotStatus"] != "open"), circle


def in_a_quiet_second(stack: Stack) -> None:
    """Return in a second in which nothing was published: what tests/http/test_events_of_a_slot.py says of nchan."""
    wait_until(lambda: stack.sql("select count(*) from events.outbox") == [(0,)], 10, "the outbox was not emptied")
    published = int(time.time())
    wait_until(lambda: int(time.time()) > published, 3, "time stood still")


def matched(stack: Stack, slot: dict[str, Any]) -> bool:
    done = stack.sql("select 1 from app.time_slots where time_slot = %s and matched_at is not null", slot["time_slot"])
    return bool(done)


def matchings(stack: Stack, slot: dict[str, Any]) -> int:
    count: int = stack.sql(
        "select count(*) from audit.log where action = 'slot.matched' and time_slot = %s", slot["time_slot"]
    )[0][0]
    return count


def turn_to(stack: Stack, instant: str, **ahead: float) -> None:
    moment = datetime.fromisoformat(instant) + timedelta(**ahead)
    stack.run("clock", "--set", moment.isoformat())


def test_at_the_deadline_each_member_hears_button_and_circle(own_stack: Stack) -> None:
    slot = open_slot(own_stack)
    join(own_stack, slot, MEMBERS)
    turn_to(own_stack, slot["deadline_at"], seconds=-4)
    in_a_quiet_second(own_stack)
    with stream(own_stack, MEMBERS[0]) as heard:
        button, circle = told(heard, slot)
    assert (button["buttonState"], button["buttonText"], button["pending"]) == ("confirmed", "Confirmed ✓", False)
    assert button["slotStatus"] == "matched"
    assert own_stack.claims(MEMBERS[0])["sub"] in [member["userId"] for member in circle["members"]]
    answer = own_stack.rpc("my_circle", {"p_time_slot": slot["time_slot"]}, token=own_stack.token(MEMBERS[0]))
    assert answer.json() == circle  # nothing was left to fetch
    assert matchings(own_stack, slot) == 1


def test_too_few_people_are_told(own_stack: Stack) -> None:
    slot = open_slot(own_stack)
    join(own_stack, slot, MEMBERS[:2])
    in_a_quiet_second(own_stack)
    with stream(own_stack, MEMBERS[1]) as heard:
        turn_to(own_stack, slot["deadline_at"])
        button, circle = told(heard, slot)
    assert (button["buttonState"], button["slotStatus"]) == ("past", "matched")
    assert (circle["circleNo"], circle["reason"]) == (None, "no_circle_formed")


def test_an_outage_is_caught_up_with(own_stack: Stack) -> None:
    slot = open_slot(own_stack)
    join(own_stack, slot, MEMBERS)
    supervisor = Supervisor(own_stack.settings)
    supervisor.rpc.stopProcess("worker", True)
    try:
        turn_to(own_stack, slot["time_slot"], minutes=5)  # late, but the meeting is not over
        assert not matched(own_stack, slot)
        buttons = own_stack.rpc("get_button_states", token=own_stack.token(MEMBERS[0])).json()["slots"]
        waiting = next(state for state in buttons if about(slot, state))
        assert (waiting["buttonState"], waiting["pending"]) == ("past", True)
    finally:
        supervisor.start("worker")
    wait_until(lambda: matched(own_stack, slot), 15, "the worker did not catch up")
    assert matchings(own_stack, slot) == 1


def test_a_slot_that_was_missed_is_cancelled_and_its_members_are_told(own_stack: Stack) -> None:
    slot = open_slot(own_stack)
    join(own_stack, slot, MEMBERS)
    in_a_quiet_second(own_stack)
    supervisor = Supervisor(own_stack.settings)
    with stream(own_stack, MEMBERS[2]) as heard:
        supervisor.rpc.stopProcess("worker", True)
        try:
            turn_to(own_stack, slot["ends_at"])
        finally:
            supervisor.start("worker")
        button = next(payload for event, payload in heard if event == "button" and payload["slotStatus"] == "cancelled")
    assert button["buttonState"] == "past"
    assert matchings(own_stack, slot) == 0


def test_many_workers_match_once(own_stack: Stack) -> None:
    slot = open_slot(own_stack)
    join(own_stack, slot, MEMBERS)
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "circle27.worker"], env=own_stack.environment, stderr=subprocess.DEVNULL
        )
        for _ in range(4)
    ]
    try:
        wait_until(
            lambda: own_stack.sql("select count(*) from pg_stat_activity where usename = 'circle27_worker'")[0][0] >= 5,
            20,
            "the workers did not connect",
        )
        turn_to(own_stack, slot["deadline_at"])
        wait_until(lambda: matched(own_stack, slot), 15, "nobody matched")
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(10)
    assert matchings(own_stack, slot) == 1
    assert own_stack.sql(
        "select count(*), count(distinct user_id) from app.circle_members where time_slot = %s", slot["time_slot"]
    ) == [(7, 7)]
