"""Members who use the API all the time, while something is done to the system below them; and who waited for a lock."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import httpx

from circle27.stack.supervision import wait_until
from tests.stack import Stack

MEMBERS = 8
LONGEST_WAIT_MS = 2000

_WAIT = re.compile(r"process (\d+) (?:still waiting for|acquired) (.+?) after ([\d.]+) ms")


@dataclass(frozen=True)
class Call:
    """One request that a client makes again and again; `refusal` is the slug that is the right answer, if it is one."""

    name: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    refusal: str | None = None
    signed_in: bool = True

    def fault(self, answer: httpx.Response) -> str | None:
        """Return what is wrong with an answer, None if nothing."""
        if answer.is_success:
            return None
        if self.refusal and answer.is_client_error and f'"details":"{self.refusal}"' in answer.text:
            return None
        return f"{self.name}: {answer.status_code} {answer.text[:300]}"


def calls(slot: str) -> list[Call]:
    """Return what a member does all day, around a slot that stays open."""
    at = {"p_time_slot": slot}
    return [
        Call("get_button_states by GET", "GET", "/rpc/get_button_states"),
        Call("join_waitlist", "POST", "/rpc/join_waitlist", at),
        Call("get_button_states", "POST", "/rpc/get_button_states", {}),
        Call("my_profile", "POST", "/rpc/my_profile", {}),
        Call("waitlist_entries", "GET", "/waitlist_entries?select=time_slot,joined_at"),
        Call("leave_waitlist", "POST", "/rpc/leave_waitlist", at),
        Call("my_circle", "POST", "/rpc/my_circle", at, refusal="not_matched_yet"),
        Call("join by insert", "POST", "/waitlist_entries", {"time_slot": slot}),
        Call("update_profile", "POST", "/rpc/update_profile", {"p_attributes": {"seen": slot}}),
        Call("profiles", "GET", "/profiles?select=display_name"),
        Call("time_slots", "GET", "/rpc/time_slots?p_campus_id=stanford", signed_in=False),
    ]


@dataclass
class Traffic:
    """What the clients have seen so far."""

    answered: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    running: bool = True

    def flows(self) -> None:
        """Wait until each kind of call was answered once more by about each client, or something went wrong."""
        before = self.answered.copy()
        wait_until(
            lambda: bool(self.faults) or all(self.answered[name] >= before[name] + MEMBERS for name in before),
            30,
            "the clients are stuck",
        )


@contextmanager
def traffic(stack: Stack, *, direct: bool = False, pause: float = 0) -> Iterator[Traffic]:
    """Let members call through the gateway until the end, with a pause of so many seconds after each answer.

    `direct`: at PostgREST itself, where nobody asks again for them if an answer is 500.
    """
    emails = [f"member-{number}@stanford.edu" for number in range(MEMBERS)]
    tokens = [stack.token(email) for email in emails]
    day = datetime.now(UTC).date() + timedelta(days=3)
    slots = stack.rpc("time_slots", {"p_campus_id": "stanford", "p_day": day.isoformat()}).json()["slots"]
    services = stack.settings.postgrest_services() if direct else ["gateway"]
    addresses = [stack.settings.url(service) + ("" if direct else "/rest/v1") for service in services]
    seen, todo = Traffic(), calls(slots[-1]["timeSlot"])
    seen.answered.update({call.name: 0 for call in todo})

    async def member(number: int, token: str) -> None:
        address = addresses[number % len(addresses)]
        signed_in = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(timeout=20, verify=False) as http:
            turn = number  # each is somewhere else in the list
            while seen.running:
                call = todo[turn % len(todo)]
                turn += 1
                began = asyncio.get_running_loop().time()
                try:
                    answer = await http.request(
                        call.method, address + call.path, json=call.body, headers=signed_in if call.signed_in else {}
                    )
                    fault = call.fault(answer)
                except httpx.HTTPError as error:
                    fault = f"{call.name}: {error!r}"
                seen.slowest = max(seen.slowest, asyncio.get_running_loop().time() - began)
                seen.answered[call.name] += 1
                if fault:
                    seen.faults.append(fault)
                await asyncio.sleep(pause)

    async def all_members() -> None:
        await asyncio.gather(*(member(number, token) for number, token in enumerate(tokens)))

    thread = Thread(target=asyncio.run, args=[all_members()])
    thread.start()
    try:
        seen.flows()
        yield seen
        seen.flows()
    finally:
        seen.running = False
        thread.join()


class LockLog:
    """PostgreSQL's own log from now on: who waited longer than deadlock_timeout for a lock, and how long in all.

    The server writes that itself (log_lock_waits), so no wait falls between two looks at pg_locks.
    """

    def __init__(self, stack: Stack) -> None:
        self.path = stack.home / "logs" / "postgresql.log"
        self.start = self.path.stat().st_size

    @property
    def text(self) -> str:
        with self.path.open("rb") as log:
            log.seek(self.start)
            return log.read().decode("utf-8", "replace")

    @property
    def waits(self) -> list[tuple[float, str]]:
        """The waits as (milliseconds, for what); one that has not ended counts as far as it has come."""
        return [(float(ms), what) for _, what, ms in _WAIT.findall(self.text)]

    @property
    def deadlocks(self) -> int:
        return self.text.count("deadlock detected")
