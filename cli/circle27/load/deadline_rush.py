"""Scenario `deadline-rush`: everyone watches one slot, its deadline comes, and each button has to change.

Who is on the list knows the new button from the message `button` of their own. Who is not on it sees `Past` when the
campus hears that the slot was matched. (A client's timer, `changesAt`, would tell it sooner; the message is measured.)
"""

import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from circle27.errors import CircleError
from circle27.load.ground import TOKEN_S, Ground, Member, Slot, instant
from circle27.load.memory import gateway_bytes
from circle27.load.pool import Pool
from circle27.load.samples import Sample
from circle27.load.watcher import Heard
from circle27.stack.settings import Settings

LATE_S = 2.0  # a client whose message is so late asks once
POLLING_S = 10  # how often a client without streams would ask
KEYS = ("buttonState", "buttonText", "middleText", "isDisabled", "slotStatus", "version")


@dataclass
class Deadline:
    """What one deadline was like."""

    on_list_s: list[float] = field(default_factory=list)  # after the deadline, one for each who learnt it
    others_s: list[float] = field(default_factory=list)
    wrong: int = 0
    late: int = 0  # who had to ask
    parts_s: dict[str, float] = field(default_factory=dict)
    matching: dict[str, Any] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """Return what summary.json holds of it."""
        return {
            **spread(self.on_list_s + self.others_s),
            "wrong": self.wrong,
            "late": self.late,
            "on_list": spread(self.on_list_s),
            "others": spread(self.others_s),
            "parts_s": self.parts_s,
            "matching": {key: self.matching.get(key) for key in ("people", "circles", "leftOut", "repeatedPairs")},
        }


@dataclass
class Rush:
    """One run of the scenario."""

    settings: Settings
    ground: Ground
    url: str
    users: int
    joined: int
    deadlines: int
    say: Callable[[str], None]
    requests: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    interrupted: bool = False

    def play(self) -> tuple[dict[str, Any], list[Deadline]]:
        """Play it; return the summary and what each deadline was like. Raises CircleError."""
        members = self.ground.prepare(self.users)
        self.say(f"{self.users:,} members have tokens")
        pool = Pool(self.url, members)
        runs: list[Deadline] = []
        try:
            before = gateway_bytes(self.settings)
            opened = pool.open_streams()
            held = self.users - len(opened.errors)
            memory = (gateway_bytes(self.settings) - before) / max(1, held)
            self.requests["stream"] += self.users
            self.errors += opened.errors
            self.say(f"{held:,} streams opened in {opened.seconds:.1f} s, {memory / 1000:.1f} kB each at the gateway")
            try:
                for number in range(self.deadlines):
                    runs.append(self._deadline(pool, members, number))
            except KeyboardInterrupt:
                self.interrupted = True  # amid a call of the pool, which is therefore asked nothing more
            else:
                self.errors += ["stream lost"] * (pool.lost() - len(opened.errors))
                self.samples = pool.samples()
        finally:
            pool.close()
        summary = {
            "scenario": "deadline-rush",
            "users": self.users,
            "joined": self.joined,
            "requests": dict(self.requests),
            "errors": dict(Counter(self.errors)),
            "deadline": median([run.figures() for run in runs]) if runs else {},
            "connect": {"seconds": opened.seconds, "per_second": held / opened.seconds, **spread(opened.each_s)},
            "bytes_a_connection": round(memory),
            "requests_a_client_hour": {
                # One stream and one look at each connection, which lasts as long as the token; and who was late.
                "streams": (2 + sum(run.late for run in runs) / self.users / max(1, len(runs))) * 3600 / TOKEN_S,
                "polling": 3600 / POLLING_S,
            },
            "deadlines": [run.figures() for run in runs],
        }
        return summary, runs

    def _deadline(self, pool: Pool, members: Sequence[Member], number: int) -> Deadline:
        slot = self.ground.open_slot(8 + self.users / 500 + self.joined / 200)
        joins = [True] * self.joined + [False] * (self.users - self.joined)
        random.Random(number).shuffle(joins)
        looked = pool.call("get_button_states", {"p_day": slot.day})
        pool.call("join_waitlist", {"p_time_slot": slot.time_slot}, joins)
        self.requests.update(look=self.users, join=self.joined)
        if (left := slot.deadline - time.time()) < 2:
            raise CircleError("this machine did not get everyone on the list before the deadline: fewer --users.")
        pool.take()  # what was said until now
        self.say(f"deadline {number + 1} of {self.deadlines} in {left:.0f} s")
        time.sleep(left)
        report = self.ground.wait_for_matching(slot, 60)
        time.sleep(max(0.0, slot.deadline + LATE_S - time.time()))

        heard = pool.take()
        run = Deadline(matching=report)
        first = [final_message(said, slot, on_list) for said, on_list in zip(heard, joins, strict=True)]
        late = [message is None for message in first]
        run.late = sum(late)
        self.requests["late look"] += run.late
        asked = pool.call("get_button_states", {"p_day": slot.day}, late) if run.late else [None] * self.users
        answered_at = time.time()
        truth = self.ground.buttons(members, slot)
        for member, on_list, message, before, after, said in zip(
            members, joins, first, looked, asked, heard, strict=True
        ):
            (run.on_list_s if on_list else run.others_s).append(
                (message.at if message else answered_at) - slot.deadline
            )
            if after is not None:
                button = _of_day(after, slot)
            elif on_list:
                assert message is not None
                button = message.payload
            else:
                assert message is not None
                button = _past(_of_day(before, slot), message.payload)
            right = all(button[key] == truth[member.user_id][key] for key in KEYS)
            run.wrong += not right or _meant_for_another(said, member)
        run.parts_s = self._parts(slot, report, run)
        said = spread(run.on_list_s + run.others_s)
        times = ", ".join(f"{name.removesuffix('_s')} {seconds:.3f} s" for name, seconds in said.items())
        self.say(f"  {times}; {run.wrong} wrong, {run.late} late")
        return run

    def _parts(self, slot: Slot, report: dict[str, Any], run: Deadline) -> dict[str, float]:
        """Return where the time went: seconds one after the other."""
        matched = self.ground.matching_ended(slot) - slot.deadline
        first, last = min(run.on_list_s + run.others_s), max(run.on_list_s + run.others_s)
        return {
            "wake_up": report["wake_up_s"],
            "matching_and_emitting": matched - report["wake_up_s"],
            "commit_and_first_publish": first - matched,
            "publish_and_delivery": last - first,
        }


def spread(seconds: list[float]) -> dict[str, float]:
    """Return p50_s, p95_s, p99_s and max_s (nearest rank); nothing of an empty list."""
    ordered = sorted(seconds)
    ranks = {"p50_s": 0.50, "p95_s": 0.95, "p99_s": 0.99, "max_s": 1.0}
    return {name: round(ordered[ceil(share * len(ordered)) - 1], 4) for name, share in ranks.items() if ordered}


def median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of each figure; of `wrong` and `late` the sum."""
    sums = ("wrong", "late")
    return {
        **{key: statistics.median(run[key] for run in runs) for key in ("p50_s", "p95_s", "p99_s", "max_s")},
        **{key: sum(run[key] for run in runs) for key in sums},
    }


def final_message(said: Sequence[Heard], slot: Slot, on_list: bool) -> Heard | None:
    """Return the message from which a member knows their last button of this deadline."""
    kind = "button" if on_list else "slot"
    return next((m for m in said if m.event == kind and _about(m, slot) and m.payload["slotStatus"] == "matched"), None)


def _about(message: Heard, slot: Slot) -> bool:
    return "timeSlot" in message.payload and instant(message.payload["timeSlot"]) == instant(slot.time_slot)


def _of_day(body: bytes, slot: Slot) -> dict[str, Any]:
    slots: list[dict[str, Any]] = json.loads(body)["slots"]
    return next(state for state in slots if instant(state["timeSlot"]) == instant(slot.time_slot))


def _past(before: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Return what who is not on the list derives: `Past`, closed at the hour until which they could decide."""
    hour = before["middleText"].removeprefix("Decide by ")
    past = {"buttonState": "past", "buttonText": "Past", "middleText": f"Closed at {hour}", "isDisabled": True}
    return {**facts, **past}


def _meant_for_another(said: list[Heard], member: Member) -> bool:
    """Tell whether a circle came that the member is not in."""
    circles = [message.payload.get("members", []) for message in said if message.event == "circle"]
    return any(mates and member.user_id not in [mate["userId"] for mate in mates] for mates in circles)
