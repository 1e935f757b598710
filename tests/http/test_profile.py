"""Profile and blocks over HTTP."""

from typing import Any

from tests.life import Campus, Person


def test_a_member_sees_and_changes_themselves(campus: Campus) -> None:
    ann, bob = campus.members("Ann", "Bob")
    expected: dict[str, Any] = {
        "userId": ann.user_id,
        "campusId": campus.campus_id,
        "timeZone": "America/Los_Angeles",
        "displayName": "Ann",
        "tier": "user",
        "attributes": {},
        "circleMail": True,
        "suspendedUntil": None,
        "blocked": [],
    }
    assert ann.gets("my_profile") == ann.call("my_profile", "GET").json() == expected
    expected["displayName"] = "Ännchen 😀"
    assert ann.gets("update_profile", p_display_name="  Ännchen 😀 ") == expected
    expected["attributes"] = {"major": "physics", "year": 2}
    changed = {"p_attributes": expected["attributes"]}
    assert ann.gets("update_profile", **changed) == ann.gets("update_profile", **changed) == expected
    assert ann.gets("update_profile") == ann.gets("update_profile", p_display_name=None, p_attributes=None) == expected
    expected["circleMail"] = False
    assert ann.gets("update_profile", p_circle_mail=False) == ann.gets("my_profile") == expected
    assert bob.gets("my_profile")["displayName"] == "Bob"


def test_what_a_profile_may_not_hold(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    before = ann.gets("my_profile")
    for name in ("", "  ", "x" * 81, "a\nb", "a\tb", "\x7f", "a\r\nSet-Cookie: b"):
        assert ann.refused("update_profile", p_display_name=name) == (422, "display_name_invalid"), name
    wrong: list[Any] = [[], "text", 5, True, {"a": "x" * 4096}, {str(n): n for n in range(900)}]
    for attributes in wrong:
        assert ann.refused("update_profile", p_attributes=attributes) == (422, "attributes_invalid"), attributes
    for slipped in ({"p_tier": "operator"}, {"p_email": "x@y.edu"}, {"p_user_id": ann.user_id}):
        assert ann.refused("update_profile", p_display_name="Eve", **slipped)[0] == 404
    assert ann.gets("my_profile") == before


def test_profiles_are_for_members(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    for call in ("my_profile", "update_profile"):
        assert campus.nobody.refused(call) == (401, None)
        assert campus.service.refused(call) == (403, None)
        claims = {**campus.stack.claims("ann@stanford.edu"), "campus_id": campus.campus_id}
        assert Person(campus.stack, campus.stack.sign(claims)).refused(call) == (403, "wrong_campus")
    assert ann.call("update_profile", "GET", p_display_name="Eve").status_code == 405
    assert ann.gets("my_profile")["displayName"] == "Ann"


def test_blocking_and_taking_it_back(campus: Campus) -> None:
    ann, bob, cleo = campus.members("Ann", "Bob", "Cleo")
    for _ in range(2):
        assert ann.gets("block_user", p_user_id=bob.user_id) == {"userId": bob.user_id, "blocked": True}
    # No name: a block must not be a way to learn one.
    assert ann.gets("my_profile")["blocked"] == [{"userId": bob.user_id, "displayName": None}]
    assert bob.gets("my_profile")["blocked"] == cleo.gets("my_profile")["blocked"] == []
    bob.gets("unblock_user", p_user_id=ann.user_id)
    assert len(ann.gets("my_profile")["blocked"]) == 1
    for _ in range(2):
        assert ann.gets("unblock_user", p_user_id=bob.user_id) == {"userId": bob.user_id, "blocked": False}
    assert ann.gets("my_profile")["blocked"] == []


def test_whom_nobody_can_block(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    elsewhere = campus.stack.claims("ann@stanford.edu")["sub"]
    nowhere = "00000000-0000-4000-8000-000000000000"
    assert ann.refused("block_user", p_user_id=ann.user_id) == (422, "block_oneself")
    for stranger in (elsewhere, nowhere, None):
        assert ann.refused("block_user", p_user_id=stranger) == (404, "member_not_found"), stranger
        assert ann.call("unblock_user", p_user_id=stranger).status_code == 200
    for call in ("block_user", "unblock_user"):
        assert ann.call(call, p_user_id="bob").status_code == 400
        assert campus.nobody.refused(call, p_user_id=ann.user_id) == (401, None)
        assert campus.service.refused(call, p_user_id=ann.user_id) == (403, None)
    assert ann.gets("my_profile")["blocked"] == []
