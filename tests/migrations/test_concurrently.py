"""Indexes that are built concurrently: what fails or is killed in the middle leaves nothing, and is run again."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
import pytest

from circle27.migrations import migrate, rollback, status, verify
from circle27.migrations.errors import MigrationError
from circle27.migrations.scaffold import scaffold
from tests.migrations.conftest import Database, Project, Sqitch

INDEX = "select indisvalid from pg_index where indexrelid = to_regclass('app.notes_id_idx')"
BUILDS = "exists (select from pg_stat_progress_create_index where phase like 'waiting%')"
WAITS_FOR_AN_OLD_TRANSACTION = "exists (select from pg_locks where locktype = 'virtualxid' and not granted)"


@pytest.fixture
def index(project: Project) -> Project:
    """A table, and an index on it as `db new --concurrently` has it."""
    project.change(
        "notes",
        "set local role circle27_owner;\ncreate schema app; create table app.notes (id int);",
        "set local role circle27_owner;\ndrop table app.notes; drop schema app;",
    )
    planned(project)
    return project


def planned(project: Project, what: str = "unique index") -> None:
    scaffold("notes_id_idx", db_dir=project.db_dir, concurrently=True)
    deploy = project.script("deploy", "notes_id_idx")
    text = (
        deploy.read_text("utf-8")
        .replace("create index", f"create {what}")
        .replace("table_name (column_name)", "notes (id)")
    )
    deploy.write_text(
        "".join(line for line in text.splitlines(keepends=True) if "not written yet" not in line), "utf-8"
    )


def refusal(project: Project, database: Database) -> str:
    with pytest.raises(MigrationError) as refused:
        migrate(database.dsn, db_dir=project.db_dir)
    return str(refused.value)


def states(project: Project, database: Database) -> list[str]:
    return [change.state for change in status(database.dsn, db_dir=project.db_dir)]


def test_both_tools_build_it_and_take_it_back(
    index: Project, database: Database, other_database: Database, sqitch: Sqitch
) -> None:
    assert migrate(database.dsn, db_dir=index.db_dir) == ["notes", "notes_id_idx"]
    sqitch(index.root, other_database, "deploy", "--verify")
    assert database.rows(INDEX) == other_database.rows(INDEX) == [(True,)]
    assert database.dump() == other_database.dump()
    assert rollback(database.dsn, to="notes", db_dir=index.db_dir) == ["notes_id_idx"]
    sqitch(index.root, other_database, "revert", "-y", "--to", "notes")
    assert database.rows(INDEX) == other_database.rows(INDEX) == []


def test_a_build_that_fails_leaves_no_index_and_is_run_again(index: Project, database: Database) -> None:
    migrate(database.dsn, db_dir=index.db_dir, to="notes")
    database.run("insert into app.notes values (1), (1)")
    said = refusal(index, database)
    assert "deploy/notes_id_idx.sql:16: could not create unique index" in said
    assert "its revert script has taken back what it had done" in said
    assert database.rows(INDEX) == []
    assert states(index, database) == ["deployed", "pending"]
    database.run("delete from app.notes")
    assert migrate(database.dsn, db_dir=index.db_dir) == ["notes_id_idx"]
    assert database.rows(INDEX) == [(True,)]


def test_what_was_never_built_is_taken_back_without_a_fault(index: Project, database: Database) -> None:
    deploy = index.script("deploy", "notes_id_idx")
    deploy.write_text(deploy.read_text("utf-8").replace("(id)", "(nope)"), "utf-8")
    said = refusal(index, database)
    assert 'column "nope" does not exist' in said
    assert "its revert script has taken back what it had done" in said


def test_sqitch_leaves_the_invalid_index_of_a_failed_build_to_the_next_run(
    index: Project, database: Database, sqitch: Sqitch
) -> None:
    migrate(database.dsn, db_dir=index.db_dir, to="notes")
    database.run("insert into app.notes values (1), (1)")
    with pytest.raises(AssertionError, match="could not create unique index"):
        sqitch(index.root, database, "deploy", "--verify")
    assert database.rows(INDEX) == [(False,)]
    database.run("delete from app.notes")
    assert migrate(database.dsn, db_dir=index.db_dir) == ["notes_id_idx"]
    assert database.rows(INDEX) == [(True,)]


def test_a_revert_that_fails_too_is_told(index: Project, database: Database) -> None:
    index.script("revert", "notes_id_idx").write_text("-- notes_id_idx\nselect 1 / 0;\n", "utf-8")
    migrate(database.dsn, db_dir=index.db_dir, to="notes")
    database.run("insert into app.notes values (1), (1)")
    said = refusal(index, database)
    assert "could not create unique index" in said
    assert "look at what it has left" in said
    assert "its revert script failed, too: " in said
    assert "revert/notes_id_idx.sql:2: division by zero" in said


def test_a_statement_that_is_refused_at_once_takes_nothing_back(project: Project, database: Database) -> None:
    project.table("one")
    project.change(
        "one_idx",
        "set role circle27_migrator;\ncreate index concurrently one_idx on public.one (id);",
        "drop index concurrently if exists public.one_idx;",
        framed=False,
    )
    migrate(database.dsn, db_dir=project.db_dir, to="one")
    database.run("create index one_idx on public.one (id)")  # somebody's
    said = refusal(project, database)
    assert 'relation "one_idx" already exists. (nothing of it was kept)' in said
    assert database.value("select indisvalid from pg_index where indexrelid = 'public.one_idx'::regclass")


def test_statements_before_the_one_that_fails_are_taken_back(project: Project, database: Database) -> None:
    project.change(
        "two",
        "create table public.two (id int);\nset role circle27_owner;\nselect nope;",
        "begin;\ndrop table public.two;\ncommit;",
        framed=False,
    )
    assert "taken back" in refusal(project, database)
    assert database.value("select to_regclass('public.two')") is None


def test_a_revert_that_fails_does_not_deploy_again(index: Project, database: Database) -> None:
    migrate(database.dsn, db_dir=index.db_dir)
    oid = database.value("select 'app.notes_id_idx'::regclass::oid")
    index.script("revert", "notes_id_idx").write_text("-- notes_id_idx\nbegin;\nselect 1;\nselect 1 / 0;\n", "utf-8")
    with pytest.raises(MigrationError, match=r"could not revert notes_id_idx: .*:4: division by zero"):
        rollback(database.dsn, to="notes", db_dir=index.db_dir)
    assert states(index, database) == ["deployed", "deployed"]
    assert database.value("select 'app.notes_id_idx'::regclass::oid") == oid


def test_a_script_with_transactions_of_its_own_leaves_none_open(project: Project, database: Database) -> None:
    deploy = "begin;\ncreate table public.two (id int);\ncommit;\nbegin;\nselect nope;\ncommit;"
    project.change("two", deploy, "drop table public.two;", framed=False)
    assert 'column "nope" does not exist. (it does not run in a transaction; its revert' in refusal(project, database)
    assert database.value("select to_regclass('public.two')") is None


def test_a_missing_script_is_found_before_anything_is_done(index: Project, database: Database) -> None:
    index.script("verify", "notes_id_idx").unlink()
    assert "verify/notes_id_idx.sql is missing" in refusal(index, database)
    assert database.rows(INDEX) == []


def test_the_unwritten_script_does_nothing(index: Project, database: Database) -> None:
    scaffold("notes_other_idx", db_dir=index.db_dir, concurrently=True)
    said = refusal(index, database)
    assert "deploy/notes_other_idx.sql is not written yet. (nothing of it was kept)" in said
    assert states(index, database) == ["deployed", "deployed", "pending"]


def test_a_killed_build_ends_on_the_server_too_and_is_run_again(index: Project, database: Database) -> None:
    migrate(database.dsn, db_dir=index.db_dir, to="notes")
    command = [sys.executable, "-m", "circle27", "db", "--db-dir", str(index.db_dir), "--dsn", database.dsn, "migrate"]
    with psycopg.connect(database.admin) as writer:
        writer.execute("insert into app.notes values (1)")  # the build waits for this transaction
        with subprocess.Popen(command, env=dict(os.environ)) as process:
            database.until(f"select {WAITS_FOR_AN_OLD_TRANSACTION}")
            process.send_signal(signal.SIGKILL)
        assert database.rows(INDEX) == [(False,)]
        # The server looks each second whether somebody still wants the index.
        database.until("select count(*) = 0 from pg_stat_activity where application_name = 'circle27'")
    assert states(index, database) == ["deployed", "pending"]
    assert migrate(database.dsn, db_dir=index.db_dir) == ["notes_id_idx"]
    assert database.rows(INDEX) == [(True,)]


def test_nobody_begins_while_the_server_is_at_work_for_a_killed_migration(
    index: Project, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c client_connection_check_interval=0")
    migrate(database.dsn, db_dir=index.db_dir, to="notes")
    command = [sys.executable, "-m", "circle27", "db", "--db-dir", str(index.db_dir), "--dsn", database.dsn, "migrate"]
    with psycopg.connect(database.admin) as writer:
        writer.execute("insert into app.notes values (1)")
        with subprocess.Popen(command, env=dict(os.environ)) as process:
            database.until(f"select {WAITS_FOR_AN_OLD_TRANSACTION}")
            process.send_signal(signal.SIGKILL)
        with pytest.raises(MigrationError, match=r"another migration .* has held the lock"):
            migrate(database.dsn, db_dir=index.db_dir, wait=0)
    assert migrate(database.dsn, db_dir=index.db_dir) == ["notes_id_idx"]
    assert database.rows(INDEX) == [(True,)]


def test_an_open_transaction_delays_the_build_and_a_second_migration_but_no_writer(
    index: Project, database: Database
) -> None:
    migrate(database.dsn, db_dir=index.db_dir, to="notes")
    waiting = Event()
    with ThreadPoolExecutor() as pool:
        with psycopg.connect(database.admin) as writer:
            writer.execute("insert into app.notes values (1)")
            first = pool.submit(migrate, database.dsn, db_dir=index.db_dir)
            database.until(f"select {WAITS_FOR_AN_OLD_TRANSACTION}")
            second = pool.submit(migrate, database.dsn, db_dir=index.db_dir, on_wait=waiting.set)
            assert waiting.wait(10)
            database.run("set lock_timeout = '100ms'; insert into app.notes values (2)")
            assert not first.done()
        assert first.result(10) == ["notes_id_idx"]
        assert second.result(10) == []
    assert database.rows(INDEX) == [(True,)]
    assert all(check.error is None for check in verify(database.dsn, db_dir=index.db_dir))


def test_the_script_waits_longer_than_others(
    index: Project, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=50ms")
    migrate(database.dsn, db_dir=index.db_dir, to="notes")
    with ThreadPoolExecutor() as pool:
        with psycopg.connect(database.admin) as writer:
            writer.execute("insert into app.notes values (1)")
            build = pool.submit(migrate, database.dsn, db_dir=index.db_dir)
            database.until(f"select {WAITS_FOR_AN_OLD_TRANSACTION}")
            writer.execute("select pg_sleep(0.2)")  # longer than the others' 50 ms
        assert build.result(10) == ["notes_id_idx"]
