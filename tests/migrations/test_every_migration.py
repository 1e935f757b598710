"""Each change of the real plan, whatever is in it: there, back, there again; with a past in the tables, too.

Taken from the plan, so a new change is tested as soon as it is planned.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from circle27.main import cli
from circle27.migrations import migrate, rollback, verify
from circle27.migrations.plan import Plan, is_release
from circle27.paths import DB
from circle27.seed import History, write_history
from tests.migrations.conftest import Database, empty_database

PLAN = Plan.read(DB / "migrations" / "sqitch.plan").entries
NAMES = [entry.name for entry in PLAN]
BEFORE = dict(zip(NAMES, ["@ROOT", *NAMES], strict=False))
JOIN = """
select app.join_waitlist('yale', (select min(user_id::text)::uuid from app.users), max(time_slot)) from app.time_slots
"""
# Somebody signs in, asks for another code, changes their name and reports a mate.
SIGNED_IN = """
do $signed_in$
declare
  v_member app.users := (select users from app.users order by user_id limit 1);
begin
  perform identity.begin_session(v_member.campus_id, v_member.user_id, clock_timestamp());
  perform identity.request_login_code(v_member.email, clock_timestamp());
  perform app.update_profile(v_member.campus_id, v_member.user_id, 'Somebody', null);
  insert into events.gateways (gateway, renewed_at) values ('here', clock_timestamp());
  insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, expires_at)
  values (v_member.campus_id, md5('a stream'), v_member.user_id, gen_random_uuid(), 'here', 1, clock_timestamp());
  perform ops.spend('user:' || v_member.user_id, 200, '1 minute');
  insert into app.reports (campus_id, time_slot, user_id, reported_id, reason, created_at)
  select own.campus_id, own.time_slot, own.user_id, mates.user_id, 'other', clock_timestamp()
  from app.circle_members as own
  inner join app.circle_members as mates using (campus_id, time_slot, circle_no)
  where own.user_id <> mates.user_id
  limit 1;
end;
$signed_in$
"""

# What of ours may hold data, as `kind name`: not what goes with another thing anyway (a partition, an owned sequence).
HOLDERS = """
select things.kind || ' ' || things.name
from (
  select 'schema' as kind, nspname::text as name from pg_namespace
  union all
  select case relkind when 'S' then 'sequence' else 'table' end, oid::regclass::text
  from pg_class
  where relkind in ('r', 'p', 'S') and not relispartition
    and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = oid and deptype = 'a')
  union all
  select 'column', attrelid::regclass || '.' || attname
  from pg_attribute
  join pg_class on pg_class.oid = attrelid
  where relkind in ('r', 'p') and not relispartition and attnum > 0 and not attisdropped
) as things
where things.name !~ '^(pg_|information_schema|sqitch)'
"""
TABLES = """
select oid::regclass::text from pg_class
where relkind in ('r', 'p') and not relispartition
  and relnamespace::regnamespace::text !~ '^(pg_|information_schema|sqitch)'
"""


@pytest.fixture(scope="module")
def walked(server: Any) -> Iterator[Database]:
    """One database for all steps: each test brings it to where it begins."""
    with empty_database(server) as made:
        migrate(made.dsn)
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_a_change_deploys_reverts_and_deploys_alike(walked: Database, name: str) -> None:
    bring(walked, BEFORE[name])
    before = schema(walked)
    assert migrate(walked.dsn, to=name) == [name]
    after = schema(walked)
    assert after != before, "this change changes nothing"
    assert rollback(walked.dsn, to=BEFORE[name]) == [name]
    assert schema(walked) == before
    assert migrate(walked.dsn, to=name) == [name]
    assert schema(walked) == after


def bring(database: Database, name: str) -> None:
    """Let a change, or @ROOT, be the last one deployed."""
    deployed = [row[0] for row in database.rows("select change from sqitch.changes")]
    if name == "@ROOT" or name in deployed:
        rollback(database.dsn, to=name)
    else:
        migrate(database.dsn, to=name)


def schema(database: Database) -> str:
    return database.dump("--exclude-schema=sqitch")


def test_all_of_it_deploys_once_and_reverts_to_nothing(database: Database) -> None:
    nothing = schema(database)
    assert migrate(database.dsn) == NAMES
    everything, events = database.dump(), database.rows("select * from sqitch.events")
    assert all(check.error is None for check in verify(database.dsn))
    assert migrate(database.dsn) == []
    assert (database.dump(), database.rows("select * from sqitch.events")) == (everything, events)
    assert rollback(database.dsn, to="@ROOT") == NAMES[::-1]
    assert schema(database) == nothing
    assert migrate(database.dsn) == NAMES
    assert database.dump() == everything


def test_of_two_at_once_one_waits_and_one_deploys(database: Database, walked: Database) -> None:
    bring(walked, NAMES[-1])
    waits = "select exists (select from pg_locks where locktype = 'transactionid' and not granted)"
    waiting = Event()
    with ThreadPoolExecutor() as pool, psycopg.connect(database.admin) as blocker:
        blocker.execute("create schema app")  # not committed: who comes first waits for it, and holds the lock
        first = pool.submit(migrate, database.dsn)
        database.until(waits)
        second = pool.submit(migrate, database.dsn, on_wait=waiting.set)
        assert waiting.wait(10)
        blocker.rollback()
        assert first.result(30) == NAMES
        assert second.result(30) == []
    assert database.dump() == walked.dump()


@pytest.fixture
def lived(database: Database) -> Database:
    """A database with two past days of thirty people in its tables, and somebody on the list of a slot to come."""
    migrate(database.dsn)
    with psycopg.connect(database.admin, autocommit=True) as connection:
        connection.execute("select app.add_campus('yale', 'Yale', 'UTC', array['yale.edu'])")
        connection.execute("select app.add_meeting_spot('yale', 'hall', 'The hall')")
        write_history(connection, History("yale", 30, 2, 1, attendance=0.8))
        connection.execute(JOIN)
        connection.execute(SIGNED_IN)
    assert [table for table, (rows, _) in contents(database).items() if not rows] == []
    return database


def contents(database: Database) -> dict[str, tuple[int, str]]:
    """Return table -> number of rows and a hash over all of them."""
    each = "select count(*), md5(coalesce(string_agg(rows::text, chr(10) order by rows::text), '')) from {} as rows"
    with psycopg.connect(database.admin, autocommit=True) as connection:
        tables = [table for (table,) in connection.execute(TABLES)]
        return {table: connection.execute(each.format(table).encode()).fetchone() for table in tables}  # type: ignore[misc]


def test_a_release_goes_and_comes_back_over_a_past(lived: Database) -> None:
    release = NAMES[-1]
    assert is_release(release)
    before, past, button = schema(lived), contents(lived), lived.value(JOIN)
    assert rollback(lived.dsn, to=BEFORE[release]) == [release]
    assert contents(lived) == past
    assert migrate(lived.dsn) == [release]
    assert (schema(lived), contents(lived)) == (before, past)
    assert lived.value(JOIN) == button  # who has joined has joined
    assert contents(lived) == past


def test_each_change_takes_the_data_with_it_that_rollback_names(lived: Database, subtests: pytest.Subtests) -> None:
    for name in NAMES[::-1]:
        with subtests.test(name):
            held, past = holders(lived), contents(lived)
            said = CliRunner().invoke(cli, ["db", "--dsn", lived.dsn, "rollback", "--to", BEFORE[name], "--yes"]).output
            named = re.findall(r"^    drops (\S+) (.+) \(with its data\)$", said, re.MULTILINE)
            gone = {f"{kind} {thing}" for kind, things in named for thing in things.split(", ")}
            assert {thing for thing in held - holders(lived) if not with_another(thing, gone)} == gone
            kept = contents(lived)
            assert kept == {table: rows for table, rows in past.items() if table in kept}
    assert holders(lived) == {"schema public"}
    assert migrate(lived.dsn) == NAMES


def holders(database: Database) -> set[str]:
    return {row[0] for row in database.rows(HOLDERS)}


def with_another(thing: str, gone: set[str]) -> bool:
    """Tell whether a column goes with its table."""
    kind, name = thing.split(" ", 1)
    return kind == "column" and f"table {name.rpartition('.')[0]}" in gone
