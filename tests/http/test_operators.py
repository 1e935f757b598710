"""What operators and trusted servers may: calling a slot off, and nothing of another campus."""

import pytest

from tests.life import Campus


def test_an_operator_calls_a_slot_off(campus: Campus) -> None:
    olga = campus.member("Olga", operator=True)
    ann, bob, cleo = campus.matched("Ann", "Bob", "Cleo")
    first, second = (olga.gets("cancel_time_slot", p_time_slot=campus.slot) for _ in range(2))
    assert first == second
    assert (first["timeSlot"], first["slotStatus"]) == (campus.slot, "cancelled")
    assert campus.status(campus.slot) == "cancelled"
    for member in (ann, bob, cleo):
        assert member.says(campus.slot) == "past"
        assert member.refused("my_circle", p_time_slot=campus.slot) == (409, "slot_cancelled")
    assert [campus.status(slot) for slot in campus.slots[2:]] == ["open"]


def test_an_operator_may_name_the_own_campus_and_no_other(campus: Campus) -> None:
    olga = campus.member("Olga", operator=True)
    asked = {"p_time_slot": campus.slot}
    assert olga.refused("cancel_time_slot", **asked, p_campus_id="stanford") == (403, "operators_only")
    assert olga.refused("cancel_time_slot", **asked, p_campus_id="nowhere") == (403, "operators_only")
    assert campus.status(campus.slot) == "open"
    assert olga.gets("cancel_time_slot", **asked, p_campus_id=campus.campus_id)["slotStatus"] == "cancelled"


@pytest.mark.parametrize("tier", ["user", "pro"])
def test_members_call_nothing_off_whatever_their_token_claims(campus: Campus, tier: str) -> None:
    ann = campus.member("Ann")
    campus.stack.sql("update app.users set tier = %s where user_id = %s", tier, ann.user_id)
    ((claims,),) = campus.stack.sql("select identity.token_claims(%s)", ann.user_id)
    liar = campus.stack.sign({**claims, "tier": "operator"})
    for token in (ann.token, liar):
        for arguments in ({}, {"p_campus_id": campus.campus_id}, {"p_campus_id": None}):
            answer = campus.stack.rpc("cancel_time_slot", {"p_time_slot": campus.slot, **arguments}, token=token)
            assert (answer.status_code, answer.json()["details"]) == (403, "operators_only")
    assert campus.nobody.refused("cancel_time_slot", p_time_slot=campus.slot) == (401, None)
    assert campus.status(campus.slot) == "open"


def test_an_operator_who_is_one_no_more(campus: Campus) -> None:
    olga = campus.member("Olga", operator=True)
    campus.stack.sql("update app.users set tier = 'user' where user_id = %s", olga.user_id)
    assert olga.refused("cancel_time_slot", p_time_slot=campus.slot) == (403, "operators_only")


def test_a_trusted_server_names_the_campus(campus: Campus) -> None:
    asked = {"p_time_slot": campus.slot}
    assert campus.service.refused("cancel_time_slot", **asked) == (403, "no_campus")
    assert campus.service.refused("cancel_time_slot", **asked, p_campus_id="nowhere") == (404, "slot_not_found")
    assert campus.status(campus.slot) == "open"


def test_what_is_over_or_never_was_is_not_called_off(campus: Campus) -> None:
    olga = campus.member("Olga", operator=True)
    campus.at(minutes=20)
    assert olga.refused("cancel_time_slot", p_time_slot=campus.slot) == (409, "slot_ended")
    for slot in ("2001-01-01T14:00:00Z", "-infinity", None):
        assert olga.refused("cancel_time_slot", p_time_slot=slot) == (404, "slot_not_found")
