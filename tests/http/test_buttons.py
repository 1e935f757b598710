"""The one real path: a member's button through nginx, PostgREST, PgBouncer and PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.stack import Stack

ANN, BOB = "ann@stanford.edu", "bob@stanford.edu"
FOUR_KEYS = {"buttonState", "buttonText", "middleText", "isDisabled"}
CAMPUS_ZONE = ZoneInfo("America/Los_Angeles")


@pytest.fixture(autouse=True)
def morning(stack: Stack) -> Iterator[None]:
    """Eight o'clock on the campus, on a day that has its slots; the clock is turned back afterwards."""
    tomorrow = datetime.now(CAMPUS_ZONE).date() + timedelta(days=1)
    eight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, 8, tzinfo=CAMPUS_ZONE)
    stack.run("clock", "--set", eight.isoformat())
    yield
    stack.run("clock", "--reset")


def states(stack: Stack, email: str = ANN, **arguments: object) -> dict[str, Any]:
    answer = stack.rpc("get_button_states", arguments, token=stack.token(email))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_the_day_has_three_slots_with_one_button_each(stack: Stack) -> None:
    body = states(stack)
    assert [slot["middleText"] for slot in body["slots"]] == ["Decide by 10AM", "Decide by 1PM", "Decide by 4PM"]
    for slot in body["slots"]:
        assert slot["buttonState"] == "join"
        assert slot["buttonText"] == "Join"
        assert slot["isDisabled"] is False
        assert slot["pending"] is False
        assert {"timeSlot", "deadlineAt", "endsAt", "slotStatus", "changesAt", "version"} <= set(slot)
        deadline, starts = (datetime.fromisoformat(slot[key]) for key in ("deadlineAt", "timeSlot"))
        assert starts - deadline == timedelta(hours=1)
        assert starts.astimezone(CAMPUS_ZONE).hour in (11, 14, 17)
    assert datetime.fromisoformat(body["now"]).astimezone(CAMPUS_ZONE).hour == 8


def test_get_and_post_say_the_same(stack: Stack) -> None:
    token = stack.token(ANN)
    post, get = (stack.rpc("get_button_states", token=token, method=method) for method in ("POST", "GET"))
    assert get.status_code == 200
    assert get.json()["slots"] == post.json()["slots"]


def test_instants_come_back_with_the_offset_of_the_campus(stack: Stack) -> None:
    slot = states(stack)["slots"][0]["timeSlot"]
    assert datetime.fromisoformat(slot).utcoffset() == datetime.fromisoformat(slot).astimezone(CAMPUS_ZONE).utcoffset()


def test_a_time_without_offset_is_read_in_the_zone_of_the_campus(stack: Stack) -> None:
    body = states(stack)
    two = datetime.fromisoformat(body["slots"][1]["timeSlot"]).astimezone(CAMPUS_ZONE)
    user = stack.claims(ANN)["sub"]
    local = {"p_user_id": user, "p_time_slot": two.replace(tzinfo=None).isoformat()}
    aware = {"p_user_id": user, "p_time_slot": two.astimezone(UTC).isoformat()}
    first, second = (stack.rpc("get_button_state", arguments, token=stack.token(ANN)) for arguments in (local, aware))
    assert first.status_code == 200, first.text
    assert first.json() == second.json()


def test_the_seeds_call_gives_the_seeds_four_keys(stack: Stack) -> None:
    slot = states(stack)["slots"][1]
    arguments = {
        "p_user_id": stack.claims(ANN)["sub"],
        "p_time_slot": slot["timeSlot"],
        "p_current_time": datetime.now(UTC).isoformat(),
    }
    answer = stack.rpc("get_button_state", arguments, token=stack.token(ANN))
    assert answer.status_code == 200
    assert answer.json() == {key: slot[key] for key in FOUR_KEYS}


def test_another_members_button_is_403(stack: Stack) -> None:
    arguments = {"p_user_id": stack.claims(ANN)["sub"], "p_time_slot": states(stack)["slots"][1]["timeSlot"]}
    answer = stack.rpc("get_button_state", arguments, token=stack.token(BOB))
    assert answer.status_code == 403
    assert set(answer.json()) == {"code", "message", "details", "hint"}


def test_a_slot_that_is_not_there_is_404(stack: Stack) -> None:
    arguments = {"p_user_id": stack.claims(ANN)["sub"], "p_time_slot": "2001-01-01T14:00:00Z"}
    answer = stack.rpc("get_button_state", arguments, token=stack.token(ANN))
    assert answer.status_code == 404
    assert answer.json()["details"] == "slot_not_found"


def test_the_members_own_time_has_no_effect_and_the_services_has(stack: Stack) -> None:
    slot = states(stack)["slots"][1]
    late = (datetime.fromisoformat(slot["endsAt"]) + timedelta(minutes=1)).isoformat()
    arguments = {"p_user_id": stack.claims(ANN)["sub"], "p_time_slot": slot["timeSlot"], "p_current_time": late}
    assert stack.rpc("get_button_state", arguments, token=stack.token(ANN)).json()["buttonState"] == "join"
    assert stack.rpc("get_button_state", arguments, token=stack.service_token).json()["buttonState"] == "past"


def test_another_day_can_be_asked_for(stack: Stack) -> None:
    today = states(stack)
    day = datetime.fromisoformat(today["now"]).astimezone(CAMPUS_ZONE).date() + timedelta(days=2)
    body = states(stack, p_day=day.isoformat())
    assert [datetime.fromisoformat(s["timeSlot"]).astimezone(CAMPUS_ZONE).date() for s in body["slots"]] == [day] * 3
    assert states(stack, p_day="2001-01-01")["slots"] == []


def test_the_slots_of_a_campus_are_public_and_cacheable(stack: Stack) -> None:
    answer = stack.rpc("time_slots", {"p_campus_id": "stanford"}, method="GET")
    assert answer.status_code == 200, answer.text
    assert "max-age" in answer.headers["cache-control"]
    assert len(answer.json() if isinstance(answer.json(), list) else answer.json()["slots"]) == 3
    assert stack.rpc("time_slots", {"p_campus_id": "nowhere"}).status_code == 404
