"""A sample of `make fuzz`, and that what it looks for would be seen."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from schemathesis import Response

from tests.fuzz.aftermath import faults, faults_of_rows, faults_of_schema
from tests.fuzz.fuzzing import Fuzzing
from tests.fuzz.world import ROLES, World, made
from tests.stack import Stack

CALLS = 250
ERROR = b'{"code": "PT404", "message": "There is no such campus", "details": "campus_not_found", "hint": "Check"}'


@pytest.fixture(scope="module")
def world(own_stack: Stack) -> Iterator[World]:
    with made(own_stack) as world:
        yield world


def answer(status: int, content: bytes, **headers: str) -> Response:
    """What `Fuzzing.wrong` reads of an answer, to a call that named nobody."""
    request = SimpleNamespace(method="POST", url="http://127.0.0.1/rest/v1/rpc/x", body=b"{}")
    return cast(Response, SimpleNamespace(status_code=status, content=content, headers=headers, request=request))


def test_whatever_is_sent_some_things_hold(world: World) -> None:
    fuzzing = Fuzzing(world)
    fuzzing.run(CALLS, number=27)
    assert fuzzing.problems == {}
    assert fuzzing.calls >= CALLS
    for role in ROLES:  # else the roles did nothing but fail
        assert fuzzing.statuses[role][200] > 1, role
    for person in world.callers.values():
        if person.user_id:
            assert person.call("my_profile").status_code == 200, "the caller was lost on the way"


def test_afterwards_the_database_is_sound(world: World) -> None:
    assert faults(world.stack) == []


def test_rows_that_do_not_fit_would_be_seen(world: World) -> None:
    for broken, mended, fault in (
        (
            "update app.waitlist_entries set version = version + 1000000000",
            "update app.waitlist_entries set version = version - 1000000000",
            "a version ahead",
        ),
        (
            "insert into app.blocks (campus_id, user_id, blocked_id)"
            " select campus_id, min(user_id::text)::uuid, max(user_id::text)::uuid from app.users"
            " where campus_id = 'fuzz-abroad' group by campus_id",
            "delete from app.blocks where campus_id = 'fuzz-abroad'",
            "no line in the trail: user.blocked",
        ),
        (
            "update app.circle_members set circle_no = circle_no + 1 where campus_id = 'fuzz-home' and user_id = '{0}'",
            "update app.circle_members set circle_no = circle_no - 1 where campus_id = 'fuzz-home' and user_id = '{0}'",
            "a circle of fewer",
        ),
    ):
        member = world.callers["member"].user_id
        if "circle_no" in broken:
            world.stack.sql(
                "insert into app.circles (campus_id, time_slot, circle_no, ends_at)"
                " select campus_id, time_slot, members.circle_no + 1, circles.ends_at"
                " from app.circle_members as members inner join app.circles using (campus_id, time_slot)"
                " where user_id = %s and circles.circle_no = members.circle_no",
                member,
            )
        world.stack.sql(broken.format(member))
        try:
            assert any(found.startswith(fault) for found in faults_of_rows(world.stack)), fault
        finally:
            world.stack.sql(mended.format(member))


def test_a_stray_grant_would_be_seen(world: World) -> None:
    world.stack.sql("grant select on app.users to anon")
    try:
        assert [found for found in faults_of_schema(world.stack) if found.startswith("circle27 db drift")]
    finally:
        world.stack.sql("revoke select on app.users from anon")


@pytest.mark.parametrize(
    ("content", "status", "what"),
    [
        (ERROR, 500, "not in docs/error_codes.md"),
        (b"<html>", 502, "no JSON"),
        (b'{"code": "", "message": "x"}', 400, "not the four keys"),
        (ERROR.replace(b"campus_not_found", b"new_slug"), 404, "not in docs/error_codes.md"),
    ],
)
def test_a_wrong_error_would_be_seen(world: World, content: bytes, status: int, what: str) -> None:
    assert any(each.startswith(what) for each in Fuzzing(world).wrong("anon", answer(status, content)))


@pytest.mark.parametrize("role", ["anon", "member", "operator"])
def test_somebody_elses_data_would_be_seen(world: World, role: str) -> None:
    foreigner = world.foreigners[0]
    for secret in (foreigner.name, foreigner.user_id, "matea@fuzz-home.edu", "FOREIGNO@FUZZ-ABROAD.EDU"):
        assert list(Fuzzing(world).wrong(role, answer(200, f'[{{"x": "{secret}"}}]'.encode()))), secret
    assert list(Fuzzing(world).wrong(role, answer(200, b"[]"))) == []
    assert list(Fuzzing(world).wrong(role, answer(404, ERROR))) == []


def test_a_smuggled_header_would_be_seen(world: World) -> None:
    assert list(Fuzzing(world).wrong("anon", answer(200, b"[]", **cast(Any, {"x-accel-redirect": "/"}))))
