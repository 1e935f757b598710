"""From the deadline to the end over HTTP: who is in a circle, and what everyone's button says meanwhile."""

from datetime import datetime

import psycopg
import pytest

from circle27.stack.settings import SUPERUSER
from circle27.stack.supervision import wait_until
from tests.http.test_events_of_a_slot import hears, stream
from tests.life import BUTTON, Campus


def test_three_on_a_list_become_a_circle(campus: Campus) -> None:
    campus.stack.sql("select app.add_meeting_spot(%s, 'steps', 'Library, front steps')", campus.campus_id)
    people = campus.matched("Ann", "Bob", "Cleo")
    (dan,) = campus.members("Dan")
    for member in people:
        state = member.button(campus.slot)
        assert [state[key] for key in BUTTON] == ["confirmed", "Confirmed ✓", "Confirmed at 1PM", False]
        assert (state["slotStatus"], state["pending"]) == ("matched", False)
        assert datetime.fromisoformat(state["changesAt"]) == datetime.fromisoformat(state["endsAt"])
        assert member.gets("my_circle", p_time_slot=campus.slot) == {
            "timeSlot": campus.slot,
            "circleNo": 1,
            "spot": {"spotId": "steps", "name": "Library, front steps"},
            "members": [{"userId": mate.user_id, "displayName": mate.name} for mate in people],
            "belowMinimum": False,
        }
    state = dan.button(campus.slot)
    assert [state[key] for key in BUTTON] == ["past", "Past", "Closed at 1PM", True]
    assert dan.refused("my_circle", p_time_slot=campus.slot) == (404, "no_circle")


def test_between_deadline_and_matching_the_button_is_pending(campus: Campus) -> None:
    ann, bob = campus.members("Ann", "Bob")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    with psycopg.connect(campus.stack.settings.dsn(SUPERUSER)) as other:
        lock = "select pg_advisory_xact_lock_shared(app.lock_key('slot', %s, %s))"  # keeps the worker from matching
        other.execute(lock, [campus.campus_id, campus.slot])
        campus.at(hours=-1)
        waiting, stranger = ann.button(campus.slot), bob.button(campus.slot)
    assert (waiting["buttonState"], waiting["slotStatus"], waiting["pending"]) == ("past", "matching", True)
    assert datetime.fromisoformat(waiting["changesAt"]) > datetime.fromisoformat(waiting["deadlineAt"])
    assert (stranger["buttonState"], stranger["pending"], stranger["changesAt"]) == ("past", False, None)
    campus.match()
    assert ann.button(campus.slot)["pending"] is False


def test_the_button_follows_the_clock_to_the_end(campus: Campus) -> None:
    ann, *_ = campus.matched("Ann", "Bob", "Cleo")
    campus.at(minutes=19, seconds=50)
    assert ann.says(campus.slot) == "confirmed"
    campus.at(minutes=20)
    state = ann.button(campus.slot)
    assert [state[key] for key in BUTTON] == ["feedback", "Feedback >", "Confirmed at 1PM", False]
    assert (state["slotStatus"], state["changesAt"]) == ("ended", None)
    assert ann.gets("my_circle", p_time_slot=campus.slot)["circleNo"] == 1


def test_too_few_are_told_that_no_circle_could_be_formed(campus: Campus) -> None:
    ann, bob = campus.matched("Ann", "Bob")
    for member in (ann, bob):
        assert member.says(campus.slot) == "past"
        assert member.refused("my_circle", p_time_slot=campus.slot) == (404, "no_circle_formed")


def test_who_left_in_time_is_in_no_circle(campus: Campus) -> None:
    ann, bob, cleo, dan = campus.members("Ann", "Bob", "Cleo", "Dan")
    for member in (ann, bob, cleo, dan):
        member.gets("join_waitlist", p_time_slot=campus.slot)
    dan.gets("leave_waitlist", p_time_slot=campus.slot)
    campus.match()
    assert [mate["displayName"] for mate in ann.gets("my_circle", p_time_slot=campus.slot)["members"]] == [
        "Ann",
        "Bob",
        "Cleo",
    ]
    assert dan.refused("my_circle", p_time_slot=campus.slot) == (404, "no_circle")


def test_who_gives_up_a_place_is_gone_and_the_others_hear_it(campus: Campus) -> None:
    ann, bob, cleo = campus.matched("Ann", "Bob", "Cleo")
    campus.at(minutes=-30)
    assert ann.refused("leave_waitlist", p_time_slot=campus.slot) == (409, "deadline_passed")
    with stream(bob) as heard:
        left = ann.gets("cancel_place", p_time_slot=campus.slot)
        assert [left[key] for key in BUTTON] == ["past", "Past", "Closed at 1PM", True]
        told = hears(heard, "circle", campus.slot, reason="place_given_up")
    assert ann.gets("cancel_place", p_time_slot=campus.slot) == left
    assert ann.refused("my_circle", p_time_slot=campus.slot) == (404, "no_circle")
    circle = cleo.gets("my_circle", p_time_slot=campus.slot)
    assert told == circle | {"reason": "place_given_up"}
    assert [mate["displayName"] for mate in circle["members"]] == ["Bob", "Cleo"]
    assert circle["belowMinimum"] is True
    assert [
        seen["circleNo"] for seen in campus.service.gets("short_circles", p_campus_id=campus.campus_id)["circles"]
    ] == [1]
    campus.at()
    assert bob.refused("cancel_place", p_time_slot=campus.slot) == (409, "meeting_begun")


def test_blocked_members_never_meet(campus: Campus) -> None:
    people = campus.members("Ann", "Bob", "Cleo", "Dan", "Eve", "Finn")
    ann, bob, *_ = people
    ann.gets("block_user", p_user_id=bob.user_id)
    for member in people:
        member.gets("join_waitlist", p_time_slot=campus.slot)
    campus.match()
    circles = [member.gets("my_circle", p_time_slot=campus.slot) for member in people]
    assert {circle["circleNo"] for circle in circles} == {1, 2}
    assert bob.user_id not in {mate["userId"] for mate in circles[0]["members"]}


def test_a_circle_before_its_time_and_of_no_slot(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    assert ann.refused("my_circle", p_time_slot=campus.slot) == (409, "not_matched_yet")
    assert ann.refused("my_circle", p_time_slot="2001-01-01T14:00:00Z") == (404, "slot_not_found")
    assert campus.nobody.refused("my_circle", p_time_slot=campus.slot) == (401, None)
    assert campus.service.refused("my_circle", p_time_slot=campus.slot) == (403, None)
    campus.service.gets("cancel_time_slot", p_time_slot=campus.slot, p_campus_id=campus.campus_id)
    assert ann.refused("my_circle", p_time_slot=campus.slot) == (409, "slot_cancelled")


def test_matching_twice_gives_the_same_report(campus: Campus) -> None:
    ann, *_ = campus.matched("Ann", "Bob", "Cleo", "Dan")
    circle = ann.gets("my_circle", p_time_slot=campus.slot)
    asked = {"p_campus_id": campus.campus_id, "p_time_slot": campus.slot}
    first, second = (campus.service.gets("match_time_slot", **asked) for _ in range(2))
    assert first == second
    assert (first["people"], first["circles"], first["leftOut"]) == (4, 1, 0)
    due = campus.service.gets("run_due_deadlines")
    assert campus.slot not in {
        report["timeSlot"] for report in due["matched"] if report["campusId"] == campus.campus_id
    }
    assert due["failed"] == []
    assert ann.gets("my_circle", p_time_slot=campus.slot) == circle


def test_no_slot_is_matched_before_its_deadline(campus: Campus) -> None:
    asked = {"p_campus_id": campus.campus_id, "p_time_slot": campus.slot}
    assert campus.service.refused("match_time_slot", **asked) == (409, "deadline_not_reached")
    campus.service.gets("run_due_deadlines")
    assert campus.status(campus.slot) == "open"
    assert campus.service.refused("match_time_slot", **{**asked, "p_campus_id": "nowhere"}) == (404, "slot_not_found")
    assert campus.service.refused("match_time_slot", **{**asked, "p_campus_id": None}) == (403, "no_campus")
    campus.service.gets("cancel_time_slot", p_time_slot=campus.slot, p_campus_id=campus.campus_id)
    campus.at(hours=-1)
    assert campus.service.refused("match_time_slot", **asked) == (409, "slot_cancelled")


def test_a_slot_that_nobody_matched_in_time_is_cancelled(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    campus.at(minutes=21)
    campus.service.gets("run_due_deadlines")
    wait_until(lambda: campus.status(campus.slot) == "cancelled", 10, "the missed slot was not cancelled")
    assert ann.says(campus.slot) == "past"
    asked = {"p_campus_id": campus.campus_id, "p_time_slot": campus.slot}
    assert campus.service.refused("match_time_slot", **asked) == (409, "slot_cancelled")


@pytest.mark.parametrize("call", ["run_due_deadlines", "match_time_slot"])
def test_only_trusted_servers_match(campus: Campus, call: str) -> None:
    arguments = {"p_campus_id": campus.campus_id, "p_time_slot": campus.slot} if call == "match_time_slot" else {}
    for member in (campus.member("Ann"), campus.member("Olga", operator=True)):
        assert member.refused(call, **arguments) == (403, None)
    assert campus.nobody.refused(call, **arguments) == (401, None)
