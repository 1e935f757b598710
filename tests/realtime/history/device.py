"""A client that keeps the contract of docs/events.md, and writes down everything it is told and shows.

Subscribe, then fetch; of two states keep the one with the greater version. At changesAt everybody's old button is
disabled. Who is on the list waits for their own message; who is not takes `Past` from the campus's message, and keeps
the version of what they were told last: a message of their own still counts. Who hears nothing asks, once.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.realtime.history.wire import Wire
from tests.realtime.history.world import BUTTON, Member, World

RECONNECT_S = 0.6  # up to; a real client takes up to 5 s, to spare the server a rush
RETRY_S = 0.4


@dataclass(frozen=True)
class Shown:
    """What a device showed from a moment on."""

    at: float
    slot: datetime
    version: int
    button: dict[str, Any]


@dataclass
class Diary:
    """What one device was told, showed, and did."""

    shown: list[Shown] = field(default_factory=list)
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # every message, replays included
    stale: list[str] = field(default_factory=list)  # an answer older than what was known when it was asked for
    answered: dict[datetime, str] = field(default_factory=dict)  # the last write that was answered with success
    requests: dict[str, float] = field(default_factory=dict)  # the writes that were, and when
    held: list[tuple[float, float]] = field(default_factory=list)  # from when to when each stream was
    calls: int = 0
    late_looks: int = 0  # asked because nothing was heard


class Device:
    """One device of a member."""

    def __init__(self, member: Member, world: World, wire: Wire, rng: random.Random) -> None:
        self.member = member
        self.diary = Diary()
        self.live = False  # subscribed and fetched since
        self._world, self._wire, self._rng = world, wire, rng
        self._states: dict[datetime, dict[str, Any]] = {}  # the last state of each slot that a server told
        self._ours = {slot.at for slot in world.slots}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stream: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Hold a stream for ever, one after the other."""
        while True:
            self._stream = asyncio.create_task(self._listen())
            await asyncio.wait([self._stream])
            self.live = False
            await asyncio.sleep(self._rng.uniform(0, RECONNECT_S))

    def drop(self) -> None:
        """Lose the connection."""
        if self._stream is not None:
            self._stream.cancel()

    def close(self) -> None:
        """End the stream. What is written from now on (others hear that this one went) is not for it."""
        self.diary.held = [(began, min(ended, time.time())) for began, ended in self.diary.held]
        for task in [*self._tasks, *([self._stream] if self._stream else [])]:
            task.cancel()

    def shows(self, slot: datetime) -> Shown | None:
        return next((shown for shown in reversed(self.diary.shown) if shown.slot == slot), None)

    async def write(self, function: str, slot: datetime) -> None:
        """Join or leave. An answer that did not come may mean either, so the device asks."""
        status, button, number = await self._call(function, {"p_time_slot": slot.isoformat()})
        if status == 200:
            self._learn(button, fresh=False)
            self.diary.answered[slot] = function
            self.diary.requests[number] = time.time()
        else:
            await self._look()

    async def _listen(self) -> None:
        held = False
        try:
            async for event, payload in self._wire.events():
                if event:
                    self.diary.heard.append((event, payload))
                    self._hear(event, payload)
                else:  # from here on nothing is missed
                    held = True
                    self.diary.held.append((time.time(), float("inf")))
                    self._soon(0, self._look)
        finally:
            if held:
                self.diary.held[-1] = (self.diary.held[-1][0], time.time())

    def _hear(self, event: str, payload: dict[str, Any]) -> None:
        if event == "button":
            self._learn(payload, fresh=False)
        elif event == "slot" and payload["slotStatus"] in ("matched", "ended", "cancelled"):
            slot = datetime.fromisoformat(payload["timeSlot"])
            state = self._states.get(slot)
            if state is not None and state["buttonState"] == "join":
                hour = state["middleText"].removeprefix("Decide by ")
                past = {
                    "buttonState": "past",
                    "buttonText": "Past",
                    "middleText": f"Closed at {hour}",
                    "isDisabled": True,
                }
                self._show({**state, **past})

    def _learn(self, state: dict[str, Any], *, fresh: bool) -> None:
        """Take a state if it is newer than what is known; an answer that was just asked for also if it is as new."""
        slot = datetime.fromisoformat(state["timeSlot"])
        known = self._states.get(slot)
        if slot not in self._ours or (known and state["version"] < known["version"] + (0 if fresh else 1)):
            return
        self._states[slot] = state
        changes_at = state["changesAt"] and datetime.fromisoformat(state["changesAt"]).timestamp()
        ahead = (changes_at or float("inf")) - time.time()
        if state["pending"]:
            self._show({**state, "buttonState": "leave", "isDisabled": True})
        else:
            self._show({**state, "isDisabled": state["isDisabled"] or (state["slotStatus"] == "open" and ahead <= 0)})
        if changes_at and state["slotStatus"] in ("open", "matching"):
            if state["pending"]:
                self._soon(ahead + self._rng.uniform(0, 0.3), self._look)
            else:
                self._soon(ahead, lambda: self._deadline(slot))

    async def _deadline(self, slot: datetime) -> None:
        state = self._states[slot]
        if state["slotStatus"] != "open":
            return
        shown = self.shows(slot)
        if shown is not None and shown.button["buttonState"] in ("join", "leave"):
            self._show({**state, "isDisabled": True})
        await asyncio.sleep(self._world.late_s)
        if self._states[slot]["slotStatus"] == "open" and self._waits(slot):
            self.diary.late_looks += 1
            await self._look()

    def _waits(self, slot: datetime) -> bool:
        shown = self.shows(slot)
        return shown is None or shown.button["buttonState"] in ("join", "leave")

    async def _look(self) -> None:
        """Fetch the day, until it is told."""
        known = {slot: state["version"] for slot, state in self._states.items()}
        for day in sorted({slot.at.date().isoformat() for slot in self._world.slots}):
            status, states = 0, dict[str, Any]()
            while status != 200:
                status, states, _ = await self._call("get_button_states", {"p_day": day})
                if status != 200:
                    await asyncio.sleep(self._rng.uniform(0.1, RETRY_S))
            for state in states["slots"]:
                slot = datetime.fromisoformat(state["timeSlot"])
                if state["version"] < known.get(slot, 0):
                    self.diary.stale.append(f"{slot}: version {state['version']}, {known[slot]} was known before")
                self._learn(state, fresh=True)
        self.live = True

    async def _call(self, function: str, arguments: dict[str, str]) -> tuple[int, Any, str]:
        self.diary.calls += 1
        return await self._wire.call(function, arguments)

    def _show(self, state: dict[str, Any]) -> None:
        slot = datetime.fromisoformat(state["timeSlot"])
        button = {key: state[key] for key in BUTTON}
        self.diary.shown.append(Shown(time.time(), slot, self._states[slot]["version"], button))

    def _soon(self, seconds: float, what: Callable[[], Awaitable[None]]) -> None:
        due = time.monotonic() + max(0.0, seconds)

        async def later() -> None:
            await asyncio.sleep(max(0.0, seconds))
            self._world.lag_s = max(self._world.lag_s, time.monotonic() - due)
            await what()

        task = asyncio.create_task(later())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
