"""Every kind of bad input in every parameter of every function: a clear 4xx, no 5xx, no forged header."""

from typing import Any

import pytest

from tests.stack import Stack

TEXTS = [
    "",
    " ",
    "null",
    "\r\nX-Accel-Redirect: /_stream/campus:stanford",
    "x\r\nSet-Cookie: stolen=1\r\n\r\n<html>",
    "'; drop table app.users; --",
    '" or ""="',
    "\u0000",
    "😀 \u202e",
    "A" * 10_000,
    "infinity",
    "-infinity",
    "294276-12-31T23:59:59Z",
    "4713-01-01 BC",
    "2027-02-30T14:00:00Z",
    "2027-01-01T25:61:00",
    "stanford",
    "99999999999999999999",
    "%s%n{}",
]
OTHERS: list[Any] = [None, True, 0, -1, 1e308, [], [[]], {}, {"a": {"b": []}}, ["2027-01-01"]]

PARAMETERS = {
    "get_button_state": ("p_user_id", "p_time_slot", "p_current_time"),
    "get_button_states": ("p_day",),
    "time_slots": ("p_campus_id", "p_day"),
    "set_clock_offset": ("p_offset",),
}
FORGED = {"x-accel-redirect", "set-cookie"}


@pytest.mark.parametrize("who", ["member", "nobody"])
@pytest.mark.parametrize(("function", "parameter"), [(f, p) for f, names in PARAMETERS.items() for p in names])
def test_bad_values(stack: Stack, function: str, parameter: str, who: str) -> None:
    token = stack.token("ann@stanford.edu") if who == "member" else None
    good = {
        "p_user_id": stack.claims("ann@stanford.edu")["sub"],
        "p_time_slot": stack.rpc("time_slots", {"p_campus_id": "stanford"}).text and "2027-01-01T14:00:00Z",
        "p_campus_id": "stanford",
    }
    for value in [*TEXTS, *OTHERS]:
        arguments = {name: good[name] for name in PARAMETERS[function] if name in good}
        arguments[parameter] = value
        for method in ("POST", "GET") if isinstance(value, str) else ("POST",):
            answer = stack.rpc(function, arguments, token=token, method=method)
            assert answer.status_code < 500, (value, answer.status_code, answer.text)
            assert not FORGED & set(answer.headers), value
            if answer.is_error:
                assert answer.json()["message"], value


def test_every_function_of_the_api_is_tried(stack: Stack) -> None:
    """A new function with parameters must be added above."""
    rows = stack.sql("""
        select p.proname, p.proargnames::text[] from pg_proc as p
        where p.pronamespace = 'api'::regnamespace and p.pronargs > 0""")
    assert {name: tuple(arguments) for name, arguments in rows} == PARAMETERS


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("{", "application/json"),
        ("[1]", "application/json"),
        ('"text"', "application/json"),
        ('{"p_day": "2027-01-01", "p_day": "x"}', "application/json"),
        ("p_day=x", "application/x-www-form-urlencoded"),
        ("\x00\xff", "application/octet-stream"),
        ("<a/>", "text/xml"),
        ('{"p_day": "\\ud83d"}', "application/json"),
        ('{"p_day":' * 2000, "application/json"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "application/json"),
    ],
)
def test_bad_bodies(stack: Stack, body: str, content_type: str) -> None:
    answer = stack.http.post(
        "/rest/v1/rpc/get_button_states",
        content=body.encode("latin-1"),
        headers={"Content-Type": content_type, "Authorization": f"Bearer {stack.token('ann@stanford.edu')}"},
    )
    assert 200 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize("argument", ["p_nothing", "p_day); drop", "__proto__", "ключ"])
def test_an_unknown_parameter_is_404_with_a_hint(stack: Stack, argument: str) -> None:
    answer = stack.rpc("get_button_states", {argument: "x"}, token=stack.token("ann@stanford.edu"))
    assert answer.status_code == 404
    assert answer.json()["code"] == "PGRST202"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_other_methods_are_refused(stack: Stack, method: str) -> None:
    answer = stack.http.request(method, "/rest/v1/rpc/get_button_states")
    assert answer.status_code in (401, 404, 405)


@pytest.mark.parametrize("path", ["/rest/v1/users", "/rest/v1/time_slots", "/rest/v1/pg_authid", "/rest/v1/rpc/clock"])
def test_nothing_but_the_api_schema_is_served(stack: Stack, path: str) -> None:
    assert stack.http.get(path).status_code == 404
    for schema in ("app", "identity", "pg_catalog"):
        answer = stack.http.get(path, headers={"Accept-Profile": schema, "Content-Profile": schema})
        assert answer.status_code in (404, 406)
