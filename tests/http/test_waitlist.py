"""Joining and leaving over HTTP: the button that comes back, and everyone who may not."""

from datetime import datetime

import pytest

from tests.life import BUTTON, Campus, Person

CALLS = ["join_waitlist", "leave_waitlist"]


def test_joining_gives_the_new_button_and_leaving_the_old_one(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    before = ann.button(campus.slot)
    joined = ann.gets("join_waitlist", p_time_slot=campus.slot)
    assert [joined[key] for key in BUTTON] == ["leave", "Can't Go", "Decide by 1PM", False]
    assert joined == ann.button(campus.slot)
    assert joined["version"] > before["version"]
    left = ann.gets("leave_waitlist", p_time_slot=campus.slot)
    assert [left[key] for key in BUTTON] == ["join", "Join", "Decide by 1PM", False]
    assert left == ann.button(campus.slot)
    assert left["version"] > joined["version"]


def test_a_second_call_gives_the_same_answer(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    for call in ("leave_waitlist", "join_waitlist", "leave_waitlist", "join_waitlist"):
        assert ann.gets(call, p_time_slot=campus.slot) == ann.gets(call, p_time_slot=campus.slot), call


def test_one_slot_is_not_another_and_one_member_is_not_another(campus: Campus) -> None:
    ann, bob = campus.members("Ann", "Bob")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    assert [ann.says(slot) for slot in campus.slots] == ["join", "leave", "join"]
    assert [bob.says(slot) for slot in campus.slots] == ["join", "join", "join"]
    bob.gets("leave_waitlist", p_time_slot=campus.slot)
    assert ann.says(campus.slot) == "leave"


def test_a_slot_without_offset_is_read_in_the_zone_of_the_campus(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    local = datetime.fromisoformat(campus.slot).replace(tzinfo=None).isoformat()
    assert ann.gets("join_waitlist", p_time_slot=local)["timeSlot"] == campus.slot


@pytest.mark.parametrize("call", CALLS)
def test_members_of_this_campus_only(campus: Campus, call: str) -> None:
    (ann,) = campus.members("Ann")
    # The same instant on another campus is another slot.
    other = Campus(campus.stack)
    other.open()
    assert other.member("Bob").gets(call, p_time_slot=campus.slot)["timeSlot"] == campus.slot
    assert campus.nobody.refused(call, p_time_slot=campus.slot) == (401, None)
    assert campus.service.refused(call, p_time_slot=campus.slot) == (403, None)
    claims = {**campus.stack.claims("ann@stanford.edu"), "campus_id": campus.campus_id}
    liar = Person(campus.stack, campus.stack.sign(claims))
    assert liar.refused(call, p_time_slot=campus.slot) == (403, "wrong_campus")
    claims = {**campus.stack.claims("ann@stanford.edu"), "sub": "00000000-0000-4000-8000-000000000000"}
    homeless = Person(campus.stack, campus.stack.sign(claims))
    assert homeless.refused(call, p_time_slot=campus.slot) == (403, "no_campus")
    assert campus.stack.sql("select from app.waitlist_entries where campus_id = %s", campus.campus_id) == []
    assert ann.says(campus.slot) == "join"


@pytest.mark.parametrize("call", CALLS)
def test_slots_that_are_not_there(campus: Campus, call: str) -> None:
    (ann,) = campus.members("Ann")
    for slot in ("2001-01-01T14:00:00Z", "infinity", None):
        assert ann.refused(call, p_time_slot=slot) == (404, "slot_not_found")
    assert ann.call(call, p_time_slot="noon").status_code == 400
    assert ann.call(call).status_code == 404
    assert ann.call(call, "GET", p_time_slot=campus.slot).status_code == 405


@pytest.mark.parametrize("call", CALLS)
def test_at_the_deadline_the_list_closes_for_good(campus: Campus, call: str) -> None:
    ann, bob = campus.members("Ann", "Bob")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    campus.at(hours=-1, seconds=-10)
    assert ann.gets("join_waitlist", p_time_slot=campus.slot)["buttonState"] == "leave"
    assert bob.says(campus.slot) == "join"
    campus.at(hours=-1)
    assert bob.refused(call, p_time_slot=campus.slot) == (409, "deadline_passed")
    if call == "join_waitlist":  # the answer was lost, so she asks again
        assert ann.gets(call, p_time_slot=campus.slot)["buttonState"] == "past"
    else:
        assert ann.refused(call, p_time_slot=campus.slot) == (409, "deadline_passed")
    for member in (ann, bob):
        state = member.button(campus.slot)
        assert [state[key] for key in BUTTON] == ["past", "Past", "Closed at 1PM", True]
    campus.match()
    campus.at(hours=-6)  # a clock that is turned back reopens nothing
    assert campus.status(campus.slot) == "matched"
    assert bob.refused(call, p_time_slot=campus.slot) == (409, "deadline_passed")


@pytest.mark.parametrize("call", CALLS)
def test_a_cancelled_slot(campus: Campus, call: str) -> None:
    (ann,) = campus.members("Ann")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    campus.service.gets("cancel_time_slot", p_time_slot=campus.slot, p_campus_id=campus.campus_id)
    assert ann.refused(call, p_time_slot=campus.slot) == (409, "slot_cancelled")
    state = ann.button(campus.slot)
    assert (state["buttonState"], state["slotStatus"], state["pending"]) == ("past", "cancelled", False)


def test_the_seeds_call_follows_the_list(campus: Campus) -> None:
    ann, bob = campus.members("Ann", "Bob")
    joined = ann.gets("join_waitlist", p_time_slot=campus.slot)
    asked = {"p_user_id": ann.user_id, "p_time_slot": campus.slot, "p_current_time": campus.slot}
    assert ann.gets("get_button_state", **asked) == {key: joined[key] for key in BUTTON}
    assert bob.refused("get_button_state", **asked) == (403, "not_yours")
    assert campus.service.gets("get_button_state", **asked)["buttonState"] == "past"
