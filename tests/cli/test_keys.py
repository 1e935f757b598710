"""circle27 keys: a rotation signs nobody out, a retirement ends old tokens; what broke off is taken up again."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import jwt
import pytest

from tests.stack import Stack, running_stack


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """With limits, for which the gateway checks tokens, too. Each call has a connection of its own.

    A kept one is the gateway's process of before, after a reload: it may be closed at any moment, or serve a call more.
    """
    for stack in running_stack(CIRCLE27_RATE_LIMITS="on"):
        url, none = stack.settings.url("gateway"), httpx.Limits(max_keepalive_connections=0)
        stack.http = httpx.Client(base_url=url, timeout=20, verify=False, limits=none)
        yield stack


def claims() -> dict[str, object]:
    return {"role": "service_role", "exp": int(time.time()) + 600}


def status(stack: Stack, token: str) -> int:
    return stack.rpc("time_slots", {"p_campus_id": "stanford"}, token).status_code


def refresh(stack: Stack, tokens: dict[str, Any]) -> dict[str, Any]:
    answer = stack.rpc("refresh_session", {"p_refresh_token": tokens["refreshToken"]})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def sign_in(stack: Stack, email: str) -> dict[str, Any]:
    assert stack.rpc("request_login_code", {"p_email": email}).status_code == 200
    answer = stack.rpc("verify_login_code", {"p_email": email, "p_code": stack.mailed_code(email)})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def profile(stack: Stack, tokens: dict[str, Any]) -> httpx.Response:
    return stack.rpc("my_profile", token=tokens["accessToken"], method="GET")


def policy(stack: Stack, tokens: dict[str, Any]) -> str:
    """Return as whom the gateway counts the bearer."""
    return profile(stack, tokens).headers["RateLimit-Policy"].partition(";")[0].strip('"')


@contextmanager
def callers(*calls: Callable[[], int]) -> Iterator[list[Counter[int]]]:
    """Make each call without a pause while the block runs; give what each got."""
    seen: list[Counter[int]] = [Counter() for _ in calls]
    stop = threading.Event()

    def caller(number: int) -> None:
        while not stop.is_set():
            seen[number][calls[number]()] += 1

    with ThreadPoolExecutor() as threads:
        futures = [threads.submit(caller, number) for number in range(len(calls))]
        try:
            yield seen
        finally:
            stop.set()
        for future in futures:
            future.result()


def test_a_session_that_began_by_mail_lives_on(own_stack: Stack) -> None:
    first = sign_in(own_stack, "mel@stanford.edu")
    own_stack.run("keys", "rotate")
    second = refresh(own_stack, first)
    assert second["sessionId"] == first["sessionId"]
    for tokens in (first, first, second, second):  # twice: there are two PostgREST
        assert profile(own_stack, tokens).status_code == 200
    key = own_stack.settings.secret("jwt.key")
    assert jwt.decode(second["accessToken"], key, algorithms=["HS256"], audience="authenticated")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(first["accessToken"], key, algorithms=["HS256"], audience="authenticated")

    own_stack.run("keys", "retire")
    own_stack.run("up")  # gives the database its key again
    assert [profile(own_stack, tokens).status_code for tokens in (first, first, second, second)] == [401, 401, 200, 200]
    assert profile(own_stack, refresh(own_stack, second)).status_code == 200
    assert profile(own_stack, sign_in(own_stack, "nel@stanford.edu")).status_code == 200


def test_tokens_of_either_key_spend_the_calls_of_one_member(own_stack: Stack) -> None:
    first, other = (sign_in(own_stack, f"{name}@stanford.edu") for name in ("olly", "polly"))
    own_stack.run("keys", "rotate")
    second = refresh(own_stack, first)
    assert [policy(own_stack, tokens) for tokens in (first, second)] == ["user", "user"]

    began = time.monotonic()
    got = [profile(own_stack, tokens).status_code for _ in range(150) for tokens in (first, second)]
    assert set(got) == {200, 429}
    assert 198 <= got.count(200) <= 200 + (time.monotonic() - began) * 200 / 60
    assert profile(own_stack, other).status_code == 200

    own_stack.run("keys", "retire")
    assert [policy(own_stack, tokens) for tokens in (first, second, other)] == ["anon", "user", "anon"]


def test_a_rotation_signs_nobody_out_and_a_retirement_ends_old_tokens(own_stack: Stack) -> None:
    old, forged = own_stack.sign(claims()), own_stack.sign(claims(), key="x" * 64)
    key = own_stack.settings.secret("jwt.key")

    newest = sign_in(own_stack, "ray@stanford.edu")

    def refreshed() -> int:
        """What the database signs is accepted at every moment."""
        newest.update(refresh(own_stack, newest))
        return profile(own_stack, newest).status_code

    calls = (lambda: status(own_stack, old), lambda: status(own_stack, own_stack.sign(claims())), refreshed)
    with callers(*calls) as seen:
        own_stack.run("keys", "rotate")
        own_stack.run("up")
    assert [set(each) - {429} for each in seen] == [{200}] * 3, seen
    assert all(each[200] > 10 for each in seen), seen

    assert own_stack.settings.secret("jwt.key") != key
    assert [status(own_stack, token) for token in (old, own_stack.sign(claims()), forged)] == [200, 200, 401]

    again = own_stack.run("keys", "rotate", check=False)
    assert (again.returncode, "keys retire" in again.stderr) == (1, True)
    assert status(own_stack, old) == 200

    own_stack.run("keys", "retire")
    # Twice: the gateway asks one PostgREST after the other.
    assert [status(own_stack, token) for token in (old, old, forged) for _ in range(2)] == [401] * 6
    assert [status(own_stack, own_stack.sign(claims())) for _ in range(4)] == [200] * 4
    assert own_stack.sql("select count(*) from identity.keys where purpose = 'access'") == [(1,)], (
        "the database forgot it"
    )

    twice = own_stack.run("keys", "retire", check=False)
    assert (twice.returncode, "keys rotate" in twice.stderr) == (1, True)


@pytest.mark.parametrize("step", ["the new key is written", "the former key is kept"])
def test_a_rotation_that_broke_off_is_taken_up_again(own_stack: Stack, step: str) -> None:
    old = own_stack.sign(claims())
    folder = own_stack.home / "secrets"
    (folder / "jwt.key.next").write_text(new := step.replace(" ", "-") * 3)
    if step == "the former key is kept":
        os.link(folder / "jwt.key", folder / "jwt.key.former")
    assert own_stack.run("keys", "retire", check=False).returncode == 1

    own_stack.run("keys", "rotate")
    assert own_stack.settings.secret("jwt.key") == new
    assert [status(own_stack, token) for token in (old, own_stack.sign(claims())) for _ in range(2)] == [200] * 4
    own_stack.run("keys", "retire")
    assert status(own_stack, old) == 401


def test_nothing_is_rotated_while_the_stack_is_down(own_stack: Stack) -> None:
    key = own_stack.settings.secret("jwt.key")
    own_stack.run("down")
    for command in ("rotate", "retire"):
        refused = own_stack.run("keys", command, check=False)
        assert (refused.returncode, "circle27 up" in refused.stderr) == (1, True)
    assert own_stack.settings.secret("jwt.key") == key
