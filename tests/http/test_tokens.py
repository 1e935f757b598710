"""Tokens of every wrong kind are refused with 401, by whoever notices first, and never with a 5xx."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from tests.stack import Stack

ANN = "ann@stanford.edu"

# What is done to a good member's claims -> the token must not pass.
WRONG_CLAIMS: dict[str, Callable[[dict[str, Any]], object]] = {
    "expired": lambda c: c.update(exp=int(time.time()) - 60),
    "without exp": lambda c: c.pop("exp"),
    "without aud": lambda c: c.pop("aud"),
    "another audience": lambda c: c.update(aud="somewhere-else"),
    "without sub": lambda c: c.pop("sub"),
    "sub is no uuid": lambda c: c.update(sub="ann"),
    "sub is empty": lambda c: c.update(sub=""),
    "sub is SQL": lambda c: c.update(sub="' or 1=1 --"),
    "sub is an object": lambda c: c.update(sub={"$ne": None}),
    "exp is text": lambda c: c.update(exp="tomorrow"),
    "an unknown role": lambda c: c.update(role="nobody"),
    "the owner's role": lambda c: c.update(role="circle27_owner"),
    "a superuser's role": lambda c: c.update(role="postgres"),
    "role is SQL": lambda c: c.update(role='anon"; reset role; --'),
    "a time zone that is none": lambda c: c.update(tz="Mars/Olympus"),
    "a time zone with SQL": lambda c: c.update(tz="UTC'; drop table app.users; --"),
}


@pytest.mark.parametrize("case", WRONG_CLAIMS)
@pytest.mark.parametrize("call", ["get_button_states", "open_stream"])
def test_wrong_claims(stack: Stack, case: str, call: str) -> None:
    claims = stack.claims(ANN)
    WRONG_CLAIMS[case](claims)
    answer = stack.rpc(call, token=stack.sign(claims))
    # PostgREST itself answers 400 where the role does not exist at all.
    expected = (400,) if case in ("an unknown role", "role is SQL") else (401, 403)
    assert answer.status_code in expected, answer.text
    assert answer.json()["message"]
    assert answer.json()["code"]


@pytest.mark.parametrize("case", ["not a token", "a.b.c", "x" * 6000, "é", "{}"])
def test_what_is_no_token(stack: Stack, case: str) -> None:
    answer = stack.http.post(
        "/rest/v1/rpc/get_button_states", json={}, headers=[(b"Authorization", f"Bearer {case}".encode())]
    )
    assert answer.status_code == 401, answer.text


def test_a_token_signed_with_another_key(stack: Stack) -> None:
    token = stack.sign(stack.claims(ANN), key="k" * 64)
    assert stack.rpc("get_button_states", token=token).status_code == 401


def test_a_token_without_signature(stack: Stack) -> None:
    token = jwt.encode(stack.claims(ANN), key="", algorithm="none")
    assert stack.rpc("get_button_states", token=token).status_code == 401


def test_a_token_with_its_payload_exchanged(stack: Stack) -> None:
    header, _, signature = stack.token(ANN).split(".")
    claims = {**stack.claims(ANN), "role": "service_role"}
    _, payload, _ = stack.sign(claims, key="k" * 64).split(".")
    assert stack.rpc("get_button_states", token=f"{header}.{payload}.{signature}").status_code == 401


def test_no_token_is_anon_and_anon_has_no_button(stack: Stack) -> None:
    assert stack.rpc("get_button_states").status_code == 401


def test_the_keys_of_anon_and_service_need_neither_sub_nor_aud(stack: Stack) -> None:
    for role in ("anon", "service_role"):
        token = stack.run("token", "--role", role).stdout.strip()
        assert stack.rpc("time_slots", {"p_campus_id": "stanford"}, token=token).status_code == 200


def test_a_member_of_no_campus_is_403_not_null(stack: Stack) -> None:
    claims = stack.claims(ANN)
    claims.update(sub="00000000-0000-4000-8000-000000000000")
    answer = stack.rpc("get_button_states", token=stack.sign(claims))
    assert answer.status_code in (401, 403)
    assert answer.json()["details"]


def test_a_claimed_campus_is_checked_against_the_directory(stack: Stack) -> None:
    claims = stack.claims(ANN)
    claims.update(campus_id="elsewhere")
    answer = stack.rpc("get_button_states", token=stack.sign(claims))
    assert answer.status_code == 403, answer.text


def test_a_claimed_tier_gives_no_authority(stack: Stack) -> None:
    claims = stack.claims(ANN)
    claims.update(tier="operator")
    answer = stack.rpc("set_clock_offset", {"p_offset": "1 hour"}, token=stack.sign(claims))
    assert answer.status_code in (401, 403, 404)
    assert stack.sql("select app.clock() - clock_timestamp() < interval '1 minute'") == [(True,)]
