"""Sqitch's plan file, read.

Format and ids: https://sqitch.org/docs/manual/sqitchplan/ and App::Sqitch::Plan::Change. An id is a git-style SHA-1
that includes the id of the change before, so nothing before a deployed change may ever be altered.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from circle27.migrations.errors import MigrationError, shown

Kind = Literal["deploy", "revert", "verify"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_PRAGMA = re.compile(r"%\s*([\w-]+)\s*=\s*(.+)")
_ENTRY = re.compile(
    r"(?P<tag>@)?(?P<name>[^\s@\[#%]+)\s+(?:\[(?P<needs>[^]]*)\]\s*)?"
    r"(?P<date>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\s+(?P<planner>[^<]+<[^>]+>)\s*(?:#\s*(?P<note>.*))?$"
)
_RELEASE = re.compile(r"release_(\d+)_(\d+)_(\d+)")


def _object_id(kind: str, *lines: str) -> str:
    body = "\n".join(lines).encode()
    return hashlib.sha1(b"%s %d\0%s" % (kind.encode(), len(body), body)).hexdigest()


@dataclass(frozen=True)
class Signed:
    """What changes and tags have in common. `date` is UTC, ISO 8601 with a Z; `planner` is `Name <email>`."""

    project: str
    uri: str | None
    name: str
    date: str
    planner: str
    note: str

    @property
    def planner_name(self) -> str:
        """The planner without the address."""
        return self.planner.partition("<")[0].strip()

    @property
    def planner_email(self) -> str:
        """The planner's address."""
        return self.planner.partition("<")[2].rstrip(">")

    def _identify(self, kind: str, head: list[str], tail: list[str]) -> str:
        project = [f"project {self.project}"] + ([f"uri {self.uri}"] if self.uri else [])
        signature = [f"planner {self.planner}", f"date {self.date}"]
        note = ["", self.note] if self.note else []
        return _object_id(kind, *project, *head, *signature, *tail, *note)


@dataclass(frozen=True)
class Tag(Signed):
    """A tag (`name` without the @) on the change with id `change_id`."""

    change_id: str

    @cached_property
    def id(self) -> str:
        """Sqitch's tag id."""
        return self._identify("tag", [f"tag @{self.name}", f"change {self.change_id}"], [])


@dataclass(frozen=True)
class Entry(Signed):
    """A change of the plan. `parent_id` is the id of the change before it, None for the first."""

    requires: tuple[str, ...]
    conflicts: tuple[str, ...]
    parent_id: str | None
    top: Path
    line: int
    tags: list[Tag] = field(default_factory=list, compare=False)

    @cached_property
    def id(self) -> str:
        """Sqitch's change id."""
        parent = [f"parent {self.parent_id}"] if self.parent_id else []
        requires = ["requires", *(f"  + {name}" for name in self.requires)] if self.requires else []
        conflicts = ["conflicts", *(f"  - {name}" for name in self.conflicts)] if self.conflicts else []
        return self._identify("change", [f"change {self.name}", *parent], [*requires, *conflicts])

    def script(self, kind: Kind) -> Path:
        """Return where the deploy, revert or verify script lies."""
        return self.top / kind / f"{self.name}.sql"


@dataclass(frozen=True)
class Plan:
    """A project's changes in the order of deployment."""

    path: Path
    project: str
    uri: str | None
    entries: list[Entry]

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """Read a plan. Raises MigrationError naming the line that breaks the format or needs an unknown change."""
        if not path.exists():
            raise MigrationError(f"{shown(path)} is missing: run this in a checkout, or create the plan.")
        pragmas: dict[str, str] = {}
        plan = cls(path, "", None, [])
        for number, line in _lines(path):
            if pragma := _PRAGMA.match(line):
                pragmas[pragma[1]] = pragma[2].strip()
                plan = cls(path, pragmas.get("project", ""), pragmas.get("uri"), plan.entries)
            elif not plan.project:
                raise MigrationError(f"{shown(path)}:{number}: start the plan with `%project=<name>`.")
            else:
                plan._add(number, line)
        return plan

    def _add(self, number: int, line: str) -> None:
        where = f"{shown(self.path)}:{number}"
        match = _ENTRY.match(line)
        if not match:
            raise MigrationError(f"{where}: write `name [requires] YYYY-MM-DDTHH:MM:SSZ Name <email> # note`.")
        last = self.entries[-1] if self.entries else None
        name, signature = match["name"], (match["date"], match["planner"].strip(), (match["note"] or "").strip())
        if match["tag"]:
            if last is None:
                raise MigrationError(
                    f"{where}: the tag @{name} stands before any change; move it below the one it marks."
                )
            last.tags.append(Tag(self.project, self.uri, name, *signature, change_id=last.id))
            return
        known = {entry.name for entry in self.entries}
        if name in known:
            raise MigrationError(f"{where}: {name} is there twice; give the new change another name.")
        needs = (match["needs"] or "").split()
        requires = tuple(need for need in needs if not need.startswith("!"))
        if missing := [need for need in requires if need not in known]:
            raise MigrationError(f"{where}: {name} requires {', '.join(missing)}, which no line above it plans.")
        self.entries.append(
            Entry(
                *(self.project, self.uri, name, *signature),
                requires=requires,
                conflicts=tuple(need[1:] for need in needs if need.startswith("!")),
                parent_id=last.id if last else None,
                top=self.path.parent,
                line=number,
            )
        )

    @property
    def unreleased(self) -> Entry | None:
        """The last change, if it is a snapshot of functions and policies that no tag has fixed yet."""
        last = self.entries[-1] if self.entries else None
        return last if last and is_release(last.name) and not last.tags else None

    @property
    def db_dir(self) -> Path:
        """The folder that holds migrations/, functions/ and policies/."""
        return self.path.parent.parent

    def entry(self, name: str) -> Entry:
        """Return an entry for a change that the plan does not have."""
        return Entry(self.project, self.uri, name, "", "", "", (), (), None, self.path.parent, 0)

    def find(self, target: str) -> int:
        """Return the index of a change by its name or by a tag on it (`@v0.1.0`). Raises MigrationError if unknown."""
        for index, entry in enumerate(self.entries):
            if target in (entry.name, *(f"@{tag.name}" for tag in entry.tags)):
                return index
        raise MigrationError(f"{target} is not in {shown(self.path)}; `circle27 db status` lists the changes.")


def is_release(name: str) -> bool:
    """Tell whether a change is a snapshot of functions and policies."""
    return _RELEASE.fullmatch(name) is not None


def release_number(name: str) -> tuple[int, ...]:
    """Return (0, 1, 0) for release_0_1_0."""
    match = _RELEASE.fullmatch(name)
    return tuple(map(int, match.groups())) if match else ()


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()
