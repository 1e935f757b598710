"""Whole or not at all: what happens when a change fails, waits, is killed, or meets another migration."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import psycopg
import pytest

from circle27.migrations import migrate, rollback, status, verify
from circle27.migrations.errors import MigrationError
from tests.migrations.conftest import Database, Project

TABLES = "select tablename::text from pg_tables where schemaname = 'public' order by 1"
WAITS_FOR_TEST = "exists (select from pg_locks where locktype = 'advisory' and objid = 27 and not granted)"
HOLD = "select pg_advisory_lock(27)"
PAUSE = "select pg_advisory_xact_lock(27);"


def refusal(database: Database, project: Project, **options: float) -> str:
    """Return the sentence with which migrate refuses."""
    with pytest.raises(MigrationError) as refused:
        migrate(database.dsn, db_dir=project.db_dir, **options)  # type: ignore[arg-type]
    return str(refused.value)


def test_a_failing_script_names_file_and_line_and_leaves_nothing(project: Project, database: Database) -> None:
    project.table("one")
    project.change("bad", "create table public.kept (id int);\n\nselect id,\n  nope\nfrom public.one;", "select 1;")
    said = refusal(database, project)
    assert "deploy/bad.sql:8: " in said
    assert 'column "nope" does not exist' in said
    assert "nothing of it was kept" in said
    assert database.rows(TABLES) == [("one",)]
    assert database.rows("select change from sqitch.changes") == [("one",)]


def test_an_error_without_a_place_names_the_statements_line(project: Project, database: Database) -> None:
    project.change("bad", "select 1;\n\nselect\n  1 / 0;", "select 1;")
    assert "deploy/bad.sql:7: division by zero" in refusal(database, project)


def test_a_failing_verify_leaves_nothing(project: Project, database: Database) -> None:
    project.change("one", "create table public.one (id int);", "drop table public.one;", "select 1 / 0;")
    said = refusal(database, project)
    assert "verify/one.sql:5: division by zero" in said
    assert database.rows(TABLES) == []
    assert database.rows("select change from sqitch.changes") == []


def test_a_verify_leaves_nothing_behind(project: Project, database: Database) -> None:
    project.change(
        "one", "create table public.one (id int);", "drop table public.one;", "insert into public.one values (1);"
    )
    migrate(database.dsn, db_dir=project.db_dir)
    assert verify(database.dsn, db_dir=project.db_dir)[0].error is None
    assert database.value("select count(*) from public.one") == 0


def test_a_failing_revert_leaves_the_change_deployed(project: Project, database: Database) -> None:
    project.change("one", "create table public.one (id int);", "drop table public.one;\nselect nope;")
    migrate(database.dsn, db_dir=project.db_dir)
    with pytest.raises(MigrationError, match=r"could not revert one: .*revert/one\.sql:6"):
        rollback(database.dsn, to="@ROOT", db_dir=project.db_dir)
    assert database.rows(TABLES) == [("one",)]
    assert database.rows("select change from sqitch.changes") == [("one",)]


def test_a_script_whose_registry_row_is_refused_leaves_nothing(project: Project, database: Database) -> None:
    project.table("one")
    for name in ("two", "three"):
        project.change(name, "", "select 1;")
        project.script("deploy", name).write_text("begin;\ninsert into public.one values (1);\ncommit;\n", "utf-8")
    said = refusal(database, project)
    assert "could not deploy three: its deploy script has the same text as another change's" in said
    assert database.value("select count(*) from public.one") == 1


def test_upper_case_frames_are_frames(project: Project, database: Database) -> None:
    project.table("one")
    deploy = project.script("deploy", "one")
    deploy.write_text("-- one\nBEGIN;\ncreate table public.one (id int);\nselect 1 / 0;\nCOMMIT;\n", "utf-8")
    refusal(database, project)
    assert database.rows(TABLES) == []


def test_psql_commands_are_refused_by_line(project: Project, database: Database) -> None:
    project.change("one", "\\set ON_ERROR_STOP on\n\\ir other.sql", "select 1;")
    assert "deploy/one.sql:6: psql commands" in refusal(database, project)


def test_a_script_in_another_encoding_is_named(project: Project, database: Database) -> None:
    project.table("one")
    project.script("deploy", "one").write_bytes(b"begin;\n-- caf\xe9\ncommit;\n")
    assert "deploy/one.sql:2: this is not UTF-8" in refusal(database, project)


def test_a_missing_script_is_named(project: Project, database: Database) -> None:
    project.table("one")
    project.script("verify", "one").unlink()
    assert "verify/one.sql is missing" in refusal(database, project)


def test_settings_and_roles_end_with_the_script(project: Project, database: Database) -> None:
    project.change(
        "one",
        "set role circle27_owner; set search_path = pg_catalog; set lock_timeout = '7min';\n"
        "create table public.seen (who text, path text, lock text);",
        "drop table public.seen;",
        "do $$ begin if current_user <> 'circle27_migrator' then raise 'role %', current_user; end if; end $$;",
    )
    project.change(
        "two",
        "insert into public.other\n"
        "select current_user, current_setting('search_path'), current_setting('lock_timeout');",
        "truncate public.other;",
    )
    migrate(database.dsn, db_dir=project.db_dir, to="one")
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("create table public.other (who text, path text, lock text)")
    migrate(database.dsn, db_dir=project.db_dir)
    assert database.rows("select * from public.other") == [("circle27_migrator", '"$user", public', "200ms")]
    assert database.value("select tableowner::text from pg_tables where tablename = 'seen'") == "circle27_owner"


@pytest.mark.parametrize(("variable", "options"), [("-c lock_timeout=7s", ""), ("", " options='-c lock_timeout=7s'")])
def test_the_users_lock_timeout_wins(
    project: Project, database: Database, monkeypatch: pytest.MonkeyPatch, variable: str, options: str
) -> None:
    project.change("one", "create table public.seen as select current_setting('lock_timeout') as lock;", "select 1;")
    monkeypatch.setenv("PGOPTIONS", variable)
    migrate(database.dsn + options, db_dir=project.db_dir)
    assert database.value("select lock from public.seen") == "7s"


@pytest.mark.parametrize("style", ["German", "SQL, DMY", "Postgres, MDY"])
def test_any_date_style_will_do(
    project: Project, database: Database, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    project.table("one")
    project.table("two")
    database.run(f"alter database {database.name} set datestyle = {style}")
    migrate(database.dsn, db_dir=project.db_dir, to="one")
    before = status(database.dsn, db_dir=project.db_dir)
    assert [change.state for change in before] == ["deployed", "pending"]
    monkeypatch.setenv("PGDATESTYLE", "ISO")
    assert status(database.dsn, db_dir=project.db_dir) == before  # to the microsecond
    monkeypatch.setenv("PGDATESTYLE", style)
    assert migrate(database.dsn, db_dir=project.db_dir) == ["two"]
    assert rollback(database.dsn, to="@ROOT", db_dir=project.db_dir) == ["two", "one"]


def test_a_lock_time_out_is_explained(project: Project, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    project.table("one")
    project.change("two", "alter table public.one add column name text;", "alter table public.one drop column name;")
    migrate(database.dsn, db_dir=project.db_dir, to="one")
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=50ms")  # the user's own choice wins
    with psycopg.connect(database.admin) as reader:
        reader.execute("select from public.one")
        said = refusal(database, project)
    assert "deploy/two.sql:5: canceling statement due to lock timeout" in said
    assert "try again when they are done" in said
    assert migrate(database.dsn, db_dir=project.db_dir) == ["two"]


def test_a_migration_lets_those_pass_who_hold_what_it_needs(project: Project, database: Database) -> None:
    project.table("one")
    project.table("two")
    both = "alter table public.one {0} column name{1};\nalter table public.two {0} column name{1};"
    project.change("both", both.format("add", " text"), both.format("drop", ""))
    migrate(database.dsn, db_dir=project.db_dir, to="two")
    waits = "select exists (select from pg_locks where relation = 'public.two'::regclass and not granted)"
    with ThreadPoolExecutor() as pool, psycopg.connect(database.admin) as reader:
        reader.execute("set lock_timeout = '900ms'")
        reader.execute("select from public.two")
        told: list[str] = []
        busy = partial(told.append, "busy")
        migration = pool.submit(migrate, database.dsn, db_dir=project.db_dir, on_busy=busy)
        database.until(waits)
        reader.execute("select from public.one")  # with what the migration holds already, and waits with
        database.until("select exists (select from pg_locks where not granted)")
        database.until("select not exists (select from pg_locks where not granted)")  # it has given up again
        reader.rollback()
        assert migration.result(10) == ["both"]
        assert told == ["busy"]


def test_who_holds_it_for_too_long_is_left_in_peace(
    project: Project, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("circle27.migrations.engine.PATIENCE", 0.5)
    project.table("one")
    project.change("two", "alter table public.one add column name text;", "alter table public.one drop column name;")
    migrate(database.dsn, db_dir=project.db_dir, to="one")
    with psycopg.connect(database.admin) as reader:
        reader.execute("select from public.one")
        said = refusal(database, project)
    assert "two.sql:5: canceling statement due to lock timeout" in said
    assert "try again when they are done" in said
    assert "nothing of it was kept" in said
    assert migrate(database.dsn, db_dir=project.db_dir) == ["two"]


def test_a_script_without_a_frame_waits_longer(project: Project, database: Database) -> None:
    seen = "create table public.seen as select current_setting('lock_timeout') as lock;"
    project.change("one", seen, "select 1;", framed=False)
    migrate(database.dsn, db_dir=project.db_dir)
    assert database.value("select lock from public.seen") == "5s"


def test_an_index_built_concurrently_needs_no_frame(project: Project, database: Database) -> None:
    project.table("one")
    project.change(
        "one_id",
        "create index concurrently if not exists one_id on public.one (id);",
        "drop index concurrently public.one_id;",
        "select 1 / count(*) from pg_index where indexrelid = 'public.one_id'::regclass and indisvalid;",
        framed=False,
    )
    assert migrate(database.dsn, db_dir=project.db_dir) == ["one", "one_id"]
    assert rollback(database.dsn, to="one", db_dir=project.db_dir) == ["one_id"]
    assert database.rows("select from pg_class where relname = 'one_id'") == []


def test_a_failing_verify_undoes_what_no_transaction_holds(project: Project, database: Database) -> None:
    project.table("one")
    project.change(
        "one_id",
        "create index concurrently one_id on public.one (id);",
        "drop index concurrently public.one_id;",
        "select 1 / 0;",
        framed=False,
    )
    assert "does not run in a transaction" in refusal(database, project)
    assert database.rows("select from pg_class where relname = 'one_id'") == []
    assert database.rows("select change from sqitch.changes") == [("one",)]


def test_the_second_of_two_migrations_waits_and_finds_nothing_to_do(project: Project, database: Database) -> None:
    project.change("one", f"{PAUSE}\ncreate table public.one (id int);", "drop table public.one;")
    waiting = Event()
    with ThreadPoolExecutor() as pool, psycopg.connect(database.admin, autocommit=True) as test:
        test.execute(HOLD)
        first = pool.submit(migrate, database.dsn, db_dir=project.db_dir)
        database.until(f"select {WAITS_FOR_TEST}")
        second = pool.submit(migrate, database.dsn, db_dir=project.db_dir, on_wait=waiting.set)
        assert waiting.wait(10)
        test.execute("select pg_advisory_unlock(27)")
        assert first.result(10) == ["one"]
        assert second.result(10) == []


def test_an_index_is_built_concurrently_while_another_migration_waits(project: Project, database: Database) -> None:
    project.table("one")
    project.change("pause", PAUSE, "select 1;")
    project.change(
        "one_id", "create index concurrently one_id on public.one (id);", "drop index public.one_id;", framed=False
    )
    waiting = Event()
    with ThreadPoolExecutor() as pool, psycopg.connect(database.admin, autocommit=True) as test:
        test.execute(HOLD)
        first = pool.submit(migrate, database.dsn, db_dir=project.db_dir)
        database.until(f"select {WAITS_FOR_TEST}")
        second = pool.submit(migrate, database.dsn, db_dir=project.db_dir, on_wait=waiting.set)
        assert waiting.wait(10)
        test.execute("select pg_advisory_unlock(27)")
        assert first.result(4) == ["one", "pause", "one_id"]
        assert second.result(10) == []


def test_a_migration_that_waits_too_long_says_for_whom(project: Project, database: Database) -> None:
    project.table("one")
    with psycopg.connect(database.admin, autocommit=True) as holder:
        holder.execute("select pg_advisory_lock(75474063)")
        said = refusal(database, project, wait=0)
        assert f"pg_terminate_backend({holder.info.backend_pid})" in said
    assert migrate(database.dsn, db_dir=project.db_dir) == ["one"]


def test_a_killed_migration_leaves_nothing_and_can_be_run_again(project: Project, database: Database) -> None:
    project.table("one")
    project.change("two", f"create table public.two (id int);\n{PAUSE}", "drop table public.two;")
    command = [
        sys.executable,
        "-m",
        "circle27",
        "db",
        "--db-dir",
        str(project.db_dir),
        "--dsn",
        database.dsn,
        "migrate",
    ]
    with psycopg.connect(database.admin, autocommit=True) as test:
        test.execute(HOLD)
        with subprocess.Popen(command, env={**os.environ, "PGOPTIONS": "-c lock_timeout=0"}) as process:
            database.until(f"select {WAITS_FOR_TEST}")
            process.send_signal(signal.SIGKILL)
        assert database.rows("select change from sqitch.changes") == [("one",)]
    database.until("select count(*) = 1 from pg_stat_activity where datname = current_database()")
    assert database.rows(TABLES) == [("one",)]
    assert migrate(database.dsn, db_dir=project.db_dir) == ["two"]


def test_a_connection_lost_in_the_middle_is_one_sentence(project: Project, database: Database) -> None:
    project.change("one", "select pg_terminate_backend(pg_backend_pid());", "select 1;")
    assert "could not deploy one: " in refusal(database, project)


def test_an_edited_script_is_reported_and_not_run(project: Project, database: Database) -> None:
    project.table("one")
    project.table("two")
    migrate(database.dsn, db_dir=project.db_dir)
    project.script("deploy", "one").write_text("begin;\nselect 1 / 0;\ncommit;\n", "utf-8")
    assert [change.state for change in status(database.dsn, db_dir=project.db_dir)] == ["edited", "deployed"]
    assert migrate(database.dsn, db_dir=project.db_dir) == []


def test_another_plan_than_the_deployed_one_is_refused(project: Project, database: Database) -> None:
    project.table("one")
    start = project.plan.read_text("utf-8")
    project.table("two")
    migrate(database.dsn, db_dir=project.db_dir)
    project.plan.write_text(start, "utf-8")
    project.table("other")
    said = refusal(database, project)
    assert "the database holds two, which the plan does not have in that place" in said
    assert "--to one" in said
    assert [change.state for change in status(database.dsn, db_dir=project.db_dir)] == [
        "deployed",
        "pending",
        "unknown",
    ]
    with pytest.raises(MigrationError, match="two is deployed but not in the plan"):
        rollback(database.dsn, to="one", db_dir=project.db_dir)


def test_a_rollback_keeps_its_target(project: Project, database: Database) -> None:
    for name in ("one", "two", "three"):
        project.table(name)
        project.tag(f"at_{name}")
    migrate(database.dsn, db_dir=project.db_dir)
    assert rollback(database.dsn, to="@at_two", db_dir=project.db_dir) == ["three"]
    assert rollback(database.dsn, to="two", db_dir=project.db_dir) == []
    assert rollback(database.dsn, to="one", db_dir=project.db_dir) == ["two"]
    assert database.rows(TABLES) == [("one",)]


def test_a_rollback_to_what_is_not_there_is_refused(project: Project, database: Database) -> None:
    project.table("one")
    project.table("two")
    migrate(database.dsn, db_dir=project.db_dir, to="one")
    with pytest.raises(MigrationError, match=r"nope is not in .*sqitch\.plan"):
        rollback(database.dsn, to="nope", db_dir=project.db_dir)
    with pytest.raises(MigrationError, match=r"two is not deployed here \(the last one deployed is one\)"):
        rollback(database.dsn, to="two", db_dir=project.db_dir)


def test_a_rollback_that_was_confirmed_for_less_is_refused(project: Project, database: Database) -> None:
    project.table("one")
    project.table("two")
    migrate(database.dsn, db_dir=project.db_dir)
    with pytest.raises(MigrationError, match="migrated while you were asked"):
        rollback(database.dsn, to="@ROOT", db_dir=project.db_dir, expect=["one"])
    assert database.rows(TABLES) == [("one",), ("two",)]


def test_connection_strings_of_all_kinds(project: Project, database: Database) -> None:
    project.table("one")
    uri = f"postgresql://circle27_migrator@/{database.name}?host={database.host}&port={database.port}"
    passfile = project.root / "passfile"
    passfile.write_text("*:*:*:*:secret\n", "utf-8")
    passfile.chmod(0o600)
    assert migrate(uri, db_dir=project.db_dir) == ["one"]
    assert migrate(f"{database.dsn} passfile={passfile}", db_dir=project.db_dir) == []
