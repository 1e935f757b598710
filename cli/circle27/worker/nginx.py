"""The processes of one nginx, seen from beside it."""

import os
import signal
from contextlib import suppress
from pathlib import Path


class Nginx:
    """A master and its workers."""

    def __init__(self, pid_file: Path) -> None:
        self._pid_file = pid_file

    def processes(self) -> set[int]:
        """Return the master's children: the one that works, and one that ends after a reload."""
        try:
            master = self._master()
            return set(map(int, Path(f"/proc/{master}/task/{master}/children").read_text("ascii").split()))
        except (OSError, ValueError):  # it is not there just now
            return set()

    def begin_new_logs(self) -> None:
        """Let it open its logs anew, after one was renamed."""
        with suppress(OSError, ValueError):
            os.kill(self._master(), signal.SIGUSR1)

    def _master(self) -> int:
        return int(self._pid_file.read_text("ascii"))


def is_alive(process: int) -> bool:
    """Tell whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
