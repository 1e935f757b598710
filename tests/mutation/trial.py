"""One mutant at a time on a clone of the migrated template, and the tests that ought to notice.

A mutant lives in a transaction, each test on it under a savepoint: rolling back is exact, and twenty times cheaper than
a clone a mutant. What needs a clone of its own (`-- pgtap: fresh`) or a second session is not run here.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import click
import psycopg

from circle27.paths import DB, ROOT
from tests.authorisation.matrix import EXPECTED, catalogue, matrix, text
from tests.mutation.mutants import Mutant, functions, mutants
from tests.pgtap import RESULT, Statement, statements

FOLDERS = ("api", "app", "audit", "events", "identity", "ops", "policies")


class Test(NamedTuple):
    """A test: what it is called, and whether it is red now."""

    name: str
    red: Callable[[], bool]


class Trial:
    """A clone, its mutants, and the tests of each."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        connection.execute(WHOEVER)
        self.mutants = {mutant.name: mutant for mutant in mutants(connection)}
        self.callers = callers(connection)
        self.rights = self._rights()
        self.trusted: set[str] = set()  # tests that were seen to be green without a mutant
        self.broken: set[str] = set()  # and to be red

    def killer(self, mutant: Mutant) -> str | None:
        """Return the name of the test that goes red on a mutant, or None: it survived."""
        with self.connection.transaction(force_rollback=True):
            self.connection.execute("set local search_path = pg_catalog")
            self.connection.execute("set local statement_timeout = '30s'")  # a mutant may loop: that is red
            self.connection.execute(mutant.statement.encode())
            killer = next((test for test in self.tests(mutant) if test.name not in self.broken and test.red()), None)
        if killer is None or killer.name in self.trusted:
            return killer.name if killer else None
        if self._red_by_itself(killer):
            # What the session keeps of former mutants is not the test's fault.
            dsn = self.connection.info.dsn
            self.connection.close()
            self.connection = psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
            if self._red_by_itself(killer):
                click.echo(f"left out, as it is red without any mutant: {killer.name}", err=True)
                self.broken.add(killer.name)
            return self.killer(mutant)
        self.trusted.add(killer.name)
        return killer.name

    def _red_by_itself(self, test: Test) -> bool:
        """Say whether a test is red without any mutant."""
        with self.connection.transaction(force_rollback=True):
            self.connection.execute("set local search_path = pg_catalog")
            return test.red()

    def tests(self, mutant: Mutant) -> Iterator[Test]:
        """Yield the cheap tests first, then those of the object, the nearest first, then the whole matrix."""
        yield Test("tests/authorisation: rights", lambda: self._rights() != self.rights)
        for lint in sorted((DB / "lints").glob("*.sql")):
            yield Test(f"db/lints/{lint.name}", partial(self._found, lint))
        for path in self.files(mutant):
            yield Test(str(path.relative_to(ROOT)), partial(self._red, path))
        yield Test("tests/authorisation: matrix", lambda: self._matrix() != EXPECTED.read_text("utf-8"))

    def files(self, mutant: Mutant) -> list[Path]:
        """Return the pgTAP files of a mutant's object: of the same name, of its callers, then any that names it."""
        files = [path for folder in FOLDERS for path in sorted((ROOT / "tests" / folder).glob("*.sql"))]
        files = [path for path in files if not path.read_text("utf-8").startswith("-- pgtap: fresh")]
        near = [mutant.object, *self.callers.get(mutant.object, [])]
        short = mutant.object.split(".")[-1]

        def distance(path: Path) -> int:
            name = f"{path.parent.name}.{path.stem}".replace("policies.", "app.")
            if name in near:
                return near.index(name)
            named = re.search(rf"\b{re.escape(short)}\b", path.read_text("utf-8"))
            return len(near) if named else -1

        return [path for path in sorted(files, key=distance) if distance(path) >= 0]

    def _found(self, lint: Path) -> bool:
        """Say whether a lint finds something."""
        return bool(self.connection.execute(lint.read_bytes()).fetchall())

    def _red(self, path: Path) -> bool:
        """Say whether a pgTAP file fails."""
        try:
            with self.connection.transaction(force_rollback=True):
                self.connection.execute("set local search_path = tap, public")
                return any(bad(self.connection, statement) for statement in parsed(path))
        except psycopg.Error:
            return True

    def _rights(self) -> list[tuple[str, str | None, dict[str, list[str]]]]:
        return [(thing.name, thing.note, thing.rights) for thing in catalogue(self.connection)]

    def _matrix(self) -> str:
        try:
            with self.connection.transaction(force_rollback=True):
                return text(matrix(self.connection))
        except (psycopg.Error, AssertionError) as error:
            return str(error)


@cache
def parsed(path: Path) -> list[Statement]:
    """Return the statements of a pgTAP file, read once."""
    return statements(path)


def bad(connection: psycopg.Connection[Any], statement: Statement) -> bool:
    """Say whether a statement of a pgTAP file reports a failure."""
    cursor = connection.execute(statement.code.encode())
    if cursor.description is None or len(cursor.description) != 1:
        return False
    lines = [line for (value,) in cursor.fetchall() if value is not None for line in str(value).splitlines()]
    results = [match for match in map(RESULT.match, lines) if match]
    return any(match["bad"] and not match["mark"] for match in results)


def callers(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Return, for each function, those that call it, directly first, then through others."""
    bodies = {row.name: row.definition[row.definition.index("$function$") :] for row in functions(connection)}
    direct = {
        name: [other for other, body in bodies.items() if other != name and re.search(rf"\b{re.escape(name)}\b", body)]
        for name in bodies
    }
    found: dict[str, list[str]] = {}
    for name in bodies:
        reached = [name]
        for each in reached:
            reached += [other for other in direct[each] if other not in reached]
        found[name] = reached[1:]
    return found


# Who the caller is not: what app.current_member() becomes in a mutant.
WHOEVER = """
create or replace function tests.whoever(out user_id uuid, out campus_id text, out time_zone text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select directory.user_id, directory.campus_id, campuses.time_zone
  from app.user_campuses as directory
  inner join app.campuses on campuses.campus_id = directory.campus_id
  order by directory.user_id is not distinct from auth.uid(), directory.user_id
  limit 1
$$
"""
