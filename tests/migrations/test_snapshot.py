"""Sources of functions and policies are frozen into one change a release."""

from pathlib import Path

import pytest

from circle27.migrations import migrate, rollback, status, verify
from circle27.migrations.errors import MigrationError
from circle27.migrations.snapshot import prepare
from tests.migrations.conftest import RELEASE, Database, Project, Sqitch, freeze, function

FUNCTIONS = """
select oid::regprocedure::text, proowner::regrole::text
from pg_proc
where pronamespace::regnamespace::text in ('app', 'audit')
order by 1
"""
POLICIES = "select policyname::text from pg_policies order by 1"


def differences(project: Project) -> list[tuple[str, str]]:
    return [(found.kind, found.path) for found in prepare(project.db_dir, "0.1.0").differences]


def test_the_snapshot_deploys_verifies_and_reverts(sources: Project, database: Database) -> None:
    assert freeze(sources).change == RELEASE
    migrate(database.dsn, db_dir=sources.db_dir, to="tables")
    before = database.dump("--exclude-schema=sqitch")
    assert migrate(database.dsn, db_dir=sources.db_dir) == [RELEASE]
    assert database.rows(FUNCTIONS) == [
        ("app.add()", "circle27_owner"),
        ("app.one()", "circle27_owner"),
        ("audit.record(text,numeric[],bigint)", "circle27_auth"),
    ]
    assert database.rows(POLICIES) == [("own; notes",)]
    assert all(check.error is None for check in verify(database.dsn, db_dir=sources.db_dir))
    after = database.dump("--exclude-schema=sqitch")
    rollback(database.dsn, to="tables", db_dir=sources.db_dir)
    assert database.dump("--exclude-schema=sqitch") == before
    migrate(database.dsn, db_dir=sources.db_dir)
    assert database.dump("--exclude-schema=sqitch") == after


@pytest.mark.parametrize(
    "drop",
    [
        "function app.one() cascade",
        "function audit.record(text, numeric[], bigint)",
        'policy "own; notes" on app.notes',
    ],
)
def test_its_verify_misses_each_thing(sources: Project, database: Database, drop: str) -> None:
    freeze(sources)
    migrate(database.dsn, db_dir=sources.db_dir)
    database.run(f"drop {drop}")
    assert verify(database.dsn, db_dir=sources.db_dir)[-1].error is not None


def test_sqitch_deploys_the_same(
    sources: Project, database: Database, other_database: Database, sqitch: Sqitch
) -> None:
    freeze(sources)
    migrate(database.dsn, db_dir=sources.db_dir)
    sqitch(sources.root, other_database, "deploy", "--verify")
    assert database.dump() == other_database.dump()


def test_twice_is_identical(sources: Project) -> None:
    freeze(sources)
    first = {path: path.read_bytes() for path in sorted(sources.top.rglob("*")) if path.is_file()}
    assert differences(sources) == []
    freeze(sources)
    assert {path: path.read_bytes() for path in sorted(sources.top.rglob("*")) if path.is_file()} == first


def test_no_personal_name_gets_in(sources: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SQITCH_FULLNAME", raising=False)
    monkeypatch.delenv("SQITCH_EMAIL", raising=False)
    freeze(sources)
    last = sources.plan.read_text("utf-8").splitlines()[-1]
    assert last.startswith(f"{RELEASE} [tables] ")
    assert "Z Circle27 <dev@circle27.invalid> #" in last


def test_requirements_come_first_and_the_rest_by_name(sources: Project) -> None:
    freeze(sources)
    lines = sources.script("deploy", RELEASE).read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("-- source: ")] == [
        "-- source: db/functions/app/one.sql",
        "-- source: db/functions/app/add.sql",
        "-- source: db/functions/audit/record.sql",
        "-- source: db/policies/notes.sql",
    ]


def test_each_difference_is_named(sources: Project) -> None:
    assert ("new", "db/functions/app/one.sql") in differences(sources)
    freeze(sources)
    sources.source("functions/app/one.sql", function("app.one", "select 2"))
    sources.source("functions/app/three.sql", function("app.three"))
    (sources.db_dir / "policies/notes.sql").unlink()
    assert differences(sources) == [
        ("changed", "db/functions/app/one.sql"),
        ("new", "db/functions/app/three.sql"),
        ("removed", "db/policies/notes.sql"),
    ]


def test_a_hand_edited_script_is_a_difference(sources: Project) -> None:
    freeze(sources)
    revert = sources.script("revert", RELEASE)
    revert.write_text(revert.read_text("utf-8").replace("drop policy", "-- drop policy"), "utf-8")
    [(kind, path)] = differences(sources)
    assert kind == "changed"
    assert path.endswith(f"revert/{RELEASE}.sql")


def test_a_later_table_goes_before_the_snapshot(sources: Project, database: Database) -> None:
    freeze(sources)
    migrate(database.dsn, db_dir=sources.db_dir)
    entry = sources.plan.read_text("utf-8").splitlines()[-1]
    sources.table("late")
    assert [path for _, path in differences(sources)] == [str(sources.plan)]
    freeze(sources)
    lines = sources.plan.read_text("utf-8").splitlines()
    assert [line.split()[0] for line in lines[3:]] == ["tables", "late", RELEASE]
    assert lines[-1] == entry.replace("[tables]", "[late]")
    # The database has it in its old place: it is taken back and deployed anew.
    assert [change.state for change in status(database.dsn, db_dir=sources.db_dir)] == ["deployed", "pending", "edited"]
    assert migrate(database.dsn, db_dir=sources.db_dir) == ["late", RELEASE]
    assert {change.state for change in status(database.dsn, db_dir=sources.db_dir)} == {"deployed"}


def test_an_edited_snapshot_is_deployed_anew_until_it_is_tagged(sources: Project, database: Database) -> None:
    freeze(sources)
    migrate(database.dsn, db_dir=sources.db_dir)
    sources.source("functions/app/one.sql", function("app.one", "select 41"))
    sources.source("functions/app/three.sql", function("app.three"))
    freeze(sources)
    assert migrate(database.dsn, db_dir=sources.db_dir) == [RELEASE]
    assert database.value("select app.add()") == 42
    assert database.value("select app.three()") == 1
    assert migrate(database.dsn, db_dir=sources.db_dir) == []
    sources.source("functions/app/one.sql", function("app.one", "select 0"))
    freeze(sources)
    sources.tag("v0.1.0")
    assert migrate(database.dsn, db_dir=sources.db_dir) == []
    assert database.value("select app.one()") == 41


def test_a_snapshot_of_another_version_takes_the_place_of_the_untagged_one(sources: Project) -> None:
    freeze(sources)
    assert freeze(sources, "0.2.0.dev3").change == "release_0_2_0"
    assert RELEASE not in sources.plan.read_text("utf-8")


def test_an_error_names_the_source(sources: Project, database: Database) -> None:
    sources.source("functions/app/one.sql", function("app.one", "select nope"))
    freeze(sources)
    with pytest.raises(MigrationError, match=rf"deploy/{RELEASE}\.sql:\d+ \(db/functions/app/one\.sql:6\): column"):
        migrate(database.dsn, db_dir=sources.db_dir)


def test_views_types_and_triggers_are_dropped_too(sources: Project, database: Database) -> None:
    sources.source(
        "functions/app/aa_text.sql",
        'create domain app."text/plain" as text;\ncomment on domain app."text/plain" is \'A media type\';\n',
    )
    sources.source(
        "functions/app/notes_view.sql",
        "-- requires: app.aa_text\ncreate view app.notes_view with (security_invoker) as select id from app.notes;\n"
        "comment on view app.notes_view is 'A view';\ngrant select on app.notes_view to authenticated;\n",
    )
    sources.source(
        "functions/app/swallow.sql",
        "-- requires: app.notes_view\ncreate or replace function app.swallow() returns trigger language plpgsql as\n"
        "$$ begin return null; end $$;\ncomment on function app.swallow() is 'A trigger';\n"
        "create trigger swallow instead of insert on app.notes_view for each row execute function app.swallow();\n",
    )
    freeze(sources)
    migrate(database.dsn, db_dir=sources.db_dir, to="tables")
    before = database.dump("--exclude-schema=sqitch")
    migrate(database.dsn, db_dir=sources.db_dir)
    assert database.value("select count(*) from pg_trigger where tgname = 'swallow'") == 1
    rollback(database.dsn, to="tables", db_dir=sources.db_dir)
    assert database.dump("--exclude-schema=sqitch") == before


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        (
            "functions/app/bad.sql",
            "create or replace function app.bad() returns int language sql as $$ select 1 $$;",
            r"bad\.sql:1: add `comment on function app\.bad",
        ),
        (
            "functions/app/bad.sql",
            "create function app.bad() returns int language sql as $$ select 1 $$;",
            r"bad\.sql:1: write `create or replace function`",
        ),
        (
            "policies/bad.sql",
            "comment on column app.notes.id is 'A number';",
            r"bad\.sql:1: `comment on column \.\.\.` has no place",
        ),
        (
            "functions/app/bad.sql",
            "select 1;\ninsert into app.notes values (1);",
            r"bad\.sql:1: `select 1 \.\.\.` has no place",
        ),
        (
            "functions/app/bad.sql",
            "comment on function app.one() is 'elsewhere';",
            r"bad\.sql:1: it comments on app\.one\(\)",
        ),
        (
            "policies/bad.sql",
            "alter table app.notes enable row level security;",
            r"bad\.sql:1: `alter table app\.notes",
        ),
        ("policies/bad.sql", "grant select on shop.notes to anon;", r"no single owner for schema shop"),
        ("functions/shop/bad.sql", function("shop.bad"), r"no single owner for schema shop"),
        (
            "functions/app/bad.sql",
            function("app.bad", requires="-- requires: app.nope"),
            r"requires app\.nope, of which",
        ),
        (
            "functions/app/bad.sql",
            function("app.bad", requires="-- requires: app.bad"),
            r"in a circle: app\.bad > app\.bad",
        ),
        ("functions/bad.sql", function("app.bad"), r"functions/bad\.sql would be left out"),
    ],
)
def test_what_cannot_be_frozen_is_refused(sources: Project, path: str, text: str, says: str) -> None:
    sources.source(path, text)
    with pytest.raises(MigrationError, match=says):
        prepare(sources.db_dir, "0.1.0")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("grant select on app.notes to authenticated", r"grants .* belong into db/policies"),
        ("grant select (id), update (body) on table public.one, app.notes to authenticated", "grants"),
        ("grant usage on all sequences in schema app to authenticated", "grants"),
        ("do $$ begin execute format('grant select on app.%I to anon', 'notes'); end $$", "grants"),
        ("create policy own on app.notes for select using (true)", r"policies .* belong into db/policies"),
        ("create function app.f() returns int language sql as 'select 1'", r"a function .* belong into db/functions"),
        ("create view app.v as select 1 as one", "a view"),
        ("create domain app.d as text", "a domain"),
        ("create type app.e as enum ('a')", "a type"),
        ("create trigger t before update on app.notes for each row execute function f()", "a trigger"),
        ("alter default privileges in schema app grant select on tables to anon", r"belong into db/roles\.sql"),
    ],
)
def test_a_migration_leaves_to_the_sources_what_a_refresh_drops(sources: Project, statement: str, says: str) -> None:
    sources.change("stray", f"select 1;\n\n{statement};", "select 1;")
    with pytest.raises(MigrationError, match=rf"deploy/stray\.sql:7: .*{says}"):
        prepare(sources.db_dir, "0.1.0")


@pytest.mark.parametrize(
    "statement",
    [
        "grant usage on schema app to authenticated",
        "grant circle27_owner to app",
        "grant select on public.one to authenticated",
        "create function public.f() returns int language sql as 'select 1; grant select on app.notes to anon'",
        "-- grant select on app.notes to authenticated\nselect 'create view app.v'",
    ],
)
def test_a_migration_may_do_all_else(sources: Project, statement: str) -> None:
    sources.change("other", f"{statement};", "select 1;")
    prepare(sources.db_dir, "0.1.0")


def test_nothing_to_freeze_is_said(project: Project) -> None:
    with pytest.raises(MigrationError, match="nothing to freeze"):
        prepare(project.db_dir, "0.1.0")


def test_the_checkouts_snapshot_is_up_to_date(request: pytest.FixtureRequest) -> None:
    assert [found.path for found in prepare().differences] == [], "run `circle27 db snapshot`"
    assert Path(request.config.rootpath / "sqitch.conf").exists()
