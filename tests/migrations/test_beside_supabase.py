"""In a database that is Supabase's: nothing of theirs is touched, and ours works. On every server that is installed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from circle27.migrations import migrate, rollback, verify
from circle27.migrations.drift import drift
from circle27.migrations.errors import MigrationError
from circle27.paths import DB, ROOT
from tests.migrations.catalogue import Catalogue, catalogue
from tests.migrations.conftest import OURS, Database, Sqitch
from tests.migrations.one_slot import live
from tests.server import every_version, running_server

SUPABASE = Path(__file__).parent / "supabase_database.sql"

# What a careless script might do -> what of it must be seen.
TOUCHING = {
    "alter role anon set lock_timeout = '1s'": "lock_timeout=1s",
    "alter role service_role inherit createdb": '"rolname": "service_role"',
    "grant supabase_read_only_user to service_role": "pg_auth_members",
    "revoke temporary on database postgres from public": '"datname": "postgres"',
    "create or replace function auth.uid() returns uuid language sql stable as 'select null::uuid'": '"proname": "uid"',
    "grant execute on function auth.jwt() to anon": '"proname": "jwt"',
    "create table auth.sign_ins ()": '"relname": "sign_ins"',
    "alter table auth.users add column tier text": '"attname": "tier"',
    "create policy ours on auth.users using (true)": '"polname": "ours"',
    "create trigger ours after insert on auth.sessions execute function public.handle_new_user()": '"relhastriggers"',
    "alter default privileges for role postgres in schema public revoke select on tables from anon": "pg_default_acl",
    "comment on schema storage is 'ours'": "pg_description",
    "alter publication supabase_realtime drop table public.waitlist_entries": "pg_publication_rel",
    "alter event trigger pgrst_ddl_watch disable": '"evtname": "pgrst_ddl_watch"',
    "drop function public.clock()": '"proname": "clock"',
}


@pytest.fixture(scope="module", params=every_version())
def supabase(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Supabase's database as Supabase leaves it, on a server of its own."""
    with running_server(request.param, superuser="supabase_admin") as server:
        database = Database(str(server.host), server.port, "postgres", superuser="supabase_admin")
        database.run(SUPABASE.read_text("utf-8"))
        yield database


@pytest.fixture(scope="module")
def before(supabase: Database) -> Catalogue:
    return look(supabase)


@pytest.fixture(scope="module")
def shared(supabase: Database, before: Catalogue) -> Database:
    """The same with ours in it: roles.sql as Supabase's users run it, who are no superusers, and the migrations."""
    assert run_roles(supabase) == monitor_warnings(supabase)
    migrate(supabase.dsn)
    return supabase


def run_roles(database: Database, user: str = "postgres") -> list[str]:
    """Run db/roles.sql; return the warnings."""
    warnings: list[str] = []
    with psycopg.connect(database.admin, user=user, autocommit=True) as connection:
        connection.add_notice_handler(lambda said: warnings.append(said.message_primary or ""))
        connection.execute((DB / "roles.sql").read_bytes())
    return warnings


def monitor_warnings(database: Database) -> list[str]:
    """Return what only a superuser can do: since 16 CREATEROLE gives away no roles that others have made."""
    if database.major < 16:
        return []
    return ["circle27_monitor sees the statistics of its own sessions only: postgres may not grant it pg_monitor."]


def look(database: Database) -> Catalogue:
    with psycopg.connect(database.admin) as connection:
        return catalogue(connection)


def test_nothing_of_theirs_is_touched(shared: Database, before: Catalogue) -> None:
    assert before.touched(look(shared)) == []
    assert (
        shared.rows(  # neither the other way round: who made our roles may not act as one
            "select others.rolname, ours.rolname from pg_roles as others, pg_roles as ours"
            " where others.rolname !~ '^circle27' and not others.rolsuper and ours.rolname ~ '^circle27'"
            " and pg_has_role(others.oid, ours.oid, 'usage')"
        )
        == []
    )


def test_whatever_is_touched_would_be_seen(shared: Database, before: Catalogue) -> None:
    with psycopg.connect(shared.admin) as connection:
        for statement in TOUCHING:
            connection.execute(statement.encode())
        touched = "\n".join(before.touched(catalogue(connection)))
        connection.rollback()
    assert [statement for statement, mark in TOUCHING.items() if mark not in touched] == []


def test_running_roles_again_changes_nothing(shared: Database) -> None:
    once = look(shared)
    assert run_roles(shared) == monitor_warnings(shared)
    assert look(shared).rows == once.rows


def test_their_auth_uid_is_ours(shared: Database) -> None:
    """The policies and functions depend on theirs; schema auth holds nothing that a role of ours owns."""
    assert shared.rows(
        "select distinct proowner::regrole::text from pg_proc where pronamespace = 'auth'::regnamespace"
    ) == [("supabase_auth_admin",)]
    assert shared.value(
        "select count(*) from pg_depend join pg_policy on pg_policy.oid = objid"
        " where refobjid = 'auth.uid()'::regprocedure and polrelid::regclass::text like 'app.%'"
    ) == len([path for path in (DB / "policies").iterdir() if "auth.uid()" in path.read_text("utf-8")])
    with psycopg.connect(shared.dsn) as connection:
        connection.execute('set role circle27_owner; set request.jwt.claims = \'{"role": "authenticated"}\'')
        assert connection.execute("select auth.uid(), auth.role()").fetchall() == [(None, "authenticated")]


def test_verify_and_drift_find_nothing(shared: Database) -> None:
    assert [check for check in verify(shared.dsn) if check.error] == []
    assert drift(shared.dsn) == ([], None)


def test_their_default_privileges_do_not_open_our_tables(shared: Database) -> None:
    """They open what their users make, in public; ours lie elsewhere and are made by others."""
    assert shared.value("select has_table_privilege('anon', 'public.open_to_all', 'select')")
    tables = (
        "select c.oid::regclass::text from pg_class as c"
        " where relnamespace::regnamespace::text in ('app', 'audit', 'events', 'identity', 'ops', 'sqitch')"
        " and relkind in ('r', 'p', 'v', 'S')"
    )
    assert len(shared.rows(tables)) > 15
    assert shared.rows(tables + " and has_table_privilege('anon', c.oid, 'select, insert, update, delete')") == []
    assert shared.rows(tables + " and has_table_privilege('authenticated', c.oid, 'insert, update, delete')") == []
    assert shared.rows(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
    ) == [
        ("waitlist_entries",),
        ("open_to_all",),
    ]


def test_a_slot_lives(shared: Database, tmp_path: Path) -> None:
    """With their PostgREST, told of us as db/README.md says."""
    told = re.findall(
        r"^  (alter role authenticator set (pgrst\.\w+) = .+)$", (DB / "README.md").read_text("utf-8"), re.M
    )
    assert len(told) == 2
    try:
        shared.run(";".join(statement.rstrip(";") for statement, _ in told))
        live(shared, tmp_path, own='db-schemas = "public, graphql_public"\n')
    finally:
        shared.run(";".join(f"alter role authenticator reset {name}" for _, name in told))


def test_rolled_back_nothing_is_left_and_sqitch_deploys(shared: Database, before: Catalogue, sqitch: Sqitch) -> None:
    rollback(shared.dsn, to="@ROOT")
    assert before.touched(look(shared)) == []
    assert shared.rows(OURS) == [("sqitch",)]
    sqitch(ROOT, shared, "deploy", "--verify")
    assert drift(shared.dsn) == ([], None)
    assert before.touched(look(shared)) == []


def refusal(database: Database, prepare: str, user: str = "postgres") -> tuple[str | None, str | None]:
    """Run roles.sql after a change that is taken back; return the error and its hint."""
    with psycopg.connect(database.admin) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(f"{prepare}; set local session authorization {user}".encode())
        try:
            connection.execute((DB / "roles.sql").read_bytes())
        finally:
            connection.rollback()
    return caught.value.diag.message_primary, caught.value.diag.message_hint


@pytest.mark.parametrize(
    ("prepare", "user", "message", "hint"),
    [
        (
            "select",
            "dashboard_user",
            "db/roles.sql is for a superuser, or the owner of database postgres with CREATEROLE; "
            "dashboard_user is neither.",
            "Connect as a superuser; on Supabase, as postgres.",
        ),
        (
            "alter role service_role rename to server; alter role postgres nobypassrls",
            "postgres",
            "role service_role is missing, and postgres may not make it (",
            "Run db/roles.sql as a superuser.",
        ),
        (
            "alter function auth.jwt() rename to claims",
            "postgres",
            "schema auth belongs to supabase_admin and lacks auth.jwt().",
            "Start Supabase Auth once, which makes them; then run db/roles.sql again.",
        ),
    ],
)
def test_what_it_can_not_do_it_says(shared: Database, prepare: str, user: str, message: str, hint: str) -> None:
    said: Any = refusal(shared, prepare, user)
    assert said[0].startswith(message)
    assert said[1] == hint


def test_a_schema_of_theirs_with_our_name_stops_the_first_migration(shared: Database) -> None:
    """Nothing is taken over and nothing is left half done."""
    shared.run("create database theirs owner postgres")
    theirs = Database(shared.host, shared.port, "theirs", shared.superuser)
    run_roles(theirs)
    theirs.run("set role postgres; create schema events; create table events.concerts (id int)")
    with pytest.raises(MigrationError, match='schema "events" already exists'):
        migrate(theirs.dsn)
    assert theirs.rows(OURS) == [("sqitch",)]
    assert theirs.value("select nspowner::regrole::text from pg_namespace where nspname = 'events'") == "postgres"
