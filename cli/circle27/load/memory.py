"""What the gateway's processes hold in memory."""

from pathlib import Path

from circle27.errors import CircleError
from circle27.stack.settings import Settings
from circle27.stack.supervision import Supervisor


def gateway_bytes(settings: Settings) -> int:
    """Return the memory of nginx and its workers, in bytes. What they share is divided among them (PSS)."""
    master = Supervisor(settings).states().get("gateway", {}).get("pid")
    if master is None:
        raise CircleError("the gateway is not running. Start it: circle27 up")
    workers = Path(f"/proc/{master}/task/{master}/children").read_text("utf-8").split()
    return sum(_share(pid) for pid in [str(master), *workers])


def _share(pid: str) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
