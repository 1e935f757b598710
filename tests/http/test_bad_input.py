"""Every kind of bad input in every parameter of every function: a clear 4xx, no 5xx, no forged header."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.life import Campus, Person, new_campus
from tests.stack import Stack

LONE_SURROGATE = "\ud83d"  # JSON can write it, UTF-8 can't
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
    "1e308",
    "NaN",
    '{"a": [1, "\\u0000"]}',
    LONE_SURROGATE,
    "((((",
]
OTHERS: list[Any] = [
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**400,
    1.5,
    1e308,
    [],
    [[]],
    {},
    {"a": {"b": []}},
    {"\u0000": "\u0000"},
    {"k" * 9_000: "\r\nSet-Cookie: stolen=1"},
    {"userId": "00000000-0000-4000-8000-000000000000"},
    ["2027-01-01"],
    [None] * 9_000,
    [{"userId": "\u0000", "meetAgain": 1e308}] * 900,
]

PARAMETERS = {
    "get_button_state": ("p_user_id", "p_time_slot", "p_current_time"),
    "get_button_states": ("p_day",),
    "time_slots": ("p_campus_id", "p_day"),
    "set_clock_offset": ("p_offset",),
    "join_waitlist": ("p_time_slot",),
    "leave_waitlist": ("p_time_slot",),
    "my_circle": ("p_time_slot",),
    "get_online_users": ("p_user_ids",),
    "submit_feedback": ("p_time_slot", "p_rating", "p_comment", "p_about"),
    "update_profile": ("p_display_name", "p_attributes", "p_circle_mail"),
    "block_user": ("p_user_id",),
    "unblock_user": ("p_user_id",),
    "cancel_place": ("p_time_slot",),
    "cancel_time_slot": ("p_time_slot", "p_campus_id"),
    "short_circles": ("p_campus_id",),
    "match_time_slot": ("p_campus_id", "p_time_slot"),
    "replay_matching": ("p_time_slot", "p_campus_id"),
    "explain_circle": ("p_time_slot", "p_circle_no", "p_campus_id"),
    "request_login_code": ("p_email",),
    "verify_login_code": ("p_email", "p_code"),
    "refresh_session": ("p_refresh_token",),
    "my_trail": ("p_before", "p_limit"),
    "report_user": ("p_time_slot", "p_user_id", "p_reason", "p_comment"),
    "operator_day": ("p_day", "p_campus_id"),
    "reports": ("p_before", "p_limit", "p_campus_id"),
    "suspend_user": ("p_user_id", "p_until", "p_reason", "p_campus_id"),
}
FOR_OPERATORS = {
    *(
        "cancel_time_slot",
        "explain_circle",
        "operator_day",
        "replay_matching",
        "reports",
        "short_circles",
        "suspend_user",
    )
}
READ_ONLY = {"get_button_state", "get_button_states", "time_slots", "my_circle", "my_trail", "get_online_users"}
FORGED = {"x-accel-redirect", "set-cookie"}


@pytest.fixture(scope="module")
def ended(turning_stack: Stack) -> Iterator[Campus]:
    """A campus whose slot is over, and was matched: so that feedback is looked at to the last word."""
    yield from new_campus(turning_stack)


@pytest.fixture(scope="module")
def callers(ended: Campus) -> dict[str, Person]:
    ann, *_ = ended.matched("Ann", "Bob", "Cleo")
    return {
        "member": ann,
        "operator": ended.member("Olga", operator=True),
        "service": ended.service,
        "nobody": ended.nobody,
    }


CASES = [
    (function, parameter, who)
    for function, names in PARAMETERS.items()
    for parameter in names
    for who in ("member", "service", "nobody", *(["operator"] if function in FOR_OPERATORS else []))
]


@pytest.mark.parametrize(("function", "parameter", "who"), CASES)
def test_bad_values(ended: Campus, callers: dict[str, Person], function: str, parameter: str, who: str) -> None:
    ended.at(minutes=20)
    good = {
        "p_user_id": callers["member"].user_id,
        "p_time_slot": ended.slot,
        "p_campus_id": ended.campus_id,
        "p_rating": 3,
        "p_email": f"ann@{ended.campus_id}.edu",
        "p_code": "000000",
        "p_reason": "fake",
        "p_until": "infinity",
    }
    # Of whom the role keeps out, nothing is looked at but the type: a sample will do.
    step = 3 if who == "nobody" else 1
    for value in [*TEXTS[::step], *OTHERS[::step]]:
        arguments = {name: good[name] for name in PARAMETERS[function] if name in good}
        arguments[parameter] = value
        in_address = function in READ_ONLY and isinstance(value, str) and value != LONE_SURROGATE
        for method in ("POST", "GET") if in_address else ("POST",):
            answer = callers[who].call(function, method, **arguments)
            assert answer.status_code < 500, (value, answer.status_code, answer.text)
            assert not FORGED & set(answer.headers), value
            if answer.is_error:
                assert answer.json()["message"], value


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("parameter", ["p_about", "p_attributes"])
def test_json_of_any_depth(ended: Campus, callers: dict[str, Person], opening: str, parameter: str) -> None:
    ended.at(minutes=20)
    closing = {"[": "]", '{"a":': "}"}[opening]
    function, rest = (
        ("submit_feedback", f'"p_time_slot": "{ended.slot}", "p_rating": 3,')
        if parameter == "p_about"
        else ("update_profile", "")
    )
    for depth in (10, 1_000, 10_000 if opening != "[" else 30_000):
        body = f'{{{rest} "{parameter}": {opening * depth}1{closing * depth}}}'
        answer = callers["member"].rest("POST", f"rpc/{function}", body)
        assert 200 <= answer.status_code < 500, (depth, answer.text)


@pytest.mark.parametrize("bytes_", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x9c"])
def test_what_is_no_utf8_is_refused_everywhere(stack: Stack, bytes_: bytes) -> None:
    encoded = "".join(f"%{byte:02x}" for byte in bytes_)
    path = "/rest/v1/rpc/time_slots"
    for url in (
        f"{path}?p_campus_id={encoded}",
        f"{path}?p_day={encoded}",
        f"{path}?{encoded}=1",
        f"/rest/v1/{encoded}",
    ):
        answer = stack.http.get(url)
        assert (answer.status_code, answer.json()["details"]) == (400, "text_invalid"), url
    for header in (b"Prefer", b"Accept-Profile", b"Accept", b"Range", b"Content-Profile"):
        answer = stack.http.get(f"{path}?p_campus_id=stanford", headers=[(header, bytes_)])
        assert (answer.status_code, answer.json()["details"]) == (400, "text_invalid"), header
    assert stack.http.get(f"{path}?p_campus_id=stanford", headers=[(b"X-Other", bytes_)]).status_code == 200
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = stack.http.post(path, content=f"p_campus_id={encoded}", headers=form)
    assert (answer.status_code, answer.json()["details"]) == (415, "content_type_unsupported")
    json_body = {"Content-Type": "application/json"}
    assert stack.http.post(path, content=b'{"p_campus_id": "' + bytes_ + b'"}', headers=json_body).status_code == 400
    assert stack.http.get(f"{path}?p_campus_id=%E2%9C%93").status_code == 404  # well-formed, and no campus


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
    assert answer.json()["code"]


@pytest.mark.parametrize(
    "path", ["/rest/v1/users", "/rest/v1/time_slots", "/rest/v1/blocks", "/rest/v1/pg_authid", "/rest/v1/rpc/clock"]
)
def test_nothing_but_the_api_schema_is_served(stack: Stack, path: str) -> None:
    assert stack.http.get(path).status_code == 404
    for schema in ("app", "identity", "pg_catalog", "Public", "api, app"):
        answer = stack.http.get(path, headers={"Accept-Profile": schema, "Content-Profile": schema})
        assert answer.status_code in (404, 406)
