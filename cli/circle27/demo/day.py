"""One day of a campus, played by its members through the gateway."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from circle27.demo.phone import Gateway, Heard
from circle27.demo.show import Screen, hour
from circle27.demo.stage import CAMPUS, ZONE, Clock, Member
from circle27.errors import CircleError

DAYS_BACK = 2000  # how many demos one database can have seen
LAST_SECONDS = {0: 2.0, 1: 0.8, 2: 0.8}  # of waiting for each slot's deadline, seconds
PATIENCE_S = 3.0  # for the worker to run a deadline; then the demo does it

State = dict[str, Any]


@dataclass
class Day:
    """The day: who plays, with what, and what came of it."""

    gateway: Gateway
    clock: Clock
    screen: Screen
    members: list[Member]
    service: str  # token of a trusted server
    slots: list[State] = field(default_factory=list)
    circles: dict[int, dict[Member, State]] = field(default_factory=dict)  # slot number -> member -> my_circle()
    reports: list[State] = field(default_factory=list)
    feedback: int = 0
    patience: float = PATIENCE_S

    @property
    def listener(self) -> Member:
        """Whose stream is open."""
        return self.members[0]

    async def play(self) -> None:
        """Play the whole day; the clock is left in its evening."""
        day = await self._unused_day()
        chance = random.Random(day.isoformat())
        self.clock.turn_to(datetime(day.year, day.month, day.day, 8, tzinfo=ZONE))
        async with self.gateway.listening(self.listener) as heard:
            await self._morning(day)
            lists = await self._joining(chance, heard)
            await self._first_deadline(lists, heard)
            await self._feedback(chance)
            await self._second_deadline()
            await self._third_deadline()
            await self._evening()

    async def _unused_day(self) -> date:
        """Return the newest day before yesterday, or further back, on which the campus had no slots."""
        today = self.clock.now().date()
        for back in range(2, DAYS_BACK):
            day = today - timedelta(days=back)
            found = await self.gateway.call(self.service, "time_slots", p_campus_id=CAMPUS, p_day=day.isoformat())
            if not found["slots"]:
                return day
        raise CircleError(f"campus {CAMPUS} has had {DAYS_BACK} demos; delete it, or start a new stack.")

    async def _states(self) -> list[list[State]]:
        """Return the day's buttons of every member, asked for by all at once."""
        answers = await asyncio.gather(
            *(self.gateway.call(member.token, "get_button_states") for member in self.members)
        )
        return [answer["slots"] for answer in answers]

    async def _morning(self, day: date) -> None:
        self.screen.moment(
            "08:00",
            f"{day:%A, %-d %B} begins. Each of {len(self.members)} members opens the app and sees one button for each "
            "of the day's meetings. What it says, the database decides; this is how many see what:",
        )
        states = await self._states()
        self.slots = states[0]
        if [slot["slotStatus"] for slot in self.slots] != ["open"] * 3:
            raise CircleError(f"campus {CAMPUS} should have three open slots on {day}; it has other slot times.")
        self.screen.buttons(states)

    async def _joining(self, chance: random.Random, heard: Heard) -> list[list[Member]]:
        """Let members join and some leave again; return who stays on each slot's list."""
        others = self.members[3:]  # the first three have their parts: the listener, the last one, the late one
        shares = (0.6, 0.4)
        joiners = [[self.listener, *chance.sample(others, round(share * len(self.members)) - 1)] for share in shares]
        joiners.append(chance.sample(others, 2))
        leavers = [chance.sample(joined[1:], max(1, len(joined) // 12)) for joined in joiners[:2]]

        first = self.slots[0]["timeSlot"]
        since = time.time()
        await self.gateway.call(self.listener.token, "join_waitlist", p_time_slot=first)
        await heard.wait_for("button", first, since)
        told = heard.about(first, since)[:1]
        await self._each([joiners[0][1:], *joiners[1:]], "join_waitlist")
        await self._each(leavers, "leave_waitlist")

        self.screen.moment(
            f"{self.clock.now():%H:%M}",
            f"{len(joiners[0])} members tap Join for {self._hour(0)}, {len(joiners[1])} for {self._hour(1)}, only "
            f"{len(joiners[2])} for {self._hour(2)}; then {len(leavers[0]) + len(leavers[1])} change their minds and "
            "tap Can't Go.",
        )
        self.screen.buttons(await self._states())
        self.screen.say(f"{self.listener.name} keeps a stream open, so that no device has to ask again. It hears:")
        self.screen.heard(told, "the tap")
        return [
            [member for member in joined if not any(member in left for left in leavers[n : n + 1])]
            for n, joined in enumerate(joiners)
        ]

    async def _each(self, members: list[list[Member]], function: str) -> None:
        await asyncio.gather(
            *(
                self.gateway.call(member.token, function, p_time_slot=slot["timeSlot"])
                for slot, chosen in zip(self.slots, members, strict=False)
                for member in chosen
            )
        )

    async def _first_deadline(self, lists: list[list[Member]], heard: Heard) -> None:
        slot, last, late = self.slots[0], self.members[1], self.members[2]
        deadline = datetime.fromisoformat(slot["deadlineAt"])
        self.clock.turn_to(deadline - timedelta(seconds=LAST_SECONDS[0]))
        at = self.clock.now()
        button = await self.gateway.call(last.token, "join_waitlist", p_time_slot=slot["timeSlot"])
        lists[0].append(last)
        self.screen.moment(
            f"{at:%H:%M:%S}",
            f"Seconds before the deadline of {self._hour(0)} {last.name} joins, as the last of {len(lists[0])}: "
            f"the button now says [bold]{button['buttonText']}[/].",
        )

        await self._until(deadline)
        refused = await self.gateway.ask(late.token, "join_waitlist", p_time_slot=slot["timeSlot"])
        said = refused.json()
        self.screen.moment(
            f"{self.clock.now():%H:%M:%S}",
            f"{late.name} is a moment late and gets {refused.status_code} {said.get('details')}: "
            f"“{said.get('message')}.”",
        )
        states = await self._matched(0)
        await heard.wait_for("circle", slot["timeSlot"], self.clock.real(deadline))

        member = self.listener if self.listener in self.circles[0] else next(iter(self.circles[0]))
        circle = self.circles[0][member]
        spot = circle["spot"]["name"] if circle["spot"] else "no spot was free"
        self.screen.moment(
            f"{deadline:%H:%M:%S}",
            f"The deadline. {self.reports[0]['people']} people are on the list; within moments they are in "
            f"{self.reports[0]['circles']} circles, without anybody asking for it:",
        )
        self.screen.buttons(states)
        mates = [mate["displayName"] for mate in circle["members"] if mate["userId"] != member.user_id]
        self.screen.say(
            f"{member.name} meets {self._and(mates)} at {self._hour(0)}: [bold]{spot}[/]. "
            f"What {self.listener.name}'s stream has heard by itself:"
        )
        self.screen.heard(heard.about(slot["timeSlot"], self.clock.real(deadline)), f"{deadline:%H:%M:%S}")

    async def _feedback(self, chance: random.Random) -> None:
        slot = self.slots[0]
        ends_at = datetime.fromisoformat(slot["endsAt"])
        self.clock.turn_to(ends_at)
        self.screen.moment(
            f"{ends_at:%H:%M}", f"The {self._hour(0)} meetings are over. Who was in a circle is asked how it was:"
        )
        self.screen.buttons(await self._states())

        seated = self.circles[0]
        givers = [member for member in seated if member == self.listener or chance.random() < 0.85]
        await asyncio.gather(*(self._give_feedback(chance, member, seated[member], slot) for member in givers))
        self.feedback += len(givers)
        self.screen.moment(
            f"{self.clock.now():%H:%M}", f"{len(givers)} of {len(seated)} give feedback; their button says Past now:"
        )
        self.screen.buttons(await self._states())

    async def _give_feedback(self, chance: random.Random, member: Member, circle: State, slot: State) -> None:
        mates = [mate["userId"] for mate in circle["members"] if mate["userId"] != member.user_id]
        about = [{"userId": mate, "meetAgain": chance.random() < 0.8} for mate in mates if chance.random() < 0.4]
        await self.gateway.call(
            member.token,
            "submit_feedback",
            p_time_slot=slot["timeSlot"],
            p_rating=chance.choices((2, 3, 4, 5), (1, 3, 8, 9))[0],
            p_about=about,
        )

    async def _second_deadline(self) -> None:
        states = await self._deadline(1)
        report = self.reports[1]
        self.screen.moment(
            f"{self.clock.now():%H:%M}",
            f"The deadline of {self._hour(1)}: {report['people']} people, {report['circles']} circles.",
        )
        self.screen.buttons(states)

    async def _third_deadline(self) -> None:
        await self._deadline(2)
        self.screen.moment(
            f"{self.clock.now():%H:%M}",
            f"The deadline of {self._hour(2)}: {self.reports[2]['people']} people are too few for a circle. "
            "Their button says Past, too.",
        )

    async def _deadline(self, number: int) -> list[list[State]]:
        deadline = datetime.fromisoformat(self.slots[number]["deadlineAt"])
        self.clock.turn_to(deadline - timedelta(seconds=LAST_SECONDS[number]))
        await self._until(deadline)
        return await self._matched(number)

    async def _until(self, instant: datetime) -> None:
        await asyncio.sleep(max(0.0, (instant - self.clock.now()).total_seconds()) + 0.01)

    async def _matched(self, number: int) -> list[list[State]]:
        """Wait for a slot's circles, let everyone who is confirmed look whom they meet; return all buttons."""
        slot = self.slots[number]
        end = time.monotonic() + self.patience
        while await self._status(number) == "matching":
            if time.monotonic() > end:
                self.patience = 0.3  # no worker runs deadlines here
                await self.gateway.call(self.service, "run_due_deadlines")
            await asyncio.sleep(0.05)
        # Once more gives the report of the first.
        report = await self.gateway.call(
            self.service, "match_time_slot", p_campus_id=CAMPUS, p_time_slot=slot["timeSlot"]
        )
        self.reports.append(report)
        states = await self._states()
        confirmed = [
            member
            for member, day in zip(self.members, states, strict=True)
            if day[number]["buttonState"] == "confirmed"
        ]
        circles = await asyncio.gather(
            *(self.gateway.call(member.token, "my_circle", p_time_slot=slot["timeSlot"]) for member in confirmed)
        )
        self.circles[number] = dict(zip(confirmed, circles, strict=True))
        return states

    async def _status(self, number: int) -> str:
        day = self.slots[number]["timeSlot"][:10]
        found = await self.gateway.call(self.service, "time_slots", p_campus_id=CAMPUS, p_day=day)
        status: str = found["slots"][number]["slotStatus"]
        return status

    async def _evening(self) -> None:
        evening = datetime.fromisoformat(self.slots[2]["endsAt"]) + timedelta(minutes=40)
        self.clock.turn_to(evening)
        self.screen.moment(
            f"{evening:%H:%M}", "Evening: every meeting is over, and some have not said yet how theirs was."
        )
        self.screen.buttons(await self._states())

    def summary(self) -> dict[str, str]:
        """Return what came of the day, in words."""
        circles = {
            (number, circle["circleNo"]): len(circle["members"])
            for number, seated in self.circles.items()
            for circle in seated.values()
        }
        sizes = sorted(Counter(circles.values()).items())
        left_out = sum(report["leftOut"] for report in self.reports)
        return {
            "circles formed": f"{len(circles)}: " + ", ".join(f"{count} of {size} people" for size, count in sizes),
            "people left out": f"{left_out} of {sum(report['people'] for report in self.reports)}",
            "feedback given": f"{self.feedback} times",
            "requests made": f"{self.gateway.requests:,}",
        }

    def _hour(self, number: int) -> str:
        return hour(self.slots[number]["timeSlot"])

    @staticmethod
    def _and(names: list[str]) -> str:
        return f"{', '.join(names[:-1])} and {names[-1]}"
