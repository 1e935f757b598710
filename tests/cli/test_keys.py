"""circle27 keys: a rotation signs nobody out, a retirement does, and what broke off halfway can be taken up again."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.stack import Stack


def claims() -> dict[str, object]:
    return {"role": "service_role", "exp": int(time.time()) + 600}


def status(stack: Stack, token: str) -> int:
    return stack.rpc("time_slots", {"p_campus_id": "stanford"}, token=token).status_code


@contextmanager
def callers(stack: Stack, old: str) -> Iterator[Counter[int]]:
    """Call without a pause while the block runs: with a token from before, and with one signed a moment ago."""
    seen: Counter[int] = Counter()
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            seen[status(stack, old)] += 1
            seen[status(stack, stack.sign(claims()))] += 1

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_rotation_signs_nobody_out_and_a_retirement_does(own_stack: Stack) -> None:
    old, forged = own_stack.sign(claims()), own_stack.sign(claims(), key="x" * 64)
    key = own_stack.settings.secret("jwt.key")

    with callers(own_stack, old) as seen:
        own_stack.run("keys", "rotate")
        own_stack.run("up")
    assert set(seen) == {200}, seen
    assert seen[200] > 20

    assert own_stack.settings.secret("jwt.key") != key
    assert [status(own_stack, token) for token in (old, own_stack.sign(claims()), forged)] == [200, 200, 401]

    again = own_stack.run("keys", "rotate", check=False)
    assert (again.returncode, "keys retire" in again.stderr) == (1, True)
    assert status(own_stack, old) == 200

    own_stack.run("keys", "retire")
    # Twice: the gateway asks one PostgREST after the other.
    assert [status(own_stack, token) for token in (old, old, forged) for _ in range(2)] == [401] * 6
    assert [status(own_stack, own_stack.sign(claims())) for _ in range(4)] == [200] * 4

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
