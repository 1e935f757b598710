"""Folders for throw-away servers."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder outside pytest's own, which other users can't enter; removed at the end.

    In memory where there are two gigabytes of it free (containers have 64 MB), which is several times faster.
    """
    memory = MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2**31 else None
    with tempfile.TemporaryDirectory(prefix="c27-", dir=memory, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
