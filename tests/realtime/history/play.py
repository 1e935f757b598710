"""One run: members join, leave and watch through two deadlines, while things go wrong."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.realtime.history import checker
from tests.realtime.history.device import Device
from tests.realtime.history.faults import AS_IT_TELLS, FAULTS, inject
from tests.realtime.history.wire import Wire
from tests.realtime.history.world import World
from tests.stack import Stack

DEADLINES_IN_S = (6, 10)
SETTLES_WITHIN_S = 30


@dataclass
class Outcome:
    """What one run came to."""

    seed: int
    faults: list[str]
    broken: list[str]
    settled_s: float  # after the last fault
    figures: dict[str, int] = field(default_factory=dict)


def play(stack: Stack, seed: int, members: int = 200, faults: int = 6, late_s: float = 2) -> Outcome:
    """Play the run of one seed. A device that hears nothing for `late_s` after a deadline asks once."""
    rng = random.Random(seed)
    world = World.made(stack, f"history-{seed}", members, DEADLINES_IN_S, late_s)
    return asyncio.run(_Run(world, rng, seed, faults).play())


class _Run:
    def __init__(self, world: World, rng: random.Random, seed: int, faults: int) -> None:
        self.world, self.rng, self.seed = world, rng, seed
        end = world.slots[-1].deadline + 1.5
        drawn = [(rng.uniform(time.time() + 1, end), rng.choice(FAULTS)) for _ in range(faults)]
        # At a deadline there is most to tell, and what cannot be sent at once is lost if it was forgotten already.
        deadlines = [slot.deadline for slot in world.slots]
        self.schedule = sorted((rng.choice(deadlines) if fault == AS_IT_TELLS else at, fault) for at, fault in drawn)

    async def play(self) -> Outcome:
        settings = self.world.stack.settings
        gateway = settings.host("gateway"), settings.ports["gateway"]
        # One member in four has a second device, which hears of joins only by its stream.
        owners = self.world.members + self.rng.sample(self.world.members, len(self.world.members) // 4)
        devices = [
            Device(member, self.world, Wire(*gateway, member.token), random.Random(self.rng.random()))
            for member in owners
        ]
        runs = [asyncio.create_task(device.run()) for device in devices]
        writers = [asyncio.create_task(self._write(device)) for device in devices[: len(self.world.members)]]
        try:
            await asyncio.gather(self._go_wrong(devices), *writers)
            settled = await self._settle(devices)
        finally:
            for task in [*runs, *writers]:
                task.cancel()
            for device in devices:
                device.close()
        broken = checker.broken(self.world, devices, self.world.truth())
        return Outcome(
            self.seed,
            [fault for _, fault in self.schedule],
            broken,
            settled,
            {
                "devices": len(devices),
                "streams": sum(len(device.diary.held) for device in devices),
                "calls": sum(device.diary.calls for device in devices),
                "lateLooks": sum(device.diary.late_looks for device in devices),
                "lateWrites": checker.late_writes(self.world, devices),
                "messages": sum(len(device.diary.heard) for device in devices),
                "onLists": len(self.world.lists()),
                "lagMs": round(self.world.lag_s * 1000),
            },
        )

    async def _write(self, device: Device) -> None:
        """Join and leave each slot a few times before its deadline, the last time close to it."""
        for slot in self.world.slots:
            moments = sorted(self.rng.uniform(time.time(), slot.deadline + 0.2) for _ in range(self.rng.randint(0, 3)))
            for number, moment in enumerate(moments):
                await asyncio.sleep(max(0.0, moment - time.time()))
                await device.write("leave_waitlist" if number % 2 else "join_waitlist", slot.at)

    async def _go_wrong(self, devices: list[Device]) -> None:
        for moment, fault in self.schedule:
            await asyncio.sleep(max(0.0, moment - time.time()))
            if fault == "reload gateway":
                self.world.reloads.append(time.time())
            await asyncio.to_thread(inject, fault, self.world.stack, devices, self.rng)

    async def _settle(self, devices: list[Device]) -> float:
        """Return how long it took until every device showed the truth; the time limit if some never did."""
        began = time.monotonic()
        await self._until(self.world.all_told, began)
        truth = await asyncio.to_thread(self.world.truth)
        said = await asyncio.to_thread(self.world.said)
        await self._until(
            lambda: (
                all(device.live for device in devices)
                and not checker.different(self.world, devices, truth)
                and not checker.untold(devices, said, self.world)
            ),
            began,
        )
        return time.monotonic() - began

    @staticmethod
    async def _until(condition: Callable[[], bool], began: float) -> None:
        while time.monotonic() < began + SETTLES_WITHIN_S:
            try:
                if condition():
                    return
            except Exception as error:  # the database may be starting
                if "psycopg" not in type(error).__module__:
                    raise
            await asyncio.sleep(0.2)
