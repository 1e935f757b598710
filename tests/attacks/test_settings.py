"""Settings: no function of the API sets one for its caller, but for the zone and the response."""

from typing import Any

import psycopg
import pytest

from tests.authorisation.matrix import MEMBERS, PERSONAS, Persona, World

# Whatever decides who one is, what one may, or where names are looked up.
TELLING = (
    "role",
    "search_path",
    "row_security",
    "request.jwt.claims",
    "request.jwt.claim.sub",
    "request.headers",
    "request.path",
    "session_replication_role",
    "default_transaction_isolation",
    "statement_timeout",
)
HOSTILE = "x'); set role postgres; select set_config('request.jwt.claims', '{}', false); --"
ARGUMENTS = {
    "text": "%(hostile)s",
    "jsonb": "jsonb_build_object(%(hostile)s::text, %(hostile)s::text)",
    "uuid": "tests.member('mate')",
    "date": "date '2030-06-12'",
    "integer": "4",
    "interval": "interval '0'",
    "timestamp with time zone": "tests.slot('open')",
    "uuid[]": "array[tests.member('mate')]",
    "boolean": "true",
}
CALLERS = [*MEMBERS[:1], *(persona for persona in PERSONAS if persona.name in ("anon", "service_role"))]


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)
def test_a_call_changes_no_setting_that_tells_who_calls(transaction: psycopg.Connection[Any], caller: Persona) -> None:
    world = World(transaction)
    functions = transaction.execute(
        "select oid::regproc::text, array(select format_type(t, null) from unnest(proargtypes) as t)"
        " from pg_proc where pronamespace = 'api'::regnamespace order by 1"
    ).fetchall()
    ran = 0
    for name, types in functions:
        world.become(caller)
        before = settings(transaction)
        arguments = ", ".join(ARGUMENTS[type_] for type_ in types)
        try:
            with transaction.transaction():
                transaction.execute(f"select {name}({arguments})".encode(), {"hostile": HOSTILE})
                ran += 1
                assert settings(transaction) == before, name
        except psycopg.Error:
            assert settings(transaction) == before, name
    assert ran >= (1 if caller.name == "anon" else 3)


def settings(connection: psycopg.Connection[Any]) -> dict[str, str | None]:
    """Return what is set now; a setting that was never set and an empty one are the same."""
    columns = ", ".join(f"nullif(current_setting('{name}', true), '')" for name in TELLING)
    row = connection.execute(f"select {columns}".encode()).fetchone()
    assert row
    return dict(zip(TELLING, row, strict=True))
