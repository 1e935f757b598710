"""supabase-js 2 from npm, unmodified, as an application would use it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.life import BUTTON, Campus, Person, new_campus
from tests.stack import Stack

HERE = Path(__file__).parent
LIST = "waitlist_entries"


@pytest.fixture
def campus(stack: Stack) -> Iterator[Campus]:
    """Nothing is matched here, so the shared stack is left as it was."""
    yield from new_campus(stack)


@pytest.fixture(scope="module")
def anon_key(stack: Stack) -> str:
    return stack.run("token", "--role", "anon").stdout.strip()


@pytest.fixture(autouse=True, scope="module")
def installed() -> None:
    assert shutil.which("node"), "stack/setup.sh installs nodejs"
    assert (HERE / "node_modules/@supabase/supabase-js").is_dir(), "stack/setup.sh installs supabase-js"


def run(stack: Stack, *chains: list[list[Any]], **client: str) -> list[dict[str, Any]]:
    """Let one client of supabase-js make these chains of calls."""
    asked = json.dumps({"url": stack.settings.url("gateway"), "chains": chains, **client})
    done = subprocess.run(
        ["node", "client.mjs", asked], cwd=HERE, text=True, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return answers


def as_member(member: Person, anon_key: str, *chains: list[list[Any]]) -> list[dict[str, Any]]:
    assert member.token is not None
    return run(member.stack, *chains, key=anon_key, accessToken=member.token)


def rpc(name: str, **arguments: Any) -> list[list[Any]]:
    return [["rpc", name, arguments]]


def table(name: str, *calls: list[Any]) -> list[list[Any]]:
    return [["from", name], *calls]


@pytest.mark.parametrize("way", ["accessToken", "authorization"])
def test_the_seeds_client_gets_the_seeds_answer(campus: Campus, anon_key: str, way: str) -> None:
    (ann,) = campus.members("Ann")
    assert ann.token is not None
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    (answer,) = run(campus.stack, [["getButtonState", ann.user_id, campus.slot]], key=anon_key, **{way: ann.token})
    assert answer["data"] == {
        "buttonState": "leave",
        "buttonText": "Can't Go",
        "middleText": "Decide by 1PM",
        "isDisabled": False,
    }


def test_the_functions(campus: Campus, anon_key: str) -> None:
    (ann,) = campus.members("Ann")
    slot = {"p_time_slot": campus.slot}
    join, again, states, leave, too_early, profile, slots = as_member(
        ann,
        anon_key,
        rpc("join_waitlist", **slot),
        rpc("join_waitlist", **slot),
        rpc("get_button_states"),
        rpc("leave_waitlist", **slot),
        rpc("my_circle", **slot),
        rpc("update_profile", p_display_name="Anna"),
        rpc("time_slots", p_campus_id=campus.campus_id),
    )
    assert [join["data"][key] for key in BUTTON] == ["leave", "Can't Go", "Decide by 1PM", False]
    assert join == again
    assert join["data"] in states["data"]["slots"]
    assert leave["data"]["buttonState"] == "join"
    assert too_early["error"]["details"] == "not_matched_yet"
    assert profile["data"]["displayName"] == "Anna"
    assert len(slots["data"]["slots"]) == 3


def test_the_list_as_a_table(campus: Campus, anon_key: str) -> None:
    (ann,) = campus.members("Ann")
    mine = ["eq", "user_id", ann.user_id]
    row = {"time_slot": campus.slot, "user_id": ann.user_id}
    rows = [{"time_slot": slot, "user_id": ann.user_id} for slot in campus.slots]
    empty, insert, one, many, all_, count, single, gone, left = as_member(
        ann,
        anon_key,
        table(LIST, ["select", "*"], mine),
        table(LIST, ["insert", row]),
        table(LIST, ["select", "*"], mine),
        table(LIST, ["insert", rows], ["select"]),
        table(LIST, ["select", "time_slot"], mine, ["order", "time_slot", {"ascending": False}], ["limit", 2]),
        table(LIST, ["select", "*", {"count": "exact", "head": True}]),
        table(LIST, ["select", "*, profiles(display_name)"], ["eq", "time_slot", campus.slot], ["single"]),
        table(LIST, ["delete"], ["eq", "time_slot", campus.slot], ["select", "time_slot"]),
        table(LIST, ["delete", {"count": "exact"}], mine),
    )
    assert empty["data"] == []
    assert (insert["status"], insert["error"], insert["data"]) == (201, None, None)
    assert [entry["time_slot"] for entry in one["data"]] == [campus.slot]
    assert [entry["time_slot"] for entry in many["data"]] == campus.slots
    assert [entry["time_slot"] for entry in all_["data"]] == campus.slots[:0:-1]
    assert count["count"] == 3
    assert single["data"]["profiles"] == {"display_name": "Ann"}
    assert gone["data"] == [{"time_slot": campus.slot}]
    assert (left["status"], left["count"]) == (204, 2)
    assert [ann.says(slot) for slot in campus.slots] == ["join"] * 3


def test_errors_say_what_to_do(campus: Campus, anon_key: str) -> None:
    ann, bob = campus.members("Ann", "Bob")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    answers = as_member(
        ann,
        anon_key,
        rpc("join_waitlist", p_time_slot="2001-01-01T14:00:00Z"),
        table(LIST, ["insert", {"time_slot": campus.slot, "user_id": bob.user_id}]),
        table(LIST, ["update", {"time_slot": campus.slots[0]}], ["eq", "user_id", ann.user_id]),
        rpc("submit_feedback", p_time_slot=campus.slot, p_rating=5),
        rpc("block_user", p_user_id=ann.user_id),
        rpc("get_button_state", p_user_id=bob.user_id, p_time_slot=campus.slot),
    )
    assert [(answer["status"], answer["error"]["details"]) for answer in answers] == [
        (404, "slot_not_found"),
        (403, "not_yours"),
        (405, "entry_fixed"),
        (409, "not_matched_yet"),
        (422, "block_oneself"),
        (403, "not_yours"),
    ]
    for answer in answers:
        assert answer["data"] is None
        assert answer["error"]["code"] == f"PT{answer['status']}"
        assert answer["error"]["hint"]
        assert answer["error"]["message"]


def test_what_has_no_meaning_here_is_an_error_and_changes_nothing(campus: Campus, anon_key: str) -> None:
    (ann,) = campus.members("Ann")
    row = {"time_slot": campus.slot, "user_id": ann.user_id}
    answers = as_member(
        ann,
        anon_key,
        table(LIST, ["upsert", row]),
        table(LIST, ["upsert", row, {"onConflict": "campus_id,time_slot,user_id", "ignoreDuplicates": True}]),
        table("users", ["update", {}], ["eq", "id", "anyone"]),
        table("users", ["select", "*"]),
        table("profiles", ["select", "email"]),
        table("profiles", ["update", {"display_name": "Eve"}], ["eq", "user_id", ann.user_id]),
        table(LIST, ["select", "*"], ["single"]),
        table("profiles", ["select", "*"], ["filter", "display_name", "match", "A"]),
    )
    assert [(answer["status"], answer["error"]["code"]) for answer in answers] == [
        (400, "42P10"),
        (400, "42P10"),
        (404, "42P01"),
        (404, "42P01"),
        (400, "42703"),
        (403, "42501"),
        (406, "PGRST116"),
        (422, "422"),
    ]
    assert ann.says(campus.slot) == "join"


def test_a_second_user_sees_and_changes_nothing_of_the_first(campus: Campus, anon_key: str) -> None:
    ann, bob = campus.members("Ann", "Bob")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    everything = [table(view, ["select", "*"]) for view in (LIST, "circles", "circle_members", "feedback")]
    *seen, profiles, deleted, updated = as_member(
        bob,
        anon_key,
        *everything,
        table("profiles", ["select", "display_name"]),
        table(LIST, ["delete"], ["eq", "user_id", ann.user_id], ["select"]),
        table(LIST, ["update", {"time_slot": campus.slots[0]}], ["eq", "user_id", ann.user_id], ["select"]),
    )
    assert [answer["data"] for answer in seen] == [[]] * 4
    assert profiles["data"] == [{"display_name": "Bob"}]
    assert (deleted["data"], updated["data"]) == ([], [])
    assert ann.says(campus.slot) == "leave"


def test_without_a_member_there_is_nothing_but_the_slots(campus: Campus, anon_key: str) -> None:
    slots, *refused = run(
        campus.stack,
        rpc("time_slots", p_campus_id=campus.campus_id),
        rpc("join_waitlist", p_time_slot=campus.slot),
        table(LIST, ["select", "*"]),
        table("profiles", ["select", "*"]),
        key=anon_key,
    )
    assert len(slots["data"]["slots"]) == 3
    assert [(answer["status"], answer["error"]["code"]) for answer in refused] == [(401, "42501")] * 3


def test_a_trusted_server_sees_all_and_joins_for_others(campus: Campus) -> None:
    ann, bob = campus.members("Ann", "Bob")
    mine = ["eq", "campus_id", campus.campus_id]
    rows = [{"time_slot": campus.slot, "user_id": who.user_id} for who in (ann, bob)]
    joined, seen, names, button, left, cancelled = run(
        campus.stack,
        table(LIST, ["insert", rows], ["select"]),
        table(LIST, ["select", "user_id"], mine),
        table("profiles", ["select", "display_name"], mine, ["order", "display_name"]),
        rpc("get_button_state", p_user_id=ann.user_id, p_time_slot=campus.slot, p_current_time=campus.slot),
        table(LIST, ["delete"], ["eq", "user_id", bob.user_id], ["select", "user_id"]),
        rpc("cancel_time_slot", p_time_slot=campus.slots[2], p_campus_id=campus.campus_id),
        key=campus.stack.service_token,
    )
    assert {entry["user_id"] for entry in joined["data"]} == {ann.user_id, bob.user_id}
    assert len(seen["data"]) == 2
    assert [profile["display_name"] for profile in names["data"]] == ["Ann", "Bob"]
    assert button["data"]["buttonState"] == "past"
    assert left["data"] == [{"user_id": bob.user_id}]
    assert cancelled["data"]["slotStatus"] == "cancelled"
    assert (ann.says(campus.slot), bob.says(campus.slot)) == ("leave", "join")
