"""The error that every part of the migrations raises."""

import os
from pathlib import Path

from circle27.errors import CircleError


class MigrationError(CircleError):
    """A migration can't go on: what is wrong, where, and what to do next."""


def shown(path: Path) -> str:
    """Return a path as the user would type it: relative to the current folder if it lies in there."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.pardir) else relative
