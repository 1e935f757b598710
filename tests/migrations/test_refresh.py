"""A changed draft takes the place of the deployed one: as if it had never been, and between two moments."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from circle27.migrations import migrate, rollback, status
from circle27.migrations.errors import MigrationError
from tests.migrations.conftest import RELEASE, Database, Project, freeze, function

REGISTRY = "select change_id, script_hash, change, committed_at from sqitch.changes order by committed_at"
EVENTS = "select event, change from sqitch.events order by committed_at"
OID = "select 'app.one()'::regprocedure::oid"


def written(project: Project, name: str, body: str = "select 1", arguments: str = "", returns: str = "bigint") -> None:
    """Write the source of a function of schema app."""
    types = re.sub(r"p_\w+ | default [^,]+", "", arguments)
    text = function(f"app.{name}", body, types).replace("returns bigint", f"returns {returns}")
    text = text.replace(f"function app.{name}({types})\n", f"function app.{name}({arguments})\n")
    project.source(f"functions/app/{name}.sql", text)


def removed(project: Project, *paths: str) -> None:
    for path in paths:
        (project.db_dir / path).unlink()


def body(project: Project) -> None:
    written(project, "one", "select 41")


def signature(project: Project) -> None:
    written(project, "old", arguments="text, bigint default 1")


def name_of_an_argument(project: Project) -> None:
    written(project, "old", "select $1 is null", arguments="p_other text", returns="boolean")


def result(project: Project) -> None:
    written(project, "old", "select 'x'", arguments="p_text text", returns="text")


def default(project: Project) -> None:
    written(project, "old", "select $1 is null", arguments="p_text text default ''", returns="boolean")


def rows_for_one(project: Project) -> None:
    written(project, "old", "select true", arguments="p_text text", returns="setof boolean")


def procedure_for_function(project: Project) -> None:
    text = "create or replace procedure app.old(p_text text) language sql as 'select 1';\n"
    project.source("functions/app/old.sql", f"{text}comment on procedure app.old(text) is 'Once a function';\n")


def no_function(project: Project) -> None:
    removed(project, "functions/app/old.sql")


def no_function_of_the_other_owner(project: Project) -> None:
    removed(project, "functions/audit/record.sql")


def no_right_on_a_function(project: Project) -> None:
    source = project.db_dir / "functions/app/one.sql"
    source.write_text(source.read_text("utf-8").replace("grant execute", "-- grant execute"), "utf-8")


def no_policy(project: Project) -> None:
    project.source("policies/notes.sql", "grant select (id) on app.notes to authenticated;\n")


def no_right_on_a_table(project: Project) -> None:
    project.source(
        "policies/notes.sql", 'create policy "own; notes" on app.notes for select to authenticated using (true);\n'
    )


def fewer_rights(project: Project) -> None:
    project.source("policies/more.sql", "grant select on app.more to anon;\n")


def no_policies(project: Project) -> None:
    removed(project, "policies/notes.sql", "policies/more.sql")


def no_view_nor_what_hangs_on_it(project: Project) -> None:
    removed(project, "functions/app/notes_view.sql", "functions/app/swallow.sql", "functions/app/first.sql")


def another_view(project: Project) -> None:
    removed(project, "functions/app/first.sql")
    source = project.db_dir / "functions/app/notes_view.sql"
    source.write_text(source.read_text("utf-8").replace("select id", "select body as raw, id"), "utf-8")


def another_domain(project: Project) -> None:
    source = project.db_dir / "functions/app/label.sql"
    source.write_text(source.read_text("utf-8").replace("as text", "as varchar(3)"), "utf-8")


def all_gone_but_one(project: Project) -> None:
    no_policies(project)
    no_view_nor_what_hangs_on_it(project)
    removed(project, *(f"functions/{path}.sql" for path in ("app/add", "app/old", "app/label", "audit/record")))


def a_table_below(project: Project) -> None:
    """Put a change into the plan that the old draft's view and policy would stand in the way of."""
    project.change(
        "wider",
        "set local role circle27_owner;\nalter table app.notes alter column id type int, add column extra text;\n"
        "create table app.late (id int);",
        "set local role circle27_owner;\ndrop table app.late; alter table app.notes drop column extra;\n"
        "alter table app.notes alter column id type bigint;",
    )
    project.source("policies/late.sql", "grant select on app.late to authenticated;\n")


CHANGES = [
    body,
    signature,
    name_of_an_argument,
    result,
    default,
    rows_for_one,
    procedure_for_function,
    no_function,
    no_function_of_the_other_owner,
    no_right_on_a_function,
    no_policy,
    no_right_on_a_table,
    fewer_rights,
    no_policies,
    no_view_nor_what_hangs_on_it,
    another_view,
    another_domain,
    all_gone_but_one,
    a_table_below,
]


@pytest.fixture
def draft(sources: Project, database: Database) -> Project:
    """A draft with some of everything, deployed."""
    sources.change(
        "more",
        "set local role circle27_owner;\ncreate table app.more (id serial);\n"
        "revoke truncate on app.more from circle27_owner;\ngrant usage on schema app to anon;",
        "set local role circle27_owner;\nrevoke usage on schema app from anon;\ndrop table app.more;",
    )
    written(sources, "old", "select $1 is null", arguments="p_text text", returns="boolean")
    sources.source(
        "functions/app/label.sql", "create domain app.label as text;\ncomment on domain app.label is 'A label';\n"
    )
    sources.source(
        "functions/app/notes_view.sql",
        "-- requires: app.one\n-- requires: app.label\n"
        "create or replace view app.notes_view with (security_invoker) as\n"
        "select id, app.one() as one, body::app.label from app.notes where app.one() > 0;\n"
        "comment on view app.notes_view is 'A view';\ncomment on column app.notes_view.id is 'A column';\n"
        "grant select on app.notes_view to authenticated;\n",
    )
    sources.source(
        "functions/app/swallow.sql",
        "-- requires: app.notes_view\ncreate or replace function app.swallow() returns trigger language plpgsql as\n"
        "$$ begin return null; end $$;\ncomment on function app.swallow() is 'A trigger';\n"
        "create trigger swallow instead of insert on app.notes_view for each row execute function app.swallow();\n"
        "create trigger loud after insert on app.more for each row execute function app.swallow();\n",
    )
    first = function("app.first", "select * from app.notes_view", requires="-- requires: app.notes_view")
    sources.source("functions/app/first.sql", first.replace("returns bigint", "returns setof app.notes_view"))
    sources.source(
        "policies/more.sql",
        "grant select, update (id) on app.more to public;\ngrant select, insert on app.more to anon;\n"
        "grant usage on sequence app.more_id_seq to anon;\n"
        "create policy counted on app.more for insert to anon with check (app.one() > 0);\n",
    )
    freeze(sources)
    migrate(database.dsn, db_dir=sources.db_dir)
    return sources


@pytest.mark.parametrize("change", CHANGES)
def test_a_refresh_leaves_what_a_migration_from_empty_makes(
    draft: Project, database: Database, other_database: Database, change: Callable[[Project], None]
) -> None:
    before = database.dump()
    change(draft)
    freeze(draft)
    assert migrate(database.dsn, db_dir=draft.db_dir)[-1] == RELEASE
    migrate(other_database.dsn, db_dir=draft.db_dir)
    after = database.dump()
    assert after == other_database.dump()
    assert after != before
    assert {change.state for change in status(database.dsn, db_dir=draft.db_dir)} == {"deployed"}
    assert migrate(database.dsn, db_dir=draft.db_dir) == []


def test_one_change_after_another_leaves_the_same_too(
    draft: Project, database: Database, other_database: Database
) -> None:
    for change in (body, result, signature, name_of_an_argument, a_table_below, all_gone_but_one):
        change(draft)
        freeze(draft)
        migrate(database.dsn, db_dir=draft.db_dir)
    migrate(other_database.dsn, db_dir=draft.db_dir)
    assert database.dump() == other_database.dump()


def test_an_old_draft_is_rolled_back_whole(draft: Project, database: Database, other_database: Database) -> None:
    signature(draft)
    no_policies(draft)
    freeze(draft)
    rollback(database.dsn, to="more", db_dir=draft.db_dir)
    migrate(other_database.dsn, db_dir=draft.db_dir, to="more")
    assert database.dump() == other_database.dump()


def test_the_registry_logs_a_revert_and_a_deploy(draft: Project, database: Database) -> None:
    body(draft)
    freeze(draft)
    kept = database.rows(REGISTRY)
    migrate(database.dsn, db_dir=draft.db_dir)
    assert database.rows(EVENTS)[-2:] == [("revert", RELEASE), ("deploy", RELEASE)]
    assert database.rows(REGISTRY)[:-1] == kept[:-1]
    assert database.rows(REGISTRY)[-1] != kept[-1]


def test_a_refresh_says_so_before_and_names_what_it_deployed_after(draft: Project, database: Database) -> None:
    a_table_below(draft)
    freeze(draft)
    said: list[str] = []
    migrate(
        database.dsn,
        db_dir=draft.db_dir,
        on_change=said.append,
        on_refresh=lambda name: said.append(f"refreshes {name}"),
    )
    assert said == [f"refreshes {RELEASE}", "wider", RELEASE]


@contextmanager
def nothing_changes(database: Database) -> Iterator[None]:
    """Fail unless dump, registry and events stay, and the functions work."""
    before = database.dump(), database.rows(REGISTRY), database.rows(EVENTS), database.value(OID)
    yield
    assert (database.dump(), database.rows(REGISTRY), database.rows(EVENTS), database.value(OID)) == before
    assert database.value("select app.add()") == 2


@pytest.mark.parametrize("text", ["select nope", "select 1 / 0 from nope"])
def test_a_broken_source_leaves_the_old_draft(draft: Project, database: Database, text: str) -> None:
    a_table_below(draft)
    written(draft, "one", text)
    no_policies(draft)
    freeze(draft)
    with (
        nothing_changes(database),
        pytest.raises(
            MigrationError, match=r"release_0_1_0: db/functions/app/one\.sql:6: .*release_0_1_0 is as it was"
        ),
    ):
        migrate(database.dsn, db_dir=draft.db_dir)


def test_a_failing_verify_leaves_the_old_draft(draft: Project, database: Database) -> None:
    body(draft)
    freeze(draft)
    script = draft.script("verify", RELEASE)
    script.write_text(script.read_text("utf-8").replace("rollback;", "select 1 / 0;\nrollback;"), "utf-8")
    with nothing_changes(database), pytest.raises(MigrationError, match="division by zero"):
        migrate(database.dsn, db_dir=draft.db_dir)


def test_a_lock_timeout_leaves_the_old_draft(
    draft: Project, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    body(draft)
    freeze(draft)
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=50ms")
    with nothing_changes(database), psycopg.connect(database.admin) as reader:
        reader.execute("select from app.notes")
        with pytest.raises(MigrationError, match=r"could not refresh release_0_1_0: .*lock timeout.*is as it was"):
            migrate(database.dsn, db_dir=draft.db_dir)
    assert migrate(database.dsn, db_dir=draft.db_dir) == [RELEASE]


def test_what_else_depends_on_a_function_is_named_and_kept(draft: Project, database: Database) -> None:
    database.run("alter table app.more add column mark boolean default app.old('')")
    no_function(draft)
    freeze(draft)
    with (
        nothing_changes(database),
        pytest.raises(
            MigrationError,
            match=r"cannot drop function app\.old\(text\).*column mark of table app\.more depends on .*Only sources",
        ),
    ):
        migrate(database.dsn, db_dir=draft.db_dir)


def test_what_depends_on_a_function_that_stays_is_no_obstacle(draft: Project, database: Database) -> None:
    database.run("alter table app.more add column mark bigint default app.one()")
    oid = database.value(OID)
    body(draft)
    another_view(draft)
    freeze(draft)
    assert migrate(database.dsn, db_dir=draft.db_dir) == [RELEASE]
    assert database.value(OID) == oid
    assert database.value("insert into app.more default values returning mark") == 41


def test_what_the_owners_do_not_own_stays(draft: Project, database: Database) -> None:
    database.run("create function app.by_hand() returns int language sql as 'select 7'")
    body(draft)
    freeze(draft)
    migrate(database.dsn, db_dir=draft.db_dir)
    assert database.value("select app.by_hand()") == 7


def test_a_change_below_that_needs_no_transaction_is_refused(draft: Project, database: Database) -> None:
    deploy = "create index concurrently notes_id on app.notes (id);"
    draft.change("index", deploy, "drop index app.notes_id;", framed=False)
    freeze(draft)
    with (
        nothing_changes(database),
        pytest.raises(MigrationError, match=r"index does not run in a transaction.*rollback --to more`"),
    ):
        migrate(database.dsn, db_dir=draft.db_dir)


@pytest.mark.parametrize("where", ["plan", "database"])
def test_a_released_snapshot_is_never_refreshed(draft: Project, database: Database, where: str) -> None:
    plan = draft.plan.read_text("utf-8")
    body(draft)
    if where == "database":
        draft.tag("v0.1.0")
        migrate(database.dsn, db_dir=draft.db_dir)
        draft.plan.write_text(plan, "utf-8")  # an older checkout
        freeze(draft)
    else:
        freeze(draft)
        draft.tag("v0.1.0")
    with nothing_changes(database):
        assert migrate(database.dsn, db_dir=draft.db_dir) == []
    assert status(database.dsn, db_dir=draft.db_dir)[-1].state == "edited"


def test_callers_see_no_moment_without_the_function(draft: Project, database: Database) -> None:
    # Two that are not inlined, and a scan: it lets a call learn of the commit between its plan and its start.
    query = "select app.outer(), app.inner() from pg_class where oid = 1259 and app.inner() > 0"
    for name, expression in {"outer": "app.one() + app.inner()", "inner": "1"}.items():
        text = function(f"app.{name}", f"begin return {expression}; end")
        draft.source(f"functions/app/{name}.sql", text.replace("language sql", "language plpgsql security definer"))
    freeze(draft)
    migrate(database.dsn, db_dir=draft.db_dir)
    stop, errors, calls = threading.Event(), list[str](), list[int]()

    def call(threshold: int | None) -> None:
        with psycopg.connect(database.admin, autocommit=True, prepare_threshold=threshold) as connection:
            count = 0
            while not stop.is_set():
                try:
                    connection.execute(query.encode())
                    count += 1
                except psycopg.Error as error:
                    errors.append(str(error))
            calls.append(count)

    callers = [threading.Thread(target=call, args=[threshold]) for threshold in (None, 0, None, 0)]
    for caller in callers:
        caller.start()
    try:
        for number in range(30):
            written(draft, "one", f"select {number + 1}")
            freeze(draft)
            migrate(database.dsn, db_dir=draft.db_dir)
    finally:
        stop.set()
        for caller in callers:
            caller.join()
    assert errors == []
    assert min(calls) > 30
