"""The examples of docs/api.md are played against a real stack: what the page shows is what comes back."""

import json
from typing import Any

import psycopg
import pytest
from jsonschema import Draft202012Validator

from circle27.reference import sources
from circle27.reference.schemas import refusal
from circle27.stack.settings import SUPERUSER
from tests.answers import TYPES, fits
from tests.reference.player import Player, kept
from tests.stack import Stack

PARTS = sources.parts(sources.story())
EVERY_CALL = {"token_invalid", "session_over", "rate_limited"}  # app.pre_request's


def named(part: dict[str, Any]) -> str:
    return str(part["name"])


@pytest.fixture(scope="module")
def player(own_stack: Stack) -> Player:
    return Player(own_stack)


@pytest.fixture(scope="module")
def came_back(player: Player, request: pytest.FixtureRequest) -> dict[str, Any]:
    found = player.play()
    if request.config.getoption("--record", default=False):
        sources.ANSWERS.write_text(kept(found), "utf-8")
    return found


@pytest.mark.parametrize("wrong", [{"now": "14:00"}, {"now": None}, {}, {"now": "2026-11-23T14:00:00Z", "then": 1}])
def test_a_type_is_exact(wrong: dict[str, Any]) -> None:
    fits({"now": "2026-11-23T14:00:00Z"}, "Clock")
    with pytest.raises(AssertionError):
        fits(wrong, "Clock")


@pytest.mark.parametrize("part", PARTS, ids=named)
def test_the_answers_on_the_page_come_back(part: dict[str, Any], came_back: dict[str, Any]) -> None:
    assert came_back[part["name"]] == sources.answers()[part["name"]], (
        "the API answers something else than docs/api.md shows. If it should: `pytest tests/reference --record`, "
        "then `circle27 docs api`, and look at the difference"
    )


@pytest.mark.parametrize("part", [part for part in PARTS if part["kind"] != "view"], ids=named)
def test_answers_are_of_their_type(part: dict[str, Any], came_back: dict[str, Any]) -> None:
    answers = came_back[part["name"]]
    assert any(answer["status"] < 300 for answer in answers), "one example shows a success"
    name = TYPES["functions" if part["kind"] == "function" else "paths"][part["name"]]["result"]
    for answer in answers:
        if name == "void" and answer["status"] == 204:
            assert answer["body"] is None
        elif answer["status"] < 300:
            fits(answer["body"], name)
        else:
            assert [error.message for error in Draft202012Validator(refusal()).iter_errors(answer["body"])] == []


@pytest.mark.parametrize("part", [part for part in PARTS if part["kind"] == "view"], ids=named)
def test_rows_have_the_columns_of_the_catalogue(
    part: dict[str, Any], came_back: dict[str, Any], player: Player
) -> None:
    columns = {column.name: column for column in player.catalogue.views[part["name"]].columns}
    rows = [row for answer in came_back[part["name"]] for row in answer["body"] or []]
    assert rows
    for row in rows:
        assert set(row) <= set(columns)
        assert all(value is not None or columns[name].is_nullable for name, value in row.items())


@pytest.mark.parametrize("part", [part for part in PARTS if part["kind"] == "function"], ids=named)
def test_a_refusal_is_one_that_the_comment_names(
    part: dict[str, Any], came_back: dict[str, Any], player: Player
) -> None:
    refused = {answer["body"]["details"] for answer in came_back[part["name"]] if answer["status"] >= 400} - {None}
    assert refused <= {*player.catalogue.functions[part["name"]].slugs, *EVERY_CALL}


def test_the_page_sends_what_an_answer_before_has_given() -> None:
    answers = sources.answers()
    given = answers["verify_login_code"][0]["body"]["refreshToken"]
    (sent,) = [part for part in PARTS if part["name"] == "refresh_session"]
    assert sent["examples"][0]["arguments"]["p_refresh_token"] == given
    assert answers["refresh_session"][0]["body"]["refreshToken"] != given


def test_events_are_of_their_type(came_back: dict[str, Any]) -> None:
    told = came_back["events"]
    assert set(told) == set(TYPES["events"]), "types.yaml lists the events, and the story causes each"
    for name, payloads in told.items():
        for payload in payloads:
            fits(payload, TYPES["events"][name]["data"])
    assert {payload["circleNo"] is None for payload in told["circle"]} == {True, False}
    assert json.loads(kept(came_back))["events"] == sources.answers()["events"]


def test_events_come_on_the_channel_that_the_page_names(came_back: dict[str, Any], own_stack: Stack) -> None:
    with psycopg.connect(own_stack.settings.dsn(SUPERUSER)) as connection:
        told = connection.execute("select distinct event, split_part(channel, ':', 1) from events.outbox").fetchall()
    assert set(told) == {(name, event["channel"]) for name, event in TYPES["events"].items()}
