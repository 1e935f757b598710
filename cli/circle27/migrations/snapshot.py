"""Freeze db/functions and db/policies into one change a release, `release_x_y_z`.

The change is rewritten in place, always as the last line of the plan, until a tag fixes it.
"""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from circle27.migrations.errors import MigrationError, shown
from circle27.migrations.plan import Entry, Plan, is_release
from circle27.migrations.script import MARK, Script
from circle27.migrations.sources import Source, read_sources, refuse_misplaced
from circle27.paths import DB

_NOTE = "Functions and policies"


@dataclass(frozen=True)
class Difference:
    """A source (or a generated file, where no source differs) that the snapshot does not hold as it is."""

    path: str
    kind: Literal["new", "changed", "removed"]


@dataclass(frozen=True)
class Snapshot:
    """The change's name, how the files on disk differ from what they should be, and what they should be."""

    change: str
    differences: list[Difference]
    files: dict[Path, str]

    def write(self) -> None:
        """Write the plan and the three scripts."""
        for path, text in self.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")


def prepare(db_dir: Path = DB, release: str | None = None) -> Snapshot:
    """Compare the sources with the snapshot of `release` (`0.1.0`; by default this package's version). Writes nothing.

    Raises MigrationError if a source can't be frozen, if it differs from a release that a tag has fixed, or if a
    migration makes what only sources may.
    """
    plan = Plan.read(db_dir / "migrations" / "sqitch.plan")
    name = _change_name(release or version("circle27"))
    sources = read_sources(db_dir)
    fixed = [entry for index, entry in enumerate(plan.entries) if is_release(entry.name) and _tagged(plan, index)]
    if not sources and not fixed:
        raise MigrationError(f"there is nothing to freeze: no .sql in {shown(db_dir / 'functions')} or policies/.")
    frozen = fixed[-1].name if fixed else name
    if not fixed:
        for entry in plan.entries:
            if not is_release(entry.name):
                refuse_misplaced(Script(entry.script("deploy")))
    scripts = {
        plan.path.parent / kind / f"{frozen}.sql": text for kind, text in _scripts(plan, frozen, sources).items()
    }
    files = scripts if fixed else {plan.path: _plan_text(plan, name), **scripts}
    changed = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    deploy = plan.path.parent / "deploy" / f"{frozen}.sql"
    differences = _differences(deploy, sources) or [Difference(shown(path), "changed") for path in changed]
    if fixed and differences:
        raise MigrationError(
            f"{differences[0].path} differs from {frozen}, which a tag has fixed; snapshots of a second release are "
            "not supported yet: write this change by hand as a change of its own, old body in its revert."
        )
    return Snapshot(frozen, differences, files)


def _change_name(release: str) -> str:
    number = re.match(r"\d+\.\d+\.\d+", release)
    if not number:
        raise MigrationError(f"{release} is no release; give it as 0.1.0.")
    return f"release_{number[0].replace('.', '_')}"


def _tagged(plan: Plan, index: int) -> bool:
    return any(entry.tags for entry in plan.entries[index:])


def _plan_text(plan: Plan, name: str) -> str:
    """Return the plan with the snapshot as its last line; an entry that exists keeps its date, planner and note."""
    old = {entry.name: entry for entry in plan.entries if is_release(entry.name)}
    drafts = {entry.line for entry in old.values()}
    others = [entry.name for entry in plan.entries if entry.line not in drafts]
    lines = [line for number, line in enumerate(plan.path.read_text("utf-8").splitlines(), 1) if number not in drafts]
    needs = f"[{others[-1]}] " if others else ""
    return "\n".join([*lines, f"{name} {needs}{_signature(old.get(name))}", ""])


def _signature(entry: Entry | None) -> str:
    if entry:
        return f"{entry.date} {entry.planner}" + (f" # {entry.note}" if entry.note else "")
    planner = (
        f"{os.environ.get('SQITCH_FULLNAME', 'Circle27')} <{os.environ.get('SQITCH_EMAIL', 'dev@circle27.invalid')}>"
    )
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {planner} # {_NOTE}"


def _scripts(plan: Plan, name: str, sources: list[Source]) -> dict[str, str]:
    change = f"{plan.project}:{name}"
    deploy, revert, verify = list[str](), list[str](), list[str]()
    for previous, source in zip([None, *sources], sources, strict=False):
        role = [f"set local role {source.owner};\n"] if not previous or previous.owner != source.owner else []
        deploy += [*role, f"{MARK}{source.label}\n{source.text}\n"]
        verify += [made.verify for made in source.makes if made.verify]
    for following, source in zip([None, *sources[::-1]], sources[::-1], strict=False):
        role = [f"set local role {source.owner};"] if not following or following.owner != source.owner else []
        revert += [*role, *source.drops]
    return {
        "deploy": _framed(f"Deploy {change} to pg", "\n".join(deploy), "commit"),
        "revert": _framed(f"Revert {change} from pg", "\n".join(revert) + "\n", "commit"),
        "verify": _framed(f"Verify {change} on pg", "\n".join(verify) + "\n", "rollback"),
    }


def _framed(title: str, body: str, end: str) -> str:
    made = "-- Generated from db/functions and db/policies by `circle27 db snapshot`: edit those, not this file."
    return f"-- {title}\n{made}\n\nbegin;\n\n{body}\n{end};\n"


def _differences(deploy: Path, sources: list[Source]) -> list[Difference]:
    """Compare the sources with the sections of a deploy script."""
    frozen = _sections(deploy.read_text("utf-8")) if deploy.exists() else {}
    found = [
        Difference(source.label, "changed" if source.label in frozen else "new")
        for source in sources
        if frozen.get(source.label) != source.text
    ]
    return found + [
        Difference(label, "removed") for label in sorted(frozen.keys() - {source.label for source in sources})
    ]


def _sections(script: str) -> dict[str, str]:
    """Return label -> frozen text. What the snapshot writes between sections is left out."""
    parts = re.split(rf"^{MARK}(.+)\n", script.rpartition("\ncommit;")[0], flags=re.MULTILINE)[1:]
    roles = re.compile(r"\n+set local role \w+;\n*\Z")
    return {label: roles.sub("", text).strip("\n") for label, text in zip(parts[::2], parts[1::2], strict=True)}
