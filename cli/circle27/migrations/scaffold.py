"""A new change: its line in the plan and three scripts that say what belongs into them, and fail until it is there."""

import getpass
import os
import re
import socket
import subprocess
from configparser import ConfigParser
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from string import Template

from circle27.migrations.errors import MigrationError, shown
from circle27.migrations.plan import KINDS, Plan, is_release
from circle27.paths import DB

_NAME = re.compile(r"[a-z][a-z0-9_]{0,61}[a-z0-9]")


def scaffold(
    name: str, *, db_dir: Path = DB, note: str = "", requires: tuple[str, ...] = (), concurrently: bool = False
) -> list[Path]:
    """Plan a change and write its scripts; return the files, the plan last.

    It becomes the last change, but comes before a release that no tag has fixed yet. `concurrently`: for an index that
    is built while the table is in use. Raises MigrationError if name, note or a requirement will not do.
    """
    plan = Plan.read(db_dir / "migrations" / "sqitch.plan")
    files = {
        plan.path.parent / kind / f"{name}.sql": f"{kind}_concurrently" if concurrently else kind for kind in KINDS
    }
    note = " ".join(note.split())
    _refuse(plan, name, note, requires, list(files))
    needs = f"[{' '.join(requires)}] " if requires else ""
    line = (
        f"{name} {needs}{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {planner(db_dir.parent)}{f' # {note}' if note else ''}"
    )
    for path, template in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = resources.files(__package__).joinpath(f"templates/{template}.sql").read_text("utf-8")
        path.write_text(Template(text).substitute(project=plan.project, name=name), "utf-8")
    lines = plan.path.read_text("utf-8").splitlines()
    lines.insert(plan.unreleased.line - 1 if plan.unreleased else len(lines), line)
    plan.path.write_text("\n".join([*lines, ""]), "utf-8")
    return [*files, plan.path]


def _refuse(plan: Plan, name: str, note: str, requires: tuple[str, ...], files: list[Path]) -> None:
    if not _NAME.fullmatch(name):
        raise MigrationError(
            f"{name!r} can't name a change; take 2 to 63 small letters, digits and _, a letter first and no _ last: "
            "add_nickname."
        )
    if is_release(name):
        raise MigrationError(f"{name} would be a release: `circle27 db snapshot` writes those. Choose another name.")
    if any(entry.name == name for entry in plan.entries):
        raise MigrationError(f"{name} is in {shown(plan.path)} already; choose another name.")
    if there := [path for path in files if path.exists()]:
        raise MigrationError(f"{shown(there[0])} is there already; choose another name, or move the file away.")
    if "\\" in note:
        raise MigrationError("Sqitch reads a backslash in a note as the beginning of a sign; leave it out.")
    known = [entry.name for entry in plan.entries if entry != plan.unreleased]
    if missing := [need for need in requires if need not in known]:
        why = "comes after it" if plan.unreleased and missing[0] == plan.unreleased.name else "is not in the plan"
        raise MigrationError(f"{name} can't require {missing[0]}, which {why}; `circle27 db status` lists the changes.")


def planner(root: Path) -> str:
    """Return `Name <address>` of who plans, as Sqitch finds it: SQITCH_*, sqitch.conf; else Git's user, the machine's.

    `root` is the project's folder, that of sqitch.conf.
    """
    config = ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    config.read([Path("/etc/sqitch/sqitch.conf"), Path("~/.sqitch/sqitch.conf").expanduser(), root / "sqitch.conf"])

    def found(variable: str, key: str, default: str) -> str:
        given = os.environ.get(variable) or config.get("user", key, fallback=None) or _git(root, key) or default
        return re.sub(r"[<>\s]+", " ", given.strip('"')).strip()

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user id may have no name
        user = "circle27"
    name = found("SQITCH_FULLNAME", "name", user)
    return f"{name} <{found('SQITCH_EMAIL', 'email', f'{user}@{socket.gethostname()}')}>"


def _git(root: Path, key: str) -> str:
    command = ["git", "config", f"user.{key}"]
    try:
        return subprocess.run(command, cwd=root, check=False, capture_output=True, text=True).stdout.strip()
    except OSError:  # no Git
        return ""
