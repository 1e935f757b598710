"""Sessions that wait for each other, and how a test knows that they do."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

import psycopg

from circle27.stack.supervision import wait_until

WAITING = """
select
from pg_locks
where pid = %s
  and locktype = 'advisory'
  and not granted
  and mode = %s
  and database = (select oid from pg_database where datname = current_database())
  and (classid::bigint << 32 | objid::bigint) = app.lock_key(%s, %s, %s)
"""

Key = tuple[str, str, datetime | None]


@dataclass
class Session:
    """One connection in a transaction of its own, whose statements run beside the test."""

    connection: psycopg.Connection[Any]
    control: psycopg.Connection[Any]
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    def run(self, statement: LiteralString, *parameters: object) -> Any:
        """Run a statement to its end; return its first value."""
        return self.start(statement, *parameters).result(20)

    def start(self, statement: LiteralString, *parameters: object) -> "Future[Any]":
        """Begin a statement."""
        return self.pool.submit(self._execute, statement, parameters)

    def _execute(self, statement: LiteralString, parameters: tuple[object, ...]) -> Any:
        cursor = self.connection.execute(statement, parameters)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def until_it_waits(self, mode: str, key: Key) -> None:
        """Return when this session waits for this lock; fail if it does not."""
        parameters = (self.connection.info.backend_pid, mode, *key)
        wait_until(
            lambda: self.control.execute(WAITING, parameters).fetchone() is not None, 10, f"nobody waits for {key}"
        )

    def commit(self) -> None:
        self.connection.commit()


@contextmanager
def sessions(address: str, count: int) -> Iterator[tuple[psycopg.Connection[Any], list[Session]]]:
    """Open a connection that sees and arranges everything, and so many sessions beside it."""
    with psycopg.connect(address, autocommit=True) as control:
        opened = [Session(psycopg.connect(address), control) for _ in range(count)]
        try:
            yield control, opened
        finally:
            for session in opened:  # whoever still waits in a red test must not hold up its end
                control.execute("select pg_terminate_backend(%s)", (session.connection.info.backend_pid,))
                session.pool.shutdown()
                session.connection.close()


def slug(future: "Future[Any]") -> str | None:
    """Wait for a statement; return the slug of its refusal, None if it was none."""
    error = future.exception(20)
    if error is None:
        return None
    assert isinstance(error, psycopg.Error), error
    return error.diag.message_detail or str(error)
