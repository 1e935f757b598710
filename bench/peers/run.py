"""Circle27 beside what one would have built instead: the day's buttons and joining, all sides in one run.

    .venv/bin/python -m bench.peers.run [--rounds 5] [--seconds 4] [--connections 16]

Needs `wrk` (Debian package), the extra `bench` (`.venv/bin/pip install -e '.[bench]'`) and a running stack without rate
limits (`CIRCLE27_RATE_LIMITS=off make up`). Adds a campus and seeds it, unless that was done before. Over HTTP:

  ours          get_button_states, or join_waitlist, through the gateway
  empty         an empty function on the same path: what no function could beat
  nine_reads    the seed's way: for each poll nine reads of PostgREST as service_role; its figure is polls, not requests
  fastapi       FastAPI, asyncpg, uvicorn: the same answer (checked first) from one query, behind the same gateway and
                PgBouncer; two processes
  ours_bare, fastapi_bare   two processes each, straight at PostgreSQL with prepared statements: no gateway, no
                PgBouncer

And in SQL, by pgbench: `ours` (the transaction of a poll), `day_states` (one day's states without a token),
`seed_thrice` (the seed's own function, three statements), `seed_at_once` (three calls in one statement), `join`.

The sides alternate; which comes first does, too. Prints requests a second (medians), the ratios and what was missed;
writes everything, with the time of the processor each request took by program, to bench/results/peers.json.
"""

import argparse
import json
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg

from bench.campus import seeded
from bench.machine import machine
from bench.options import parse
from bench.peers import load, stack
from circle27.stack.settings import SUPERUSER, Settings
from circle27.stack.supervision import Supervisor, wait_until

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "peers.json"
MEMBERS = 10_000  # more than any side joins in a round
EMPTY = """
create or replace function api.bench_empty() returns json language plpgsql stable
set search_path = pg_catalog, pg_temp as $$ begin return '{}'::json; end $$;
grant execute on function api.bench_empty() to authenticated"""
# (what, side, base, least ratio)
BUDGETS = [
    ("buttons", "ours", "empty", 0.85),
    ("buttons", "ours", "nine_reads", 7),
    ("buttons", "ours", "fastapi", 2),
    ("buttons", "ours_bare", "fastapi_bare", None),
    ("joins", "ours", "fastapi", None),
    ("sql", "day_states", "seed_thrice", 3),
    ("sql", "day_states", "seed_at_once", None),
]


def prepare(
    connection: psycopg.Connection[Any], settings: Settings, size: int
) -> tuple[str, list[tuple[str, str]], list[str]]:
    """Make the campus with so many members; return it, its members with their tokens, and the slots of the day.

    It lies where it is one o'clock now: its first slot has ended, its second one is on, its third is open.
    """
    hours = (13 - datetime.now(UTC).hour + 12) % 24 - 12
    campus = f"bench-peers-{hours % 24}"
    seeded(campus, f"Etc/GMT{-hours:+d}", size, 5)
    connection.execute((HERE / "today.sql").read_text("utf-8"), {"campus": campus})
    connection.execute("vacuum (analyze) app.waitlist_entries, app.circles, app.circle_members, app.time_slots")
    slots = connection.execute(
        "select time_slot at time zone 'UTC' from app.time_slots where campus_id = %s"
        " and time_slot > app.clock() - interval '6 hours' and time_slot < app.clock() + interval '6 hours' order by 1",
        [campus],
    ).fetchall()
    if len(slots) != 3:
        raise SystemExit(f"campus {campus} has {len(slots)} slots today, not three")
    members = connection.execute(
        "select claims.claims from app.users cross join lateral identity.token_claims(user_id, interval '3 hours')"
        " as claims (claims) where campus_id = %s order by user_id",
        [campus],
    ).fetchall()
    key = settings.secret("jwt.key")
    tokens = [(claims["sub"], jwt.encode(claims, key, algorithm="HS256")) for (claims,) in members]
    return campus, tokens, [slot.replace(tzinfo=UTC).isoformat() for (slot,) in slots]


def nine_reads(token: str, user: str, slots: list[str]) -> list[str]:
    """Return the requests of one poll of the seed's: for each slot the list, the circle, the feedback."""
    views = ("waitlist_entries", "circle_members", "feedback")
    times = [slot.replace("+00:00", "Z") for slot in slots]
    return [f"GET\t/{view}?user_id=eq.{user}&time_slot=eq.{at}\t{token}\t" for at in times for view in views]


def check_same(addresses: dict[str, list[str]], token: str, slot: str) -> None:
    """Refuse to measure services that do not say the same."""
    headers = {"Authorization": f"Bearer {token}"}
    said = {}
    for side, urls in addresses.items():
        for url in urls:
            joined = (
                httpx.post(f"{url}/rpc/join_waitlist", headers=headers, json={"p_time_slot": slot})
                .raise_for_status()
                .json()
            )
            day = httpx.get(f"{url}/rpc/get_button_states", headers=headers).raise_for_status().json()
            now = datetime.fromisoformat(day.pop("now"))
            assert abs(now - datetime.now(UTC)) < timedelta(minutes=5), (side, now)
            said[side] = (joined, day)
    for side, answer in said.items():
        if answer != said["ours"]:
            raise SystemExit(f"{side} says\n{answer}\nwhere the database says\n{said['ours']}")
    buttons = [state["buttonState"] for state in said["ours"][1]["slots"]]
    print(f"all sides give the same answers: {buttons}", flush=True)


def measure(settings: Settings, connection: psycopg.Connection[Any], options: argparse.Namespace) -> dict[str, Any]:
    """Return what every side did in every round."""
    campus, members, slots = prepare(connection, settings, MEMBERS)
    user, token = members[0]
    service = jwt.encode(
        {"role": "service_role", "exp": datetime.now(UTC) + timedelta(hours=3)},
        settings.secret("jwt.key"),
        algorithm="HS256",
    )
    joins = [f'POST\t/rpc/join_waitlist\t{each}\t{{"p_time_slot": "{slots[2]}"}}' for _, each in members]
    found: dict[str, dict[str, list[dict[str, Any]]]] = {"buttons": {}, "joins": {}, "sql": {}}

    def take(what: str, side: str, result: dict[str, Any]) -> None:
        found[what].setdefault(side, []).append(result)
        cpu = f"  processor {sum(result['cpu_us'].values())} µs {result['cpu_us']}" if "cpu_us" in result else ""
        print(f"{what:8} {side:13} {result['per_second']:8.0f} a second{cpu}", flush=True)

    def fresh_list() -> None:
        connection.execute(
            "delete from app.waitlist_entries where campus_id = %s and time_slot = %s", [campus, slots[2]]
        )
        connection.execute("vacuum app.waitlist_entries")
        wait_until(lambda: not connection.execute("select from events.outbox limit 1").fetchone(), 60, "events stay")

    with stack.running(settings) as addresses:
        fresh_list()
        check_same(addresses, token, slots[2])
        poll = [f"GET\t/rpc/get_button_states\t{token}\t"]
        sides = {side: (urls, poll) for side, urls in addresses.items()}
        sides["empty"] = (addresses["ours"], [f"GET\t/rpc/bench_empty\t{token}\t"])
        sides["nine_reads"] = (addresses["ours"], nine_reads(service, user, slots))
        for urls, requests in sides.values():
            load.wrk(urls, requests, 1, options.connections)
        for number in range(options.rounds):
            for side in sorted(sides, reverse=bool(number % 2)):
                result = load.wrk(*sides[side], options.seconds, options.connections)
                if side == "nine_reads":
                    result["per_second"] /= 9
                    result["cpu_us"] = {kind: 9 * spent for kind, spent in result["cpu_us"].items()}
                take("buttons", side, result)
        for number in range(options.rounds):
            for side in sorted(addresses, reverse=bool(number % 2)):
                fresh_list()
                result = load.wrk(addresses[side], joins, options.seconds, options.connections)
                if result["per_second"] * options.seconds > 0.9 * MEMBERS:
                    raise SystemExit("so many joined that some joined twice: more MEMBERS")
                take("joins", side, result)

    dsn = settings.dsn(SUPERUSER)
    scripts = in_sql(campus, user, members, slots, settings, connection)
    for number in range(options.rounds):
        for side in sorted(scripts, reverse=bool(number % 2)):
            if side == "join":
                fresh_list()
            script, searching = scripts[side]
            searching = f"-c search_path={searching} -c plan_cache_mode=force_generic_plan"
            take("sql", side, load.pgbench(dsn, script, options.seconds, options.connections, searching))
    fresh_list()
    return found


def in_sql(  # noqa: PLR0917 - what stands in the scripts
    campus: str,
    user: str,
    members: list[tuple[str, str]],
    slots: list[str],
    settings: Settings,
    connection: psycopg.Connection[Any],
) -> dict[str, tuple[str, str]]:
    """Return the scripts for pgbench, each with its search_path."""
    (claims, zone) = connection.execute(
        "select identity.token_claims(%s)::text, time_zone from app.campuses where campus_id = %s", [user, campus]
    ).fetchone() or ("", "")
    times = [slot.removesuffix("+00:00") for slot in slots]
    calls = [f"get_button_state('{user}', '{at}', localtimestamp)" for at in times]
    connection.execute("drop table if exists bench_members")
    connection.execute("create unlogged table bench_members as select row_number() over () as number, user_id"
                       " from app.users where campus_id = %s", [campus])  # fmt: skip
    connection.execute("create unique index on bench_members (number)")
    connection.execute("create sequence if not exists bench_number")
    return {
        "ours": (
            "begin read only;\n"
            f"select set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{claims}', true);\n"
            "select app.pre_request();\nselect api.get_button_states();\ncommit;",
            "",
        ),
        "day_states": (f"select app.day_states('{campus}', '{user}', '{zone}', null, app.clock());", "pg_catalog"),
        "seed_thrice": ("\n".join(f"select {call};" for call in calls), "bench_seed"),
        "seed_at_once": (f"select {', '.join(calls)};", "bench_seed"),
        "join": (
            f"select app.join_waitlist('{campus}', (select user_id from public.bench_members"
            f" where number = (select nextval('public.bench_number') % {len(members)} + 1)), '{slots[2]}');",
            "",
        ),
    }


def summarise(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the ratios, round by round and their median, each with its budget."""
    rows = []
    for what, side, base, budget in BUDGETS:
        rounds = [a["per_second"] / b["per_second"] for a, b in zip(found[what][side], found[what][base], strict=True)]
        middle = statistics.median(rounds)
        rows.append({"what": what, "side": side, "base": base, "budget": budget, "median": middle, "rounds": rounds,
                     "met": budget is None or middle >= budget})  # fmt: skip
    return rows


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=16)
    options, results = parse(parser, RESULTS)
    settings = Settings.require()
    if settings.rate_limits:
        raise SystemExit("the stack has rate limits. First: CIRCLE27_RATE_LIMITS=off circle27 up")
    on = machine()
    with psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(EMPTY)
        connection.execute("drop schema if exists bench_seed cascade")
        try:
            with connection.transaction():
                connection.execute((HERE / "seed.sql").read_bytes())
            connection.execute("set search_path = public, pg_catalog")
            for service in settings.postgrest_services():
                Supervisor(settings).signal(service, "USR1")
                own = f"{settings.url(service)}/rpc/bench_empty"
                wait_until(lambda own=own: httpx.get(own).status_code != 404, 10, "the empty RPC stayed unknown")
            found = measure(settings, connection, options)
        finally:
            connection.execute("drop function api.bench_empty()")
            connection.execute("drop schema if exists bench_seed cascade")
            connection.execute("drop table if exists public.bench_members")
            connection.execute("drop sequence if exists public.bench_number")
    ratios = summarise(found)
    results.write_text(
        json.dumps({"machine": on, "options": vars(options), "ratio": ratios, "rounds": found}, indent=1) + "\n",
        "utf-8",
    )
    for row in ratios:
        verdict = "" if row["budget"] is None else f"  budget {row['budget']}: {'met' if row['met'] else 'MISSED'}"
        name = f"{row['what']}: {row['side']} / {row['base']}"
        print(f"{name:40} {row['median']:6.2f} ({min(row['rounds']):.2f} to {max(row['rounds']):.2f}){verdict}")


if __name__ == "__main__":
    main()
