"""docs/api.md and web/circle27.d.ts: complete, and as the database and docs/api/ have them."""

import re

import psycopg
import pytest
from click.testing import CliRunner, Result

from circle27.commands.docs import api, typescript
from circle27.errors import CircleError
from circle27.main import cli
from circle27.paths import ROOT
from circle27.reference import sources
from circle27.reference.calls import Call
from circle27.reference.catalogue import Catalogue
from circle27.reference.page import anchor
from circle27.reference.typescript import sql_type
from circle27.reference.typescript import typescript as as_typescript


@pytest.fixture
def catalogue(transaction: psycopg.Connection) -> Catalogue:
    return Catalogue.read(transaction)


def test_a_function_without_its_place_is_refused(transaction: psycopg.Connection) -> None:
    transaction.execute("create function api.wave() returns json language sql stable as 'select null::json'")
    transaction.execute("revoke all on function api.wave() from public")
    api(transaction)  # nobody may call it, so nobody need know
    transaction.execute("grant execute on function api.wave() to authenticated")
    for generate in (api, typescript):
        with pytest.raises(CircleError, match=r"story\.yaml says nothing of the function wave; CONTRIBUTING"):
            generate(transaction)


def test_a_function_that_is_no_more_is_refused(transaction: psycopg.Connection) -> None:
    transaction.execute("drop function api.my_circle(timestamptz)")
    with pytest.raises(CircleError, match=r"story\.yaml speaks of the function my_circle"):
        typescript(transaction)


def test_a_view_without_its_place_is_refused(transaction: psycopg.Connection) -> None:
    transaction.execute("create view api.greetings as select 1 as id")
    with pytest.raises(CircleError, match="says nothing of the view greetings"):
        api(transaction)


def test_every_type_is_used() -> None:
    types = sources.types()
    named = {each["result"] for kind in ("functions", "paths") for each in types[kind].values()}
    named |= {event["data"] for event in types["events"].values()}
    text = sources.TYPES.read_text("utf-8")
    unused = {name for name in types["types"] if name not in named and f"$ref: {name}" not in text}
    assert unused == set()


def test_what_is_no_text_is_json_in_an_address() -> None:
    assert Call("GET", "/a", {"p": "b c", "q": True, "r": [1]}).address == "/a?p=b+c&q=true&r=%5B1%5D"
    assert Call("GET", "/a").address == "/a"


def test_json_arguments_and_insertable_columns_are_described(catalogue: Catalogue) -> None:
    types = sources.types()
    for function in catalogue.functions.values():
        described = types["functions"][function.name].get("arguments", {})
        as_json = {each.name for each in function.arguments if each.type in ("json", "jsonb")}
        assert as_json <= set(described) <= {each.name for each in function.arguments}
        assert function.is_void == (types["functions"][function.name]["result"] == "void")
    for view in catalogue.views.values():
        insertable = {column.name for column in view.columns if column.is_insertable}
        required = set(types["views"].get(view.name, {}).get("insert", []))
        assert required <= insertable
        assert bool(required) == bool(insertable)


def test_every_example_has_its_answer() -> None:
    answers = sources.answers()
    parts = sources.parts(sources.story())
    assert {part["name"]: len(part["examples"]) for part in parts} == {
        name: len(each) for name, each in answers.items() if name != "events"
    }, "play them: pytest tests/reference --record"
    assert all(part["examples"] for part in parts)


def test_comments_begin_with_a_line_that_stands_alone(catalogue: Catalogue) -> None:
    comments = {name: function.comment for name, function in catalogue.functions.items()}
    comments |= {name: view.comment for name, view in catalogue.views.items()}
    for name, comment in comments.items():
        summary, _, rest = comment.partition("\n")
        assert len(summary) <= 80, f"{name}: OpenAPI shows the first line as the summary; put the rest below"
        assert re.fullmatch(r"[A-Z][^.]*\.", summary), f"{name}: one sentence"
        assert "Refuses" not in summary
        assert rest == "" or rest.startswith("\n"), f"{name}: an empty line below the summary"


def test_the_page_is_generated(transaction: psycopg.Connection) -> None:
    assert (ROOT / "docs/api.md").read_text("utf-8") == api(transaction), "run `circle27 docs api`"


def test_the_types_are_generated(transaction: psycopg.Connection) -> None:
    assert (ROOT / "web/circle27.d.ts").read_text("utf-8") == typescript(transaction), "run `circle27 docs types`"


def test_check_says_what_to_run(postgresql: psycopg.Connection) -> None:
    def run(command: str) -> Result:
        asked = ["docs", command, "--check", "--dsn", postgresql.info.dsn]
        return CliRunner().invoke(cli, asked, prog_name="circle27")

    for command, name in (("api", "docs/api.md"), ("types", "web/circle27.d.ts")):
        assert (run(command).exit_code, run(command).output) == (0, f"{name} is up to date.\n")
    postgresql.execute("comment on function api.my_profile() is 'Another word.'")
    postgresql.commit()
    for command, name in (("api", "docs/api.md"), ("types", "web/circle27.d.ts")):
        before = (ROOT / name).read_bytes()
        assert run(command).exit_code == 1
        assert run(command).output == f"{name} is out of date; run `circle27 docs {command}`.\n"
        assert (ROOT / name).read_bytes() == before


def test_links_within_the_page_lead_to_one_heading() -> None:
    page = (ROOT / "docs/api.md").read_text("utf-8")
    headings = [anchor(title) for title in re.findall(r"^#+ (.*)$", page, re.M)]
    linked = set(re.findall(r"\]\(#([^)]*)\)", page))
    assert len(linked) > 40
    assert {name: headings.count(name) for name in linked} == dict.fromkeys(linked, 1)


def test_what_typescript_could_not_say_is_refused() -> None:
    with pytest.raises(CircleError, match="does not know the keyword pattern"):
        as_typescript({"type": "string", "pattern": "a"})
    with pytest.raises(CircleError, match="does not know PostgreSQL's point"):
        sql_type("point")
