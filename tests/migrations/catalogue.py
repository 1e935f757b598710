"""Every row of every system catalogue: whether what belongs to others is as it was."""

import json
import re
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

OURS = ("circle27_owner", "circle27_auth", "circle27_migrator", "circle27_worker", "circle27_monitor")
# What the server itself counts up while nobody changes anything.
_COUNTED = re.compile(r"rel(pages|tuples|all\w+|frozenxid|minmxid)|dat(frozenxid|minmxid)")
# The columns that say whose a row is: an owner, a role, or the object that it is a part of.
_WHOSE = re.compile(r"\w+owner|datdba|defaclrole|setrole|roleid|member|rolname|objoid|\w+relid|ev_class|contypid")
_TABLES = """
select relname from pg_class
where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' and relname !~ '^pg_(statistic|largeobject)'
"""


class Catalogue(NamedTuple):
    """The rows as text: all of them, and those that say whose they are and are not ours."""

    rows: set[str]
    others: set[str]

    def touched(self, later: "Catalogue") -> list[str]:
        """Return the rows that have gone or changed since, and the new ones that are not ours."""
        return sorted((self.rows - later.rows) | (later.others - self.others))


def catalogue(connection: psycopg.Connection[Any]) -> Catalogue:
    """Read the catalogues as a superuser: whole rows, oids included, but for what is granted to our roles."""
    rows: list[tuple[str, set[str], str | None]] = []
    for (table,) in connection.execute(_TABLES).fetchall():
        for (row,) in connection.execute(sql.SQL("select to_jsonb(t) from {} as t").format(sql.Identifier(table))):
            cells = {key: _theirs(value) for key, value in row.items() if not _COUNTED.fullmatch(key)}
            whose = {str(value) for key, value in cells.items() if _WHOSE.fullmatch(key)}
            rows.append((f"{table} {json.dumps(cells)}", whose, row.get("oid")))
    ours = {*OURS}
    while found := {oid for _, whose, oid in rows if oid and whose & ours} - ours:
        ours |= found
    return Catalogue({text for text, _, _ in rows}, {text for text, whose, _ in rows if whose and not whose & ours})


def _theirs(value: Any) -> Any:
    """Return a list of rights without those of our roles."""
    if not isinstance(value, list):
        return value
    return [entry for entry in value if not str(entry).startswith(tuple(f"{role}=" for role in OURS))]
