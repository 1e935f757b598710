"""A rehearsal does all that a migration does, tells its locks, and leaves nothing."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from circle27.migrations import Rehearsed, migrate, rehearse
from circle27.migrations.errors import MigrationError
from tests.migrations.conftest import RELEASE, Database, Project, freeze
from tests.migrations.test_commands import Shell

MODES = [
    ("lock table public.one in row share mode", "blocks no reads or writes of public.one, only DDL", "ROW SHARE"),
    ("insert into public.one values (1)", "blocks no reads or writes of public.one, only DDL", "ROW EXCLUSIVE"),
    (
        "alter table public.one alter id set statistics 9",
        "blocks no reads or writes of public.one, only DDL and vacuum",
        "SHARE UPDATE EXCLUSIVE",
    ),
    ("create index on public.one (id)", "blocks writes of public.one", "SHARE"),
    (
        "create trigger t after update on public.one for each row execute function tsvector_update_trigger()",
        "blocks writes of public.one",
        "SHARE ROW EXCLUSIVE",
    ),
    (
        "lock table public.one in exclusive mode",
        "blocks writes of public.one, and select for update",
        "EXCLUSIVE",
    ),
    ("alter table public.one add name text", "blocks reads and writes of public.one", "ACCESS EXCLUSIVE"),
]


def whole(database: Database) -> str:
    """Return schema, rows and registry."""
    command = ["pg_dump", "-d", database.admin]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return "\n".join(line for line in lines if "restrict" not in line)


@contextmanager
def nothing_is_kept(database: Database) -> Iterator[None]:
    before = whole(database)
    yield
    assert whole(database) == before


def steps(project: Project, database: Database, to: str | None = None) -> list[Rehearsed]:
    """Rehearse; return the steps."""
    found: list[Rehearsed] = []
    with nothing_is_kept(database):
        assert rehearse(database.dsn, db_dir=project.db_dir, to=to, on_unit=found.append) is None
    return found


def names(found: list[Rehearsed]) -> list[list[str]]:
    return [step.names for step in found]


def locks(step: Rehearsed) -> list[tuple[str, str]]:
    return [(lock.relation, lock.mode) for lock in step.locks]


@pytest.fixture
def one(project: Project, database: Database) -> Project:
    """A table that is deployed."""
    project.table("one")
    migrate(database.dsn, db_dir=project.db_dir)
    return project


def test_an_empty_database_stays_empty(project: Project, database: Database) -> None:
    project.table("one")
    project.tag("v0.0.1")
    project.table("two", needs="one")
    assert names(steps(project, database)) == [["one"], ["two"]]
    assert names(steps(project, database, to="@v0.0.1")) == [["one"]]
    assert database.value("select to_regnamespace('sqitch')") is None


def test_the_real_plan_can_be_rehearsed(database: Database) -> None:
    found: list[Rehearsed] = []
    with nothing_is_kept(database):
        assert rehearse(database.dsn, on_unit=found.append) is None
    assert names(found)[0] == ["schemas"]
    assert names(found)[-1] == [RELEASE]
    assert [step.locks for step in found if step.locks] == []  # nothing was there before
    assert len(migrate(database.dsn)) == len(found)


@pytest.mark.parametrize(("statement", "meaning", "mode"), MODES, ids=[mode for *_, mode in MODES])
def test_each_lock_is_told_in_words(one: Project, database: Database, statement: str, meaning: str, mode: str) -> None:
    one.change("two", f"{statement};", "select 1;")
    (step,) = steps(one, database)
    (lock,) = step.locks
    assert str(lock).startswith(f"{meaning} for ")
    assert str(lock).endswith(f" ms ({mode})")


def test_what_only_readers_take_and_what_is_new_is_left_out(one: Project, database: Database) -> None:
    one.change(
        "two",
        "select from public.one; create table public.two (id int primary key); create index on public.two (id);\n"
        "create view public.seen as select id from public.one; drop view public.seen;\n"
        "alter table public.two add x int;",
        "drop table public.two;",
        "select id from public.two;",
    )
    (step,) = steps(one, database)
    assert step.locks == []


def test_the_strongest_lock_of_each_table_comes_once_and_first(one: Project, database: Database) -> None:
    database.run("create table public.referred (id int primary key); create table public.busy (id int)")
    database.run("grant all on all tables in schema public to circle27_migrator")
    database.run("alter table public.referred owner to circle27_migrator; create index one_idx on public.one (id)")
    one.change(
        "two",
        "insert into public.busy values (1);\nalter table public.one add other int references public.referred (id);\n"
        "insert into public.one values (1);",
        "alter table public.one drop column other;",
    )
    (step,) = steps(one, database)
    assert locks(step) == [
        ("public.one", "AccessExclusiveLock"),
        ("public.referred", "ShareRowExclusiveLock"),
        ("public.busy", "RowExclusiveLock"),
    ]


def test_an_index_is_told_where_its_table_is_locked_less(one: Project, database: Database) -> None:
    database.run("create index one_idx on public.one (id)")
    one.change("two", "reindex index public.one_idx;", "select 1;")
    (step,) = steps(one, database)
    assert locks(step) == [("public.one_idx", "AccessExclusiveLock"), ("public.one", "ShareLock")]


def test_an_index_is_left_out_where_its_table_is_locked_as_much(one: Project, database: Database) -> None:
    database.run("create index one_idx on public.one (id)")
    one.change("two", "truncate public.one;", "select 1;")
    (step,) = steps(one, database)
    assert locks(step) == [("public.one", "AccessExclusiveLock")]


def test_the_time_of_a_lock_runs_from_its_statement_to_the_end_of_the_change(one: Project, database: Database) -> None:
    database.run("create table public.late (id int); alter table public.late owner to circle27_migrator")
    one.change(
        "two",
        "alter table public.one add a int;\nselect pg_sleep(0.1);\nalter table public.late add a int;\n"
        "select pg_sleep(0.1);",
        "select 1;",
    )
    one.change("three", "alter table public.late add b int;", "select 1;")
    first, second = steps(one, database)
    held = {lock.relation: lock.seconds for lock in first.locks}
    assert 0.1 <= held["public.late"] <= held["public.one"] - 0.1 + 0.05
    assert 0.2 <= held["public.one"] <= first.seconds
    assert second.seconds < first.seconds


def test_a_lock_that_was_taken_already_counts_with_what_is_added(one: Project, database: Database) -> None:
    one.change("two", "alter table public.one add a int;", "select 1;")
    one.change("three", "insert into public.one values (1);", "select 1;")
    one.change("four", "select from public.one;", "select 1;")
    assert [locks(step) for step in steps(one, database)] == [[("public.one", "AccessExclusiveLock")]] * 2 + [[]]


def test_changes_build_on_each_other_and_verify_runs(one: Project, database: Database) -> None:
    one.change("two", "alter table public.one add a int;", "select 1;", "select a from public.one;")
    one.change("three", "update public.one set a = 1;", "select 1;", "select 1 / 0;")
    with (
        nothing_is_kept(database),
        pytest.raises(MigrationError, match=r"deploy three: .*verify/three\.sql:5: division"),
    ):
        rehearse(database.dsn, db_dir=one.db_dir, on_unit=lambda _: None)


def test_what_the_commit_would_refuse_is_found(one: Project, database: Database) -> None:
    one.change(
        "two",
        "create table public.two (id int primary key, other int references public.two deferrable initially deferred);\n"
        "insert into public.two values (1, 2);",
        "select 1;",
    )
    with nothing_is_kept(database), pytest.raises(MigrationError, match=r"deploy two: .*violates foreign key"):
        rehearse(database.dsn, db_dir=one.db_dir, on_unit=lambda _: None)
    two = one.script("deploy", "two")
    two.write_text(two.read_text("utf-8").replace("(1, 2)", "(1, 2), (2, 1)"), "utf-8")
    # What hangs on a deferred check does not hinder the next change, and it may defer, too.
    one.change(
        "three",
        "alter table public.two add x int;\n"
        "insert into public.two values (3, 4);\ninsert into public.two values (4, 3);",
        "select 1;",
    )
    assert names(steps(one, database)) == [["two"], ["three"]]
    assert migrate(database.dsn, db_dir=one.db_dir) == ["two", "three"]


def test_it_ends_before_a_change_without_a_transaction(one: Project, database: Database) -> None:
    one.table("two")
    one.change("one_idx", "create index concurrently one_idx on public.one (id);", "select 1;", framed=False)
    one.table("three")
    found: list[Rehearsed] = []
    with nothing_is_kept(database):
        assert rehearse(database.dsn, db_dir=one.db_dir, on_unit=found.append) == "one_idx"
    assert names(found) == [["two"]]


def test_a_refresh_is_rehearsed_as_one_step(sources: Project, database: Database) -> None:
    freeze(sources)
    migrate(database.dsn, db_dir=sources.db_dir)
    sources.change("wider", "set local role circle27_owner;\nalter table app.notes add extra text;", "select 1;")
    sources.source("policies/notes.sql", "grant select on app.notes to authenticated;\n")
    freeze(sources)
    (step,) = steps(sources, database)
    assert (step.names, step.refreshes) == (["wider", RELEASE], True)
    assert locks(step) == [("app.notes", "AccessExclusiveLock")]
    assert migrate(database.dsn, db_dir=sources.db_dir) == ["wider", RELEASE]


def test_it_gives_up_soon_where_others_are_at_work(one: Project, database: Database) -> None:
    one.change(
        "two",
        "select 1 / (current_setting('lock_timeout') = '200ms')::int;\nalter table public.one add a int;",
        "select 1;",
    )
    with psycopg.connect(database.admin) as reader:
        reader.execute("select from public.one")
        with pytest.raises(MigrationError, match="lock timeout"):
            rehearse(database.dsn, db_dir=one.db_dir, on_unit=lambda _: None)


def test_a_migration_waits_for_a_rehearsal(one: Project, database: Database) -> None:
    one.change("two", "select pg_advisory_xact_lock(27);\ncreate table public.two (id int);", "select 1;")
    with ThreadPoolExecutor() as pool, psycopg.connect(database.admin, autocommit=True) as test:
        test.execute("select pg_advisory_lock(27)")
        rehearsal = pool.submit(
            rehearse, f"{database.dsn} options='-c lock_timeout=0'", db_dir=one.db_dir, on_unit=print
        )
        database.until("select exists (select from pg_locks where locktype = 'advisory' and not granted)")
        with pytest.raises(MigrationError, match="another migration"):
            migrate(database.dsn, db_dir=one.db_dir, wait=0)
        test.execute("select pg_advisory_unlock(27)")
        assert rehearsal.result(10) is None


def test_the_commands_say_it(one: Project, database: Database) -> None:
    shell = Shell(one, database)
    one.change("two", "alter table public.one add a int;", "select 1;")
    one.table("three")
    lines = shell("migrate", "--rehearse").output.splitlines()
    assert lines[0].startswith("+ two: ")
    assert lines[1].startswith("    blocks reads and writes of public.one for ")
    assert lines[2].startswith("+ three: ")
    assert lines[-1] == "Rolled back: nothing was kept."
    printed = shell("plan", "--locks").output
    assert printed.index("-- + two") < printed.index("--     blocks reads") < printed.index("alter table public.one")
    assert "--     blocks nobody\n-- Deploy circle27:three" in printed
    assert "blocks" not in shell("plan").output
    one.change("one_idx", "create index concurrently one_idx on public.one (id);", "select 1;", framed=False)
    result = shell("migrate", "--rehearse")
    assert result.exit_code == 1
    assert "the rehearsal ends before one_idx, which does not run in a transaction" in result.stderr
    assert "`circle27 db migrate --to one_idx`" in result.stderr
    assert "-- + one_idx (not in a transaction)\n--     not measured: " in shell("plan", "--locks").output
    assert shell("migrate").exit_code == 0
    assert shell("migrate", "--rehearse").output == "Nothing to deploy.\n"
