"""Plays docs/api/story.yaml against a real stack: one day of campus stanford, always the same one."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

import httpx
import psycopg

from circle27.reference import sources
from circle27.reference.calls import Call, call
from circle27.reference.catalogue import Catalogue
from circle27.stack.settings import SUPERUSER
from circle27.stack.supervision import Supervisor
from tests.stack import Stack

MORNING = "2026-11-23T{}:00-08:00"
PART_OF_A_MINUTE = re.compile(r"(T\d\d:\d\d):\d\d\.\d+")
DEVICE = {"User-Agent": "Circle27/1.0 (a phone)"}

# What is drawn, or read from the real clock, which the story does not turn: what stands on the page instead.
SESSION = "8f1d3c5a-6b27-4e90-a4c1-2d7e9b0f5a07"
CONSTANTS = {
    "seed": 27,
    "milliseconds": 12,
    "accessToken": "eyJhbGciOiAiSFMyNTYi...",
    "sessionId": SESSION,
    "askAgainAt": "2026-11-23T16:00:30+00:00",
    "expiresAt": "2026-11-23T17:00:00+00:00",
    "signedInAt": "2026-11-23T08:00:00-08:00",
    "renewedAt": "2026-11-23T08:00:00-08:00",
    "registeredAt": "2026-11-01T12:00:00-07:00",
    "at": "2026-11-23T14:20:00-08:00",
}
REFRESH_TOKEN = re.compile(r"^[0-9a-f-]{36}\.(\d+)\.[\w-]{43}$")


class Player:
    """A stack, its people, and what has come back so far."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.story = sources.story()
        with psycopg.connect(stack.settings.dsn(SUPERUSER)) as connection:
            self.catalogue = Catalogue.read(connection)
        Supervisor(stack.settings).rpc.stopProcess("worker", True)  # the story runs deadlines, and keeps the events
        stack.sql("truncate app.time_slots, events.outbox cascade")
        self.received: dict[str, Any] = {}  # the newest of each key that an answer had
        self.tokens = {"nobody": None, "service": stack.service_token}
        for name, person in self.story["people"].items():
            self.tokens[name] = self._register(name, person)
        for spot_id, name in self.story["spots"].items():
            stack.sql("select app.add_meeting_spot('stanford', %s, %s)", spot_id, name)

    def _register(self, name: str, person: dict[str, str]) -> str:
        self.stack.sql("insert into app.user_campuses (user_id, campus_id) values (%s, 'stanford')", person["id"])
        self.stack.sql(
            "insert into app.users (campus_id, user_id, email, display_name, tier) values ('stanford', %s, %s, %s, %s)",
            *(person["id"], f"{name}@stanford.edu", person["name"], person.get("tier", "user")),
        )
        return self.stack.sign(self.stack.sql("select identity.token_claims(%s)", person["id"])[0][0])

    def play(self) -> dict[str, Any]:
        """Send every example; return what came back, by part, and all events by their name."""
        came_back = {}
        for part in self.parts:
            with self._listening(part.get("listening", [])):
                came_back[part["name"]] = [self._example(part, each) for each in self._examples(part)]
        events = self.stack.sql("select event, payload from events.outbox order by id")
        told: dict[str, list[Any]] = {}
        for event, payload in events:
            told.setdefault(event, []).append(payload)
        return normalised({**came_back, "events": told})

    @property
    def parts(self) -> list[dict[str, Any]]:
        return sources.parts(self.story)

    def _examples(self, part: dict[str, Any]) -> list[dict[str, Any]]:
        """Ask for what comes before a part; return its examples."""
        for step in part.get("before", []):
            self._turn(step)
            answer = self._send(
                Call("POST", f"/rest/v1/rpc/{step['call']}", body=step.get("arguments", {})), step["as"]
            )
            assert answer.status_code == 200, (step, answer.text)
        examples: list[dict[str, Any]] = part["examples"]
        return examples

    @contextmanager
    def _listening(self, people: list[str]) -> Iterator[None]:
        """Let these people hold a stream each, one after the other."""
        with ExitStack() as streams:
            for person in people:
                headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {self.tokens[person]}"}
                held = self.stack.http.stream("GET", "/realtime/v1/stream", headers=headers)
                assert streams.enter_context(held).status_code == 200
            yield

    def _example(self, part: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
        self._turn(example)
        arguments = {**example.get("arguments", {}), **self._known(example)}
        answer = self._send(call(part, {**example, "arguments": arguments}, self.catalogue), example["as"])
        body: Any = answer.json() if answer.content else None
        if "becomes" in example:
            self.received |= body
            self.tokens[example["becomes"]] = body["accessToken"]
        for key, value in example.get("instead", {}).items():
            assert type(body[key]) is type(value), (key, body)
            body[key] = value
        return {"status": answer.status_code, "body": body}

    def _known(self, example: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments that nobody could write down before."""
        played = example.get("played", {})
        return {
            name: self.stack.mailed_code(example["arguments"]["p_email"]) if source == "code" else self.received[source]
            for name, source in played.items()
        }

    def _turn(self, step: dict[str, Any]) -> None:
        if "at" not in step:
            return
        instant = datetime.fromisoformat(MORNING.format(step["at"]))
        offset = (instant - datetime.now(instant.tzinfo)).total_seconds()
        answer = self.stack.rpc("set_clock_offset", {"p_offset": f"{offset} seconds"}, token=self.stack.service_token)
        assert answer.status_code == 200, answer.text

    def _send(self, call: Call, person: str) -> httpx.Response:
        token = self.tokens[person]
        headers = {**DEVICE, **call.headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        if call.method == "POST":
            return self.stack.http.post(call.address, json=call.body, headers=headers)
        return self.stack.http.request(call.method, call.address, headers=headers)


def normalised(came_back: dict[str, Any]) -> dict[str, Any]:
    """Return what came back as it would on every other run.

    Instants read from the clock lose their part of a minute; versions become their ranks; what is drawn, what the real
    clock says, and the version of the API, become constants.
    """
    versions = {version: rank for rank, version in enumerate(sorted(set(_versions(came_back))), 1)}

    def settle(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: settle(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [settle(each) for each in value]
        if key == "version":
            return versions[value] if isinstance(value, int) else "0.1.0"
        if key in CONSTANTS:
            return CONSTANTS[key]
        if key == "refreshToken":
            return REFRESH_TOKEN.sub(rf"{SESSION}.\1.bm9ib2R5LWtub3dzLXdoYXQtaXMtc2lnbmVkLWhlcmU", value)
        return PART_OF_A_MINUTE.sub(r"\1:00", value) if isinstance(value, str) else value

    return {name: settle(each) for name, each in came_back.items()}


def _versions(value: Any) -> list[int]:
    if isinstance(value, dict):
        own = [value["version"]] if isinstance(value.get("version"), int) else []
        return own + [version for each in value.values() for version in _versions(each)]
    return [version for each in value for version in _versions(each)] if isinstance(value, list) else []


def kept(came_back: dict[str, Any]) -> str:
    """Return docs/api/answers.json: all answers, and of each kind of event the first of those that say most."""
    events = {name: max(told, key=len) for name, told in came_back["events"].items()}
    return json.dumps({**came_back, "events": events}, indent=1, ensure_ascii=False) + "\n"
