"""What a revert script takes away, read from its statements."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from circle27.migrations.script import Script

_DROP = re.compile(
    r"drop\s+(?P<kind>(?:materialized\s+)?[a-z]+)\s+(?:concurrently\s+)?(?:if\s+exists\s+)?(?P<name>.+?)"
    r"(?:\s+(?:cascade|restrict))?$",
    re.IGNORECASE | re.DOTALL,
)
_TABLE = re.compile(r"alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?(?P<table>\S+)", re.IGNORECASE)
_COLUMN = re.compile(
    r"\bdrop\s+(?!constraint\b|default\b|not\b|expression\b|identity\b)(?:column\s+)?(?:if\s+exists\s+)?"
    r"(?P<column>[^\s,]+)",
    re.IGNORECASE,
)
_INSIDE = re.compile(
    r"\bdrop\s+(?P<kind>(?:materialized\s+)?[a-z]+)\s+(?:if\s+exists\s+)?(?P<name>[^\s;']+)", re.IGNORECASE
)
_CHANGES = re.compile(r"(alter|revoke|delete|truncate|update|insert|create)\b")
_FORMER = re.compile(
    r"create\s+(?:or\s+replace\s+)?(?P<what>(?:function|procedure|view|domain|type|trigger|policy)\s+[^\s(]+)",
    re.IGNORECASE,
)
_DATA = {"table", "column", "schema", "sequence", "extension", "database", "materialized view"}


@dataclass(frozen=True)
class Effect:
    """One thing lost: its kind (`table`, `function`, ..., or `statement` with the SQL itself) and its name.

    Or one that comes back as a former release had it: `former`, and the first words of the statement.
    """

    kind: str
    name: str

    @property
    def loses_data(self) -> bool:
        """Whether rows may go with it."""
        return self.kind in _DATA or self.name.lower().startswith(("delete", "truncate", "update"))


def effects(script: Script) -> list[Effect]:
    """Return what running a revert script takes away, in its order."""
    return list(_effects(script))


def _effects(script: Script) -> Iterator[Effect]:
    for statement in script.statements:
        if match := _DROP.match(statement.code):
            yield Effect(_plain(match["kind"]).lower(), _plain(match["name"]))
        elif (match := _TABLE.match(statement.code)) and (columns := _COLUMN.findall(statement.code)):
            yield from (Effect("column", f"{match['table']}.{column}") for column in columns)
        elif statement.words.startswith("do"):
            for match in _INSIDE.finditer(statement.text):
                yield Effect(
                    _plain(match["kind"]).lower(), "chosen by a do block" if "%" in match["name"] else match["name"]
                )
        elif match := _FORMER.match(statement.code):
            yield Effect("former", _plain(match["what"]))
        elif _CHANGES.match(statement.words):
            yield Effect("statement", _plain(statement.text))


def _plain(text: str) -> str:
    return " ".join(text.split())
