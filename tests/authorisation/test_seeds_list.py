"""The seed's list for policies, as roles and claims come from PostgREST, and its permission paradox.

"Queries failed with RLS, mutations worked": whatever a member may write, they must be able to read back.
"""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.authorisation.matrix import MEMBERS, PERSONAS, Persona, World

OWNER = MEMBERS[0]
STRANGER = next(persona for persona in MEMBERS if persona.name == "stranger")
SERVICE = next(persona for persona in PERSONAS if persona.name == "service_role")
WORKER = next(persona for persona in PERSONAS if persona.name == "circle27_worker")
LIST = "api.waitlist_entries"


@pytest.fixture
def world(transaction: psycopg.Connection[Any]) -> Iterator[World]:
    yield World(transaction)


def rows(world: World, persona: Persona, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement as a persona, for good."""
    world.become(persona)
    return world.connection.execute(statement.encode()).fetchall()


def tried(world: World, persona: Persona, statement: str) -> str:
    """Try a statement as a persona; return how many rows it touched, or how it was refused."""
    world.become(persona)
    result = world.attempt(f"with done as ({statement} returning 1) select count(*) from done")
    return str(result.get("answer") or result.get("slug") or result["sqlstate"])


def member(name: str) -> str:
    return f"tests.member('{name}')"


def test_select(world: World) -> None:
    own = rows(world, OWNER, f"select distinct user_id = {member('owner')} from {LIST}")
    assert own == [(True,)]
    assert rows(world, STRANGER, f"select from {LIST} where user_id = {member('owner')}") == []


def test_insert(world: World) -> None:
    rows(world, OWNER, f"delete from {LIST} where time_slot = tests.slot('open') returning 1")
    insert = f"insert into {LIST} (time_slot, user_id) values (tests.slot('open'), {member('owner')})"
    assert tried(world, OWNER, insert) == "1"
    assert tried(world, STRANGER, insert) == "not_yours"


def test_update(world: World) -> None:
    update = f"update {LIST} set time_slot = tests.slot('theirs') where user_id = {member('owner')}"
    assert tried(world, OWNER, update) == "entry_fixed"
    assert tried(world, STRANGER, update) == "0"
    assert tried(world, OWNER, "update app.waitlist_entries set left_at = null") == "42501"


def test_delete(world: World) -> None:
    delete = f"delete from {LIST} where user_id = {member('owner')} and time_slot = tests.slot('open')"
    assert tried(world, STRANGER, delete) == "0"
    assert tried(world, OWNER, delete) == "1"


def test_isolation(world: World) -> None:
    """Whatever a member asks for, no row of another campus, and no other member's row of a list or of feedback."""
    for persona in MEMBERS:
        for view in (LIST, "api.feedback"):
            assert rows(world, persona, f"select from {view} where user_id <> {member(persona.name)}") == []
        campus = "abroad" if persona.name == "foreigner" else "home"
        for view in (LIST, "api.feedback", "api.circles", "api.circle_members", "api.profiles"):
            assert rows(world, persona, f"select from {view} where campus_id <> '{campus}'") == []


def test_the_service_sees_all(world: World) -> None:
    for view in (LIST, "api.feedback", "api.circles", "api.circle_members", "api.profiles"):
        everyone = rows(world, SERVICE, f"select distinct campus_id from {view}")
        assert sorted(everyone) == [("abroad",), ("home",)]


def test_matching_still_works(world: World) -> None:
    """The worker, who may read no table, forms circles of all who are on the list; each member sees their own."""
    world.become(Persona("", "none"))
    world.connection.execute("select tests.clock('16:00')")
    ((report,),) = rows(world, WORKER, "select app.run_due_deadlines()::text")
    assert json.loads(report)["failed"] == []
    seen = [
        rows(world, persona, "select circle_no from api.circle_members where time_slot = tests.slot('open')")
        for persona in MEMBERS
        if persona.name != "foreigner"
    ]
    assert all(3 <= len(circle) <= 5 and len(set(circle)) == 1 for circle in seen)


# What a member may write. Every volatile function of api is here, or in OTHERS.
WRITES = {
    "block_user": f"select api.block_user({member('mate')})",
    "unblock_user": f"select api.unblock_user({member('blocked')})",
    "join_waitlist": "select api.join_waitlist(tests.slot('late'))",
    "leave_waitlist": "select api.leave_waitlist(tests.slot('open'))",
    "submit_feedback": f"""select api.submit_feedback(tests.slot('theirs'), 4, 'Nice',
      jsonb_build_array(jsonb_build_object('userId', {member("mate")}, 'meetAgain', true)))""",
    "update_profile": """select api.update_profile('Renamed', '{"year": 3}')""",
    "insert": f"insert into {LIST} (time_slot) values (tests.slot('late')) returning 1",
    "delete": f"delete from {LIST} where time_slot = tests.slot('open') returning 1",
}
# Write nothing of a member's own.
OTHERS = {
    *("open_stream", "cancel_time_slot", "suspend_user", "reports", "short_circles", "replay_matching", "operator_day"),
    "explain_circle",
    # Of identity, whose tables nobody reads; my_sessions() and my_trail() tell.
    *("request_login_code", "verify_login_code", "refresh_session", "sign_out", "sign_out_everywhere"),
    "delete_my_account",  # nobody is left to read
    "cancel_place",  # read back by tests/api/cancel_place.sql: the rows of mates are seen no more
    "report_user",  # read back by export_my_data(): tests/api/export_my_data.sql
}
COLUMNS = """
select relname, array_agg(attname::text order by attnum) from pg_class
inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
where relnamespace in ('app'::regnamespace) and relkind = 'r' group by relname order by relname
"""


def contents(world: World) -> dict[str, set[str]]:
    """Return every row of every table of app, as the superuser sees it."""
    world.become(Persona("", "none"))
    world.connection.execute("set local timezone = 'UTC'")
    tables = [name for name, _ in world.connection.execute(COLUMNS).fetchall()]
    return {
        table: {
            json.dumps(row[0], sort_keys=True)
            for row in world.connection.execute(f"select to_jsonb(t) from app.{table} as t".encode())
        }
        for table in tables
    }


@pytest.mark.parametrize("write", WRITES)
def test_what_a_member_writes_they_read_back(world: World, write: str) -> None:
    world.connection.execute("select tests.create_slot('late', '19:00', 'home')")
    world.connection.execute("select tests.in_circle('owner', 'theirs', 9), tests.in_circle('mate', 'theirs', 9)")
    before = contents(world)
    rows(world, OWNER, WRITES[write])
    after = contents(world)
    changes = 0
    for table, found in after.items():
        for text in found - before[table]:
            changes += 1
            assert_readable(world, table, json.loads(text))
        changes += bool(before[table] - found)  # taken away
    assert changes, "it writes nothing: what would be read back?"


def assert_readable(world: World, table: str, row: dict[str, Any]) -> None:
    """The owner finds the row by all that it says; what no column shows, my_profile() does."""
    world.become(OWNER)
    world.connection.execute("set local timezone = 'UTC'")  # as in contents()
    granted = [
        name
        for (name,) in world.connection.execute(
            "select attname::text from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
            " and has_column_privilege(attrelid, attnum, 'select') order by attnum",
            [f"app.{table}"],
        )
    ]
    assert granted, f"a member writes app.{table}, and may read none of it"
    seen = [
        found[0]
        for found in world.connection.execute(
            f"select to_jsonb(seen) from (select {', '.join(granted)} from app.{table}) as seen".encode()
        )
    ]
    assert {name: row[name] for name in granted} in seen, f"a row of app.{table} that the owner wrote and can't see"
    hidden = {name: value for name, value in row.items() if name not in granted and name in ("attributes", "tier")}
    ((profile,),) = world.connection.execute("select api.my_profile()").fetchall()
    assert {name: profile.get(name) for name in hidden} == hidden


def test_every_function_that_writes_is_tried(transaction: psycopg.Connection[Any]) -> None:
    written = transaction.execute("""
        select proname from pg_proc
        where pronamespace = 'api'::regnamespace and provolatile = 'v'
          and has_function_privilege('authenticated', oid, 'execute')
    """).fetchall()
    assert {name for (name,) in written} <= WRITES.keys() | OTHERS, "add it to WRITES, or to OTHERS if it writes no row"
