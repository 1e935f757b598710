"""A caller who owns the search path and has shadowed types, tables, functions and operators: nothing of it is run.

On clones of their own: what a session has compiled with a trojan in the way keeps it.
"""

from typing import Any

import psycopg
import pytest

from tests.authorisation.matrix import EXPECTED, MEMBERS, World, matrix, text
from tests.server import SUPPORT

TROJANS = (SUPPORT / "trojans.sql").read_text("utf-8")


def test_nothing_of_ours_looks_where_the_caller_points(postgresql: psycopg.Connection[Any]) -> None:
    assert text(matrix(postgresql, TROJANS)) == EXPECTED.read_text("utf-8")


@pytest.mark.parametrize("path", ["public, pg_catalog, pg_temp", "''", "pg_temp, pg_catalog"])
def test_a_definer_that_did_would_be_caught(postgresql: psycopg.Connection[Any], path: str) -> None:
    """The trojans themselves: an operator of public, or a type of pg_temp, is run where the path is any looser."""
    postgresql.execute("""
        create or replace function app.my_mates() returns uuid[] language plpgsql stable security definer as $$
        declare v_sub text := auth.jwt() ->> 'sub';
        begin return array[v_sub::uuid]; end $$
    """)
    postgresql.execute(f"alter function app.my_mates() set search_path = {path}".encode())
    world = World(postgresql)
    postgresql.execute(TROJANS.encode())
    world.become(MEMBERS[0])
    assert world.attempt("select app.my_mates()").get("sqlstate") == "ZZ666"
