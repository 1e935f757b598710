"""Every role, every object, every operation: what was decided is in matrix.txt, and nothing else is so."""

import difflib
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.authorisation.matrix import EXPECTED, MEMBERS, REQUESTS, Thing, matrix, text


@pytest.fixture(scope="module")
def things(shared_database: psycopg.Connection[Any]) -> Iterator[list[Thing]]:
    with shared_database.transaction(force_rollback=True):
        yield matrix(shared_database)


def test_the_matrix_is_the_one_that_was_decided_on(things: list[Thing], request: pytest.FixtureRequest) -> None:
    found = text(things)
    if request.config.getoption("--update-matrix"):
        EXPECTED.write_text(found, "utf-8")
    expected = EXPECTED.read_text("utf-8")
    difference = difflib.unified_diff(
        expected.splitlines(), found.splitlines(), "matrix.txt", "the database", lineterm="", n=3
    )
    assert found == expected, (
        "rights differ from tests/authorisation/matrix.txt. If that is a decision, run "
        "`pytest tests/authorisation --update-matrix` and have the diff reviewed:\n" + "\n".join(difference)
    )


# What no regenerated file can make right.


def test_a_member_is_told_of_nobody_but_mates_and_whom_they_named(things: list[Thing]) -> None:
    known = {member.name: {member.name} for member in MEMBERS}
    known["owner"] |= {"mate", "blocked"}  # a circle-mate; who they blocked themselves
    known["mate"] |= {"owner", "stranger"}
    known["stranger"] |= {"owner"}
    known["operator"] |= {"owner", "stranger"}  # blocked the one, gave feedback about the other
    told = 0
    for thing in things:
        for persona, what, came in thing.tried:
            if persona in known and what == "sees":
                told += 1
                named = {name for label in came.split() for name in re.split("[>@]", label)} & known.keys()
                assert came != "all", f"{persona} sees all of {thing.name}"
                assert named <= known[persona], f"{persona} sees {came} in {thing.name}"
            for shown, named_by_caller in re.findall(r"shows ([^(;]*[^(; ])(?: \(([^)]*)\))?", came):
                if persona in known:
                    told += 1
                    strangers = set(shown.split()) - known[persona] - set(re.split(r"[ /]", named_by_caller))
                    if thing.name.startswith("api.export_my_data"):  # the one place that tells an address: one's own
                        strangers -= {f"{persona}'s", "e-mail"}
                    assert not strangers, f"{thing.name} tells {persona} of {strangers}"
    assert told > 100


def test_whoever_has_no_token_sees_and_writes_nothing(things: list[Thing]) -> None:
    for thing in things:
        if thing.kind in ("table", "view", "sequence"):
            assert not [came for who, _, came in thing.tried if who in ("anon", "authenticator", "circle27_monitor")]
            assert {came for who, _, came in thing.tried if who == "unknown"} <= {"none", "no row", "403 no_campus"}


def test_only_the_view_of_the_lists_is_written_to(things: list[Thing]) -> None:
    written = {
        thing.name
        for thing in things
        for role, rights in thing.rights.items()
        if thing.kind in ("table", "view") and role in (*REQUESTS, "authenticator", "circle27_worker")
        if any(not right.startswith("select") for right in rights)
    }
    assert written == {"api.waitlist_entries"}


def test_the_trail_is_append_only_for_its_owner(things: list[Thing]) -> None:
    trail = [thing for thing in things if thing.kind == "table" and thing.name.startswith("audit.log")]
    assert len(trail) > 1
    for thing in trail:
        assert not {"update", "delete", "truncate"} & set(thing.rights["circle27_auth"]), thing.name


def test_everything_that_a_request_reads_has_rows_here(things: list[Thing]) -> None:
    empty = [
        thing.name
        for thing in things
        if thing.kind in ("table", "view") and thing.granted("authenticated", "select") and not thing.rows
    ]
    assert not empty, "seed them in tests/authorisation/world.sql: on no rows nothing can be seen to be hidden"
