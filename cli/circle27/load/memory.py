"""What the gateway's processes hold in memory."""

from pathlib import Path

from circle27.errors import CircleError
from circle27.load.machine import pss
from circle27.stack.settings import Settings
from circle27.stack.supervision import Supervisor


def gateway_bytes(settings: Settings) -> int:
    """Return the memory of nginx and its workers, in bytes. What they share is divided among them (PSS)."""
    master = Supervisor(settings).states().get("gateway", {}).get("pid")
    if master is None:
        raise CircleError("the gateway is not running. Start it: circle27 up")
    workers = Path(f"/proc/{master}/task/{master}/children").read_text("utf-8").split()
    return sum(pss(int(pid)) for pid in [master, *workers])
