"""`circle27 db drift` and `circle27 db schema`: each planted difference is found and named, and nothing else is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from circle27.main import cli
from circle27.migrations import migrate
from circle27.migrations.drift import Difference, _other_words
from circle27.paths import DB
from tests.migrations.conftest import Database, Project, empty_database

CLEAN = "No drift: the database is what this version makes.\n"
PARTITION = """
set role circle27_auth;
create table audit.log_2036 partition of audit.log
for values from ('2036-01-01 00:00:00+00') to ('2037-01-01 00:00:00+00');
alter table audit.log_2036 enable row level security;
revoke update, delete, truncate on audit.log_2036 from circle27_auth;
"""

# What somebody did by hand -> what `db drift` says about it.
PLANTED = {
    "body of a function": (
        "create or replace function app.clock() returns timestamptz language plpgsql as 'begin return now(); end'",
        "function app.clock() differs from the sources",
    ),
    "security definer": (
        "alter function api.block_user(uuid) security invoker",
        "function api.block_user(uuid): security differs: this version says `security definer`, "
        "the database `security invoker`",
    ),
    "search_path": (
        "alter function api.block_user(uuid) set search_path = public",
        "function api.block_user(uuid): set search_path differs: this version says "
        "`set search_path = pg_catalog, pg_temp`, the database `set search_path = public`",
    ),
    "setting of a function": (
        "alter function api.block_user(uuid) set work_mem = '1GB'",
        "function api.block_user(uuid): set work_mem: nothing in this version says `set work_mem = 1GB`",
    ),
    "volatility": (
        "alter function api.my_circle(timestamptz) volatile",
        "function api.my_circle(timestamp with time zone): volatility differs: this version says `stable`, "
        "the database `volatile`",
    ),
    "grant on a table": (
        "grant select on app.users to authenticated",
        "authenticated may select on app.users; nothing in this version says so",
    ),
    "grant on a column": (
        "grant select (email) on app.users to authenticated",
        "authenticated may select (email) on app.users; nothing in this version says so",
    ),
    "grant on a view": (
        "grant delete on api.circles to anon",
        "anon may delete on api.circles; nothing in this version says so",
    ),
    "grant on a function to everyone": (
        "grant execute on function app.lock_key(text, text, timestamptz) to public",
        "public may execute function app.lock_key(text,text,timestamp with time zone); nothing in this version says so",
    ),
    "grant on a schema": (
        "grant create on schema api to authenticated",
        "authenticated may create on schema api; nothing in this version says so",
    ),
    "grant on a sequence": (
        "grant usage on sequence app.version_seq to anon",
        "anon may use sequence app.version_seq; nothing in this version says so",
    ),
    "grant with grant option": (
        "grant usage on schema api to anon with grant option",
        "anon may use schema api with grant option; nothing in this version says so",
    ),
    "grant to a role that is not ours": (
        "grant select on app.users to pg_monitor",
        "pg_monitor may select on app.users; nothing in this version says so",
    ),
    "grant on a partition": (
        "grant select on audit.log_2027 to authenticated",
        "authenticated may select on audit.log_2027; nothing in this version says so",
    ),
    "right that the owner shall not have": (
        "grant delete on audit.log to circle27_auth",
        "circle27_auth may delete on audit.log; nothing in this version says so",
    ),
    "revoked grant": (
        "revoke execute on function api.block_user(uuid) from authenticated",
        "authenticated may not execute function api.block_user(uuid); this version says it may",
    ),
    "revoked grant on a column": (
        "revoke select (display_name) on app.users from authenticated",
        "authenticated may not select (display_name) on app.users; this version says it may",
    ),
    "default privileges": (
        "alter default privileges for role circle27_owner in schema app grant select on tables to anon",
        "default privileges of circle27_owner: nothing in this version says `alter default privileges for role "
        "circle27_owner in schema app grant select on tables to anon;`",
    ),
    "default privileges taken back": (
        "alter default privileges for role circle27_owner grant execute on functions to public",
        "default privileges of circle27_owner: this version says `alter default privileges for role circle27_owner "
        "revoke execute on functions from public;`",
    ),
    "dropped policy": (
        "drop policy own_row on app.users",
        "table app.users: policy own_row is missing: this version says `create policy own_row on app.users for select "
        "to authenticated using (user_id = (( SELECT app.my_id() AS my_id)));`",
    ),
    "loosened policy": (
        "alter policy own_row on app.users using (true)",
        "table app.users: policy own_row differs: this version says `create policy own_row on app.users for select to "
        "authenticated using (user_id = (( SELECT app.my_id() AS my_id)));`, the database `create policy own_row on "
        "app.users for select to authenticated using (true);`",
    ),
    "policy for another role": (
        "alter policy own_row on app.users to public",
        "table app.users: policy own_row differs",
    ),
    "row level security disabled": (
        "alter table app.users disable row level security",
        "table app.users: row level security is missing: this version says `alter table app.users enable row level "
        "security;`",
    ),
    "row level security of a partition disabled": (
        "alter table audit.log_2030 disable row level security",
        "table audit.log_2030: row level security is missing",
    ),
    "dropped constraint": (
        "alter table app.users drop constraint users_tier_known",
        "table app.users: constraint users_tier_known is missing",
    ),
    "changed constraint": (
        "alter table app.users drop constraint users_tier_known, add constraint users_tier_known check (tier <> '')",
        "table app.users: constraint users_tier_known differs: this version says `constraint users_tier_known CHECK "
        "(tier = ANY (ARRAY['user'::text, 'pro'::text, 'operator'::text]))`, the database `constraint "
        "users_tier_known CHECK (tier <> ''::text)`",
    ),
    "constraint that was not validated": (
        "alter table app.circles drop constraint circles_time_slot_fkey, add constraint circles_time_slot_fkey "
        "foreign key (campus_id, time_slot) references app.time_slots on delete cascade not valid",
        "ON DELETE CASCADE NOT VALID`",
    ),
    "extra column": (
        "alter table app.users add column phone text",
        "table app.users: column phone: nothing in this version says `phone text`",
    ),
    "dropped column": (
        "alter table app.campuses drop column mix_attribute",
        "table app.campuses: column mix_attribute is missing: this version says `mix_attribute text`",
    ),
    "type of a column": (
        "alter table app.campuses alter column size_min type bigint",
        "table app.campuses: column size_min differs: this version says `size_min integer default 3 not null`, the "
        "database `size_min bigint default 3 not null`",
    ),
    "changed default": (
        "alter table app.users alter column tier set default 'pro'",
        "table app.users: column tier differs: this version says `tier text default 'user'::text not null`, the "
        "database `tier text default 'pro'::text not null`",
    ),
    "dropped not null": (
        "alter table app.users alter column email drop not null",
        "table app.users: column email differs: this version says `email text not null`, the database `email text`",
    ),
    "dropped index": (
        "drop index app.users_user_id_idx",
        "table app.users: index users_user_id_idx is missing",
    ),
    "other index": (
        "create index by_hand on app.users (display_name)",
        "table app.users: index by_hand: nothing in this version says",
    ),
    "invalid index": (
        "update pg_index set indisvalid = false where indexrelid = 'app.users_user_id_idx'::regclass",
        "table app.users: nothing in this version says `index app.users_user_id_idx is not valid;`",
    ),
    "invalid index of a key": (
        "update pg_index set indisvalid = false where indexrelid = 'app.users_pkey'::regclass",
        "table app.users: nothing in this version says `index app.users_pkey is not valid;`",
    ),
    "trigger": (
        "create trigger by_hand after insert on app.users execute function app.write_waitlist_entry()",
        "table app.users: trigger by_hand: nothing in this version says",
    ),
    "dropped trigger": (
        "drop trigger waitlist_entries_write on api.waitlist_entries",
        "view api.waitlist_entries: trigger waitlist_entries_write is missing",
    ),
    "foreign keys out of work": (
        "alter table app.blocks disable trigger all",
        "table app.blocks: disable trigger of blocks_user_fkey: nothing in this version says",
    ),
    "owner of a table": (
        "alter table app.users owner to circle27_migrator",
        "table app.users: the owner differs: this version says `alter table app.users owner to circle27_owner;`, the "
        "database `alter table app.users owner to circle27_migrator;`",
    ),
    "owner of a function": (
        "alter function app.clock() owner to postgres",
        "function app.clock(): the owner differs",
    ),
    "owner of a schema": ("alter schema ops owner to postgres", "schema ops: the owner differs"),
    "extra function": (
        "create function app.hotfix(text) returns text language sql as 'select $1'",
        "function app.hotfix(text): nothing in this version makes it",
    ),
    "second signature of a function": (
        "create function app.clock(text) returns text language sql as 'select $1'",
        "function app.clock(text): nothing in this version makes it",
    ),
    "dropped function": (
        "drop function api.my_profile()",
        "function api.my_profile() is missing",
    ),
    "default of an argument": (
        "create or replace function api.block_user(p_user_id uuid default null) returns jsonb language plpgsql "
        "security definer as 'begin end'",
        "function api.block_user(uuid): the definition differs",
    ),
    "changed view": (
        "create or replace view api.circles with (security_invoker = true) as "
        "select campus_id, time_slot, circle_no, spot_id from app.circles where campus_id <> 'x'",
        "view api.circles: the query differs",
    ),
    "view with its owner's rights": (
        "alter view api.circles reset (security_invoker)",
        "view api.circles: the storage options is missing: this version says `alter view api.circles set "
        "(security_invoker=true);`",
    ),
    "extra table": ("create table app.notes (id int)", "table app.notes: nothing in this version makes it"),
    "dropped table": ("drop table app.feedback_about cascade", "table app.feedback_about is missing"),
    "extra type": ("create domain app.word as text", "type app.word: nothing in this version makes it"),
    "sequence": ("alter sequence app.version_seq cache 50", "sequence app.version_seq: the definition differs"),
    "hotfix of auth.uid()": (
        "create or replace function auth.uid() returns uuid language sql stable parallel safe as 'select null::uuid'",
        "function auth.uid() differs from the sources",
    ),
}


@pytest.fixture(scope="module")
def deployed(server: Any) -> Iterator[Database]:
    """One database of this version, which no test changes."""
    with empty_database(server) as made:
        migrate(made.dsn)
        yield made


@pytest.fixture
def own(deployed: Database) -> Iterator[Database]:
    """A copy of it."""
    made = Database(deployed.host, deployed.port, f"{deployed.name}_copy")
    admin = f"host={made.host} port={made.port} dbname=postgres user=postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"create database {made.name} template {deployed.name}".encode())
        yield made
        connection.execute(f"drop database {made.name} with (force)".encode())


def circle27(*arguments: str, db_dir: Path = DB) -> Result:
    result = CliRunner().invoke(cli, ["db", "--db-dir", str(db_dir), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def drift(dsn: str, *options: str, db_dir: Path = DB) -> Result:
    return circle27("drift", "--dsn", dsn, *options, db_dir=db_dir)


def assert_clean(dsn: str) -> None:
    result = drift(dsn)
    assert result.output == CLEAN
    assert result.exit_code == 0


@pytest.mark.parametrize(("statement", "message"), PLANTED.values(), ids=PLANTED.keys())
def test_planted_drift_is_named(own: Database, statement: str, message: str) -> None:
    own.run(statement)
    result = drift(own.dsn)
    assert result.exit_code == 1
    assert any(line.startswith(message) or line.endswith(message) for line in result.output.splitlines()), result.output


ALONE = [
    name for name in PLANTED if name.startswith(("grant", "dropped policy", "loosened", "changed default", "body"))
]


@pytest.mark.parametrize("name", ALONE)
def test_nothing_else_is_named(own: Database, name: str) -> None:
    statement, message = PLANTED[name]
    own.run(statement)
    found = json.loads(drift(own.dsn, "--json").output)["differences"]
    assert [difference["message"] for difference in found] == [message]


def test_a_disabled_trigger_is_named(own: Database) -> None:
    own.run("create trigger t after insert on app.users execute function app.write_waitlist_entry()")
    before = drift(own.dsn).output
    own.run("alter table app.users disable trigger t")
    assert set(drift(own.dsn).output.splitlines()) - set(before.splitlines()) == {
        "table app.users: disable trigger t: nothing in this version says `alter table app.users disable trigger t;`"
    }


def test_a_hotfix_is_shown_as_a_diff(own: Database) -> None:
    definition = own.value("select pg_get_functiondef('app.clock()'::regprocedure)")
    own.run(definition.replace("return pg_catalog", "-- a hotfix\n  return pg_catalog"))
    expected = (
        "function app.clock() differs from the sources\n"
        "--- this version\n+++ the database\n@@ -1,3 +1,4 @@\n begin\n+  -- a hotfix\n"
        "   return pg_catalog.clock_timestamp() + (select clock_offset.time_offset from app.clock_offset);\n end;\n"
    )
    assert drift(own.dsn).output == expected
    (found,) = json.loads(drift(own.dsn, "--json").output)["differences"]
    assert (found["kind"], found["object"]) == ("changed", "function app.clock()")
    assert found["diff"] in expected


def test_json_tells_missing_extra_and_changed(own: Database) -> None:
    own.run(
        "drop index app.users_user_id_idx; create table app.notes (id int); alter table app.users owner to postgres"
    )
    found = json.loads(drift(own.dsn, "--json").output)["differences"]
    assert {(row["kind"], row["object"]) for row in found} == {
        ("extra", "table app.notes"),
        ("missing", "table app.users"),
        ("changed", "table app.users"),
    }
    assert json.loads(drift(own.dsn, "--json").output) == {"differences": found}


def test_a_fresh_database_is_clean(deployed: Database) -> None:
    assert_clean(deployed.dsn)
    assert json.loads(drift(deployed.dsn, "--json").output) == {"differences": []}


def test_data_are_no_drift(own: Database) -> None:
    campus = ["add", "yale", "--name", "Yale", "--time-zone", "America/New_York", "--domain", "yale.edu"]
    for arguments in (["campus", *campus], ["seed", "--campus", "yale", "--users", "30", "--days", "2"]):
        assert CliRunner().invoke(cli, [*arguments, "--dsn", own.dsn]).exit_code == 0
    own.run("analyze; select nextval('app.version_seq')")
    assert_clean(own.dsn)


def test_a_partition_like_the_others_is_no_drift(own: Database) -> None:
    own.run(PARTITION)
    own.run(
        "drop table audit.log_2026; alter table audit.log detach partition audit.log_2027; drop table audit.log_2027"
    )
    assert_clean(own.dsn)


def test_a_partition_unlike_the_others_is(own: Database) -> None:
    own.run(PARTITION.replace("truncate", "references"))
    assert drift(own.dsn).output == (
        "circle27_auth may truncate on audit.log_2036; nothing in this version says so\n"
        "circle27_auth may not references on audit.log_2036; this version says it may\n"
    )


def test_the_order_of_creation_is_no_drift(own: Database) -> None:
    own.run("drop index app.users_user_id_idx; create index users_user_id_idx on app.users (user_id, campus_id)")
    own.run("alter table app.time_slots drop column match_report; alter table app.time_slots add match_report jsonb")
    own.run(
        "alter table app.time_slots add constraint time_slots_report_of_a_match "
        "check (match_report is null or matched_at is not null)"
    )
    for command in ("rollback", "migrate"):
        done = circle27(command, "--dsn", own.dsn, *(["--to", "audit", "--yes"] if command == "rollback" else []))
        assert done.exit_code == 0, done.output
    assert_clean(own.dsn)


@pytest.mark.parametrize(
    "options",
    [
        "-c search_path=app,api,audit",
        "-c timezone=Asia/Tokyo -c intervalstyle=iso_8601 -c datestyle=German",
        "-c quote_all_identifiers=on -c extra_float_digits=-5 -c bytea_output=escape",
        "-c default_transaction_read_only=on",
        "-c role=circle27_owner",
    ],
)
def test_the_callers_settings_are_no_drift(deployed: Database, options: str) -> None:
    for user in (deployed.dsn, deployed.admin):
        result = drift(f"{user} options='{options}'")
        assert CLEAN in result.output
        assert result.exit_code == 0


@pytest.mark.parametrize(("variable", "value"), [("PGCLIENTENCODING", "SQL_ASCII"), ("PGDATESTYLE", "German")])
def test_the_callers_environment_is_no_drift(
    deployed: Database, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert_clean(deployed.dsn)


@pytest.mark.parametrize("role", ["circle27_monitor", "authenticator", "circle27_worker"])
def test_a_role_without_rights_finds_the_same(own: Database, role: str) -> None:
    own.run(f"grant connect on database {own.name} to {role}")
    dsn = own.dsn.replace("circle27_migrator", role)
    result = drift(dsn)
    assert result.exit_code == 0
    assert result.stdout == CLEAN
    assert "may not read Sqitch's registry" in result.stderr
    own.run("; ".join(PLANTED[name][0] for name in ALONE if "dropped" not in name))
    mine, migrators = (drift(address).stdout for address in (dsn, own.dsn))
    assert mine == migrators != CLEAN


def test_somebody_elses_auth_schema_is_not_compared(database: Database) -> None:
    database.run(
        "create role supabase_auth_admin; create schema auth authorization supabase_auth_admin;"
        "grant usage on schema auth to public; create table auth.users (id uuid);"
        "create function auth.uid() returns uuid language sql as 'select null::uuid';"
        "create function auth.role() returns text language sql as 'select null'; grant create on schema auth to public"
    )
    try:
        migrate(database.dsn)  # makes auth.jwt()
        assert_clean(database.dsn)
        database.run(
            "alter function auth.jwt() volatile;"
            "create function auth.email() returns text language sql as $$ select '' $$"
        )
        assert drift(database.dsn).output.startswith("function auth.jwt(): volatility differs")
        assert len(drift(database.dsn).output.splitlines()) == 1
    finally:
        database.run("drop owned by supabase_auth_admin cascade; drop role supabase_auth_admin")


def refused(result: Result) -> str:
    """Return the sentence of a refusal to compare."""
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line.removeprefix("circle27: ")


def test_a_database_of_an_older_version_is_not_compared(database: Database) -> None:
    migrate(database.dsn, to="events")
    assert refused(drift(database.dsn, "--json")) == (
        "can't compare: the database lacks audit, buckets, reports, sessions, mails, release_0_1_0; "
        "run `circle27 db migrate` first."
    )


def test_a_database_of_a_newer_version_is_not_compared(own: Database) -> None:
    own.run(
        "insert into sqitch.changes select 'id', 'hash', 'later', project, '', now(), committer_name, committer_email, "
        "now(), planner_name, planner_email from sqitch.changes limit 1"
    )
    assert "the database holds later, which this version does not know" in refused(drift(own.dsn))


def test_an_edited_draft_is_not_compared(own: Database) -> None:
    own.run("update sqitch.changes set script_hash = 'x' where change = 'release_0_1_0'")
    said = refused(drift(own.dsn))
    assert said.startswith("can't compare: release_0_1_0 was deployed from another text")
    assert "`circle27 db migrate` refreshes a draft" in said


def test_no_server_no_database_no_file_are_told(database: Database, project: Project) -> None:
    assert "gone" in refused(drift(database.dsn.replace(database.name, "gone")))
    assert "failed" in refused(drift("host=/nowhere"))
    assert "schema.sql is missing: `circle27 db schema` writes it" in refused(
        drift(database.dsn, db_dir=project.db_dir)
    )


def test_a_locked_table_is_told(deployed: Database) -> None:
    with psycopg.connect(deployed.admin) as other:
        other.execute("lock app.circles in access exclusive mode")
        assert "try again when it is done" in refused(drift(deployed.dsn))


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ("as\n SELECT a.id,\n a.b\n FROM app.a;", "as\n SELECT id,\n b\n FROM app.a;", True),
        ("as\n SELECT a.id FROM app.a;", "as\n SELECT b FROM app.a;", False),
    ],
)
def test_another_postgresql_leaves_out_qualifiers(expected: str, found: str, same: bool) -> None:
    assert _other_words(Difference("changed", "view app.v", "", expected, found)) is same
    assert not _other_words(Difference("changed", "function app.f()", "", "a.b", "b", diff="-a.b\n+b\n"))
    assert not _other_words(Difference("extra", "table app.t", "", None, "x"))


@pytest.fixture
def creator(deployed: Database) -> Iterator[Database]:
    """The migrator may create databases here, as on the local stack."""
    deployed.run("alter role circle27_migrator createdb")
    yield deployed
    deployed.run("alter role circle27_migrator nocreatedb")


@pytest.mark.parametrize("user", ["dsn", "admin"])
def test_schema_writes_what_is_committed_whatever_the_database_holds(
    creator: Database, tmp_path: Path, user: str
) -> None:
    if f"on PostgreSQL {creator.major}:" not in (DB / "schema.sql").read_text("utf-8"):
        pytest.skip("db/schema.sql was made on another PostgreSQL")
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "migrations").symlink_to(DB / "migrations")
    dsn, made = getattr(creator, user), tmp_path / "db" / "schema.sql"
    before = creator.rows("select datname from pg_database order by 1")
    assert "out of date" in circle27("schema", "--check", "--dsn", dsn, db_dir=made.parent).output
    assert not made.exists()
    assert "Wrote" in circle27("schema", "--dsn", dsn, db_dir=made.parent).output
    assert made.read_text("utf-8") == (DB / "schema.sql").read_text("utf-8")
    assert "is up to date" in circle27("schema", "--dsn", dsn, db_dir=made.parent).output
    made.write_text(made.read_text("utf-8").replace("own_row", "another"), "utf-8")
    assert circle27("schema", "--check", "--dsn", dsn, db_dir=made.parent).exit_code == 1
    assert creator.rows("select datname from pg_database order by 1") == before


@pytest.mark.parametrize("user", ["migrator", "monitor"])  # whose transactions are read only
def test_schema_needs_the_right_to_create_a_database(deployed: Database, user: str) -> None:
    result = circle27("schema", "--check", "--dsn", deployed.dsn.replace("migrator", user))
    assert result.exit_code == 1
    assert f"circle27_{user} may not create the throw-away database" in result.output
