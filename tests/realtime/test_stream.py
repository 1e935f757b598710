"""A change in SQL reaches a held connection: outbox, worker, nchan, stream."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.stack import Stack

EVENT_STREAM = {"Accept": "text/event-stream"}


@contextmanager
def stream(stack: Stack, email: str, in_query: bool = False) -> Iterator[Iterator[str]]:
    """The lines of a member's stream, from the moment when nchan holds it."""
    token = stack.token(email)
    headers = EVENT_STREAM if in_query else {**EVENT_STREAM, "Authorization": f"Bearer {token}"}
    parameters = {"access_token": token} if in_query else None
    with stack.http.stream("GET", "/realtime/v1/stream", headers=headers, params=parameters, timeout=10) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "x-accel-redirect" not in answer.headers
        lines = answer.iter_lines()
        assert next(lines).startswith(":")  # nchan greets when it holds the connection
        yield lines


def next_event(lines: Iterator[str]) -> tuple[str, dict[str, object]]:
    event = ""
    for line in lines:
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: "):
            return event, json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("in_query", [False, True], ids=["token in the header", "token in the query"])
def test_an_event_of_the_campus_reaches_its_member(stack: Stack, in_query: bool) -> None:
    with stream(stack, "ann@stanford.edu", in_query) as lines:
        stack.sql("select app.emit('campus:stanford', 'slot', jsonb_build_object('probe', %s::text))", str(in_query))
        event, data = next_event(lines)
        assert (event, data["probe"]) == ("slot", str(in_query))


def test_an_event_of_one_member_reaches_no_other(stack: Stack) -> None:
    ann = stack.claims("ann@stanford.edu")["sub"]
    with stream(stack, "bob@stanford.edu") as bobs, stream(stack, "ann@stanford.edu") as anns:
        stack.sql("select app.emit(%s, 'button', '{\"for\": \"ann\"}')", f"user:{ann}")
        stack.sql("select app.emit('campus:stanford', 'slot', '{\"for\": \"all\"}')")
        assert next_event(anns)[1] == {"for": "ann"}
        assert next_event(bobs)[1] == {"for": "all"}


def test_events_arrive_in_the_order_in_which_they_were_emitted(stack: Stack) -> None:
    with stream(stack, "ann@stanford.edu") as lines:
        stack.sql("""
            select app.emit('campus:stanford', 'slot', jsonb_build_object('n', n)) from generate_series(1, 50) as n""")
        assert [next_event(lines)[1]["n"] for _ in range(50)] == list(range(1, 51))


def test_new_slots_are_announced_to_their_campus(stack: Stack) -> None:
    with stream(stack, "ann@stanford.edu") as lines:
        stack.sql("select app.open_time_slots(app.clock() + interval '1 day')")
        event, data = next_event(lines)
        assert event == "slot"
        assert data["timeSlot"]


def test_the_outbox_is_empty_after_publishing(stack: Stack) -> None:
    with stream(stack, "ann@stanford.edu") as lines:
        stack.sql("select app.emit('campus:stanford', 'slot', '{}')")
        next_event(lines)
    # Deleted in the transaction that published: a new snapshot after its commit sees none of ours.
    stack.sql("lock table events.outbox in share mode")
    assert stack.sql("select count(*) from events.outbox") == [(0,)]


@pytest.mark.parametrize("token", [None, "not-a-token"])
def test_a_stranger_gets_no_stream(stack: Stack, token: str | None) -> None:
    headers = {**EVENT_STREAM, **({"Authorization": f"Bearer {token}"} if token else {})}
    answer = stack.http.get("/realtime/v1/stream", headers=headers)
    assert answer.status_code in (401, 403)
    assert answer.json()["message"]


def test_channels_cannot_be_chosen_by_the_client(stack: Stack) -> None:
    token = stack.token("bob@stanford.edu")
    ann = stack.claims("ann@stanford.edu")["sub"]
    for parameters in ({"channels": f"user:{ann}"}, {"ch": f"user:{ann}"}):
        url = httpx.URL("/realtime/v1/stream", params={**parameters, "access_token": token})
        with stack.http.stream(
            "GET", url, headers={**EVENT_STREAM, "X-Accel-Redirect": f"/_stream/user:{ann}"}
        ) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith(":")
            stack.sql("select app.emit(%s, 'button', '{\"for\": \"ann\"}')", f"user:{ann}")
            stack.sql("select app.emit('campus:stanford', 'slot', '{\"for\": \"all\"}')")
            assert next_event(lines)[1] == {"for": "all"}
