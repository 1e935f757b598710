"""Talk to the stack's supervisord, and find what it may have left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from circle27.errors import CircleError
from circle27.stack.settings import Settings

SOCKET_PATH_LIMIT = 100  # sun_path holds 108 bytes; supervisord adds a suffix while it binds


class Supervisor:
    """The supervisord of one stack."""

    def __init__(self, settings: Settings) -> None:
        self.home = settings.home
        self.socket = settings.home / "run" / "supervisor.sock"

    @property
    def rpc(self) -> Any:
        """A fresh connection a call: one that failed once stays broken."""
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        return ServerProxy("http://localhost", transport=transport).supervisor

    def running(self) -> bool:
        """Tell whether supervisord answers."""
        try:
            return bool(self.rpc.getState()["statename"] == "RUNNING")
        except PermissionError:
            raise CircleError(f"the stack in {self.home} belongs to another user; run this as that user.") from None
        except (OSError, Fault):
            return False

    def begin(self) -> None:
        """Start supervisord itself; it starts no service yet."""
        if len(str(self.socket)) > SOCKET_PATH_LIMIT:
            raise CircleError(f"the path {self.socket} is too long for a socket; set CIRCLE27_HOME to a shorter one.")
        self.socket.unlink(missing_ok=True)
        result = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", self.home / "conf" / "supervisord.conf"],
            cwd=self.home,
            env={
                **{key: value for key, value in os.environ.items() if not key.startswith("PG")},
                "CIRCLE27_HOME": str(self.home),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise CircleError(f"supervisord did not start: {(result.stderr or result.stdout).strip()}")
        wait_until(self.running, 10, "supervisord did not answer")

    def start(self, service: str) -> None:
        """Start a service that is not running; one that waits to be tried again is tried now."""
        state = self.state(service)
        if state == "BACKOFF":
            self.restart(service)
        elif state not in ("RUNNING", "STARTING"):
            self.rpc.startProcess(service, False)

    def restart(self, service: str) -> None:
        """Stop a service, wait for its end, start it."""
        if self.state(service) in ("RUNNING", "STARTING", "BACKOFF"):
            self.rpc.stopProcess(service, True)
        self.rpc.startProcess(service, False)

    def state(self, service: str) -> str:
        """Return supervisord's word for a service: RUNNING, STARTING, BACKOFF or STOPPED."""
        return str(self.rpc.getProcessInfo(service)["statename"])

    def states(self) -> dict[str, dict[str, Any]]:
        """Return {service: {state, pid, uptime_s}} of every service."""
        return {
            info["name"]: {
                "state": info["statename"],
                "pid": info["pid"] or None,
                "uptime_s": max(0, info["now"] - info["start"]) if info["pid"] else None,
            }
            for info in self.rpc.getAllProcessInfo()
        }

    def all_running(self) -> bool:
        """Tell whether every service has stayed up for the second that supervisord asks for."""
        return all(info["state"] == "RUNNING" for info in self.states().values())

    def signal(self, service: str, name: str) -> None:
        """Send a signal (`USR1`) to a service, if it runs."""
        if self.state(service) in ("RUNNING", "STARTING"):
            self.rpc.signalProcess(service, name)

    def end(self) -> None:
        """Stop all services in reverse order, then supervisord."""
        self.rpc.shutdown()
        wait_until(lambda: not any(True for _ in stack_processes(self.home)), 30, "some services did not stop")


def stack_processes(home: Path) -> Iterator[int]:
    """Yield the pids of this stack's processes: working directory in its folder, started by its own command line.

    Both are asked for, so that a user's shell or pager in the folder is not taken for a service.
    """
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if not (entry / "cwd").resolve(strict=True).is_relative_to(home):
                continue
            executable = (entry / "exe").resolve(strict=True)
            command = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:  # ended meanwhile, or another user's
            continue
        python = executable.name.startswith("python")
        if executable.name in ("postgres", "pgbouncer", "nginx", "postgrest") or (
            python and any(ours in command for ours in ("supervisor.supervisord", "circle27.", "aiosmtpd"))
        ):
            yield int(entry.name)


def end_leftovers(home: Path) -> int:
    """End the services of a supervisord that was killed; return how many processes there were."""
    found = list(stack_processes(home))
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        for pid in stack_processes(home):
            os.kill(pid, signal_number)
        try:
            wait_until(lambda: not any(True for _ in stack_processes(home)), 5, "still there")
            break
        except CircleError:
            continue
    return len(found)


def wait_until(condition: Any, seconds: float, complaint: str) -> None:
    """Ask a condition until it holds; raise CircleError with the complaint when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise CircleError(f"{complaint} within {seconds:.0f} s. `circle27 logs` may say why.")
        time.sleep(0.05)
