"""A script is cut where psql cuts it."""

import pytest

from circle27.migrations.sqltext import code, statements

CASES = {
    "two": ("select 1; select 2", ["select 1", "select 2"]),
    "empty ones": (";; select 1;;", ["select 1"]),
    "comments": ("-- a; b\nselect 1 /* x; /* nested; */ y; */; -- end;", ["select 1 /* x; /* nested; */ y; */"]),
    "strings": (
        "select 'a;''b;', e'\\';', \"c;\"\"d\"; select 2",
        ["select 'a;''b;', e'\\';', \"c;\"\"d\"", "select 2"],
    ),
    "dollar quotes": ("do $a$ begin; $$ ; $$ $b$;$b$ end $a$; select $1;", None),
    "dollar in a name": ("select a$b$c; select 2", ["select a$b$c", "select 2"]),
    "parentheses": (
        "create rule r as on delete to t do also (select 1; select 2); select 3",
        ["create rule r as on delete to t do also (select 1; select 2)", "select 3"],
    ),
    "begin atomic": (
        "create or replace function f() returns int language sql begin atomic "
        "select case when true then 1 end; select 2; end; select 3",
        [
            "create or replace function f() returns int language sql begin atomic "
            "select case when true then 1 end; select 2; end",
            "select 3",
        ],
    ),
    "frame": (
        "BEGIN; select case 1 when 1 then 2 end; COMMIT;",
        ["BEGIN", "select case 1 when 1 then 2 end", "COMMIT"],
    ),
    "operators first": ("select 1; @ 2; (select 3)", ["select 1", "@ 2", "(select 3)"]),
    "unfinished string": ("select 1; select 'open; ", ["select 1", "select 'open;"]),
}


@pytest.mark.parametrize("name", CASES)
def test_statements(name: str) -> None:
    text, expected = CASES[name]
    found = [statement.text for statement in statements(text)]
    assert found == (expected or ["do $a$ begin; $$ ; $$ $b$;$b$ end $a$", "select $1"])


def test_lines_are_those_of_the_file() -> None:
    first, second = statements("-- head\n\nselect 1;\n\n/* note\n*/ select\n  2;\n")
    assert (first.line, second.line) == (3, 6)
    assert second.line_at(second.text.index("2") + 1) == 7


def test_code_hides_text_and_keeps_places() -> None:
    text = "drop table a; -- drop b\nselect 'drop c', $$drop\nd$$"
    hidden = code(text)
    assert len(hidden) == len(text)
    assert hidden.count("drop") == 1
    assert hidden.count("\n") == text.count("\n")
