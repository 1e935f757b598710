"""What schema api has for clients, as the database knows it."""

import re
from dataclasses import dataclass
from importlib import resources
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row

REFUSES = re.compile(r"\s*Refuses ([a-z_, ]+)\.\s*")
GIVES = re.compile(r"Gives \{.*\}\. ?")


@dataclass(frozen=True)
class Argument:
    """One argument of a function; `default` is None where it must be given."""

    name: str
    type: str
    default: str | None


@dataclass(frozen=True)
class Function:
    """One function: `roles` may call it, and one that only reads may be called by GET."""

    name: str
    reads_only: bool
    is_void: bool
    comment: str
    roles: list[str]
    arguments: list[Argument]

    @property
    def text(self) -> str:
        """What the comment says, without the slugs and without the shape of the answer, of which there is a type."""
        return GIVES.sub("", REFUSES.sub("", self.comment)).strip()

    @property
    def slugs(self) -> list[str]:
        """The refusals that the comment names."""
        found = REFUSES.search(self.comment)
        return found[1].split(", ") if found else []


@dataclass(frozen=True)
class Column:
    """One column of a view."""

    name: str
    type: str
    comment: str
    is_insertable: bool
    is_nullable: bool


@dataclass(frozen=True)
class View:
    """One view: `roles` may read it; members may insert some columns, and delete."""

    name: str
    comment: str
    is_deletable: bool
    roles: list[str]
    columns: list[Column]


@dataclass(frozen=True)
class Refusal:
    """One refusal of the registry."""

    slug: str
    status: int
    message: str


@dataclass(frozen=True)
class Catalogue:
    """Functions, views and refusals by their names, in the order of the names."""

    functions: dict[str, Function]
    views: dict[str, View]
    refusals: dict[str, Refusal]

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> Self:
        """Read it. Needs `select` on the catalogue only, and `execute` on app.error_registry()."""
        with connection.cursor(row_factory=dict_row) as cursor:
            functions = {
                row["name"]: Function(**{**row, "arguments": [Argument(**each) for each in row["arguments"]]})
                for row in cursor.execute(_query("functions"))
            }
            views = {
                row["name"]: View(**{**row, "columns": [Column(**each) for each in row["columns"]]})
                for row in cursor.execute(_query("views"))
            }
            registry = cursor.execute("select slug, status, message from app.error_registry() order by slug")
            refusals = {row["slug"]: Refusal(**row) for row in registry}
        return cls(functions, views, refusals)


def _query(name: str) -> bytes:
    return (resources.files(__package__) / f"{name}.sql").read_bytes()
