"""The processes of one nginx, seen from beside it."""

import os
import signal
from contextlib import suppress
from pathlib import Path

WORKER = "nginx: worker process"  # one that is being replaced says more


class Nginx:
    """A master and its workers."""

    def __init__(self, pid_file: Path) -> None:
        self._pid_file = pid_file
        self._working: set[int] = set()

    def look(self) -> tuple[set[int], bool]:
        """Return the processes that work for the master now, and whether one of them was killed since the last look.

        A reload replaces all of them; so where some have gone and others work on, those were killed.
        """
        children = self._children()
        before, self._working = self._working, {child for child in children if _title(child) == WORKER}
        return children, bool(before - children) and bool(before & self._working)

    def begin_anew(self) -> None:
        """Reload, which ends every stream: clients come back and look once."""
        with suppress(OSError, ValueError):
            os.kill(self._master(), signal.SIGHUP)

    def _master(self) -> int:
        return int(self._pid_file.read_text("ascii"))

    def _children(self) -> set[int]:
        try:
            master = self._master()
            return set(map(int, Path(f"/proc/{master}/task/{master}/children").read_text("ascii").split()))
        except (OSError, ValueError):
            return set()


def is_alive(process: int) -> bool:
    """Tell whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _title(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().decode("utf-8", "replace").strip("\0 ")
    except OSError:
        return ""
