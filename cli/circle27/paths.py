"""Where things are: the checkout's folders, and the local stack's home."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DB = ROOT / "db"
TEMPLATES = ROOT / "stack"
WEB = ROOT / "web"


def home() -> Path:
    """Return the local stack's folder: `.circle27/` in the checkout, or `$CIRCLE27_HOME`."""
    return Path(os.environ.get("CIRCLE27_HOME", ROOT / ".circle27")).resolve()
