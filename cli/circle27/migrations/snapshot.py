"""Freeze db/functions and db/policies into one change a release, `release_x_y_z`.

The change is rewritten in place, always as the last line of the plan, until a tag fixes it. From then on the next
release takes what differs; it goes again if nothing does any more.
"""

import os
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from circle27.migrations.errors import MigrationError, shown
from circle27.migrations.plan import KINDS, Entry, Kind, Plan, is_release, release_number
from circle27.migrations.releases import GONE, Transition, checks, held, texts
from circle27.migrations.script import Script
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
    """The change's name, how the files on disk differ from what they should be, and what they should be.

    A file without a text should not be. `change` is the last release that a tag has fixed if the sources say the same.
    """

    change: str
    differences: list[Difference]
    files: dict[Path, str | None]

    @property
    def vanishes(self) -> bool:
        """Whether a draft goes, since nothing is left of it."""
        return None in self.files.values() and not any(
            text and path.parent.name == "deploy" for path, text in self.files.items()
        )

    def write(self) -> None:
        """Write the plan and the three scripts; take away those of a draft that is no more."""
        for path, text in self.files.items():
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")


def prepare(db_dir: Path = DB, release: str | None = None) -> Snapshot:
    """Compare the sources with the snapshot of `release` (`0.1.0`; by default pyproject.toml's). Writes nothing.

    Raises MigrationError if a source can't be frozen, if a tag has fixed this version already, or if a migration makes
    what only sources may.
    """
    plan = Plan.read(db_dir / "migrations" / "sqitch.plan")
    sources = read_sources(db_dir)
    count = max((number for number, entry in enumerate(plan.entries, 1) if entry.tags), default=0)
    fixed, planned = plan.entries[:count], plan.entries[count:]
    released = [entry for entry in fixed if is_release(entry.name)]
    drafts = [entry for entry in planned if is_release(entry.name)]
    if not sources and not released:
        raise MigrationError(f"there is nothing to freeze: no .sql in {shown(db_dir / 'functions')} or policies/.")
    for entry in planned:
        if not is_release(entry.name):
            refuse_misplaced(Script(entry.script("deploy")))
    states = [held(released[:number], db_dir) for number in range(len(released) + 1)]
    former = states[-1]
    way, back = Transition(former, sources), Transition(sources, former)
    files: dict[Path, str | None] = {entry.script(kind): None for entry in drafts for kind in KINDS}
    files |= _verifies(plan, released, [*states, sources])
    if way.made or way.removed:
        name = _change_name(release or _version(db_dir), released)
        files[plan.path] = _plan_text(plan, drafts, released, name)
        scripts = _scripts(plan, name, way, back)
        files |= {plan.path.parent / kind / f"{name}.sql": text for kind, text in scripts.items()}
    else:
        name = released[-1].name
        files[plan.path] = _plan_text(plan, drafts, released, None)
    changed = [path for path, text in files.items() if (path.read_text("utf-8") if path.exists() else None) != text]
    on_disk = texts([*fixed, *(entry for entry in drafts if entry.script("deploy").exists())])
    differences = _differences(on_disk, sources) or [Difference(shown(path), "changed") for path in changed]
    return Snapshot(name, differences, files)


def _version(db_dir: Path) -> str:
    """Return the checkout's version; the installed package's is that of the day when it was installed."""
    project = db_dir.parent / "pyproject.toml"
    if not project.exists():
        return version("circle27")
    return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])


def _change_name(release: str, released: list[Entry]) -> str:
    number = re.match(r"(\d+)\.(\d+)\.(\d+)", release)
    if not number:
        raise MigrationError(f"{release} is no release; give it as 0.1.0.")
    last = max((release_number(entry.name) for entry in released), default=())
    if tuple(map(int, number.groups())) <= last:
        raise MigrationError(
            f"the sources differ from release {'.'.join(map(str, last))}, which a tag in the plan has fixed; raise the "
            f"version in pyproject.toml and app.api_version() (now {number[0]}), then run this again."
        )
    return f"release_{number[0].replace('.', '_')}"


def _plan_text(plan: Plan, drafts: list[Entry], released: list[Entry], name: str | None) -> str:
    """Return the plan with the snapshot as its last line; an entry that exists keeps its date, planner and note."""
    lines = {entry.line: entry for entry in drafts}
    kept = [text for number, text in enumerate(plan.path.read_text("utf-8").splitlines(), 1) if number not in lines]
    if name:
        others = [entry.name for entry in plan.entries if entry not in drafts]
        needs = " ".join(dict.fromkeys([*(entry.name for entry in released[-1:]), *others[-1:]]))
        old = next((entry for entry in drafts if entry.name == name), None)
        kept.append(f"{name} {f'[{needs}] ' if needs else ''}{_signature(old)}")
    return "\n".join([*kept, ""])


def _signature(entry: Entry | None) -> str:
    if entry:
        return f"{entry.date} {entry.planner}" + (f" # {entry.note}" if entry.note else "")
    planner = (
        f"{os.environ.get('SQITCH_FULLNAME', 'Circle27')} <{os.environ.get('SQITCH_EMAIL', 'dev@circle27.invalid')}>"
    )
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {planner} # {_NOTE}"


def _scripts(plan: Plan, name: str, way: Transition, back: Transition) -> dict[Kind, str]:
    change = f"{plan.project}:{name}"
    gone = "\n".join(f"{GONE}{label}" for label in way.removed)
    return {
        "deploy": _framed(f"Deploy {change} to pg", _joined(gone, way.drops, way.creates), "commit"),
        "revert": _framed(f"Revert {change} from pg", _joined(back.drops, back.creates), "commit"),
        "verify": _framed(f"Verify {change} on pg", _joined(*way.verifies, by="\n"), "rollback"),
    }


def _verifies(plan: Plan, released: list[Entry], states: list[list[Source]]) -> dict[Path, str]:
    """Return the verify scripts of the releases that tags have fixed, without what a later one has taken away.

    Both `db verify` and `sqitch verify` run them all, and no hash holds them.
    """
    files = {}
    for number, entry in enumerate(released):
        kept = set.intersection(*(set(checks(state)) for state in states[number + 1 :]))
        lines = [line for line in Transition(*states[number : number + 2]).verifies if line in kept]
        title = f"Verify {plan.project}:{entry.name} on pg"
        files[entry.script("verify")] = _framed(title, _joined(*lines, by="\n"), "rollback")
    return files


def _joined(*parts: str, by: str = "\n\n") -> str:
    return by.join(part.rstrip("\n") for part in parts if part) + "\n"


def _framed(title: str, body: str, end: str) -> str:
    made = "-- Generated from db/functions and db/policies by `circle27 db snapshot`: edit those, not this file."
    return f"-- {title}\n{made}\n\nbegin;\n\n{body}\n{end};\n"


def _differences(frozen: dict[str, str], sources: list[Source]) -> list[Difference]:
    """Compare the sources with what the releases hold."""
    found = [
        Difference(source.label, "changed" if source.label in frozen else "new")
        for source in sources
        if frozen.get(source.label) != source.text
    ]
    return found + [
        Difference(label, "removed") for label in sorted(frozen.keys() - {source.label for source in sources})
    ]
