"""What `GET /rest/v1/` says of the API: Swagger 2.0, made by PostgREST from the catalogue, for who asks."""

import re
from typing import Any

import psycopg
import pytest
from openapi_spec_validator import OpenAPIV2SpecValidator

from circle27.reference.catalogue import Catalogue
from circle27.stack.settings import SUPERUSER
from tests.stack import Stack

ROLES = ("anon", "authenticated", "service_role")
INTERNAL = re.compile(r"\b(app|identity|events|audit|ops|auth)\.[a-z_]+|\bcircle27_|\bdefiner\b", re.I)


@pytest.fixture(scope="module")
def catalogue(stack: Stack) -> Catalogue:
    with psycopg.connect(stack.settings.dsn(SUPERUSER)) as connection:
        return Catalogue.read(connection)


@pytest.fixture(scope="module")
def documents(stack: Stack) -> dict[str, Any]:
    """The document as nobody, a member and a trusted server get it."""
    tokens = {"anon": None, "authenticated": stack.token("ann@stanford.edu"), "service_role": stack.service_token}
    found = {}
    for role, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = stack.http.get("/rest/v1/", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/openapi+json")
        found[role] = answer.json()
    return found


@pytest.mark.parametrize("role", ROLES)
def test_it_is_valid(documents: dict[str, Any], role: str) -> None:
    assert documents[role]["swagger"] == "2.0"
    assert [error.message for error in OpenAPIV2SpecValidator(documents[role]).iter_errors()] == []


@pytest.mark.parametrize("role", ROLES)
def test_everyone_sees_what_they_may_call_and_nothing_else(
    documents: dict[str, Any], role: str, catalogue: Catalogue
) -> None:
    functions = {f"/rpc/{each.name}" for each in catalogue.functions.values() if role in each.roles}
    views = {f"/{each.name}" for each in catalogue.views.values() if role in each.roles}
    assert set(documents[role]["paths"]) == {"/", *functions, *views}
    assert set(documents[role].get("definitions", {})) == {view.removeprefix("/") for view in views}


def test_nobody_sees_little_and_a_member_no_function_for_servers(documents: dict[str, Any]) -> None:
    assert {"/rpc/time_slots", "/rpc/ready"} <= set(documents["anon"]["paths"])
    assert not {"/rpc/join_waitlist", "/waitlist_entries"} & set(documents["anon"]["paths"])
    assert "/rpc/join_waitlist" in documents["authenticated"]["paths"]
    assert not {"/rpc/match_time_slot", "/rpc/set_clock_offset"} & set(documents["authenticated"]["paths"])
    assert "/rpc/match_time_slot" in documents["service_role"]["paths"]


@pytest.mark.parametrize("role", ROLES)
def test_functions_are_there_with_comment_and_arguments(
    documents: dict[str, Any], role: str, catalogue: Catalogue
) -> None:
    for function in catalogue.functions.values():
        if role not in function.roles:
            continue
        post = documents[role]["paths"][f"/rpc/{function.name}"]["post"]
        summary, _, description = function.comment.partition("\n")
        assert post["summary"] == summary
        assert post.get("description", "") == description.lstrip("\n")
        body = next(each["schema"] for each in post["parameters"] if each.get("in") == "body")
        assert {name: each["format"] for name, each in body.get("properties", {}).items()} == {
            argument.name: argument.type for argument in function.arguments
        }
        assert set(body.get("required", [])) == {each.name for each in function.arguments if each.default is None}


def test_views_are_there_with_their_columns(documents: dict[str, Any], catalogue: Catalogue) -> None:
    for view in catalogue.views.values():
        definition = documents["authenticated"]["definitions"][view.name]
        assert definition["description"] == view.comment
        assert {name: each["description"].partition("\n")[0] for name, each in definition["properties"].items()} == {
            column.name: column.comment for column in view.columns
        }


@pytest.mark.parametrize("role", ROLES)
def test_it_introduces_the_api(documents: dict[str, Any], role: str) -> None:
    info = documents[role]["info"]
    assert info["title"] == "Circle27"
    assert "docs/api.md" in info["description"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", info["version"])  # PostgREST's; the API's is in X-API-Version
    assert [text for text in _texts(documents[role]) if INTERNAL.search(text)] == []


@pytest.mark.parametrize("role", ROLES)
def test_it_says_how_to_sign_in(documents: dict[str, Any], role: str) -> None:
    scheme = documents[role]["securityDefinitions"]["JWT"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Authorization")
    assert documents[role]["security"] == [{"JWT": []}]


def test_a_call_made_from_it_gets_through_the_gateway(stack: Stack, documents: dict[str, Any]) -> None:
    """What the button "Try it out" of Swagger UI does, on a page of another origin."""
    document = documents["authenticated"]
    base = f"{document['schemes'][0]}://{document['host']}{document['basePath']}"
    assert base == stack.settings.url("gateway") + "/rest/v1"
    origin = {"Origin": "https://swagger.example"}
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    asked = stack.http.options(f"{base}/rpc/get_button_states", headers={**origin, **preflight})
    assert asked.headers["access-control-allow-origin"] == "*"
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "authorization" in asked.headers["access-control-allow-headers"]
    token = {"Authorization": f"Bearer {stack.token('ann@stanford.edu')}"}
    answer = stack.http.post(f"{base}/rpc/get_button_states", json={}, headers={**origin, **token})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    assert stack.http.get(f"{base}/profiles", headers={**origin, **token}).status_code == 200


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
