"""The sources of functions and policies, and what each makes, read from its own text.

    db/functions/<schema>/<function>.sql   functions, views, types, triggers; each named by its `comment on`
    db/policies/<table>.sql                policies and grants of one table

A source comes after those whose things it names outside of strings and bodies: a view's query, a signature, a trigger.
A line `-- requires: <schema>.<function>` puts another one first. Only `language sql` functions need it, whose
bodies are strings, but looked at when they are created.
"""

import heapq
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from circle27.migrations.errors import MigrationError, shown
from circle27.migrations.script import Script
from circle27.migrations.sqltext import Statement, code, statements

OWNERS = {
    **dict.fromkeys(("api", "app", "events", "ops"), "circle27_owner"),
    **dict.fromkeys(("identity", "audit"), "circle27_auth"),
}

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_QUALIFIED = rf"{_NAME}\.{_NAME}"
_KINDS = "function|procedure|view|domain|type|trigger"

_REQUIRES = re.compile(r"^-- requires:[ \t]*(\S+)[ \t]*$", re.MULTILINE)
_CREATE = re.compile(
    rf"create\s+(?P<replace>or\s+replace\s+)?(?P<kind>{_KINDS})\s+(?P<name>{_QUALIFIED}|{_NAME})"
    rf"(?:.*?\bon\s+(?P<table>{_QUALIFIED}))?",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT = re.compile(rf"comment\s+on\s+(?P<kind>{_KINDS})\s+(?P<name>.+)\s+is\b", re.IGNORECASE | re.DOTALL)
_POLICY = re.compile(rf"create\s+policy\s+(?P<name>{_NAME})\s+on\s+(?P<table>{_QUALIFIED})", re.IGNORECASE)
_GRANT = re.compile(
    r"grant\s+(?P<rights>.+?)\s+on\s+(?P<object>.+?)\s+to\s+(?P<roles>.+?)(?P<option>\s+with\s+grant\s+option)?$",
    re.IGNORECASE | re.DOTALL,
)
_OTHER = re.compile(r"(revoke|comment on policy)\b")
_COLUMN = re.compile(rf"comment\s+on\s+column\s+(?P<relation>{_QUALIFIED})\.", re.IGNORECASE)
_COLUMN_NAME = re.compile(r"^comment\s+on\s+column\s+(\S+)", re.IGNORECASE)
_ROUTINES = re.compile(r"(function|procedure|routine|domain|type)\b", re.IGNORECASE)
_RELATION = re.compile(rf"(?:table\s+)?(?P<name>{_QUALIFIED})", re.IGNORECASE)


@dataclass(frozen=True)
class Made:
    """One thing that a source makes: kind, name (of a routine with argument types), table of a policy or trigger."""

    kind: str
    name: str
    table: str = ""
    rights: str = ""
    roles: str = ""

    @property
    def drop(self) -> str:
        """The statement that takes it away. `if exists`, so that an edited unreleased snapshot can be reverted."""
        if self.kind == "grant":
            return f"revoke {self.rights} on {self.name} from {self.roles};"
        return f"drop {self.kind} if exists {self.name}{f' on {self.table}' if self.table else ''};"

    @property
    def verify(self) -> str:
        """The statement that fails unless it exists; '' for grants, which tests look at."""
        if self.kind == "grant":
            return ""
        if self.kind in _CATALOGUES:
            catalogue, prefix = _CATALOGUES[self.kind]
            name = _literal(_unquoted(self.name))
            return (
                f"select 1 / count(*) from pg_catalog.{catalogue} "
                f"where {prefix}name = {name} and {prefix}relid = {_literal(self.table)}::regclass;"
            )
        return f"select {_literal(self.name)}::{_ALIASES[self.kind]};"


_CATALOGUES = {"policy": ("pg_policy", "pol"), "trigger": ("pg_trigger", "tg")}
_ALIASES = {
    "function": "regprocedure",
    "procedure": "regprocedure",
    "view": "regclass",
    "domain": "regtype",
    "type": "regtype",
}


@dataclass(frozen=True)
class Source:
    """A file of db/functions or db/policies."""

    path: Path
    label: str  # db/functions/app/clock.sql
    name: str  # app.clock, policies.waitlist_entries
    text: str

    @classmethod
    def read(cls, path: Path, db_dir: Path) -> "Source":
        """Read a file below `db_dir`."""
        return cls.of(path.relative_to(db_dir.parent).as_posix(), path.read_text("utf-8"), db_dir)

    @classmethod
    def of(cls, label: str, text: str, db_dir: Path) -> "Source":
        """Return the source of a label, with the text that it had in some release."""
        path = db_dir.parent / label
        return cls(path, label, f"{path.parent.name}.{path.stem}", text.strip("\n"))

    @property
    def is_policy(self) -> bool:
        """Whether it lies in db/policies."""
        return self.path.parent.name == "policies"

    @cached_property
    def requires(self) -> list[str]:
        """The names of the sources that come first."""
        return _REQUIRES.findall(self.text)

    @cached_property
    def mentions(self) -> set[str]:
        """The qualified names outside of comments, strings and bodies: what the server may record as a dependency."""
        return {_plain(name) for name in re.findall(_QUALIFIED, code(self.text))}

    @cached_property
    def names(self) -> set[str]:
        """What others may depend on: its routines (without arguments), views, domains, types."""
        return {_bare(made.name, made.kind) for made in self.makes if made.kind in _ALIASES}

    @cached_property
    def owner(self) -> str:
        """The role that owns what this makes, by the schema. Raises MigrationError for a schema without an owner."""
        schemas = {made.table.partition(".")[0] for made in self.makes} if self.is_policy else {self.path.parent.name}
        owners = {OWNERS.get(schema) for schema in schemas - {""}}
        owner = owners.pop() if len(owners) == 1 else None
        if owner is None:
            raise MigrationError(
                f"{shown(self.path)}: no single owner for schema {', '.join(sorted(schemas))}; "
                f"sources belong to one of {', '.join(OWNERS)}."
            )
        return owner

    @cached_property
    def makes(self) -> list[Made]:
        """What it makes, in order. Raises MigrationError naming the line that can't be undone or is not commented."""
        made, created = list[Made](), list[tuple[str, str, Statement]]()
        for statement in statements(self.text):
            if match := _CREATE.match(statement.code):
                created.append((match["kind"].lower(), _plain(match["name"]), statement))
                made += self._created(statement, match)
            elif match := _COMMENT.match(statement.code):
                kind, name = match["kind"].lower(), _plain(match["name"])
                if not any(kind == k and _bare(name, kind) == n for k, n, _ in created):
                    raise self._refused(statement, f"it comments on {name}, which this file does not create above")
                if kind != "trigger":
                    made.append(Made(kind, name))
            elif match := _POLICY.match(statement.code):
                made.append(Made("policy", match["name"], _plain(match["table"])))
            elif match := _GRANT.match(statement.code):
                made.append(self._grant(match))
            elif not (_OTHER.match(statement.words) or self._is_of_own_view(statement, created)):
                first = " ".join(statement.words.split()[:3])
                raise self._refused(
                    statement, f"`{first} ...` has no place in a source; put it into a change of its own"
                )
        named = [(thing.kind, _bare(thing.name, thing.kind)) for thing in made]
        for kind, name, statement in created:
            if named.count((kind, name)) < sum((kind, name) == (k, n) for k, n, _ in created):
                raise self._refused(
                    statement, f"add `comment on {kind} {name} ... is '...'`, so that it can be dropped"
                )
        return made

    @property
    def drops(self) -> Iterator[str]:
        """The statements that undo it, last made first. What was granted on a thing goes with the thing."""
        own = {_bare(made.name, made.kind) for made in self.makes if made.kind != "grant"}
        for made in reversed(self.makes):
            if made.kind != "grant" or not (_ROUTINES.match(made.name) or made.table in own):
                yield made.drop

    def _created(self, statement: Statement, match: re.Match[str]) -> Iterator[Made]:
        """Yield a trigger; all else is named by its comment."""
        kind = match["kind"].lower()
        if kind in ("function", "procedure") and not match["replace"]:
            raise self._refused(
                statement, f"write `create or replace {kind}`: a refresh keeps the one that has the same signature"
            )
        if kind == "trigger":
            yield Made(kind, _plain(match["name"]), _plain(match["table"] or ""))

    @staticmethod
    def _is_of_own_view(statement: Statement, created: list[tuple[str, str, Statement]]) -> bool:
        """Whether it comments on a column of a view of this file: such a comment goes with the view."""
        match = _COLUMN.match(statement.code)
        return match is not None and ("view", _plain(match["relation"])) in [thing[:2] for thing in created]

    def _grant(self, match: re.Match[str]) -> Made:
        name = _plain(match["object"])
        relation = _RELATION.fullmatch(name)
        return Made(
            "grant", name, relation["name"] if relation else "", _plain(match["rights"]), _plain(match["roles"])
        )

    def _refused(self, statement: Statement, why: str) -> MigrationError:
        return MigrationError(f"{shown(self.path)}:{statement.line}: {why}.")


_SCHEMAS = rf"(?:{'|'.join(OWNERS)})"
_MISPLACED = re.compile(
    rf"\bcreate\s+(?:or\s+replace\s+)?(?P<kind>function|procedure|aggregate|view|domain|type)\s+{_SCHEMAS}\."
    rf"|\bcreate\s+(?:or\s+replace\s+)?(?:constraint\s+)?(?P<part>trigger|policy)\s[^;]*?\son\s+{_SCHEMAS}\."
    rf"|\b(?P<grant>grant)\s[^;]*?\son\s+(?!schema\b)(?:(?!\sto\s)[^;])*?(?<![.\w]){_SCHEMAS}(?:\.|\s)"
    r"|\b(?P<default>alter\s+default\s+privileges)\b",
    re.IGNORECASE,
)


def refuse_misplaced(script: Script) -> None:
    """Raise MigrationError for what only sources may make, in a deploy script: a refresh of the snapshot drops it.

    Looks into `do` blocks as well, but not behind their variables.
    """
    for statement in script.statements:
        text = statement.text if statement.words.startswith("do") else statement.code
        if match := _MISPLACED.search(text):
            kind = next(part for part in match.groups() if part).lower()
            kind, place = {
                "grant": ("grants on relations and routines", "db/policies or db/functions"),
                "policy": ("policies", "db/policies"),
                "alter default privileges": ("default privileges", "db/roles.sql"),
            }.get(" ".join(kind.split()), (f"a {kind}", "db/functions"))
            raise MigrationError(
                f"{shown(script.path)}:{statement.line_at(match.start() + 1)}: {kind} of "
                f"{', '.join(OWNERS)} belong into {place}; from here the next refresh of the snapshot would take them."
            )


def read_sources(db_dir: Path) -> list[Source]:
    """Return all sources in the order of deployment: functions, then policies, each after what it requires.

    Raises MigrationError for an unknown requirement or a circle of them.
    """
    functions = [Source.read(path, db_dir) for path in sorted(db_dir.glob("functions/*/*.sql"))]
    policies = [Source.read(path, db_dir) for path in sorted(db_dir.glob("policies/*.sql"))]
    if stray := sorted(
        {*db_dir.glob("functions/**/*.sql"), *db_dir.glob("policies/**/*.sql")} - _paths(functions, policies)
    ):
        raise MigrationError(f"{shown(stray[0])} would be left out; move it to functions/<schema>/ or policies/.")
    return ordered([*functions, *policies])


def ordered(sources: list[Source]) -> list[Source]:
    """Return sources in the order of deployment. Raises MigrationError as `read_sources` does."""
    by_label = sorted(sources, key=lambda source: source.path)
    policies = [source for source in by_label if source.is_policy]
    return [*_ordered([source for source in by_label if not source.is_policy]), *_ordered(policies)]


def created(text: str) -> list[tuple[str, Statement]]:
    """Return kind and statement of each routine, view, domain, type and trigger that a source creates."""
    found = [(_CREATE.match(statement.code), statement) for statement in statements(text)]
    return [(match["kind"].lower(), statement) for match, statement in found if match]


def column_comments(text: str) -> set[str]:
    """Return the columns that a source comments on."""
    return {column for statement in statements(text) for column in _COLUMN_NAME.findall(statement.code)}


def _paths(*groups: list[Source]) -> set[Path]:
    return {source.path for group in groups for source in group}


def _ordered(sources: list[Source]) -> Iterator[Source]:
    """Yield sources by name, except where one requires or mentions another."""
    by_name = {source.name: source for source in sources}
    for source in sources:
        for name in source.requires:
            if name not in by_name:
                raise MigrationError(
                    f"{shown(source.path)}: it requires {name}, of which there is no source; mend the line."
                )
    makers = {name: source.name for source in sources for name in source.names}
    sorter = TopologicalSorter(
        {
            source.name: {*source.requires, *(makers[name] for name in source.mentions & makers.keys() - source.names)}
            for source in sources
        }
    )
    try:
        sorter.prepare()
    except CycleError as error:
        raise MigrationError(
            f"sources require each other in a circle: {' > '.join(error.args[1])}; break it."
        ) from None
    ready: list[str] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, name)
        name = heapq.heappop(ready)
        yield by_name[name]
        sorter.done(name)


def _plain(text: str) -> str:
    """Collapse white space: `f( text [] )` split over lines is `f(text[])`."""
    return re.sub(r"(?<=\() | (?=[)\[])", "", " ".join(text.split()))


def _bare(name: str, kind: str) -> str:
    """Return a routine's name without its argument types, a trigger's without its table."""
    cut: dict[str, Callable[[str], str]] = {
        "function": lambda text: text.partition("(")[0].strip(),
        "procedure": lambda text: text.partition("(")[0].strip(),
        "trigger": lambda text: text.partition(" on ")[0].strip(),
    }
    return cut.get(kind, str)(name)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
