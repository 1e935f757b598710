"""docs/how-to/change-the-schema.md, followed to the letter, while members are at it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from circle27.stack.settings import SUPERUSER
from tests.docs.follow import Follower, copy_checkout, reader_environment
from tests.scratch import scratch
from tests.stack import Stack
from tests.traffic import LONGEST_WAIT_MS, LockLog, traffic

HISTORY = "select event, change from sqitch.events order by committed_at"
THERE = [("deploy", "users_pronouns"), ("deploy", "release_0_2_0")]
BACK = [("revert", "release_0_2_0"), ("revert", "users_pronouns")]


@pytest.fixture
def reader() -> Iterator[Follower]:
    """A reader whose stack is up already; its limits would be met by the members who call all the time."""
    with scratch() as folder:
        made = Follower(folder / "circle27", {**reader_environment(folder), "CIRCLE27_RATE_LIMITS": "off"})
        copy_checkout(made.checkout)
        try:
            circle27(made, "up")
            yield made
        finally:
            circle27(made, "down")


def circle27(reader: Follower, command: str) -> None:
    subprocess.run([Path(".venv/bin/circle27"), command], cwd=reader.checkout, env=reader.environment, check=True)


def schema(stack: Stack) -> str:
    dump = ["pg_dump", "--schema-only", "--exclude-schema=sqitch", "-d", stack.settings.dsn(SUPERUSER)]
    lines = subprocess.run(dump, check=True, capture_output=True, text=True).stdout.splitlines()
    return "\n".join(line for line in lines if not line.startswith(("\\restrict", "\\unrestrict")))


def test_a_column_and_a_function_go_there_and_back_with_either_tool(
    reader: Follower, subtests: pytest.Subtests
) -> None:
    stack = Stack({**reader.environment, "CIRCLE27_HOME": str(reader.checkout / ".circle27")})
    before, history, log = schema(stack), stack.sql(HISTORY), LockLog(stack)
    with traffic(stack, pause=0.1) as seen:
        reader.follow("docs/how-to/change-the-schema.md", subtests)
    assert seen.faults == []
    assert [wait for wait in log.waits if wait[0] > LONGEST_WAIT_MS] == []
    assert log.deadlocks == 0
    assert stack.sql(HISTORY) == [*history, *THERE, *BACK, *THERE, *BACK]
    assert schema(stack) == before
