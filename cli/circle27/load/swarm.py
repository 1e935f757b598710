"""The processes that play members, seen from the command line: started, let go, listened to, stopped.

One process is enough for some hundred requests a second. More of them are workers of a locust master.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from circle27.errors import CircleError
from circle27.load.plan import Plan
from circle27.load.samples import Sample, read

START_S = 120  # to make 13,000 users on a busy machine
END_S = 40  # for the last answers


@dataclass(frozen=True)
class Tick:
    """One second of all processes together."""

    at: float  # seconds after the run began
    users: int
    done: int
    errors: int
    p95_ms: float  # of this second
    lag_ms: float  # by how much the latest process came late to its own work


class Swarm:
    """All processes of one run."""

    def __init__(
        self,
        plan: Plan,
        members: Sequence[list[str]],
        processes: int,
        folder: Path,
        module: str = "circle27.load.locusts",  # or one that knows more journeys
    ) -> None:
        if find_spec("locust") is None:
            raise CircleError(
                "this scenario needs locust. Install it: .venv/bin/python -m pip install 'circle27[load]'"
            )
        each = -(-len(members) // processes)
        shares = [list(members[number * each : (number + 1) * each]) for number in range(processes)]
        master = ["127.0.0.1", _free_port()] if processes > 1 else []
        self.began = 0.0
        self.processes = processes
        self.files = [folder / f"samples-{number}.csv" for number in range(processes)]
        plans = [
            replace(plan, members=share, first=number * each, samples=str(file), master=master)
            for number, (share, file) in enumerate(zip(shares, self.files, strict=True))
        ]
        if master:
            plans.insert(0, replace(plan, members=[], samples="", master=master))
        self._log = (folder / "generator.log").open("w", encoding="utf-8")
        self._players = [_Player(each_plan, self._log, module) for each_plan in plans]
        self._master = self._players[0] if master else None
        self._workers = self._players[1:] if master else self._players

    @property
    def pids(self) -> list[int]:
        """The processes that play members."""
        return [player.process.pid for player in self._workers]

    def spawn(self) -> None:
        """Wait until every user exists. Raises CircleError if that takes too long."""
        self._wait(lambda: all(player.said("ready") for player in self._players), START_S, "did not start")
        if self._master:
            self._master.tell("start")
        self._wait(lambda: all(player.said("spawned") for player in self._workers), START_S, "made no users")

    def begin(self, **more: Any) -> float:
        """Let them all begin a second from now, with what the plan lacks; return that moment, in seconds since 1970."""
        self.began = time.time() + 1.0
        for player in self._workers:
            player.tell(json.dumps({"began": self.began, **more}))
        return self.began

    def over(self) -> bool:
        """Tell whether all have ended."""
        return all(player.said("over") or player.process.poll() is not None for player in self._workers)

    def tick(self) -> Tick:
        """Return what the last second was like."""
        last = [player.last for player in self._workers if player.last]
        return Tick(
            at=time.time() - self.began,
            users=sum(one["users"] for one in last),
            done=sum(one["done"] for one in last),
            errors=sum(one["errors"] for one in last),
            p95_ms=max((one["p95_ms"] for one in last), default=0.0),
            lag_ms=max((one["lag_ms"] for one in last), default=0.0),
        )

    def lags_ms(self) -> list[float]:
        """Return, for each second, by how much each process came late."""
        return [line["lag_ms"] for player in self._workers for line in player.lines if "lag_ms" in line]

    def stop(self) -> None:
        """Let nobody begin anything new; wait for the last answers."""
        for player in self._workers:
            player.tell("stop")
        with suppress(CircleError):
            self._wait(self.over, END_S, "did not end")

    def close(self) -> None:
        """End the processes."""
        for player in self._players:
            player.tell("stop")
        for player in self._players:
            player.end()
        self._log.close()

    def samples(self) -> list[Sample]:
        """Return everything that was written down."""
        return read(file for file in self.files if file.exists())

    def _wait(self, condition: Callable[[], bool], seconds: float, complaint: str) -> None:
        last = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > last or any(player.process.poll() for player in self._players):
                said = Path(self._log.name).read_text("utf-8").strip().splitlines()
                raise CircleError(f"a process of the load run {complaint}: {said[-1] if said else 'it said nothing'}")
            time.sleep(0.02)


class _Player:
    """One process."""

    def __init__(self, plan: Plan, log: Any, module: str) -> None:
        self.lines: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is for the command line, which then says stop
        )
        self._heard: set[str] = set()
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self.tell(plan.text().rstrip("\n"))

    @property
    def last(self) -> dict[str, Any] | None:
        return self.lines[-1] if self.lines else None

    def said(self, word: str) -> bool:
        return word in self._heard

    def tell(self, order: str) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(order + "\n")
            self.process.stdin.flush()

    def end(self) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said: dict[str, Any] = json.loads(line)
            if "users" in said:
                self.lines.append(said)
            else:
                self._heard.update(said)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
