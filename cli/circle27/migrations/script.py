"""One SQL script of a change, with the meaning that psql gives it."""

import re
from functools import cached_property
from hashlib import sha1
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from circle27.migrations.errors import MigrationError, shown
from circle27.migrations.sqltext import Statement, code, statements

MARK = "-- source: "  # before each source in a snapshot of functions and policies

_BEGIN = re.compile(r"(begin|start transaction)\b")
_CONTROL = re.compile(r"(begin|start transaction|commit|end|rollback(?! to\b)|abort|prepare transaction)\b")
_PSQL = re.compile(r"^\\(?!set\s+ON_ERROR_STOP\b).*$", re.MULTILINE | re.IGNORECASE)
_PSQL_SET = re.compile(r"^\\set\s.*$", re.MULTILINE)

# A script's SET and SET ROLE must not outlive it.
_RESET = "reset session authorization; reset role; reset all"
_SETTING = re.compile(r"(set|reset)\b")
_CONCURRENTLY = re.compile(r"\bconcurrently\b")
_REFUSED = "42"  # SQLSTATEs of what the server refuses before it does anything: syntax, names, rights


class Script:
    """A deploy, revert or verify script.

    Framed by `begin; ... commit;` it is transactional, and runs inside a transaction of the engine, which adds the
    registry's row. Without the frame each statement is on its own, as `create index concurrently` wants it.
    """

    def __init__(self, path: Path, text: bytes | None = None) -> None:
        """Remember where the script is; it is read when needed. One with a `text` is in no file."""
        self.path = path
        self._text = text
        self.untouched = False
        """Whether the last run failed before it had done anything; told of scripts without a frame only."""

    @cached_property
    def raw(self) -> bytes:
        """The file's bytes. Raises MigrationError if there is no such file."""
        if self._text is not None:
            return self._text
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            raise MigrationError(
                f"{shown(self.path)} is missing: each change has a deploy, a revert and a verify."
            ) from None

    @property
    def hash(self) -> str:
        """SHA-1 of the bytes: `sqitch.changes.script_hash`."""
        return sha1(self.raw).hexdigest()

    @property
    def text(self) -> str:
        """The script as text."""
        try:
            return self.raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = self.raw.count(b"\n", 0, error.start) + 1
            raise MigrationError(f"{shown(self.path)}:{line}: this is not UTF-8; save the file as UTF-8.") from None

    @cached_property
    def _parsed(self) -> tuple[list[Statement], bool]:
        if command := _PSQL.search(code(self.text)):
            line = self.text.count("\n", 0, command.start()) + 1
            raise MigrationError(f"{shown(self.path)}:{line}: psql commands are not supported here; write plain SQL.")
        found = statements(_PSQL_SET.sub("", self.text))
        control = [index for index, statement in enumerate(found) if _CONTROL.match(statement.words)]
        framed = control == [0, len(found) - 1] and _BEGIN.match(found[0].words) is not None
        return (found[1:-1], True) if framed else (found, False)

    @property
    def statements(self) -> list[Statement]:
        """The statements, without the frame."""
        return self._parsed[0]

    @property
    def transactional(self) -> bool:
        """Whether one transaction frames the script."""
        return self._parsed[1]

    def load(self) -> None:
        """Read the file. Raises MigrationError if it is missing, or not plain SQL."""
        _ = self._parsed

    def run(self, connection: psycopg.Connection[TupleRow]) -> None:
        """Execute the statements. A psycopg.Error leaves with a note that names file and line."""
        try:
            self._execute(connection)
        except psycopg.Error:
            if not (self.transactional or connection.closed):
                connection.rollback()  # one that the script has begun itself
                connection.execute(_RESET)
            raise

    def _execute(self, connection: psycopg.Connection[TupleRow]) -> None:
        for index, statement in enumerate(self.statements):
            try:
                connection.execute(statement.text.encode())
            except psycopg.Error as error:
                error.add_note(self._place(statement.line_at(int(error.diag.statement_position or 0))))
                self.untouched = self._untouched(index, error)
                raise
        connection.execute(_RESET)

    def _untouched(self, failed: int, error: psycopg.Error) -> bool:
        """Whether a statement's failure leaves nothing: none before it did more than set, and it is whole by itself.

        Index builds are not: one that fails in the middle leaves an index that is not valid.
        """
        before = all(_SETTING.match(statement.words) for statement in self.statements[:failed])
        whole = not _CONCURRENTLY.search(self.statements[failed].words)
        return before and (whole or (error.sqlstate or "").startswith(_REFUSED))

    def _place(self, line: int) -> str:
        """Return file:line, and for a snapshot's line also that of the source."""
        place = f"{shown(self.path)}:{line}"
        for number in range(line - 1, 0, -1):
            text = self._lines[number - 1]
            if text.startswith(MARK):
                source = f"{text.removeprefix(MARK)}:{line - number}"
                return f"{place} ({source})" if self._text is None else source
        return place

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def check(self, connection: psycopg.Connection[TupleRow]) -> None:
        """Run a verify script in a (sub)transaction that is rolled back."""
        if not self.transactional and any(_CONTROL.match(statement.words) for statement in self.statements):
            raise MigrationError(f"{shown(self.path)}: frame a verify script by one `begin; ... rollback;`.")
        with connection.transaction(force_rollback=True):
            self._execute(connection)
