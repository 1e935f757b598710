"""What the processes of a stack and of a run cost: processor time and memory, from /proc."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from circle27.stack.settings import Settings
from circle27.stack.supervision import Supervisor

TICKS = os.sysconf("SC_CLK_TCK")

# Service -> under which name its processor time is shown.
PARTS = {
    "postgresql": "PostgreSQL",
    "pgbouncer": "PgBouncer",
    "gateway": "nginx",
    "postgrest": "PostgREST",
    "postgrest_2": "PostgREST",
    "worker": "worker",
    "porter": "worker",
    "mailer": "mail",
    "mailbox": "mail",
}


class Machine:
    """The processes of a stack, of the generator and of the streams, by part."""

    def __init__(self, settings: Settings, own: Mapping[str, Iterable[int]]) -> None:
        self._roots = {pid: name for name, pids in own.items() for pid in pids}
        for service, state in Supervisor(settings).states().items():
            if state["pid"] and service in PARTS:
                self._roots[state["pid"]] = PARTS[service]
        self._roots[os.getpid()] = "this command"
        self._before: dict[int, int] = {}
        self.cores()  # from now on

    def cores(self) -> dict[str, float]:
        """Return the processor time since the last call by part, in seconds."""
        used: dict[str, float] = dict.fromkeys(self._roots.values(), 0.0)
        now: dict[int, int] = {}
        for pid, (part, ticks) in self._all().items():
            now[pid] = ticks
            if self._before:
                used[part] += (ticks - self._before.get(pid, 0)) / TICKS
        self._before = now
        return used

    def one(self, pid: int) -> float:
        """Return the processor seconds that one process has used since it began."""
        try:
            return _stat(pid)[1] / TICKS
        except (OSError, IndexError):
            return 0.0

    def memory(self) -> dict[str, float]:
        """Return megabytes by part. What several processes share is divided among them (PSS)."""
        held: dict[str, float] = dict.fromkeys(self._roots.values(), 0.0)
        for pid, (part, _) in self._all().items():
            held[part] += pss(pid) / 1e6
        return held

    def _all(self) -> dict[int, tuple[str, int]]:
        """Return {pid: (part, ticks)} of the known processes and all that descend from them."""
        stats: dict[int, tuple[int, int]] = {}
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                try:
                    stats[int(entry.name)] = _stat(int(entry.name))
                except (OSError, IndexError):
                    continue
        found = {}
        for pid, (_, ticks) in stats.items():
            ancestor: int | None = pid
            while ancestor is not None and ancestor not in self._roots:
                ancestor = stats[ancestor][0] if ancestor in stats else None
            if ancestor is not None:
                found[pid] = (self._roots[ancestor], ticks)
        return found


def pss(pid: int) -> int:
    """Return the memory of one process in bytes; 0 if it has ended."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _stat(pid: int) -> tuple[int, int]:
    """Return parent and processor time."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return int(fields[1]), int(fields[11]) + int(fields[12])
