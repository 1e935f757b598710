"""A change in SQL reaches a held connection: outbox, worker, nchan, stream.

A message may come twice, and a new stream may hear what was said in the same second (at least once). So each test
marks its own messages and passes over others; clients do the same by `version`.
"""

import email.utils
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from circle27.stack.settings import SUPERUSER
from tests.stack import Stack

ANN, BOB = "ann@stanford.edu", "bob@stanford.edu"
EVENT_STREAM = {"Accept": "text/event-stream"}


@contextmanager
def stream(stack: Stack, address: str, **parameters: str) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """A member's events, from the moment when nchan holds the connection."""
    headers = dict(EVENT_STREAM)
    if "access_token" not in parameters:
        headers["Authorization"] = f"Bearer {stack.token(address)}"
    with stack.http.stream(
        "GET", "/realtime/v1/stream", headers=headers, params=parameters or None, timeout=10
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "x-accel-redirect" not in answer.headers
        lines = answer.iter_lines()
        assert next(lines).startswith(":")  # nchan's greeting
        yield events(lines)


def events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def emit(stack: Stack, channel: str, event: str, **payload: object) -> None:
    stack.sql("select app.emit('stanford', %s, %s, %s)", channel, event, json.dumps(payload))


def test_an_event_of_the_campus_reaches_its_member(stack: Stack) -> None:
    mark = str(uuid.uuid4())
    with stream(stack, ANN) as heard:
        emit(stack, "campus:stanford", "slot", mark=mark)
        assert next(e for e in heard if e[1].get("mark") == mark)[0] == "slot"


def test_the_token_may_come_in_the_query(stack: Stack) -> None:
    mark = str(uuid.uuid4())
    with stream(stack, ANN, access_token=stack.token(ANN)) as heard:
        emit(stack, "campus:stanford", "slot", mark=mark)
        assert next(e for e in heard if e[1].get("mark") == mark)


def test_what_names_a_message_to_begin_with_ends_no_process(stack: Stack) -> None:
    """nchan 1.3.6 aborts on an id of a channel without a message, when the process holds that channel already."""
    log = stack.home / "logs" / "gateway.log"
    before = log.read_text("utf-8").count("exited on signal")
    for _ in range(8):
        now = int(time.time())
        date = email.utils.formatdate(now - 5, usegmt=True)
        for headers, status in (
            ({}, 200),
            ({"Last-Event-ID": f"{now}:0"}, 200),
            ({"Last-Event-ID": f"{now}:0,0,0"}, 200),
            ({"If-Modified-Since": date}, 400),
            ({"If-Modified-Since": date, "If-None-Match": "0"}, 400),
            ({"If-None-Match": "0"}, 400),
        ):
            token = {"Authorization": f"Bearer {stack.token(ANN)}"}
            address = f"/realtime/v1/stream?last_event_id={now}:0"
            with stack.http.stream("GET", address, headers={**EVENT_STREAM, **token, **headers}) as answer:
                assert answer.status_code == status, headers
                next(answer.iter_lines())
    assert log.read_text("utf-8").count("exited on signal") == before


def test_an_event_of_one_member_reaches_no_other(stack: Stack) -> None:
    mark = str(uuid.uuid4())
    with stream(stack, BOB) as bobs, stream(stack, ANN) as anns:
        emit(stack, f"user:{stack.claims(ANN)['sub']}", "button", mark=mark, to="ann")
        emit(stack, "campus:stanford", "slot", mark=mark, to="all")
        assert next(e[1]["to"] for e in anns if e[1].get("mark") == mark) == "ann"
        assert next(e[1]["to"] for e in bobs if e[1].get("mark") == mark) == "all"


def test_events_arrive_in_the_order_in_which_they_were_emitted(stack: Stack) -> None:
    mark = str(uuid.uuid4())
    with stream(stack, ANN) as heard:
        stack.sql(
            """
            select app.emit('stanford', 'campus:stanford', 'slot', jsonb_build_object('n', n, 'mark', %s::text))
            from generate_series(1, 50) as n""",
            mark,
        )
        numbers = (e[1]["n"] for e in heard if e[1].get("mark") == mark)
        assert [next(numbers) for _ in range(50)] == list(range(1, 51))


def test_new_slots_are_announced_to_their_campus(stack: Stack) -> None:
    before = {row[0].isoformat() for row in stack.sql("select time_slot from app.time_slots")}
    with stream(stack, ANN) as heard:
        stack.sql("select app.open_time_slots(app.clock() + interval '400 days')")
        after = {row[0] for row in stack.sql("select time_slot from app.time_slots")}
        new = {slot for slot in after if slot.isoformat() not in before}
        assert len(new) >= 2
        event = next(e for e in heard if e[1].get("slotStatus") == "open")
        assert event[0] == "slot"
        assert {"timeSlot", "deadlineAt", "endsAt", "version"} <= set(event[1])


def test_what_was_published_has_left_the_outbox(stack: Stack) -> None:
    mark = str(uuid.uuid4())
    with stream(stack, ANN) as heard:
        emit(stack, "campus:stanford", "slot", mark=mark)
        assert next(e for e in heard if e[1].get("mark") == mark)
    with psycopg.connect(stack.settings.dsn(SUPERUSER)) as connection:
        connection.execute("lock table events.outbox in share mode")  # after the worker's commit
        left = connection.execute("select count(*) from events.outbox where payload ->> 'mark' = %s", [mark])
        assert left.fetchone() == (0,)


@pytest.mark.parametrize("token", [None, "not-a-token"])
def test_a_stranger_gets_no_stream(stack: Stack, token: str | None) -> None:
    headers = {**EVENT_STREAM, **({"Authorization": f"Bearer {token}"} if token else {})}
    answer = stack.http.get("/realtime/v1/stream", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["message"]


@pytest.mark.parametrize("parameter", ["channels", "ch", "args", "b"])
def test_channels_cannot_be_chosen_by_the_client(stack: Stack, parameter: str) -> None:
    mark, ann = str(uuid.uuid4()), stack.claims(ANN)["sub"]
    wish = {parameter: f"user:{ann}", "access_token": stack.token(BOB)}
    with stream(stack, BOB, **wish) as heard:
        emit(stack, f"user:{ann}", "button", mark=mark, to="ann")
        emit(stack, "campus:stanford", "slot", mark=mark, to="all")
        assert next(e[1]["to"] for e in heard if e[1].get("mark") == mark) == "all"
