"""The pages that are made from the code say what the code says."""

from pathlib import Path

import psycopg
import pytest

from circle27.main import cli
from circle27.paths import DB, ROOT
from circle27.reference.commands import reference
from circle27.reference.tables import tables

MADE_ON = 15  # PostgreSQL; another one may print some expressions in other words


def test_the_command_line() -> None:
    kept = (ROOT / "docs/cli.md").read_text("utf-8")
    assert kept == reference(cli), "docs/cli.md is out of date; run `circle27 docs cli`"


def test_the_tables(transaction: psycopg.Connection) -> None:
    if transaction.info.server_version // 10_000 != MADE_ON:
        pytest.skip(f"docs/tables.md was made on PostgreSQL {MADE_ON}")
    kept = (ROOT / "docs/tables.md").read_text("utf-8")
    assert kept == tables(transaction), "docs/tables.md is out of date; run `circle27 docs tables`"


def test_everything_is_explained(transaction: psycopg.Connection) -> None:
    assert "None" not in tables(transaction), "a table, column, index lacks its comment"


@pytest.mark.parametrize("path", sorted((DB / "policies").glob("*.sql")), ids=lambda path: path.stem)
def test_each_policy_is_told_in_words(path: Path) -> None:
    text = path.read_text("utf-8")
    made = [line.split()[2] for line in text.splitlines() if line.startswith("create policy ")]
    assert made == [line.split()[3] for line in text.splitlines() if line.startswith("comment on policy ")]
