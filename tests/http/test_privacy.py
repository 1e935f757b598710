"""Privacy and abuse over HTTP: going and coming back, the trail, probing, hoarding, suspending, walls."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.life import Campus, Person, refusal

VIEWS = ("waitlist_entries", "circles", "circle_members", "feedback", "profiles")
STREAM = {"Accept": "text/event-stream"}


def sign_in(campus: Campus, name: str) -> tuple[Person, dict[str, Any]]:
    """Sign in by a code, as if its mail had just been taken; return the member and all tokens."""
    email = f"{name.lower()}@{campus.campus_id}.edu"
    campus.stack.sql(
        """
        insert into identity.login_codes (email, requested_at, allowance, code_hash, code_expires_at, tries_left)
        values (%(email)s, clock_timestamp(), 5, identity.secret_hash('code:' || %(email)s || ':123456'),
          clock_timestamp() + interval '10 minutes', 5)
        """.replace("%(email)s", f"'{email}'")
    )
    answer = campus.nobody.gets("verify_login_code", p_email=email, p_code="123456")
    campus.stack.sql("delete from identity.login_codes where email = %s", email)
    return Person(campus.stack, answer["accessToken"], answer["userId"], name), answer


def sightings(person: Person) -> list[tuple[int, int]]:
    """Status and number of rows of each view."""
    answers = [person.rest("GET", view) for view in VIEWS]
    return [(answer.status_code, len(answer.json())) for answer in answers]


def trail(campus: Campus, person: Person) -> list[tuple[Any, ...]]:
    return campus.stack.sql(
        "select action, request_id, actor_id::text, host(address::inet) from audit.log where user_id = %s order by id",
        person.user_id,
    )


def test_from_the_account_to_nobody_and_back(campus: Campus) -> None:
    ann, tokens = sign_in(campus, "Ann")
    elsewhere = campus.member("Ann")  # another issuer's token, of a session that nobody here has begun
    assert elsewhere.user_id == ann.user_id
    bob, cleo = campus.members("Bob", "Cleo")
    bob.gets("block_user", p_user_id=ann.user_id)
    ann.gets("update_profile", p_display_name="Ann Onymous")
    ann.gets("join_waitlist", p_time_slot=campus.slot)

    headers = {**STREAM, "Authorization": f"Bearer {ann.token}"}
    with campus.stack.http.stream("GET", "/realtime/v1/stream", headers=headers, timeout=10) as held:
        lines = held.iter_lines()
        assert next(lines).startswith(":")
        assert ann.gets("delete_my_account") == {"deleted": True}
        heard = list(lines)  # until the gateway ends it: a stream that goes on times out
    assert 'data: {"over": true}' in heard

    # Nothing is open any more, by no token.
    for person, slug in ((ann, "session_over"), (elsewhere, "account_deleted")):
        calls: dict[str, dict[str, Any]] = {
            "delete_my_account": {},
            "my_profile": {},
            "export_my_data": {},
            "my_trail": {},
            "get_button_states": {},
            "get_button_state": {"p_user_id": ann.user_id, "p_time_slot": campus.slot},
            "join_waitlist": {"p_time_slot": campus.slot},
            "leave_waitlist": {"p_time_slot": campus.slot},
            "my_circle": {"p_time_slot": campus.slot},
            "submit_feedback": {"p_time_slot": campus.slot, "p_rating": 5},
            "report_user": {"p_time_slot": campus.slot, "p_user_id": bob.user_id, "p_reason": "fake"},
            "block_user": {"p_user_id": bob.user_id},
            "unblock_user": {"p_user_id": bob.user_id},
            "update_profile": {"p_display_name": "Ann"},
            "cancel_time_slot": {"p_time_slot": campus.slot},
            "suspend_user": {"p_user_id": bob.user_id, "p_until": "infinity", "p_reason": "x"},
            "reports": {},
        }
        for function, arguments in calls.items():
            assert person.refused(function, **arguments) == (401, slug), function
        headers = {**STREAM, "Authorization": f"Bearer {person.token}"}
        assert campus.stack.http.get("/realtime/v1/stream", headers=headers).status_code == 401
        answer = person.rest("POST", "waitlist_entries", {"time_slot": campus.slot})
        assert refusal(answer) == (401, slug)
    assert sightings(ann) == [(401, 4)] * len(VIEWS)  # the four keys of a refusal
    assert sightings(elsewhere) == [(200, 0)] * len(VIEWS)
    assert campus.nobody.refused("refresh_session", p_refresh_token=tokens["refreshToken"]) == (401, "session_over")
    entry = {"time_slot": campus.slot, "user_id": ann.user_id}
    assert refusal(campus.service.rest("POST", "waitlist_entries", entry)) == (404, "member_not_found")

    # Back: the same member, without a past of words, behind the same wall.
    again, _ = sign_in(campus, "Ann")
    assert again.user_id == ann.user_id
    profile = again.gets("my_profile")
    assert (profile["displayName"], profile["attributes"]) == ("New member", {})
    assert ann.refused("my_profile") == (401, "session_over"), "the sessions of before stay over"
    for person in (again, bob, cleo):
        person.gets("join_waitlist", p_time_slot=campus.slot)
    campus.match()
    assert again.refused("my_circle", p_time_slot=campus.slot) == (404, "no_circle_formed")
    actions = [line["action"] for line in again.gets("my_trail")["trail"]]
    assert {"user.deleted", "user.returned", "profile.updated"} <= set(actions)
    changed = next(line for line in again.gets("my_trail")["trail"] if line["action"] == "profile.updated")
    assert (changed["old"], changed["new"]) == (None, None), "that a name was changed is kept, the names are not"


def test_the_number_of_the_request_is_in_answer_and_trail(campus: Campus) -> None:
    ann = campus.member("Ann")
    answer = ann.rest("POST", "rpc/join_waitlist", {"p_time_slot": campus.slot}, x_request_id="forged")
    number = answer.headers["x-request-id"]
    assert number != "forged"
    assert trail(campus, ann)[-1] == ("waitlist.joined", number, ann.user_id, "127.0.0.1")
    assert ann.call("leave_waitlist", p_time_slot=campus.slot).headers["x-request-id"] != number


def test_denied_attempts_are_in_the_trail(campus: Campus) -> None:
    ann, bob = campus.members("Ann", "Bob")
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        ("slot.cancel_denied", "cancel_time_slot", {"p_time_slot": campus.slot}),
        ("user.suspend_denied", "suspend_user", {"p_user_id": bob.user_id, "p_until": "infinity", "p_reason": "x"}),
        ("reports.read_denied", "reports", {}),
    ]
    for action, function, arguments in attempts:
        answer = ann.call(function, **arguments)
        assert refusal(answer) == (403, "operators_only")
        assert trail(campus, ann)[-1] == (action, answer.headers["x-request-id"], ann.user_id, "127.0.0.1")
    assert [line["action"] for line in ann.gets("my_trail")["trail"][:3]] == [a for a, _, _ in reversed(attempts)]
    assert "user.suspend_denied" not in {line["action"] for line in bob.gets("my_trail")["trail"]}


@pytest.mark.parametrize("path", ["log", "changes", "log_2026", "log_default", "rpc/record", "rpc/forget_before"])
def test_the_trail_is_out_of_reach_for_everyone(campus: Campus, path: str) -> None:
    before = campus.stack.sql("select count(*) from audit.log")
    for person in (campus.member("Olga", operator=True), campus.service, campus.nobody):
        for method in ("GET", "POST", "PATCH", "DELETE"):
            body = {"action": "a.b"} if method in ("POST", "PATCH") else None
            for headers in ({}, {"accept_profile": "audit", "content_profile": "audit"}):
                assert person.rest(method, path, body, **headers).status_code in (401, 404, 405, 406), (method, path)
    assert campus.stack.sql("select count(*) from audit.log") >= before


def test_an_export_is_a_member_s_own(campus: Campus) -> None:
    ann, bob, _ = campus.matched("Ann", "Bob", "Cleo")
    bob.gets("report_user", p_time_slot=campus.slot, p_user_id=ann.user_id, p_reason="fake", p_comment="Told by Bob")
    campus.at(minutes=20)
    about = [{"userId": ann.user_id, "noShow": True}]
    bob.gets("submit_feedback", p_time_slot=campus.slot, p_rating=1, p_comment="Said by Bob", p_about=about)
    for method in ("POST", "GET"):
        answer = ann.call("export_my_data", method)
        assert answer.json()["profile"]["email"] == f"ann@{campus.campus_id}.edu"
        assert "Told by Bob" not in answer.text
        assert "Said by Bob" not in answer.text
        assert bob.user_id not in answer.text
        assert f"bob@{campus.campus_id}.edu" not in answer.text
    assert bob.gets("export_my_data")["reports"][0]["comment"] == "Told by Bob"


def test_nothing_tells_who_is_on_a_list(campus: Campus) -> None:
    """Every question about Bob, who is on it, has the answer that it has about Cleo, who is not."""
    eve, bob, cleo = campus.members("Eve", "Bob", "Cleo")
    bob.gets("join_waitlist", p_time_slot=campus.slot)

    def asked_about(other: Person) -> list[tuple[Any, ...]]:
        told = []
        for method, path, body in (
            ("GET", f"waitlist_entries?user_id=eq.{other.user_id}", None),
            ("HEAD", f"waitlist_entries?user_id=eq.{other.user_id}", None),
            ("GET", "waitlist_entries?order=user_id&limit=1", None),
            ("DELETE", f"waitlist_entries?user_id=eq.{other.user_id}", None),
            ("PATCH", f"waitlist_entries?user_id=eq.{other.user_id}", {"time_slot": campus.slot}),
            ("POST", "waitlist_entries", {"time_slot": campus.slot, "user_id": other.user_id}),
            ("GET", f"profiles?user_id=eq.{other.user_id}", None),
            ("GET", f"circle_members?user_id=eq.{other.user_id}", None),
            ("POST", "rpc/get_button_state", {"p_user_id": other.user_id, "p_time_slot": campus.slot}),
            ("POST", "rpc/report_user", {"p_time_slot": campus.slot, "p_user_id": other.user_id, "p_reason": "fake"}),
            ("POST", "rpc/suspend_user", {"p_user_id": other.user_id, "p_until": "infinity", "p_reason": "x"}),
        ):
            answer = eve.rest(method, path, body, prefer="count=exact")
            told.append(
                (method, path.split("=eq.")[0], answer.status_code, answer.headers.get("content-range"), answer.text)
            )
        return told

    assert asked_about(bob) == asked_about(cleo)
    empty, full = (campus.nobody.gets("time_slots", p_campus_id=campus.campus_id)["slots"][index] for index in (0, 1))
    times = {"timeSlot", "deadlineAt", "endsAt", "version"}
    assert {k: v for k, v in empty.items() if k not in times} == {k: v for k, v in full.items() if k not in times}
    assert bob.says(campus.slot) == "leave"


def test_nobody_hoards(campus: Campus) -> None:
    """No list twice, and none beyond the days that are open."""
    ann = campus.member("Ann")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    again = ann.rest("POST", "waitlist_entries", [{"time_slot": campus.slot}] * 3)
    assert again.status_code == 201
    assert len(ann.rest("GET", "waitlist_entries").json()) == 1
    ((days,),) = campus.stack.sql("select open_days_ahead from app.campuses where campus_id = %s", campus.campus_id)
    slot = datetime.fromisoformat(campus.slot)
    assert ann.call("join_waitlist", p_time_slot=(slot + timedelta(days=days)).isoformat()).status_code == 200
    beyond = (slot + timedelta(days=days + 1)).isoformat()
    assert ann.refused("join_waitlist", p_time_slot=beyond) == (404, "slot_not_found")


def test_a_report_leads_to_a_suspension_and_back(campus: Campus) -> None:
    ann, bob, _ = campus.matched("Ann", "Bob", "Cleo")
    olga = campus.member("Olga", operator=True)
    told = {"p_time_slot": campus.slot, "p_user_id": bob.user_id, "p_reason": "harassment", "p_comment": "Rude"}
    assert ann.gets("report_user", **told) == ann.gets("report_user", **told)
    assert ann.refused("report_user", **{**told, "p_comment": "Ruder"}) == (409, "report_given")
    (report,) = olga.gets("reports")["reports"]
    assert (report["by"]["displayName"], report["about"]["displayName"], report["comment"]) == ("Ann", "Bob", "Rude")

    later = campus.slots[2]
    bob.gets("join_waitlist", p_time_slot=later)
    asked = {"p_user_id": bob.user_id, "p_until": "infinity", "p_reason": "Rude in a meeting"}
    assert olga.gets("suspend_user", **asked) == olga.gets("suspend_user", **asked)
    assert bob.refused("join_waitlist", p_time_slot=later) == (403, "suspended")
    for person, entry in ((bob, {"time_slot": later}), (campus.service, {"time_slot": later, "user_id": bob.user_id})):
        assert refusal(person.rest("POST", "waitlist_entries", entry)) == (403, "suspended")
    assert (bob.says(campus.slot), bob.says(later)) == ("past", "join")
    assert {mate["displayName"] for mate in ann.gets("my_circle", p_time_slot=campus.slot)["members"]} == {
        "Ann",
        "Cleo",
    }
    assert bob.gets("my_profile")["suspendedUntil"] == "infinity"
    line = next(line for line in bob.gets("my_trail")["trail"] if line["action"] == "user.suspended")
    assert (line["by"], line["details"]["reason"], line["address"]) == ("operator", "Rude in a meeting", None)
    assert olga.user_id not in bob.call("my_trail").text
    assert ann.user_id not in bob.call("my_trail").text

    olga.gets("suspend_user", p_user_id=bob.user_id, p_until=None, p_reason="A mistake")
    assert bob.gets("join_waitlist", p_time_slot=later)["buttonState"] == "leave"
