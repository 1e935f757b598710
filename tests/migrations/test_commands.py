"""`circle27 db`, as typed."""

import json
import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner, Result

from circle27.commands.db import db
from circle27.main import cli
from tests.migrations.conftest import Database, Project

TABLES = "select tablename::text from pg_tables where schemaname = 'public' order by 1"


class Shell:
    """Runs `circle27 db ...` on one database and one project."""

    def __init__(self, project: Project, database: Database) -> None:
        self.options = ["db", "--db-dir", str(project.db_dir), "--dsn", database.dsn]

    def __call__(self, *arguments: str, answer: str = "") -> Result:
        result = CliRunner().invoke(cli, [*self.options, *arguments], input=answer)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result


@pytest.fixture
def shell(project: Project, database: Database) -> Shell:
    project.table("one")
    project.tag("v0.0.1")
    project.change(
        "two",
        "create table public.two (id int); alter table public.one add name text, add age int;\n"
        "create function public.f(text) returns int language sql as $$ select 1 $$;",
        "drop function if exists public.f(text); alter table public.one drop column name, drop age;\n"
        "drop table public.two; delete from public.one where id = 7; -- drop table nothing;",
    )
    return Shell(project, database)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("circle27.commands.db.at_terminal", lambda: True)


@pytest.mark.parametrize("name", [None, *db.commands])
def test_help_shows_an_example(name: str | None) -> None:
    result = CliRunner().invoke(cli, ["db", *([name] if name else []), "--help"])
    assert result.exit_code == 0
    assert "Example:\n    circle27 db" in result.output


def test_every_option_has_help() -> None:
    for command in [db, *db.commands.values()]:
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{command.name} {option.name}"


def test_migrate_says_what_it_deployed_and_how_postgrest_learns(shell: Shell) -> None:
    result = shell("migrate")
    assert result.exit_code == 0
    assert result.output.startswith("+ one\n+ two\n")
    assert "PostgREST" in result.output
    assert shell("migrate").output == "Nothing to deploy.\n"


def test_migrate_stops_at_its_target(shell: Shell) -> None:
    assert "two" not in shell("migrate", "--to", "@v0.0.1").output
    assert "Error" not in shell("migrate", "--to", "one").output


def test_migrate_warns_of_an_edited_script(shell: Shell, project: Project) -> None:
    shell("migrate")
    project.script("deploy", "one").write_text("begin; commit;", "utf-8")
    result = shell("migrate")
    assert result.exit_code == 0
    assert "one was deployed from another text" in result.stderr


def test_a_failure_is_one_sentence_and_status_1(shell: Shell, project: Project) -> None:
    project.change("bad", "select nope;", "select 1;")
    result = shell("migrate")
    assert result.exit_code == 1
    assert result.stderr.startswith("circle27: could not deploy bad: ")
    assert "bad.sql:5" in result.stderr
    assert "Traceback" not in result.output


def test_a_database_that_is_not_there_is_one_sentence(shell: Shell) -> None:
    result = shell("status", "--dsn", "host=/nonexistent")
    assert result.exit_code == 1
    assert result.stderr.startswith("circle27: the database did not answer: ")


def test_a_checkout_that_can_not_be_written_is_one_sentence(shell: Shell, project: Project) -> None:
    folder = project.script("deploy", "three").parent
    folder.rename(folder.with_name("former"))
    folder.symlink_to("/sys")  # where the superuser may make no file either
    result = shell("new", "three")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "circle27: can't use " in result.stderr
    assert "deploy/three.sql: " in result.stderr


def test_a_role_without_rights_is_told_which_one_to_be(shell: Shell, database: Database) -> None:
    result = shell("migrate", "--dsn", database.dsn.replace("circle27_migrator", "circle27_worker"))
    assert result.exit_code == 1
    assert "permission denied" in result.stderr
    assert "Connect as circle27_migrator" in result.stderr


def test_a_malformed_address_is_one_sentence(shell: Shell) -> None:
    result = shell("status", "--dsn", "nonsense")
    assert result.exit_code == 1
    assert "its address is not right" in result.stderr


def test_rollback_needs_a_target(shell: Shell) -> None:
    result = shell("rollback", "--yes")
    assert result.exit_code == 2
    assert "--to" in result.stderr


def test_rollback_says_what_is_lost_and_needs_a_yes(shell: Shell, database: Database, terminal: None) -> None:
    shell("migrate")
    result = shell("rollback", "--to", "one", answer="n\n")
    assert result.exit_code == 1
    assert [line.strip() for line in result.output.splitlines()[:5]] == [
        "- two",
        "drops column public.one.name, public.one.age (with its data)",
        "drops table public.two (with its data)",
        "runs delete from public.one where id = 7",
        "drops function public.f(text)",
    ]
    assert database.rows(TABLES) == [("one",), ("two",)]
    assert shell("rollback", "--to", "one", answer="y\n").exit_code == 0
    assert database.rows(TABLES) == [("one",)]


def test_rollback_without_a_terminal_needs_the_option(shell: Shell, database: Database) -> None:
    shell("migrate")
    result = shell("rollback", "--to", "@ROOT", answer="y\n")
    assert result.exit_code == 1
    assert "add --yes" in result.stderr
    assert database.rows(TABLES) == [("one",), ("two",)]
    assert shell("rollback", "--to", "@ROOT", "--yes").exit_code == 0
    assert database.rows(TABLES) == []


def test_rollback_of_nothing_asks_nothing(shell: Shell) -> None:
    shell("migrate")
    assert shell("rollback", "--to", "two").output == "Nothing was deployed after two.\n"


def test_status_for_people_and_for_scripts(shell: Shell) -> None:
    shell("migrate", "--to", "one")
    lines = shell("status").output.splitlines()
    assert lines[1].split()[:3] == ["one", "@v0.0.1", "deployed"]
    assert lines[2].split()[:2] == ["two", "pending"]
    changes = json.loads(shell("status", "--json").output)["changes"]
    assert [(change["name"], change["state"], change["tags"]) for change in changes] == [
        ("one", "deployed", ["@v0.0.1"]),
        ("two", "pending", []),
    ]
    assert changes[0]["deployed_at"]
    assert changes[1]["deployed_at"] is None


def test_verify_fails_where_something_is_missing(shell: Shell, database: Database) -> None:
    shell("migrate")
    assert shell("verify").output == "ok one\nok two\n"
    database.run("drop table public.one")
    result = shell("verify")
    assert result.exit_code == 1
    assert "failed one: " in result.output
    assert "verify/one.sql:5" in result.output
    assert "ok two" in result.output


def test_plan_prints_the_pending_sql_and_runs_nothing(shell: Shell, database: Database) -> None:
    shell("migrate", "--to", "one")
    printed = shell("plan").output
    assert "create table public.two" in printed
    assert "create table public.one" not in printed
    assert database.rows(TABLES) == [("one",)]
    shell("migrate")
    assert shell("plan").output == shell("plan", "--locks").output == "-- Nothing to deploy.\n"


def test_a_refresh_is_said_in_words(shell: Shell, project: Project) -> None:
    for body in ("1", "2"):
        text = f"create or replace function app.f() returns int language sql as $$ select {body} $$;\n"
        project.source("functions/app/f.sql", f"{text}comment on function app.f() is 'f';\n")
        if body == "1":
            project.change(
                "app",
                "set local role circle27_owner; create schema app;",
                "set local role circle27_owner; drop schema app;",
            )
            shell("snapshot")
            shell("migrate")
    project.change("three", "select 1;", "select 1;")
    shell("snapshot")
    assert shell("plan").output.startswith("-- ~ refreshes release_0_1_0: drops first")
    result = shell("migrate", "--to", "three")
    assert "release_0_1_0 is a draft, is deployed, and comes last: leave --to out" in result.stderr
    assert "`circle27 db rollback --to app`" in result.stderr
    asked = shell("rollback", "--to", "app").output
    assert "of whatever draft" in asked
    assert shell("migrate").output.startswith("~ refreshes release_0_1_0\n+ three\n+ release_0_1_0\n")


def piped(project: Project, database: Database, *arguments: str, reader: str) -> tuple[int, str, str]:
    """Run `circle27 db ... | reader` in a shell; return circle27's status, what the reader prints, and the errors."""
    line = [sys.executable, "-m", "circle27", "db", "--db-dir", str(project.db_dir), "--dsn", database.dsn, *arguments]
    script = f"set -o pipefail; {shlex.join(line)} | {reader}"
    done = subprocess.run(["bash", "-c", script], check=False, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_a_rollback_that_nobody_reads_does_nothing(shell: Shell, project: Project, database: Database) -> None:
    shell("migrate")
    # The reader has closed its end long before the first line comes.
    status, _, said = piped(project, database, "rollback", "--to", "@ROOT", "--yes", reader="{ exec 0<&-; sleep 3; }")
    assert status == 1
    assert said.startswith("circle27: nobody reads what this rollback would do, so nothing was rolled back")
    assert said.count("\n") == 1
    assert database.rows(TABLES) == [("one",), ("two",)]


def test_a_rollback_whose_reader_leaves_goes_on(shell: Shell, project: Project, database: Database) -> None:
    shell("migrate")
    assert piped(project, database, "rollback", "--to", "@ROOT", "--yes", reader="head -1") == (0, "- two\n", "")
    assert database.rows(TABLES) == []


def test_a_migration_that_nobody_reads_goes_on(shell: Shell, project: Project, database: Database) -> None:
    assert piped(project, database, "migrate", reader="{ exec 0<&-; sleep 3; }") == (0, "", "")
    assert database.rows(TABLES) == [("one",), ("two",)]


def test_snapshot_check_fails_until_the_snapshot_is_written(shell: Shell, project: Project) -> None:
    text = "create or replace function app.f() returns int language sql as $$ select 1 $$;\n"
    project.source("functions/app/f.sql", f"{text}comment on function app.f() is 'f';\n")
    result = shell("snapshot", "--check")
    assert result.exit_code == 1
    assert "new: db/functions/app/f.sql" in result.output
    assert "run `circle27 db snapshot`" in result.stderr
    assert not project.script("deploy", "release_0_1_0").exists()
    assert "Wrote release_0_1_0." in shell("snapshot").output
    assert shell("snapshot", "--check").exit_code == 0
