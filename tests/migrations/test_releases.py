"""After a tag the next release takes what differs from it, and its revert puts the former text back."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from circle27.main import cli
from circle27.migrations import migrate, rollback, status, verify
from circle27.migrations.errors import MigrationError
from circle27.migrations.releases import replaceable
from circle27.migrations.snapshot import prepare
from circle27.migrations.sources import Source
from tests.migrations.conftest import RELEASE, Database, Project, Sqitch, freeze, function

SECOND, THIRD = "release_0_2_0", "release_0_3_0"
VIEW, NOTES = "functions/app/notes_view.sql", "policies/notes.sql"
OID = "select 'app.one()'::regprocedure::oid"

TEXTS = {
    "functions/app/one.sql": function("app.one"),
    "functions/app/add.sql": function("app.add", "select app.one() + 1", requires="-- requires: app.one"),
    "functions/app/label.sql": "create domain app.label as text;\ncomment on domain app.label is 'A label';\n",
    "functions/app/old.sql": function("app.old", "select 1 where $1 <> ''", "text"),
    "functions/app/total.sql": function("app.total", "", "bigint").replace(
        "language sql\nas $function$  $function$", "language sql\nbegin atomic select app.one() + $1; end"
    ),
    "functions/app/notes_view.sql": (
        "create or replace view app.notes_view with (security_invoker) as\n"
        "select id, body::app.label as body from app.notes where app.one() > 0;\n"
        "comment on view app.notes_view is 'A view';\ncomment on column app.notes_view.id is 'A column';\n"
        "grant select on app.notes_view to authenticated;\n"
    ),
    "functions/app/above.sql": (
        "create or replace view app.above as select body from app.notes_view;\n"
        "comment on view app.above is 'A view over a view';\ngrant select on app.above to anon, authenticated;\n"
    ),
    "functions/app/swallow.sql": (
        "create or replace function app.swallow() returns trigger language plpgsql as\n"
        "$$ begin return null; end $$;\ncomment on function app.swallow() is 'A trigger';\n"
        "create trigger swallow instead of insert on app.notes_view for each row execute function app.swallow();\n"
        "comment on trigger swallow on app.notes_view is 'Of a view';\n"
        "create trigger loud after insert on app.notes for each row execute function app.swallow();\n"
    ),
    "functions/app/first.sql": function("app.first", "select * from app.notes_view")
    .replace("returns bigint", "returns setof app.notes_view")
    .replace("\n\ncreate", "\n-- requires: app.notes_view\ncreate", 1),
    "functions/audit/record.sql": function("audit.record", "select $1", "bigint"),
    "policies/notes.sql": (
        "grant select (id), insert on app.notes to authenticated;\ngrant select on app.notes to anon;\n"
        "create policy own on app.notes for select to authenticated using (app.one() > 0);\n"
        "comment on policy own on app.notes is 'One''s own';\n"
        "create policy write on app.notes for insert to authenticated with check (true);\n"
    ),
    "policies/notes_of_workers.sql": "grant select on app.notes to circle27_worker, anon;\n",
}


def rewritten(path: str, *pairs: tuple[str, str]) -> Callable[[Project], None]:
    """Return what puts one text for another in a source."""

    def change(project: Project) -> None:
        text = (project.db_dir / path).read_text("utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        project.source(path, text)

    return change


def removed(*paths: str) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        for path in paths:
            (project.db_dir / path).unlink()

    return change


def no_function_of_a_view(project: Project) -> None:
    removed("functions/app/one.sql", "functions/app/add.sql", "functions/app/total.sql")(project)
    for path in (VIEW, NOTES):
        rewritten(path, ("app.one() > 0", "true"))(project)


def new_function(project: Project) -> None:
    project.source("functions/app/three.sql", function("app.three", "select app.one() + 2"))


def new_table_and_what_uses_it(project: Project) -> None:
    project.change(
        "late",
        "set local role circle27_owner;\ncreate table app.late (id int);\nalter table app.notes add column extra text;",
        "set local role circle27_owner;\nalter table app.notes drop column extra;\ndrop table app.late;",
    )
    project.source("policies/late.sql", "grant select on app.late to authenticated;\n")
    project.source("functions/app/late.sql", function("app.count_late", "select count(extra) from app.late, app.notes"))


CHANGES: dict[str, Callable[[Project], None]] = {
    "a new function": new_function,
    "another body": rewritten("functions/app/one.sql", ("select 1", "select 41")),
    "other attributes": rewritten(
        "functions/app/one.sql", ("language sql", "language sql\nstable\nset work_mem = '1MB'")
    ),
    "another language": rewritten(
        "functions/app/one.sql", ("language sql", "language plpgsql"), ("select 1", "begin return 7; end")
    ),
    "no function": removed("functions/app/old.sql"),
    "no function of the other owner": removed("functions/audit/record.sql"),
    "another argument": rewritten("functions/app/old.sql", ("(text)", "(text, bigint)")),
    "the name of an argument": rewritten("functions/app/old.sql", ("old(text)\nr", "old(p_text text)\nr")),
    "a default": rewritten("functions/app/old.sql", ("old(text)\nr", "old(text default '')\nr")),
    "another result": rewritten("functions/app/old.sql", ("returns bigint", "returns setof bigint")),
    "an out parameter": rewritten(
        "functions/app/old.sql",
        ("old(text)\nreturns bigint", "old(text, out p_one bigint, out p_two bigint)"),
        ("select 1 where", "select 1, 2 where"),
    ),
    "a procedure for a function": rewritten(
        "functions/app/old.sql",
        ("function app.old(text)", "procedure app.old(text)"),
        ("returns bigint\n", ""),
    ),
    "the result of what views, policies and bodies call": rewritten(
        "functions/app/one.sql", ("returns bigint", "returns integer")
    ),
    "no function of a view": no_function_of_a_view,
    "no right on a function": rewritten("functions/app/one.sql", ("grant execute", "-- grant execute")),
    "another right on a function": rewritten("functions/app/one.sql", ("to authenticated", "to anon")),
    "another policy": rewritten(NOTES, ("using (app.one() > 0)", "using (id > 0)")),
    "no comment on a policy": rewritten(NOTES, ("comment on policy", "-- comment on policy")),
    "no policy": rewritten(NOTES, ("create policy write", "-- create policy write")),
    "no right on a table": rewritten(NOTES, ("grant select on app.notes to anon", "-- none")),
    "fewer rights on a table": rewritten(NOTES, ("select (id), insert", "select (id)")),
    "no policies": removed(NOTES),
    "a column appended": rewritten(VIEW, ("as body from", "as body, id + 1 as next from")),
    "a column removed": rewritten(VIEW, ("select id, ", "select "), ("comment on column app.notes_view.id", "-- ")),
    "columns in another order": rewritten(
        VIEW, ("select id, body::app.label as body", "select body::app.label as body, id")
    ),
    "a column of another type": rewritten(VIEW, ("select id,", "select id::text as id,")),
    "another condition of a view": rewritten(VIEW, ("> 0", "> 1")),
    "no comment on a column": rewritten(VIEW, ("comment on column", "-- ")),
    "other rights on a view": rewritten(VIEW, ("to authenticated", "to anon")),
    "other options of a view": rewritten(VIEW, ("security_invoker", "security_barrier")),
    "no view nor what hangs on it": removed(
        VIEW, "functions/app/above.sql", "functions/app/swallow.sql", "functions/app/first.sql"
    ),
    "another domain": rewritten("functions/app/label.sql", ("as text", "as varchar(3)")),
    "another trigger": rewritten("functions/app/swallow.sql", ("after insert", "after update")),
    "no trigger": rewritten("functions/app/swallow.sql", ("create trigger loud", "-- create trigger loud")),
    "another trigger function": rewritten("functions/app/swallow.sql", ("return null", "return new")),
    "a table and what uses it": new_table_and_what_uses_it,
}
KEEPS_OID = {
    "another body",
    "other attributes",
    "another language",
    "no right on a function",
    "another right on a function",
}


ARGUMENTS = "create or replace function app.f({}) {} as $$ begin end $$;"
QUERY = "create or replace view app.v{} as {};"


@pytest.mark.parametrize(
    ("kind", "old", "new", "fits"),
    [
        (ARGUMENTS, ("p_one text", "returns int stable"), ("p_one  text", "returns int\nlanguage sql stable"), True),
        (ARGUMENTS, ("p_one text", "returns int language sql"), ("p_two text", "returns int language sql"), False),
        (ARGUMENTS, ("p text default 'a'", "returns int"), ("p text default 'b'", "returns int"), False),
        (ARGUMENTS, ("", "returns setof app.set"), ("", "returns setof app.language"), False),
        (ARGUMENTS, ("", "returns table (rows int, a int)"), ("", "returns table (rows int, b int)"), False),
        (ARGUMENTS, ("", "language sql returns null on null input"), ("", "language sql strict"), True),
        (QUERY, ("", "select a, f(b, c) as d from t"), ("", "select a, f(b, c) as d, e from t, u"), True),
        (QUERY, ("", "select a from t"), ("", "select a"), True),
        (QUERY, ("", "select a is distinct from b, d from t"), ("", "select a is distinct from b, e from t"), False),
        (QUERY, ("", "select a, b from t"), ("", "select b, a from t"), False),
        (QUERY, ("", "select 'a,b' as c from t"), ("", "select 'a,c' as c from t"), False),
        (QUERY, ("", "select * from t"), ("", "select * from t where a"), False),
        (QUERY, ("", "select t.* from t"), ("", "select t.* from t"), False),
        (QUERY, ("(a)", "select a from t"), ("(b)", "select a from t"), False),
        (QUERY, ("", "select a from t union select b from t"), ("", "select a from t union select c from t"), False),
        (QUERY, ("", "with t as (select 1 as a) select a"), ("", "with t as (select 'x' as a) select a"), False),
    ],
)  # fmt: skip
def test_the_text_tells_what_is_replaced(
    tmp_path: Path, kind: str, old: tuple[str, str], new: tuple[str, str], fits: bool
) -> None:
    before, after = (Source.of("db/functions/app/x.sql", kind.format(*parts), tmp_path) for parts in (old, new))
    assert replaceable(before, after) == fits


@pytest.fixture
def released(sources: Project) -> Project:
    """A first release with some of everything, tagged."""
    for file in [*sources.db_dir.glob("functions/*/*.sql"), *sources.db_dir.glob("policies/*.sql")]:
        file.unlink()
    for path, text in TEXTS.items():
        sources.source(path, text)
    freeze(sources)
    sources.tag("v0.1.0")
    return sources


def dump(database: Database) -> str:
    return database.dump("--exclude-schema=sqitch")


@pytest.mark.parametrize("name", CHANGES)
def test_the_next_release_deploys_reverts_and_deploys(
    released: Project, database: Database, other_database: Database, name: str
) -> None:
    migrate(database.dsn, db_dir=released.db_dir)
    first, oid = dump(database), database.value(OID)
    CHANGES[name](released)
    assert freeze(released, "0.2.0").change == SECOND
    names = migrate(database.dsn, db_dir=released.db_dir)
    assert names[-1] == SECOND
    second = dump(database)
    assert second != first
    assert all(check.error is None for check in verify(database.dsn, db_dir=released.db_dir))
    assert name not in KEEPS_OID or database.value(OID) == oid
    # What all sources make from nothing is the same.
    fresh(released, other_database)
    assert dump(other_database) == second
    rollback(database.dsn, to="@v0.1.0", db_dir=released.db_dir)
    assert dump(database) == first
    migrate(database.dsn, db_dir=released.db_dir)
    assert dump(database) == second


def fresh(project: Project, database: Database) -> None:
    """Deploy tables and sources as if there had never been a release."""
    plan = project.plan.read_text("utf-8")
    kept = [line for line in plan.splitlines() if not re.match(r"release_|@", line)]
    copy = Project(project.root / "fresh" / "db")
    for path in project.db_dir.rglob("*.sql"):
        target = copy.db_dir / path.relative_to(project.db_dir)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    copy.plan.write_text("\n".join([*kept, ""]).replace("release_0_1_0 ", ""), "utf-8")
    freeze(copy)
    migrate(database.dsn, db_dir=copy.db_dir)


def files(project: Project) -> dict[str, str]:
    return {str(path.relative_to(project.top)): path.read_text("utf-8") for path in project.top.rglob("*.*")}


def labels(project: Project, release: str) -> list[str]:
    """Return what a release's deploy script makes (+) and takes away (-)."""
    text = project.script("deploy", release).read_text("utf-8")
    found = re.findall(r"^-- (source|removed): db/(?:functions|policies)/(.+)\.sql$", text, re.MULTILINE)
    return [f"{'+' if kind == 'source' else '-'}{name}" for kind, name in found]


def test_it_holds_what_differs_and_what_hangs_on_it(released: Project) -> None:
    removed("functions/app/old.sql")(released)
    CHANGES["another body"](released)
    freeze(released, "0.2.0")
    assert labels(released, SECOND) == ["-app/old", "+app/one"]
    CHANGES["columns in another order"](released)
    freeze(released, "0.2.0")
    hanging = ["+app/notes_view", "+app/above", "+app/first", "+app/swallow"]
    assert labels(released, SECOND) == ["-app/old", "+app/one", *hanging]
    assert released.plan.read_text("utf-8").splitlines()[-1].startswith(f"{SECOND} [{RELEASE}] ")


def test_a_view_that_is_not_written_or_replace_is_always_made_anew(released: Project) -> None:
    rewritten(VIEW, ("or replace ", ""), ("> 0", "> 1"))(released)
    freeze(released, "0.2.0")
    assert len(labels(released, SECOND)) > 1


def test_what_calls_a_dropped_function_is_checked_again(released: Project, database: Database) -> None:
    migrate(database.dsn, db_dir=released.db_dir)
    before = database.dump()
    rewritten("functions/app/one.sql", ("returns bigint", "returns text"), ("select 1", "select 'x'"))(released)
    for path in (VIEW, NOTES):
        rewritten(path, ("app.one() > 0", "true"))(released)
    removed("functions/app/total.sql")(released)
    freeze(released, "0.2.0")
    with pytest.raises(
        MigrationError, match=r"deploy/release_0_2_0\.sql:\d+ \(db/functions/app/add\.sql:6\): operator"
    ):
        migrate(database.dsn, db_dir=released.db_dir)
    assert database.dump() == before


def test_what_no_source_made_is_named_and_stops_a_drop(released: Project, database: Database) -> None:
    migrate(database.dsn, db_dir=released.db_dir)
    database.run("alter table app.notes add column mark text default app.old('')")
    CHANGES["no function"](released)
    freeze(released, "0.2.0")
    with pytest.raises(
        MigrationError, match=r"cannot drop function app\.old\(text\).*column mark of table app\.notes depends on"
    ):
        migrate(database.dsn, db_dir=released.db_dir)


def test_the_version_must_be_raised_after_a_tag(released: Project) -> None:
    assert prepare(released.db_dir, "0.1.0").differences == []
    CHANGES["another body"](released)
    for version in ("0.1.0", "0.0.9", "0.1.0.dev1"):
        with pytest.raises(
            MigrationError, match=r"differ from release 0\.1\.0, .*raise the version in pyproject\.toml"
        ):
            prepare(released.db_dir, version)
    (released.root / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n', "utf-8")
    assert prepare(released.db_dir).change == SECOND


def test_a_change_and_back_leaves_nothing(released: Project, database: Database) -> None:
    before = files(released)
    migrate(database.dsn, db_dir=released.db_dir)
    first = dump(database)
    for name in ("another body", "no function", "no policy", "a new function"):
        CHANGES[name](released)
    freeze(released, "0.2.0")
    migrate(database.dsn, db_dir=released.db_dir)
    assert files(released) != before
    for path, text in TEXTS.items():
        released.source(path, text)
    freeze(released, "0.2.0")
    assert labels(released, SECOND) == ["+app/three"]
    removed("functions/app/three.sql")(released)
    found = freeze(released, "0.2.0")
    assert (found.change, found.vanishes) == (RELEASE, True)
    assert files(released) == before
    assert prepare(released.db_dir, "0.2.0").differences == []
    # The database still has the draft, of which no script is left.
    with pytest.raises(MigrationError, match=r"holds release_0_2_0, .*rollback --to release_0_1_0`"):
        migrate(database.dsn, db_dir=released.db_dir)
    assert rollback(database.dsn, to=RELEASE, db_dir=released.db_dir) == [SECOND]
    assert dump(database) == first
    assert migrate(database.dsn, db_dir=released.db_dir) == []


def test_a_draft_of_another_version_leaves_no_file(released: Project) -> None:
    CHANGES["another body"](released)
    freeze(released, "0.2.0")
    freeze(released, "0.3.0")
    assert [name for name in files(released) if SECOND in name] == []
    assert SECOND not in released.plan.read_text("utf-8")


def test_a_third_release_after_a_second(released: Project, database: Database, other_database: Database) -> None:
    dumps = list[str]()
    migrate(database.dsn, db_dir=released.db_dir)
    dumps.append(dump(database))
    for release, names in {
        "0.2.0": ("a table and what uses it", "another result", "a column appended", "no function of the other owner"),
        "0.3.0": ("a new function", "no policy", "columns in another order"),
    }.items():
        for name in names:
            CHANGES[name](released)
        if release == "0.3.0":
            released.source("functions/audit/record.sql", TEXTS["functions/audit/record.sql"])  # it is back
        freeze(released, release)
        migrate(database.dsn, db_dir=released.db_dir)
        dumps.append(dump(database))
        released.tag(f"v{release}")
        assert prepare(released.db_dir, release).differences == []
    assert "+audit/record" in labels(released, THIRD)
    assert f"\n{SECOND} [{RELEASE} late] " in released.plan.read_text("utf-8")
    migrate(database.dsn, db_dir=released.db_dir)
    migrate(other_database.dsn, db_dir=released.db_dir)
    assert other_database.dump() == database.dump()
    assert all(check.error is None for check in verify(database.dsn, db_dir=released.db_dir))
    rollback(database.dsn, to="@v0.2.0", db_dir=released.db_dir)
    assert dump(database) == dumps[1]
    rollback(database.dsn, to="@v0.1.0", db_dir=released.db_dir)
    assert dump(database) == dumps[0]
    migrate(database.dsn, db_dir=released.db_dir)
    assert dump(database) == dumps[2]


def test_a_draft_after_a_release_is_refreshed(released: Project, database: Database, other_database: Database) -> None:
    migrate(database.dsn, db_dir=released.db_dir)
    first, oid = dump(database), database.value(OID)
    for names in (
        ["another body", "another result", "no policy"],
        ["a table and what uses it", "another domain"],
        ["no view nor what hangs on it"],
    ):
        for name in names:
            CHANGES[name](released)
        freeze(released, "0.2.0")
        assert migrate(database.dsn, db_dir=released.db_dir)[-1] == SECOND
        assert {change.state for change in status(database.dsn, db_dir=released.db_dir)} == {"deployed"}
    migrate(other_database.dsn, db_dir=released.db_dir)
    assert database.dump() == other_database.dump()
    assert database.value(OID) == oid
    rollback(database.dsn, to="@v0.1.0", db_dir=released.db_dir)
    assert dump(database) == first


def test_an_old_draft_after_a_release_is_rolled_back(released: Project, database: Database) -> None:
    migrate(database.dsn, db_dir=released.db_dir)
    first, oid = dump(database), database.value(OID)
    CHANGES["a table and what uses it"](released)
    CHANGES["another body"](released)
    CHANGES["no view nor what hangs on it"](released)
    freeze(released, "0.2.0")
    migrate(database.dsn, db_dir=released.db_dir)
    CHANGES["another result"](released)
    freeze(released, "0.2.0")
    assert rollback(database.dsn, to="@v0.1.0", db_dir=released.db_dir) == [SECOND, "late"]
    assert dump(database) == first
    assert database.value(OID) == oid


def test_a_broken_draft_after_a_release_leaves_the_old_one(released: Project, database: Database) -> None:
    CHANGES["no policy"](released)
    freeze(released, "0.2.0")
    migrate(database.dsn, db_dir=released.db_dir)
    before = database.dump()
    rewritten("functions/app/one.sql", ("select 1", "select nope"))(released)
    freeze(released, "0.2.0")
    with pytest.raises(MigrationError, match=r"release_0_2_0: db/functions/app/one\.sql:6: column .*is as it was"):
        migrate(database.dsn, db_dir=released.db_dir)
    assert database.dump() == before


def test_a_table_of_a_release_to_come_makes_only_tables(released: Project) -> None:
    released.change("stray", "create view app.v as select 1 as one;", "drop view app.v;")
    with pytest.raises(MigrationError, match=r"deploy/stray\.sql:5: a view of .* belong into db/functions"):
        prepare(released.db_dir, "0.2.0")


def test_sqitch_deploys_and_reverts_the_same(
    released: Project, database: Database, other_database: Database, sqitch: Sqitch
) -> None:
    for name in (
        "a table and what uses it",
        "another result",
        "columns in another order",
        "no policy",
        "another domain",
    ):
        CHANGES[name](released)
    freeze(released, "0.2.0")
    for step in ("deploy", "revert", "deploy"):
        if step == "deploy":
            migrate(database.dsn, db_dir=released.db_dir)
            sqitch(released.root, other_database, "deploy", "--verify")
        else:
            rollback(database.dsn, to="@v0.1.0", db_dir=released.db_dir)
            sqitch(released.root, other_database, "revert", "-y", "--to", "@v0.1.0")
        assert database.dump() == other_database.dump()
    assert "Verify successful" in sqitch(released.root, other_database, "verify")


def test_the_command_says_what_it_does(released: Project) -> None:
    project = released.root / "pyproject.toml"

    def snapshot(*options: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["db", "--db-dir", str(released.db_dir), "snapshot", *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    project.write_text('[project]\nversion = "0.1.0"\n', "utf-8")
    CHANGES["another body"](released)
    code, said = snapshot()
    assert code != 0
    assert "raise the version" in said
    project.write_text('[project]\nversion = "0.2.0"\n', "utf-8")
    code, said = snapshot("--check")
    assert code != 0
    assert "changed: db/functions/app/one.sql" in said
    assert snapshot() == (0, "changed: db/functions/app/one.sql\nWrote release_0_2_0.\n")
    assert snapshot("--check") == (0, "release_0_2_0 holds every source as it is.\n")
    released.source("functions/app/one.sql", TEXTS["functions/app/one.sql"])
    assert snapshot("--check")[0] != 0
    assert "took the draft away" in snapshot()[1]
    assert snapshot("--check") == (0, "release_0_1_0 holds every source as it is.\n")


def test_a_rollback_says_what_it_puts_back(released: Project, database: Database) -> None:
    CHANGES["another result"](released)
    freeze(released, "0.2.0")
    migrate(database.dsn, db_dir=released.db_dir)
    options = ["db", "--db-dir", str(released.db_dir), "--dsn", database.dsn]
    result = CliRunner().invoke(cli, [*options, "rollback", "--to", "@v0.1.0", "--yes"])
    assert "drops function app.old(text)\n    puts back function app.old\n" in result.output
