"""What PostgREST's formats mean here: values that reach deep into a function, beside some that none can take.

The document says of most values only that they are texts. Drawn from that alone, nearly every call would end at the
first cast.
"""

from copy import deepcopy
from typing import Any

import schemathesis
from hypothesis import strategies as st

from tests.fuzz.world import World

ODD = [
    "",
    " ",
    "null",
    "\r\nX-Accel-Redirect: /_stream/campus:fuzz-abroad",
    "'; drop table app.users; --",
    '" or ""="',
    "\u0000",
    "😀 \u202e",
    "%",
    "%s%n{}",
    "\\",
    "((((",
    "A" * 3_000,
    "1e308",
    "NaN",
    "-1",
    "99999999999999999999",
    "infinity",
    "-infinity",
    "294276-12-31T23:59:59Z",
    "4713-01-01 BC",
    "2027-02-30T14:00:00Z",
    "2027-01-01T25:61:00",
    "2027-01-01T14:00:00 Nowhere/City",
]
OPERATORS = ["eq", "neq", "gt", "lte", "like", "ilike", "is", "in", "cs", "ov", "sl", "fts", "isdistinct", "match"]
OPERATORS += ["like(any)", "eq(all)", "not.eq", "not.in"]
PREFERENCES = ["return=minimal", "count=exact", "tx=rollback", "handling=strict, max-affected=1", "timezone=UTC"]
COLUMNS = ["campus_id", "time_slot", "user_id", "circle_no", "display_name", "joined_at", "version", "rating", "email"]
RELATIONS = ["profiles", "circles", "circle_members", "waitlist_entries", "feedback", "users", "app.users"]


def teach(world: World) -> None:
    """Tell schemathesis what each format of the document is."""
    odd = st.sampled_from(ODD)
    words = st.sampled_from(
        [
            "fuzz-home",
            "fuzz-abroad",
            "harassment",
            "no_show",
            "000000",
            "caller@fuzz-home.edu",
            "new@fuzz-home.edu",
            "x",
        ]
    )
    slots = st.sampled_from(world.slots)
    ids = st.sampled_from(world.ids)
    instants = st.one_of(slots, slots, st.datetimes().map(lambda at: at.isoformat()), odd)
    days = st.one_of(slots.map(lambda slot: slot[:10]), st.dates().map(str), odd)
    known: dict[str, st.SearchStrategy[str]] = {
        "timestamp with time zone": instants,
        "uuid": st.one_of(ids, ids, st.uuids().map(str), odd),
        "date": days,
        "interval": st.sampled_from(["0", "1 hour", "-1 hour", "3 hours", "P1D", "27 years", "1000 years", *ODD]),
        "text": st.one_of(words, words, st.text(max_size=40), odd),
        "filter": st.one_of(st.builds(_filter, st.sampled_from(OPERATORS), st.one_of(slots, ids, words, odd)), odd),
        "select": st.one_of(st.lists(st.one_of(_column(), _embedded()), max_size=4).map(",".join), odd),
        "order": st.builds(str.__add__, st.sampled_from(COLUMNS), st.sampled_from(["", ".desc", ".nullsfirst", ".up"])),
        "count": st.one_of(st.sampled_from(["0", "1", "1000000000", "-1"]), odd),
        "range": st.sampled_from(["0-0", "0-", "5-1", "a-b", "-1", "0-99999999999999999999"]),
    }
    for name, strategy in known.items():
        schemathesis.openapi.format(name, strategy)


def formatted(document: dict[str, Any]) -> dict[str, Any]:
    """Return PostgREST's document with a format for what it leaves open: filters, select, order, ranges.

    Bodies are JSON: the gateway takes nothing else (tests/http/test_bad_input.py). Who calls is not drawn.
    """
    document = deepcopy(document)
    document["consumes"] = ["application/json"]
    del document["security"], document["securityDefinitions"]
    formats = {"select": "select", "order": "order", "limit": "count", "offset": "count", "range": "range"}
    for name, parameter in document.get("parameters", {}).items():
        if name.startswith("rowFilter."):
            parameter["format"] = "filter"
        elif name in formats:
            parameter["format"] = formats[name]
        elif name == "preferParams":  # the one that it names is refused nearly everywhere
            parameter["enum"] += PREFERENCES
    return document


def _filter(operator: str, value: str) -> str:
    if operator in ("in", "not.in") or operator.endswith(")"):
        return f"{operator}.({value})" if "in" in operator else f"{operator}.{{{value}}}"
    return f"{operator}.{value}"


def _column() -> st.SearchStrategy[str]:
    endings = st.sampled_from(["", "", "::text", "::int", "->a", ".count()"])
    return st.builds(str.__add__, st.sampled_from([*COLUMNS, "*"]), endings)


def _embedded() -> st.SearchStrategy[str]:
    return st.builds(lambda name, column: f"{name}!inner({column})", st.sampled_from(RELATIONS), _column())
