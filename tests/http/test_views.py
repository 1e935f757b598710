"""The views over REST: who sees which rows, and what can be written (waitlist_entries, and nothing else)."""

import pytest

from tests.life import Campus, Person, refusal

LIST = "waitlist_entries"
READ_ONLY = ["circles", "circle_members", "feedback", "profiles"]
KEYS = {"campus_id", "time_slot", "user_id", "joined_at", "version"}
REPRESENTATION = "return=representation"


def entries(who: Person, query: str = "") -> list[tuple[str, str]]:
    """Return (user_id, time_slot) of each entry that someone sees, in that order."""
    answer = who.rest("GET", f"{LIST}?order=user_id,time_slot{query}")
    assert answer.status_code == 200, answer.text
    return [(row["user_id"], row["time_slot"]) for row in answer.json()]


def test_an_insert_joins_and_a_delete_leaves(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    answer = ann.rest("POST", LIST, {"time_slot": campus.slot, "user_id": ann.user_id})
    assert (answer.status_code, answer.text) == (201, "")
    assert ann.says(campus.slot) == "leave"
    assert entries(ann, f"&user_id=eq.{ann.user_id}") == [(ann.user_id, campus.slot)]
    answer = ann.rest("DELETE", f"{LIST}?user_id=eq.{ann.user_id}")
    assert (answer.status_code, answer.text) == (204, "")
    assert ann.says(campus.slot) == "join"
    assert entries(ann) == []


def test_the_row_can_be_asked_back(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    for _ in range(2):  # joining twice is joining once
        (row,) = ann.rest("POST", LIST, {"time_slot": campus.slot}, prefer=REPRESENTATION).json()
        assert set(row) == KEYS
        assert (row["campus_id"], row["user_id"], row["time_slot"]) == (campus.campus_id, ann.user_id, campus.slot)
        assert row["version"] == ann.button(campus.slot)["version"]
    answer = ann.rest("POST", LIST, {"time_slot": campus.slot}, prefer="return=minimal")
    assert (answer.status_code, answer.text) == (201, "")
    answer = ann.rest("POST", LIST, {"time_slot": campus.slot}, prefer="return=headers-only")
    assert answer.headers["location"].startswith(f"/rest/v1/{LIST}?campus_id=eq.{campus.campus_id}&time_slot=eq.")
    followed = campus.stack.http.get(answer.headers["location"], headers={"Authorization": f"Bearer {ann.token}"})
    assert followed.json() == [row]
    assert ann.rest("DELETE", LIST, prefer=f"{REPRESENTATION},count=exact").json() == [row]
    assert ann.rest("DELETE", LIST, prefer=f"{REPRESENTATION},count=exact").headers["content-range"] == "*/0"


def test_an_array_is_all_or_nothing(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    rows = [{"time_slot": slot} for slot in campus.slots]
    answer = ann.rest("POST", LIST, [*rows, {"time_slot": "2001-01-01"}])
    assert refusal(answer) == (404, "slot_not_found")
    assert entries(ann) == []
    answer = ann.rest("POST", LIST, rows, prefer=REPRESENTATION)
    assert [row["time_slot"] for row in answer.json()] == campus.slots
    assert entries(ann) == [(ann.user_id, slot) for slot in campus.slots]
    assert ann.rest("POST", LIST, [], prefer=REPRESENTATION).json() == []
    answer = ann.rest("DELETE", LIST)
    assert answer.status_code == 204
    assert entries(ann) == []


def test_nobody_sees_or_writes_for_another(campus: Campus) -> None:
    ann, bob = campus.members("Ann", "Bob")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    assert entries(bob) == entries(bob, f"&user_id=eq.{ann.user_id}") == []
    assert refusal(bob.rest("POST", LIST, {"time_slot": campus.slots[0], "user_id": ann.user_id})) == (403, "not_yours")
    mixed = [{"time_slot": campus.slot, "user_id": who.user_id} for who in (bob, ann)]
    assert refusal(bob.rest("POST", LIST, mixed)) == (403, "not_yours")
    for query in (f"?user_id=eq.{ann.user_id}", "", f"?campus_id=eq.{campus.campus_id}"):
        assert bob.rest("DELETE", LIST + query, prefer=REPRESENTATION).json() == []
        assert bob.rest("PATCH", LIST + query, {"time_slot": campus.slots[0]}, prefer=REPRESENTATION).json() == []
    assert entries(ann) == [(ann.user_id, campus.slot)]
    assert [user for user, _ in entries(campus.service, f"&campus_id=eq.{campus.campus_id}")] == [ann.user_id]


def test_a_trusted_server_sees_all_and_writes_for_anyone(campus: Campus) -> None:
    people = campus.members("Ann", "Bob", "Cleo")
    rows = [{"time_slot": campus.slot, "user_id": who.user_id} for who in people]
    answer = campus.service.rest("POST", LIST, rows, prefer=REPRESENTATION)
    assert {row["user_id"] for row in answer.json()} == {who.user_id for who in people}
    assert [who.says(campus.slot) for who in people] == ["leave"] * 3
    mine = f"campus_id=eq.{campus.campus_id}"
    assert len(entries(campus.service, f"&{mine}")) == 3
    answer = campus.service.rest("DELETE", f"{LIST}?user_id=eq.{people[0].user_id}", prefer=REPRESENTATION)
    assert len(answer.json()) == 1
    assert people[0].says(campus.slot) == "join"
    assert refusal(campus.service.rest("POST", LIST, {"time_slot": campus.slot})) == (404, "member_not_found")
    stranger = {"time_slot": campus.slot, "user_id": "00000000-0000-4000-8000-000000000000"}
    assert refusal(campus.service.rest("POST", LIST, stranger)) == (404, "member_not_found")
    assert len(entries(campus.service, f"&{mine}")) == 2


def test_an_entry_cannot_be_changed(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    for who in (ann, campus.service):
        for query in ("", f"?user_id=eq.{ann.user_id}", "?order=time_slot&limit=1"):
            if who is ann or query:
                answer = who.rest("PATCH", LIST + query, {"time_slot": campus.slots[0]})
                assert refusal(answer) == (405, "entry_fixed"), query
    assert refusal(ann.rest("PATCH", LIST, {"version": 1})) == (403, None)
    key = f"?campus_id=eq.{campus.campus_id}&user_id=eq.{ann.user_id}&time_slot=eq.2026-01-01"
    for query in ("", key):
        answer = ann.rest("PUT", LIST + query, {"time_slot": campus.slots[0], "user_id": ann.user_id})
        assert refusal(answer)[0] in (400, 405), query
    assert entries(ann) == [(ann.user_id, campus.slot)]


@pytest.mark.parametrize("resolution", ["merge-duplicates", "ignore-duplicates"])
@pytest.mark.parametrize("target", ["", "?on_conflict=campus_id,time_slot,user_id", "?on_conflict=time_slot"])
def test_an_upsert_is_refused_plainly(campus: Campus, resolution: str, target: str) -> None:
    (ann,) = campus.members("Ann")
    answer = ann.rest("POST", LIST + target, {"time_slot": campus.slot}, prefer=f"resolution={resolution}")
    assert (answer.status_code, answer.json()["code"]) == (400, "42P10")
    assert entries(ann) == []


def test_what_cannot_be_inserted(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    for row, status in (
        ({}, 404),
        ({"time_slot": None}, 404),
        ({"time_slot": "infinity"}, 404),
        ({"time_slot": "noon"}, 400),
        ({"time_slot": campus.slot, "user_id": "ann"}, 400),
        ({"time_slot": campus.slot, "campus_id": campus.campus_id}, 403),
        ({"time_slot": campus.slot, "version": 1}, 403),
        ({"time_slot": campus.slot, "left_at": None}, 400),
    ):
        assert refusal(ann.rest("POST", LIST, row))[0] == status, row
    assert refusal(campus.nobody.rest("POST", LIST, {"time_slot": campus.slot})) == (401, None)
    assert entries(ann) == []


def test_the_list_is_closed_after_the_deadline(campus: Campus) -> None:
    ann, bob = campus.members("Ann", "Bob")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    campus.at(hours=-1)
    assert refusal(bob.rest("POST", LIST, {"time_slot": campus.slot})) == (409, "deadline_passed")
    for query in ("", f"?user_id=eq.{ann.user_id}"):
        assert refusal(ann.rest("DELETE", LIST + query)) == (409, "deadline_passed")
    assert entries(ann) == [(ann.user_id, campus.slot)]


def test_counting_paging_and_looking_at_the_head(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    ann.rest("POST", LIST, [{"time_slot": slot} for slot in campus.slots])
    for method in ("GET", "HEAD"):
        answer = ann.rest(method, f"{LIST}?select=*", prefer="count=exact")
        assert (answer.status_code, answer.headers["content-range"]) == (200, "0-2/3")
        assert bool(answer.text) is (method == "GET")
    page = ann.rest("GET", f"{LIST}?select=time_slot&order=time_slot.desc&limit=1&offset=1", prefer="count=exact")
    assert (page.status_code, page.headers["content-range"]) == (206, "1-1/3")
    assert page.json() == [{"time_slot": campus.slot}]
    ranged = ann.rest("GET", f"{LIST}?order=time_slot", range="1-1")
    assert [row["time_slot"] for row in ranged.json()] == [campus.slot]
    assert ann.rest("GET", f"{LIST}?offset=9", prefer="count=exact").status_code == 416
    single = ann.rest("GET", f"{LIST}?limit=1&order=version", accept="application/vnd.pgrst.object+json")
    assert set(single.json()) == KEYS
    many = ann.rest("GET", LIST, accept="application/vnd.pgrst.object+json")
    assert (many.status_code, many.json()["code"]) == (406, "PGRST116")


def test_circle_mates_see_each_others_names_and_places_and_no_more(campus: Campus) -> None:
    people = campus.matched("Ann", "Bob", "Cleo")
    (dan,) = campus.members("Dan")
    for member in people:
        names = member.rest("GET", "profiles?select=display_name&order=display_name").json()
        assert names == [{"display_name": name} for name in ("Ann", "Bob", "Cleo")]
        places = member.rest("GET", "circle_members?order=user_id").json()
        assert [place["user_id"] for place in places] == sorted(who.user_id for who in people)
        assert {frozenset(place) for place in places} == {frozenset({"campus_id", "time_slot", "circle_no", "user_id"})}
        (circle,) = member.rest("GET", "circles?select=circle_no,time_slot,circle_members(user_id)").json()
        assert (circle["circle_no"], circle["time_slot"], len(circle["circle_members"])) == (1, campus.slot, 3)
        (own,) = member.rest("GET", f"{LIST}?select=time_slot,profiles(display_name)").json()
        assert own["profiles"] == {"display_name": member.name}
    assert dan.rest("GET", "profiles?select=user_id").json() == [{"user_id": dan.user_id}]
    for view in ("circles", "circle_members", "feedback", LIST):
        assert dan.rest("GET", view).json() == []
        assert refusal(campus.nobody.rest("GET", view)) == (401, None)
        mine = campus.service.rest("GET", f"{view}?campus_id=eq.{campus.campus_id}").json()
        assert len(mine) == {"circles": 1, "circle_members": 3, "feedback": 0, LIST: 3}[view]
    assert refusal(campus.nobody.rest("GET", "profiles")) == (401, None)
    assert len(campus.service.rest("GET", f"profiles?campus_id=eq.{campus.campus_id}").json()) == 4


@pytest.mark.parametrize("column", ["email", "tier", "attributes", "left_at", "seed", "cancelled_at", "attended"])
def test_what_is_no_column_can_be_neither_read_nor_searched(campus: Campus, column: str) -> None:
    (ann,) = campus.members("Ann")
    for view in (LIST, *READ_ONLY):
        for query in (
            f"select={column}",
            f"{column}=eq.ann",
            f"order={column}",
            f"select=*,{column}",
            f"or=({column}.gt.a)",
        ):
            for who in (ann, campus.service):
                answer = who.rest("GET", f"{view}?{query}")
                assert (answer.status_code, answer.json()["code"]) == (400, "42703"), (view, query)


@pytest.mark.parametrize("view", READ_ONLY)
def test_the_other_views_are_read_only(campus: Campus, view: str) -> None:
    ann, *_ = campus.matched("Ann", "Bob", "Cleo")
    for who, status in ((ann, 403), (campus.service, 403), (campus.nobody, 401)):
        for method, query, body in (
            ("POST", "", {"campus_id": campus.campus_id}),
            ("PATCH", "?campus_id=eq.x", {"campus_id": "y"}),
            ("DELETE", "?campus_id=eq.x", None),
        ):
            assert refusal(who.rest(method, view + query, body)) == (status, None), (method, who.name)
        assert who.rest("PUT", f"{view}?campus_id=eq.x", {"campus_id": "x"}).status_code == 405


@pytest.mark.parametrize("relation", ["users", "blocks", "meetings", "time_slots", "meeting_spots", "feedback_about"])
def test_no_table_behind_a_view_can_be_embedded(campus: Campus, relation: str) -> None:
    (ann,) = campus.members("Ann")
    for view in (LIST, *READ_ONLY):
        for who in (ann, campus.service):
            answer = who.rest("GET", f"{view}?select=*,{relation}(*)")
            assert (answer.status_code, answer.json()["code"]) == (400, "PGRST200"), view
