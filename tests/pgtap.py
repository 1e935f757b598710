"""Collect the pgTAP files below tests/: one pytest item a file, one pytest subtest a TAP line.

A file runs statement by statement in a transaction that is rolled back. It begins with plan(n) and ends with
finish(); its own `begin` and `rollback`, which psql and pg_prove need, are skipped here, and `commit` is refused.
A first line `-- pgtap: fresh` runs the file in a clone of the template database of its own.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
import sqlparse

FOLDERS = {"api", "app", "attacks", "audit", "events", "identity", "lints", "ops", "policies"}
RESULT = re.compile(
    r"(?P<bad>not )?ok (?P<number>\d+)(?: - )?(?P<name>.*?)(?:\s+# (?P<mark>TODO|SKIP)\b\s*(?P<why>.*))?$", re.I
)
PLAN = re.compile(r"1\.\.(\d+)(?:\s+# SKIP\s*(.*))?$")
OPEN = re.compile(r"(?:BEGIN|START\s+TRANSACTION)\b[^;]*;?", re.I)
CLOSE = re.compile(
    r"(?:COMMIT|END|ROLLBACK|ABORT|PREPARE\s+TRANSACTION)\b(?!\s+(?:TRANSACTION\s+|WORK\s+)?TO\b)[^;]*;?", re.I
)
LEADING_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z))+")


class TapFailure(Exception):
    """A failure to be shown as text, without a Python traceback."""


class Statement(NamedTuple):
    """One statement of a file and the line it begins on."""

    line: int
    code: str


def pytest_collect_file(parent: pytest.Collector, file_path: Path) -> pytest.Collector | None:
    """Take every .sql file in a folder of pgTAP tests."""
    if file_path.suffix == ".sql" and file_path.parent.name in FOLDERS:
        return SqlFile.from_parent(parent, path=file_path)
    return None


class SqlFile(pytest.File):
    """A pgTAP file."""

    def collect(self) -> list[pytest.Item]:
        """Return the one item of the file."""
        fresh = self.path.read_text("utf-8").startswith("-- pgtap: fresh")
        return [SqlItem.from_parent(self, name="pgtap", callobj=run_fresh if fresh else run_shared)]


class SqlItem(pytest.Function):
    """A Function, so that fixtures, marks, subtests, timeouts and reports all work as for Python tests."""

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name the file."""
        return self.path, 0, str(self.path.relative_to(self.config.rootpath))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show a TAP failure as what it says."""
        if isinstance(excinfo.value, TapFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


def run_shared(request: pytest.FixtureRequest, transaction: Any, subtests: pytest.Subtests) -> None:
    """Run in a rolled-back transaction on the shared clone."""
    TapRun(request.path, transaction, subtests).run(request)


def run_fresh(request: pytest.FixtureRequest, postgresql: Any, subtests: pytest.Subtests) -> None:
    """Run in a clone of its own."""
    TapRun(request.path, postgresql, subtests).run(request)


def statements(path: Path) -> list[Statement]:
    """Return the statements of a file, without the `begin` and the `rollback` around it."""
    text = path.read_text("utf-8")
    found: list[Statement] = []
    at = 0
    for statement in sqlparse.split(text):
        at = text.index(statement, at)
        code = LEADING_COMMENTS.sub("", statement)
        if code:
            found.append(Statement(text.count("\n", 0, at + len(statement) - len(code)) + 1, code))
        at += len(statement)
    if found and OPEN.fullmatch(found[0].code):
        del found[0]
    if found and re.match("ROLLBACK", found[-1].code, re.I):
        del found[-1]
    for line, code in found:
        if CLOSE.fullmatch(code):
            raise TapFailure(f"{path}:{line}: `{code}` would end the transaction that undoes the test; remove it")
    return found


class TapRun:
    """One run of one file: what was planned, what was seen."""

    def __init__(self, path: Path, connection: psycopg.Connection, subtests: pytest.Subtests) -> None:
        self.path, self.connection, self.subtests = path, connection, subtests
        self.planned: int | None = None
        self.seen: list[int] = []
        self.notices: list[str] = []

    def run(self, request: pytest.FixtureRequest) -> None:
        """Run the file; raise TapFailure where it is not a complete, well-formed TAP run."""
        self.connection.execute("set search_path = tap, public")
        self.connection.add_notice_handler(self._notice)
        try:
            for statement in statements(self.path):
                self._report(statement, self._execute(statement))
        finally:
            self.connection.remove_notice_handler(self._notice)
            if self.notices:
                request.node.add_report_section("call", "notices", "\n".join(self.notices))
        if not self.planned:
            raise TapFailure(f"{self.path}: no plan: begin with select plan(n)")
        if self.seen != list(range(1, self.planned + 1)):
            raise TapFailure(f"{self.path}: planned {self.planned} assertions, ran {len(self.seen)}")

    def _notice(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        self.notices.append(f"{diagnostic.severity}: {diagnostic.message_primary}")

    def _execute(self, statement: Statement) -> list[str]:
        try:
            cursor = self.connection.execute(statement.code.encode())
        except psycopg.Error as error:
            position = int(error.diag.statement_position or 0)
            line = statement.line + statement.code.count("\n", 0, position)
            planned = "?" if self.planned is None else self.planned
            raise TapFailure(
                f"{self.path}:{line}: {type(error).__name__}: {error}\n"
                f"{len(self.seen)} of {planned} assertions had run; the statement was\n\n{statement.code}"
            ) from None
        if cursor.description is None or len(cursor.description) != 1:
            return []
        return "\n".join(str(row[0]) for row in cursor.fetchall() if row[0] is not None).splitlines()

    def _report(self, statement: Statement, lines: list[str]) -> None:
        for number, line in enumerate(lines):
            if line.startswith("Bail out!"):
                raise TapFailure(f"{self.path}:{statement.line}: {line}")
            if plan := PLAN.match(line):
                self.planned = int(plan[1])
                if plan[2]:
                    pytest.skip(plan[2])
            elif result := RESULT.match(line):
                details = lines[number + 1 :]
                end = next((n for n, text in enumerate(details) if RESULT.match(text) or PLAN.match(text)), None)
                self._subtest(statement, result, details[:end])
            elif re.match(r"# Looks like you (planned|failed)", line) and "planned" in line:
                raise TapFailure(f"{self.path}:{statement.line}: {line[2:]}")

    def _subtest(self, statement: Statement, result: re.Match[str], details: list[str]) -> None:
        self.seen.append(int(result["number"]))
        with self.subtests.test(f"{result['number']} {result['name']}".strip()):
            mark = (result["mark"] or "").upper()
            if mark == "SKIP":
                pytest.skip(result["why"])
            if result["bad"] and mark == "TODO":
                pytest.xfail(result["why"])
            if result["bad"]:
                where = f"{self.path}:{statement.line}: {result[0]}"
                raise TapFailure("\n".join([where, *details, "", statement.code, *self.notices]))
