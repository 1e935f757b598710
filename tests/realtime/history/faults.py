"""What goes wrong: a process is killed, the gateway is reloaded, connections are lost."""

import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psycopg

from circle27.errors import CircleError
from circle27.stack.supervision import Supervisor, wait_until
from tests.realtime.history.device import Device
from tests.stack import Stack

KILLED = ("worker", "gateway", "postgrest", "postgrest_2", "pgbouncer", "postgresql")
AS_IT_TELLS = "kill worker as it tells"
FAULTS = (
    *(f"kill {service}" for service in KILLED),
    "kill nginx's process",
    AS_IT_TELLS,
    "reload gateway",
    "drop connections",
)
FROZEN_S = 4.0  # at most so long nobody takes what the worker tells


def inject(fault: str, stack: Stack, devices: Sequence[Device], rng: random.Random) -> None:
    """Let one fault happen. A process that is down already is left in peace."""
    supervisor = Supervisor(stack.settings)
    if fault == "drop connections":
        for device in rng.sample(list(devices), len(devices) // 4):
            device.drop()
    elif fault == "reload gateway":
        supervisor.signal("gateway", "HUP")
    elif fault == "kill nginx's process":
        for pid in _processes_of_nginx(supervisor):
            _send(pid, signal.SIGKILL)
    elif fault == AS_IT_TELLS:
        began, frozen = time.time(), _processes_of_nginx(supervisor)
        try:
            for pid in frozen:
                _send(pid, signal.SIGSTOP)
            # This one waits with a few messages in hand. The next one takes all that the matching says.
            _send(supervisor.states()["worker"]["pid"], signal.SIGKILL)
            _until_a_list_is_matched(stack, began)
            _send(supervisor.states()["worker"]["pid"], signal.SIGKILL)
        finally:
            for pid in frozen:
                _send(pid, signal.SIGCONT)
    elif pid := supervisor.states()[fault.removeprefix("kill ")]["pid"]:
        _send(pid, signal.SIGKILL)


def _until_a_list_is_matched(stack: Stack, began: float) -> None:
    """Wait until a matching has committed, and the worker has had a moment to take in hand what that said."""
    matched = "select exists (select from events.said where written_at > %s and payload ->> 'slotStatus' = 'matched')"
    with suppress(psycopg.Error, CircleError):  # the database may be down
        wait_until(lambda: stack.sql(matched, began)[0][0], FROZEN_S, "nothing was matched")
        time.sleep(0.3)


def _processes_of_nginx(supervisor: Supervisor) -> list[int]:
    master = supervisor.states()["gateway"]["pid"]
    try:
        return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text("utf-8").split()]
    except OSError:  # it is not there just now
        return []


def _send(pid: int | None, number: signal.Signals) -> None:
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
