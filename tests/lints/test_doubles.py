"""What has to be written twice, in two languages or where a call would cost too much, says the same in both places."""

import re
from pathlib import Path

from circle27.paths import DB, TEMPLATES

FUNCTIONS = DB / "functions"


def one(pattern: str, path: Path) -> str:
    """Return what the group of the pattern matches in a file, where it matches once."""
    found = re.findall(pattern, path.read_text("utf-8"), re.S)
    assert len(found) == 1, f"{path}: {pattern}"
    return str(found[0])


def test_the_gateway_and_sql_know_the_same_calls_that_sign_in() -> None:
    """app.limit_write() and caller() of the gateway: the limit of those who have no token yet."""
    in_sql = re.findall(r"'/rpc/(\w+)'", (FUNCTIONS / "app/limit_write.sql").read_text("utf-8"))
    at_gateway = one(r"rest\\/v1\\/rpc\\/\((\w+(?:\|\w+)*)\)\$", TEMPLATES / "gateway.js").split("|")
    assert len(in_sql) == 3
    assert sorted(in_sql) == sorted(at_gateway)


def test_the_gateway_and_sql_have_the_same_limits() -> None:
    """What is rendered is compared with the running database in tests/http/test_limits.py."""
    at_gateway = dict(re.findall(r'"(\w+)": (\d+)', one(r"set calls_a_minute = (\{.*?\})", TEMPLATES / "nginx.conf")))
    in_sql = dict(re.findall(r"when '(\w+)' then (\d+)", (FUNCTIONS / "ops/calls_a_minute.sql").read_text("utf-8")))
    assert len(in_sql) == 5
    assert at_gateway == in_sql


def test_what_is_an_address_is_the_same_for_who_asks_and_for_what_is_stored() -> None:
    """app.email_campus() asks for the form at once, the table's constraint in two parts; both for two more things."""
    asked = one(r"p_email !~ '\^(.*?)\$'\n", FUNCTIONS / "app/email_campus.sql")
    stored = one(r"constraint users_email_form check \((.*?)\n  \)", DB / "migrations/deploy/campuses.sql")
    function = (FUNCTIONS / "app/email_campus.sql").read_text("utf-8")
    name, domain = re.findall(r"email ~ '\^?(.*?)\$'(?:\n|$)", stored)
    assert name.removesuffix("[^@]+") + domain.removeprefix("@") == asked
    for must, must_not in (("length(email) <= 254", "length(p_email) > 254"), (r"email !~ '=\?'", r"p_email ~ '=\?'")):
        assert must in stored
        assert must_not in function


def test_there_is_one_form_of_a_uuid_in_a_token() -> None:
    """Written where it is asked, as a function for it would cost at every call."""
    forms = {
        form: path.name
        for path in FUNCTIONS.glob("*/*.sql")
        for form in re.findall(r"~ '(\^\[[0-9A-Fa-f-]+\]\{8\}[^']*)'", path.read_text("utf-8"))
    }
    assert set(forms) == {"^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$"}, forms
