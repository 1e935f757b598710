"""Queries that want too much of the views, and calls that meet: an answer below 500, or 503 with Retry-After."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import quote

import psycopg
import pytest

from circle27.stack.settings import SUPERUSER
from tests.life import Campus, refusal

VIEWS = ["waitlist_entries", "circles", "circle_members", "feedback", "profiles"]
QUERIES = [
    "select=",
    "select=*,*",
    "select=**",
    "select=count",
    "select=version.sum()",
    "select=user_id::nope",
    "select=campus_id->>a",
    "select=*,profiles(*,waitlist_entries(*))",
    "select=*,...circles(*)",
    "select=ctid",
    "campus_id=eq.%00",
    "campus_id=in.(%00)",
    "campus_id=fts(nope).x",
    "campus_id=fts.x",
    "campus_id=cs.{x}",
    "campus_id=eq(any).{x",
    "campus_id=like.%5C",
    "campus_id=is.true",
    "user_id=eq.x",
    "user_id=like.*",
    "time_slot=gt.infinity",
    "time_slot=eq.294276-12-31T23:59:59Z",
    "version=gt.99999999999999999999",
    "and=(",
    "or=(user_id.eq.x,version.gt.1)",
    "a.b.c=eq.1",
    "%00=1",
    "limit=-1",
    "limit=99999999999999999999",
    "offset=9223372036854775807",
    "limit=9223372036854775807&offset=1",
    "order=campus_id.sideways",
    "order=profiles(display_name)",
    "columns=nope",
    "on_conflict=nope",
    "select=" + ",".join(["campus_id"] * 700),
    "&".join(["campus_id=eq.x"] * 500),
    "campus_id=eq." + "," * 7_900,
]
PREFERENCES = [
    "return=representation,resolution=merge-duplicates,missing=default,count=exact",
    "return=nonsense",
    "handling=strict,nonsense=1",
    "handling=strict,max-affected=0",
    "tx=rollback",
    "timezone=Mars/Olympus",
    "timezone=America/Los_Angeles",
    "params=single-object",
    "count=planned",
    "x=" + "y" * 6_000,
]
ACCEPTED = [
    "text/csv",
    "application/vnd.pgrst.object+json;nulls=stripped",
    "application/vnd.pgrst.plan+json",
    "application/geo+json",
    "application/octet-stream",
    "text/xml",
]
BODIES = ["", "[", "[[]]", "[null]", "null", '"x"', "[1]", '[{"time_slot": {}}]', '{"": 1}', '{"time_slot": "\\u0000"}']


@pytest.mark.parametrize("view", VIEWS)
def test_no_query_gives_a_5xx(campus: Campus, view: str) -> None:
    ann = campus.member("Ann")
    for query in QUERIES:
        for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"user_id": ann.user_id})):
            answer = ann.rest(method, f"{view}?{query}", body)
            assert answer.status_code < 500, (method, query, answer.text)
    assert campus.nobody.rest("GET", f"{view}?select={','.join(['campus_id'] * 700)}").status_code == 401


@pytest.mark.parametrize("view", VIEWS)
def test_no_header_or_body_gives_a_5xx(campus: Campus, view: str) -> None:
    ann = campus.member("Ann")
    row = {"time_slot": campus.slot, "user_id": ann.user_id}
    for headers in [{"prefer": each} for each in PREFERENCES] + [{"accept": each} for each in ACCEPTED]:
        for method, body in (("GET", None), ("POST", row), ("PATCH", row), ("DELETE", None), ("PUT", row)):
            answer = ann.rest(method, view, body, **headers)
            assert answer.status_code < 500, (method, headers, answer.text)
    for text in BODIES:
        for method in ("POST", "PATCH", "PUT", "DELETE"):
            answer = ann.rest(method, view, text)
            assert answer.status_code < 500, (method, text, answer.text)


def test_the_zone_of_the_campus_outweighs_the_preference(campus: Campus) -> None:
    ann = campus.member("Ann")
    local = campus.slot[:19]  # without offset
    answer = ann.rest(
        "POST", "waitlist_entries", {"time_slot": local}, prefer="return=representation,timezone=Asia/Tokyo"
    )
    assert [row["time_slot"] for row in answer.json()] == [campus.slot]


def nested(depth: int) -> str:
    inner = "*"
    for level in range(depth):
        inner = f"*,{'waitlist_entries' if (depth - level) % 2 == 0 else 'profiles'}({inner})"
    return inner


@pytest.mark.parametrize(
    "query",
    [
        f"select={nested(4)}",
        f"select={quote(nested(6))}",
        f"s%65lect={nested(30)}",
        f"campus_id=neq.)))))))))&select={nested(6)}",
        "select=*,profiles(*,waitlist_entries(*)),circles(*,circle_members(*))",
        "campus_id=match.x",
        "campus_id=imatch.x",
        "campus_id=not.match.x",
        "campus_id=match(any).{x,y}",
        "or=(campus_id.match.x,campus_id.eq.y)",
        "not.or=(campus_id.eq.y,not.and(version.gt.1,campus_id.not.imatch.x))",
        "select=*,profiles(*)&profiles.or=(display_name.match.x)",
        "campus_id=m%61tch.x",
        "%6Fr=%28campus_id%2Ematch%2Ex%29",
        "campus_id=" + quote("match.((a*)*)*\\2{255}b"),
    ],
)
def test_what_would_keep_the_database_busy_is_refused(campus: Campus, query: str) -> None:
    ann = campus.member("Ann")
    for method in ("GET", "DELETE"):
        assert refusal(ann.rest(method, f"waitlist_entries?{query}")) == (422, "query_too_costly")


def test_what_only_looks_costly_is_not(campus: Campus) -> None:
    ann = campus.member("Ann")
    ann.gets("update_profile", p_display_name="match. (a (b)")
    for query in (
        f"display_name=eq.{quote('match. (a (b)')}",
        f"display_name=like.{quote('*(a (b)')}&campus_id=neq.((((",
        "and=(or(campus_id.neq.a,and(campus_id.neq.b,or(campus_id.neq.c,and(campus_id.neq.d,campus_id.neq.e)))))",
        f"select={nested(3).removeprefix('*,profiles(')[:-1]}",
    ):
        answer = ann.rest("GET", f"profiles?{query}")
        assert (answer.status_code, len(answer.json())) == (200, 1), query


def test_waiting_too_long_for_a_lock_is_503(campus: Campus) -> None:
    ann = campus.member("Ann")
    with ExitStack() as held:
        other = held.enter_context(psycopg.connect(campus.stack.settings.dsn(SUPERUSER)))
        key = "select pg_advisory_xact_lock(app.lock_key('slot', %s, %s))"
        other.execute(key, [campus.campus_id, campus.slot])
        answer = ann.call("join_waitlist", p_time_slot=campus.slot)
        assert refusal(answer) == (503, "service_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    assert ann.gets("join_waitlist", p_time_slot=campus.slot)["buttonState"] == "leave"


def test_trusted_servers_that_write_for_the_same_members_take_turns(campus: Campus) -> None:
    rows = [{"time_slot": campus.slot, "user_id": campus.member(f"M{n}").user_id} for n in range(60)]
    mine = f"waitlist_entries?campus_id=eq.{campus.campus_id}"
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            answers = list(
                pool.map(lambda r: campus.service.rest("POST", "waitlist_entries", r), [rows, rows[::-1]] * 2)
            )
            assert [answer.status_code for answer in answers] == [201] * 4
            answers = list(pool.map(lambda query: campus.service.rest("DELETE", query), [mine] * 4))
            assert [answer.status_code for answer in answers] == [204] * 4
