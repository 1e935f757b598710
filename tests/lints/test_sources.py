"""Rules for the sources in db/functions and db/policies, read as text."""

import os
import re
import tomllib
from pathlib import Path

import psycopg
import pytest

from circle27.commands.docs import error_codes
from circle27.migrations.drift import bodies, read, schema_text
from circle27.paths import DB, ROOT

SOURCES = sorted((DB / "functions").glob("*/*.sql"))
FUNCTIONS = [path for path in SOURCES if "create or replace function" in path.read_text("utf-8")]
VIEWS = [path for path in SOURCES if path not in FUNCTIONS]
POLICIES = sorted((DB / "policies").glob("*.sql"))
REFUSE = DB / "functions/app/refuse.sql"
DEPLOY = sorted(path for path in (DB / "migrations/deploy").glob("*.sql") if not path.name.startswith("release_"))


def code(path: Path) -> str:
    """Return a file without its comments."""
    return re.sub(r"--[^\n]*", "", path.read_text("utf-8"))


def name(path: Path) -> str:
    """Return schema.function for a function's file."""
    return f"{path.parent.name}.{path.stem}"


@pytest.mark.parametrize("path", [p for p in FUNCTIONS if p != REFUSE], ids=name)
def test_only_refuse_raises(path: Path) -> None:
    raises = re.findall(r"\braise\s+(?!notice|debug|log|info)\w*[^;]*;|\bassert\b[^;]*;", code(path), re.I)
    assert not raises, f"raise refusals with app.refuse(slug), not with: {raises[0]}"


@pytest.mark.parametrize("path", FUNCTIONS, ids=name)
def test_one_function_a_file(path: Path) -> None:
    text = code(path)
    made = re.findall(r"create or replace function ([a-z_]+\.[a-z_0-9]+)\s*\(", text)
    assert made == [name(path)], "a file makes the one function it is named after"
    assert re.findall(r"comment on function ([a-z_]+\.[a-z_0-9]+)\s*\(", text) == [name(path)]
    assert re.findall(r"revoke all on function ([a-z_]+\.[a-z_0-9]+)\s*\([^;]*\)\s*from public", text) == [name(path)]
    assert path.read_text("utf-8").startswith(f"-- {name(path)}("), "the why stands above, beginning with the name"


@pytest.mark.parametrize("path", VIEWS, ids=name)
def test_one_view_a_file(path: Path) -> None:
    text = code(path)
    made = re.findall(r"create or replace view ([a-z_.]+)\nwith \(security_invoker = true\)\nas\n", text)
    assert made == [name(path)], "a view's file makes that view, with the rights of who asks"
    assert f"comment on view {name(path)} is" in text
    assert path.read_text("utf-8").startswith(f"-- {name(path)}:"), "the why stands above, beginning with the name"


HEADER = ["returns", "language", "volatility", "strict", "parallel", "security", "set"]


@pytest.mark.parametrize("path", FUNCTIONS, ids=name)
def test_header_order(path: Path) -> None:
    text = code(path)
    lines = text[text.index("create or replace function") : text.index("as $function$")].splitlines()
    found = [
        "volatility" if line in {"volatile", "stable", "immutable"} else line.split()[0]
        for line in lines
        if re.match(r"(returns|language|volatile|stable|immutable|strict|parallel|security|set)\b", line)
    ]
    assert [word for word in found if word not in HEADER] == []
    assert found == sorted(found, key=HEADER.index), "one attribute a line: " + ", ".join(HEADER)
    assert {"returns", "language", "volatility"} <= set(found)


def test_every_slug_is_used_and_known(transaction: psycopg.Connection) -> None:
    used = {slug for path in FUNCTIONS for slug in re.findall(r"app\.(?:refuse|denial)\('([^']*)'", code(path))}
    known = {row[0] for row in transaction.execute("select slug from app.error_registry()")}
    assert used == known


@pytest.mark.parametrize("path", FUNCTIONS, ids=name)
def test_comments_name_only_known_slugs(path: Path, transaction: psycopg.Connection) -> None:
    known = {row[0] for row in transaction.execute("select slug from app.error_registry()")}
    for sentence in re.findall(r"Refuses ([a-z_, ]+)\.", code(path)):
        assert set(sentence.split(", ")) <= known


@pytest.mark.parametrize("path", [p for p in FUNCTIONS if p.parent.name == "api"], ids=name)
def test_api_functions_say_what_they_refuse(path: Path) -> None:
    said = set(re.findall(r"[a-z_]+", "".join(re.findall(r"Refuses ([a-z_, ]+)\.", code(path)))))
    assert set(re.findall(r"app\.(?:refuse|denial)\('([^']*)'", code(path))) <= said


@pytest.mark.parametrize("path", DEPLOY, ids=lambda path: path.stem)
def test_tables_are_closed_where_they_are_made(path: Path) -> None:
    text = code(path)
    for table in re.findall(r"create table ([a-z_.0-9]+) \(", text):
        assert f"alter table {table} enable row level security" in text, f"{table}: enable row level security here"


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_policies(path: Path) -> None:
    text = code(path)
    assert re.search(r"\bgrant\b", text), "grants first"
    assert "create policy" not in text or text.index("grant") < text.index("create policy")
    for policy in re.findall(r"create policy [^;]*;", text):
        assert re.search(r"\nfor (select|insert|update|delete)\n", policy), "one command a policy"
        assert re.search(r"\nto \w+\n", policy), "name the role"
        rest = policy.replace("(select app.my_id())", "")
        assert "auth.uid()" not in rest and "app.my_id()" not in rest, "write (select app.my_id())"


def test_error_codes_are_generated(transaction: psycopg.Connection) -> None:
    assert (ROOT / "docs/error_codes.md").read_text("utf-8") == error_codes(transaction), (
        "docs/error_codes.md differs from app.error_registry(); run `circle27 docs error-codes`"
    )


def test_the_schema_is_generated(transaction: psycopg.Connection) -> None:
    kept, found = (DB / "schema.sql").read_text("utf-8"), schema_text(transaction)
    if kept.splitlines()[1] != found.splitlines()[1]:
        pytest.skip("db/schema.sql was made on another PostgreSQL, which may print some expressions in other words")
    assert kept == found, "db/schema.sql is not what the migrations make; run `circle27 db schema` and commit it"


def test_plpgsql_check_is_left_out_for_a_chosen_server_only(transaction: psycopg.Connection) -> None:
    there = transaction.execute("select from pg_extension where extname = 'plpgsql_check'").fetchall()
    assert there or "PG_BINDIR" in os.environ, "install plpgsql_check: `make setup`"


def test_every_function_of_the_schema_has_a_body_in_the_migrations() -> None:
    made = {label.split(" ", 1)[1].split("(")[0] for label in read(DB / "schema.sql") if label.startswith("function ")}
    assert made
    assert made <= bodies(DB).keys()


def test_database_and_package_have_one_version(transaction: psycopg.Connection) -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert transaction.execute("select app.api_version()").fetchone() == (package,), (
        "app.api_version() and the version in pyproject.toml are the same"
    )


def test_the_gateways_own_slugs_are_documented() -> None:
    gateway = "".join((ROOT / "stack" / name).read_text("utf-8") for name in ("nginx.conf", "gateway.js"))
    slugs = set(re.findall(r'"details":"([a-z_]+)"', gateway))
    documented = set(re.findall(r"^\| \d+ \| `([a-z_]+)` \|", (ROOT / "docs/error_codes.md").read_text("utf-8"), re.M))
    assert slugs
    assert slugs <= documented, "add the gateway's slugs to circle27.commands.docs"
