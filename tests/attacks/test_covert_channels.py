"""What an answer must not tell: whether another is on a list, blocks me, or exists on another campus."""

from typing import Any

import psycopg
import pytest

from tests.authorisation.matrix import MEMBERS, NOBODY, World, outcome

OWNER, STRANGER, BLOCKED = MEMBERS[0], MEMBERS[3], MEMBERS[4]
LIST = "api.waitlist_entries"


def answers(world: World, *statements: str) -> set[str]:
    """Return the different answers of several attempts: one, where nothing can be learnt."""
    results = [world.attempt(statement) for statement in statements]
    return {f"{outcome(result)} {result.get('message', result.get('answer'))}" for result in results}


@pytest.fixture
def world(transaction: psycopg.Connection[Any]) -> World:
    return World(transaction)


def test_a_unique_key_does_not_tell_who_is_on_a_list(world: World) -> None:
    """The owner is on the list of `open`, nobody on that of `late`; a duplicate key would tell them apart."""
    world.connection.execute("select tests.create_slot('late', '19:00', 'home')")
    world.become(STRANGER)
    told = answers(
        world,
        *(
            f"with done as (insert into {LIST} (time_slot, user_id) values (tests.slot('{slot}'), {user}) returning 1)"
            " select count(*) from done"
            for slot in ("open", "late")
            for user in ("tests.member('owner')", "tests.member('foreigner')", f"'{NOBODY}'")
        ),
    )
    assert len(told) == 1, told


def test_a_button_is_refused_alike_for_all_others(world: World) -> None:
    world.become(STRANGER)
    told = answers(
        world,
        *(
            f"select api.get_button_state({user}, tests.slot('{slot}'))"
            for slot in ("open", "over", "theirs")
            for user in ("tests.member('owner')", "tests.member('foreigner')", f"'{NOBODY}'")
        ),
    )
    assert len(told) == 1, told


def test_who_is_on_another_campus_is_as_unknown_as_nobody(world: World) -> None:
    world.become(OWNER)
    told = answers(world, *(f"select api.block_user({user})" for user in ("tests.member('foreigner')", f"'{NOBODY}'")))
    assert len(told) == 1, told


def test_who_is_blocked_sees_no_difference(world: World) -> None:
    """The same answers to whatever `blocked` may ask, with the owner's wall and without it."""
    asked = [
        "select string_agg(it::text, ' ') from api.profiles as it",
        "select string_agg(it::text, ' ') from app.blocks as it",
        "select api.my_profile()::text",
        "select api.my_circle(tests.slot('over'))::text",
        "select api.block_user(tests.member('owner'))::text",
        "select api.unblock_user(tests.member('owner'))::text",
        "select api.get_button_states('2030-06-12')::jsonb #>> '{slots}'",
    ]
    world.become(BLOCKED)
    walled = [answers(world, statement) for statement in asked]
    world.connection.execute("select tests.act_as_nobody()")
    gone = world.connection.execute("delete from app.blocks where blocked_id = tests.member('blocked') returning 1")
    assert gone.rowcount == 1
    world.become(BLOCKED)
    assert [answers(world, statement) for statement in asked] == walled
