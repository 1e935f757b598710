"""Who holds a stream is online, and nobody else: after a stream's end, a storm of them, and whatever is killed."""

import asyncio
import base64
import json
import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from circle27.stack.supervision import Supervisor, wait_until
from circle27.worker.porter import LONG_LOG
from tests.life import Campus, Person, new_campus
from tests.realtime.history.wire import Wire
from tests.realtime.test_stream import EVENT_STREAM, events
from tests.stack import Stack

STORM = 400


@pytest.fixture
def circle(own_stack: Stack) -> Iterator[list[Person]]:
    """Three who have met, and one who was not there."""
    for campus in new_campus(own_stack):
        yield [*campus.matched("Ann", "Ben", "Cleo"), campus.member("Dan")]


@contextmanager
def stream(person: Person) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    headers = {**EVENT_STREAM, "Authorization": f"Bearer {person.token}"}
    with person.stack.http.stream("GET", "/realtime/v1/stream", headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert next(lines).startswith(":")
        yield events(lines)


def sees(person: Person, people: list[Person]) -> set[str]:
    """The names of those whom a person sees online."""
    online = person.gets("get_online_users", p_user_ids=[each.user_id for each in people])["online"]
    return {each.name for each in people if each.user_id in online}


def held(stack: Stack) -> int:
    count: int = stack.sql("select count(*) from events.streams")[0][0]
    return count


def until_held(stack: Stack, count: int, seconds: float = 20) -> None:
    wait_until(lambda: held(stack) == count, seconds, f"there are {held(stack)} streams, not {count},")


def test_circle_mates_see_each_other_come_and_go(circle: list[Person]) -> None:
    ann, ben, cleo, dan = circle
    assert sees(ann, circle) == set()
    with stream(ben), stream(dan):
        assert sees(ann, circle) == sees(cleo, circle) == {"Ben"}
        assert sees(dan, circle) == set()
        with stream(ben):
            assert sees(ann, circle) == {"Ben"}
        until_held(ann.stack, 2)
        assert sees(ann, circle) == {"Ben"}  # one of two devices went
    wait_until(lambda: sees(ann, circle) == set(), 10, "Ben is still there")


def test_only_a_stream_makes_online(circle: list[Person]) -> None:
    _ann, ben, *_ = circle
    assert ben.call("open_stream").status_code == 204  # the function as such opens none
    refused = ben.stack.http.get("/realtime/v1/stream", headers={"Authorization": f"Bearer {ben.token}"})
    assert refused.status_code == 403  # by nchan: neither EventSource nor WebSocket
    until_held(ben.stack, 0)


@pytest.mark.parametrize("victim", ["the gateway", "its process"])
def test_what_was_killed_holds_nobody(circle: list[Person], victim: str) -> None:
    stack = circle[0].stack
    with ExitStack() as streams:
        for person in circle * 4:
            streams.enter_context(stream(person))
        assert held(stack) == 16
        gateway = Supervisor(stack.settings).states()["gateway"]["pid"]
        workers = Path(f"/proc/{gateway}/task/{gateway}/children").read_text("utf-8").split()
        os.kill(gateway if victim == "the gateway" else int(workers[0]), signal.SIGKILL)
        until_held(stack, 0)


def test_what_ends_while_the_porter_is_away_is_caught_up_with(circle: list[Person]) -> None:
    stack = circle[0].stack
    supervisor = Supervisor(stack.settings)
    with stream(circle[0]):
        supervisor.rpc.stopProcess("porter", True)
    try:
        assert held(stack) == 1
    finally:
        supervisor.start("porter")
    until_held(stack, 0)


def test_the_log_of_ended_streams_does_not_grow_for_ever(circle: list[Person]) -> None:
    stack = circle[0].stack
    log = stack.home / "access" / "streams.log"
    with stream(circle[0]), stream(circle[1]):
        with log.open("a", encoding="ascii") as file:
            file.writelines(f"{number:032x}\n" for number in range(LONG_LOG // 33 + 1))  # streams of long ago
        wait_until(lambda: not log.exists() or log.stat().st_size < 1000, 10, "the log is as long as before")
        assert held(stack) == 2
    until_held(stack, 0)  # said in the new log, or as the last words of the old one
    wait_until(lambda: log.exists() and log.stat().st_size < 1000, 10, "nginx has begun no new log")


def test_a_storm_leaves_the_counts_right(own_stack: Stack) -> None:
    """Some go before they have come, some at once, some stay."""
    for campus in new_campus(own_stack):
        asyncio.run(storm(own_stack, campus))


async def storm(stack: Stack, campus: Campus) -> None:
    people = [campus.member(f"m{number}") for number in range(40)]
    rng = random.Random(27)
    staying: set[asyncio.Task[None]] = set()
    gate = asyncio.Semaphore(32)

    async def come(person: Person) -> None:
        wire = Wire("127.0.0.1", stack.settings.ports["gateway"], person.token or "")
        is_held = asyncio.Event()

        async def listen() -> None:
            async for _ in wire.events():
                is_held.set()

        async with gate:
            task = asyncio.create_task(listen())
            fate = rng.random()
            if fate < 0.3:
                await asyncio.sleep(rng.uniform(0, 0.02))
            else:
                await is_held.wait()
            if fate < 0.7:
                task.cancel()
            else:
                staying.add(task)

    await asyncio.gather(*(come(rng.choice(people)) for _ in range(STORM)))
    assert staying
    await asyncio.to_thread(until_held, stack, len(staying))
    for task in staying:
        task.cancel()
    await asyncio.to_thread(until_held, stack, 0)


def test_a_stream_ends_with_its_token(own_stack: Stack) -> None:
    for campus in new_campus(own_stack):
        ann = campus.member("Ann")
        ((claims,),) = own_stack.sql("select identity.token_claims(%s, '3 seconds')", ann.user_id)
        with stream(Person(own_stack, own_stack.sign(claims))) as heard:
            said = [payload for event, payload in heard if event == "session"]  # until the end
        assert said == [{"over": False}]
        assert time.time() >= claims["exp"]
        until_held(own_stack, 0)


def test_a_websocket_hears_the_same_at_the_same_address(circle: list[Person]) -> None:
    ann = circle[0]
    address = "127.0.0.1", ann.stack.settings.ports["gateway"]
    with socket.create_connection(address, 20) as connection, connection.makefile("rb") as file:
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET /realtime/v1/stream?access_token={ann.token} HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        assert b"101" in file.readline()
        while file.readline() != b"\r\n":
            pass
        assert sees(circle[1], circle) == {"Ann"}
        ann.gets("update_profile", p_display_name="Annabel")
        assert "Annabel" in next(text["displayName"] for text in frames(file) if "displayName" in text)
    until_held(ann.stack, 0)


def frames(file: Any) -> Iterator[dict[str, Any]]:
    """The text messages of a WebSocket (RFC 6455: what a server sends is not masked)."""
    while True:
        first, length = file.read(2)
        if length in (126, 127):
            length = int.from_bytes(file.read(2 if length == 126 else 8), "big")
        content = file.read(length)
        if first & 0x0F == 1:
            yield json.loads(content)
