"""A campus of its own for each test that follows a slot through its life, and people on it who call over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from circle27.stack.supervision import wait_until
from tests.stack import Stack

ZONE = "America/Los_Angeles"
NUMBERS = count(1)
BUTTON = ("buttonState", "buttonText", "middleText", "isDisabled")


@dataclass(frozen=True)
class Person:
    """Someone who calls: a member with a token, a trusted server, or nobody."""

    stack: Stack
    token: str | None
    user_id: str = ""
    name: str = ""

    def call(self, function: str, method: str = "POST", **arguments: Any) -> httpx.Response:
        if method == "GET":
            return self.stack.rpc(function, arguments, token=self.token, method=method)
        return self.rest(method, f"rpc/{function}", arguments)

    def rest(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Ask for a view; `prefer="return=representation"` becomes a header."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        content = body if isinstance(body, str | bytes) or body is None else json.dumps(body)
        return self.stack.http.request(method, f"/rest/v1/{path}", content=content, headers=sent)

    def gets(self, function: str, **arguments: Any) -> Any:
        answer = self.call(function, **arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, function: str, **arguments: Any) -> tuple[int, str | None]:
        """Return status and slug of a refusal."""
        return refusal(self.call(function, **arguments))

    def button(self, slot: str) -> dict[str, Any]:
        """Return what get_button_states says of one slot."""
        day = datetime.fromisoformat(slot).astimezone(ZoneInfo(ZONE)).date()
        slots = self.gets("get_button_states", p_day=day.isoformat())["slots"]
        return next(
            state for state in slots if datetime.fromisoformat(state["timeSlot"]) == datetime.fromisoformat(slot)
        )

    def says(self, slot: str) -> str:
        return str(self.button(slot)["buttonState"])


def refusal(answer: httpx.Response) -> tuple[int, str | None]:
    body = answer.json()
    assert {"code", "message", "details", "hint"} <= set(body), answer.text
    assert answer.is_error
    return answer.status_code, body["details"]


@dataclass
class Campus:
    """A campus at eight in the morning of tomorrow, with slots at 11, 14 and 17 o'clock and nobody on it."""

    stack: Stack
    campus_id: str = field(default_factory=lambda: f"life-{next(NUMBERS)}")
    slots: list[str] = field(default_factory=list)

    @property
    def slot(self) -> str:
        """The slot at two o'clock."""
        return self.slots[1]

    @property
    def service(self) -> Person:
        return Person(self.stack, self.stack.service_token)

    @property
    def nobody(self) -> Person:
        return Person(self.stack, None)

    def open(self) -> None:
        domain = f"{self.campus_id}.edu"
        self.stack.sql("select app.add_campus(%s, 'Life', %s, array[%s])", self.campus_id, ZONE, domain)
        tomorrow = datetime.now(ZoneInfo(ZONE)).date() + timedelta(days=1)
        self.turn(datetime(tomorrow.year, tomorrow.month, tomorrow.day, 8, tzinfo=ZoneInfo(ZONE)))
        self.stack.sql("select app.open_campus_slots(%s, app.clock())", self.campus_id)
        opened = self.nobody.gets("time_slots", p_campus_id=self.campus_id)["slots"]
        self.slots = [slot["timeSlot"] for slot in opened]

    def turn(self, instant: datetime) -> None:
        offset = instant - datetime.now(instant.tzinfo)
        self.service.gets("set_clock_offset", p_offset=f"{offset.total_seconds()} seconds")

    def at(self, **after: float) -> None:
        """Turn the clock to so many hours and minutes after the start of the slot at two o'clock."""
        self.turn(datetime.fromisoformat(self.slot) + timedelta(**after))

    def member(self, name: str, *, operator: bool = False) -> Person:
        email = f"{name.lower()}@{self.campus_id}.edu"
        ((user_id,),) = self.stack.sql("select user_id::text from app.register_user(%s, %s)", email, name)
        if operator:
            self.stack.sql("update app.users set tier = 'operator' where user_id = %s", user_id)
        ((claims,),) = self.stack.sql("select identity.token_claims(%s)", user_id)
        return Person(self.stack, self.stack.sign(claims), user_id, name)

    def members(self, *names: str) -> list[Person]:
        return [self.member(name) for name in names]

    def status(self, slot: str) -> str:
        day = datetime.fromisoformat(slot).astimezone(ZoneInfo(ZONE)).date()
        slots = self.nobody.gets("time_slots", p_campus_id=self.campus_id, p_day=day.isoformat())["slots"]
        return str(next(facts["slotStatus"] for facts in slots if facts["timeSlot"] == slot))

    def match(self) -> None:
        """Turn to the deadline of the slot at two o'clock; return when it is matched, whoever did it."""
        self.at(hours=-1)
        self.service.gets("run_due_deadlines")
        wait_until(lambda: self.status(self.slot) == "matched", 10, "the slot was not matched")

    def matched(self, *names: str) -> list[Person]:
        """Let these members join the slot at two o'clock and be matched."""
        people = self.members(*names)
        for person in people:
            person.gets("join_waitlist", p_time_slot=self.slot)
        self.match()
        return people


def new_campus(stack: Stack) -> Iterator[Campus]:
    made = Campus(stack)
    try:
        made.open()
        yield made
    finally:
        made.service.gets("set_clock_offset", p_offset="0")
