"""What can be sent to the gateway: odd tokens, exhausting queries, bodies that never end."""

import contextlib
import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest

from tests.stack import Stack

ANN = "ann@stanford.edu"
BEN = "ben@stanford.edu"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# Odd, beside those of tests/http/test_tokens.py: (claims, headers of the token).
ODD_TOKENS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "valid only tomorrow": lambda c: c.update(nbf=int(time.time()) + 86_400) or {},
    "issued tomorrow": lambda c: c.update(iat=int(time.time()) + 86_400) or {},
    "a list of other audiences": lambda c: c.update(aud=["elsewhere", "nowhere"]) or {},
    "no audience in the list": lambda c: c.update(aud=[]) or {},
    "a list of roles": lambda c: c.update(role=["service_role"]) or {},
    "an object as role": lambda c: c.update(role={"name": "service_role"}) or {},
    "a role with a blank": lambda c: c.update(role="authenticated ") or {},
    "the login of PostgREST": lambda c: c.update(role="authenticator") or {},
    "the worker": lambda c: c.update(role="circle27_worker") or {},
    "the auditor": lambda c: c.update(role="circle27_auth") or {},
    "sub is another's in braces": lambda c: c.update(sub="{" + c["sub"] + "}") or {},
    "sub is a list": lambda c: c.update(sub=[c["sub"]]) or {},
    "sub with a line break": lambda c: c.update(sub=c["sub"] + "\n") or {},
    "session is SQL": lambda c: c.update(session_id="' or 1=1 --") or {},
    "session is a header": lambda c: c.update(session_id="x\r\nX-Accel-Redirect: /_stream/campus:stanford") or {},
}


@pytest.mark.parametrize("case", ODD_TOKENS)
def test_odd_tokens(stack: Stack, case: str) -> None:
    claims = stack.claims(ANN)
    headers = ODD_TOKENS[case](claims)
    token = jwt.encode(claims, stack.settings.secret("jwt.key"), algorithm="HS256", headers=headers)
    for call in ("my_profile", "open_stream"):
        answer = stack.rpc(call, token=token)
        assert 400 <= answer.status_code < 500, (call, answer.text)
        assert "x-accel-redirect" not in answer.headers


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "none", "None", "RS256"])
def test_another_algorithm_in_the_head(stack: Stack, algorithm: str) -> None:
    """A token whose head says otherwise than what we sign with."""
    good = stack.token(ANN).split(".")
    head = jwt.utils.base64url_encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).decode()
    for signature in (good[2], ""):
        assert stack.rpc("my_profile", token=f"{head}.{good[1]}.{signature}").status_code == 401


def test_a_key_that_the_token_brings_along_is_not_asked(stack: Stack) -> None:
    claims = {**stack.claims(ANN), "role": "service_role"}
    brought = {"jwk": {"kty": "oct", "k": "a2V5"}, "jku": "http://127.0.0.1:1/keys", "kid": "../../dev/null"}
    token = jwt.encode(claims, "key" * 20, algorithm="HS256", headers=brought)
    assert stack.rpc("ready", token=token).status_code == 401


def test_two_tokens_are_not_two_people(stack: Stack) -> None:
    """Whichever counts, the answer is one member's, whole."""
    headers = [("Authorization", f"Bearer {stack.token(ANN)}"), ("Authorization", f"Bearer {stack.token(BEN)}")]
    answer = stack.http.post("/rest/v1/rpc/my_profile", json={}, headers=headers)
    people = {stack.claims(email)["sub"] for email in (ANN, BEN)}
    assert answer.status_code in (400, 401) or answer.json()["userId"] in people


def test_a_token_in_the_address_counts_for_streams_only(stack: Stack) -> None:
    for path in ("rpc/my_profile", "profiles"):
        answer = stack.http.get(f"/rest/v1/{path}?access_token={stack.token(ANN)}")
        assert answer.status_code in (400, 401, 404), path


def test_no_header_of_the_client_becomes_a_setting(stack: Stack) -> None:
    claims = json.dumps({"role": "service_role", "sub": stack.claims(BEN)["sub"]})
    forged = {
        "request.jwt.claims": claims,
        "request-jwt-claims": claims,
        "X-Request-Jwt-Claims": claims,
        "role": "service_role",
        "Prefer": "role=service_role, tx=commit",
        "Accept-Profile": "api",
    }
    answer = stack.http.post("/rest/v1/rpc/my_profile", json={}, headers={**forged, **bearer(stack.token(ANN))})
    assert answer.json()["userId"] == stack.claims(ANN)["sub"]
    assert stack.http.post("/rest/v1/rpc/my_profile", json={}, headers=forged).status_code == 401


def test_nothing_but_columns_that_are_granted_is_assigned(stack: Stack) -> None:
    """Mass assignment: what a row has besides is refused, never ignored, and changes nothing."""
    slot = stack.rpc("get_button_states", token=stack.token(ANN)).json()["slots"][0]["timeSlot"]
    for extra in ("campus_id", "joined_at", "version", "left_at", "tier", "circle_no"):
        row = {"time_slot": slot, extra: "1"}
        answer = stack.http.post("/rest/v1/waitlist_entries", json=row, headers=bearer(stack.token(ANN)))
        assert answer.status_code in (400, 403), (extra, answer.text)
    for extra in ("p_tier", "p_email", "p_user_id", "p_campus_id", "tier"):
        answer = stack.rpc("update_profile", {"p_display_name": "Ann", extra: "operator"}, token=stack.token(ANN))
        assert answer.status_code == 404, (extra, answer.text)
    assert stack.rpc("my_profile", token=stack.token(ANN)).json()["tier"] == "user"


@pytest.mark.parametrize(
    "query",
    [
        "limit=1000000000",
        "offset=1000000000",
        "limit=9223372036854775807",
        "limit=-1",
        "limit=1e9",
        "select=" + "user_id," * 400,
    ],
)
@pytest.mark.parametrize("view", ["waitlist_entries", "profiles"])
def test_asking_for_more_than_there_is(stack: Stack, view: str, query: str) -> None:
    answer = stack.http.get(f"/rest/v1/{view}?{query}", headers=bearer(stack.token(ANN)))
    assert answer.status_code < 500, answer.text
    if answer.is_success:
        assert {row["user_id"] for row in answer.json()} <= {stack.claims(ANN)["sub"]}


def test_a_body_that_never_ends_holds_nobody_up(stack: Stack) -> None:
    """Fifty callers who promise a body and send a byte of it; a fifty-first is served meanwhile."""
    head = (
        "POST /rest/v1/rpc/update_profile HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {stack.token(ANN)}\r\nContent-Length: 1000\r\n\r\n{{"
    )
    with contextlib.ExitStack() as held:
        for _ in range(50):
            caller = held.enter_context(socket.create_connection(("127.0.0.1", stack.settings.ports["gateway"])))
            caller.sendall(head.encode())
        busy = stack.sql("select count(*) from pg_stat_activity where usename = 'authenticator' and state <> 'idle'")
        assert busy[0][0] < 50, "a body is waited for by the gateway, not by a connection to the database"
        assert stack.rpc("my_profile", token=stack.token(BEN)).status_code == 200


def test_writers_of_one_row_are_all_answered(stack: Stack) -> None:
    """No 40001 gets out, which PostgREST would retry for ever: writers of one row get one answer each."""
    token = stack.token(ANN)

    def rename(number: int) -> int:
        return stack.rpc("update_profile", {"p_display_name": f"Ann {number % 7}"}, token=token).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(rename, range(60))) <= {200, 429, 503}
    assert stack.rpc("my_profile", token=token).json()["displayName"].startswith("Ann ")
