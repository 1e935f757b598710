"""What a member's device does: call the API through the gateway, and listen to the stream."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from circle27.demo.stage import Member
from circle27.errors import CircleError

AT_ONCE = 32  # requests under way; the local stack answers 20 at a time
ATTEMPTS = 4


class Gateway:
    """Calls functions of the API; counts the requests."""

    def __init__(self, url: str) -> None:
        self.requests = 0
        self._limit = asyncio.Semaphore(AT_ONCE)
        connections = httpx.Limits(max_connections=None, max_keepalive_connections=AT_ONCE)
        self._http = httpx.AsyncClient(base_url=url, limits=connections, timeout=20, verify=False, trust_env=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def ask(self, token: str, function: str, **arguments: object) -> httpx.Response:
        """Call a function and return its answer, whatever it says; ask again where it says to come back later."""
        headers = {"Authorization": f"Bearer {token}"}
        for attempt in range(1, ATTEMPTS + 1):
            async with self._limit:
                self.requests += 1
                answer = await self._http.post(f"/rest/v1/rpc/{function}", json=arguments, headers=headers)
            if answer.status_code not in (429, 503) or attempt == ATTEMPTS:
                break
            await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
        return answer

    async def call(self, token: str, function: str, **arguments: object) -> Any:
        """Call a function and return what it gives. Raises CircleError where it refuses."""
        answer = await self.ask(token, function, **arguments)
        if answer.status_code != 200:
            raise CircleError(f"{function} answered {answer.status_code}: {answer.text}")
        return answer.json()

    @asynccontextmanager
    async def listening(self, member: Member) -> AsyncIterator["Heard"]:
        """Hold a member's stream open; what it hears is collected."""
        heard = Heard()
        headers = {"Authorization": f"Bearer {member.token}", "Accept": "text/event-stream"}
        self.requests += 1
        async with self._http.stream(
            "GET", "/realtime/v1/stream", headers=headers, timeout=httpx.Timeout(20, read=None)
        ) as s:
            if s.status_code != 200:
                raise CircleError(f"the stream answered {s.status_code}")
            lines = s.aiter_lines()
            await anext(lines)  # the greeting: from here on nothing is missed
            task = asyncio.create_task(heard.collect(lines))
            try:
                yield heard
            finally:
                task.cancel()


@dataclass
class Heard:
    """Events of one stream: (real time of arrival, name, payload), each once."""

    events: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    async def collect(self, lines: AsyncIterator[str]) -> None:
        """Read the stream until it ends."""
        name = ""
        async for line in lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                data = line.removeprefix("data: ")
                if name + data not in self._seen:  # at least once means: sometimes twice
                    self._seen.add(name + data)
                    self.events.append((time.time(), name, json.loads(data)))

    def about(self, time_slot: str, since: float) -> list[tuple[float, str, dict[str, Any]]]:
        """Return what was heard of one slot after a moment, as (milliseconds after it, name, payload)."""
        return [
            ((at - since) * 1000, name, payload)
            for at, name, payload in self.events
            if at >= since and payload.get("timeSlot") == time_slot
        ]

    async def wait_for(self, name: str, time_slot: str, since: float, seconds: float = 2) -> None:
        """Wait until an event of this name about a slot was heard, or the seconds have passed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not any(event[1] == name for event in self.about(time_slot, since)):
            await asyncio.sleep(0.01)
