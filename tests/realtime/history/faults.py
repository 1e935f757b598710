"""What goes wrong: a process is killed, the gateway is reloaded, connections are lost."""

import os
import random
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from circle27.stack.supervision import Supervisor
from tests.realtime.history.device import Device
from tests.stack import Stack

KILLED = ("worker", "gateway", "postgrest", "postgrest_2", "pgbouncer", "postgresql")
FAULTS = (*(f"kill {service}" for service in KILLED), "kill one nginx worker", "reload gateway", "drop connections")


def inject(fault: str, stack: Stack, devices: Sequence[Device], rng: random.Random) -> None:
    """Let one fault happen. A process that is down already is left in peace."""
    supervisor = Supervisor(stack.settings)
    if fault == "drop connections":
        for device in rng.sample(list(devices), len(devices) // 4):
            device.drop()
    elif fault == "reload gateway":
        supervisor.signal("gateway", "HUP")
    elif fault == "kill one nginx worker":
        master = supervisor.states()["gateway"]["pid"]
        workers = Path(f"/proc/{master}/task/{master}/children").read_text("utf-8").split() if master else []
        if workers:
            _kill(int(rng.choice(workers)))
    elif pid := supervisor.states()[fault.removeprefix("kill ")]["pid"]:
        _kill(pid)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
