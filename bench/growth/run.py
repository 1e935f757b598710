"""What one call reads when everything is a hundred times as large: buffers of the main functions, two databases.

    .venv/bin/python -m bench.growth.run [--campuses 100] [--scale 1]

Needs a running stack (`make up`), 20 GB of disk and a quarter of an hour: two databases of the bench's own are made in
its cluster and dropped afterwards. Each campus has 10,000 members and 180 slots in 60 days with 400,000 entries on
their lists; those of the last days have circles. One database has one campus, the other --campuses. `--scale 0.01` is a
try.

Every call is made as 20 members, each in a transaction that is rolled back, by a session that has made it before.
Counted is what EXPLAIN (ANALYZE, BUFFERS) says of the whole call, all statements within it included: pages looked at,
in memory or not. Prints the medians, milliseconds, and the ratio (budget: at most 1.2); writes everything to
bench/results/growth.json.
"""

import argparse
import json
import re
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from bench.machine import machine
from bench.matching.database import set_clock
from bench.options import parse
from circle27.migrations import migrate
from circle27.paths import DB
from circle27.stack.settings import SUPERUSER, Settings

RESULTS = Path(__file__).parents[1] / "results" / "growth.json"
PARTS = dict(
    re.findall(r"-- name: (\w+)\n(.*?);\n", (Path(__file__).parent / "load.sql").read_text("utf-8"), re.DOTALL)
)
BUDGET = 1.2
DAYS = 60
SEATED_DAYS = 10
DRAWN = 20
LISTED = """
select user_id from app.waitlist_entries where campus_id = %(campus)s and time_slot = %(ahead)s
order by user_id offset %(number)s limit 1"""
SEATED = """
select user_id from app.circle_members as places where campus_id = %(campus)s and time_slot = %(past)s
order by exists (
  select from app.waitlist_entries as entries
  where entries.campus_id = %(campus)s and entries.time_slot = %(ahead)s and entries.user_id = places.user_id
), user_id offset %(number)s limit 1"""
INDEXES = """
select indexname, indexdef from pg_indexes
where schemaname = 'app' and tablename in ('waitlist_entries', 'circle_members', 'circles', 'meetings')
  and indexname not in (select conname from pg_constraint)"""

# name -> (role, SQL); {past} and {ahead} are slots, {user} and {campus} the one who asks.
CALLS = {
    "get_button_states": ("authenticated", "select api.get_button_states('{day}')"),
    "get_button_state": ("authenticated", "select api.get_button_state('{user}', '{past}')"),
    "join_waitlist": ("authenticated", "select api.join_waitlist('{ahead}')"),
    "leave_waitlist": ("authenticated", "select api.leave_waitlist('{ahead}')"),
    "my_circle": ("authenticated", "select api.my_circle('{past}')"),
    "my lists": ("authenticated", "select count(*) from (select * from api.waitlist_entries) as mine"),
    "my circles": ("authenticated", "select count(*) from (select * from api.circle_members) as mine"),
    "matching": ("circle27_owner", "select app.match_time_slot('{campus}', '{ahead}', 1)"),
}


def prepare(settings: Settings, database: str, campuses: int, scale: float) -> None:
    """Make and fill one database."""
    with psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(f"drop database if exists {database} with (force)")
        connection.execute(f"create database {database}")
    with psycopg.connect(settings.dsn(SUPERUSER, database=database), autocommit=True) as connection:
        connection.execute((DB / "roles.sql").read_bytes())
        migrate(settings.dsn("circle27_migrator", database=database))
        connection.execute("set session_replication_role = replica")  # foreign keys hold by the way it is made
        connection.execute("set synchronous_commit = off")
        connection.execute("set maintenance_work_mem = '1GB'")
        values: dict[str, Any] = {"members": round(10_000 * scale), "people": round(2_224 * scale)}
        began = time.monotonic()

        def say(what: str) -> None:
            print(f"{database} {time.monotonic() - began:6.0f} s  {what}", flush=True)

        for number in range(campuses):
            for part in ("campus", "members", "meetings"):
                connection.execute(PARTS[part], {**values, "campus": f"bench-{number}"})
        say(f"{campuses} campuses of {values['members']:,} members")
        indexes = connection.execute(INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f"drop index app.{name}")
        connection.execute("analyze")
        connection.execute("set enable_seqscan = off")  # no statistics of what was loaded a moment ago
        today = datetime.now(UTC).date()
        for number in range(DAYS):
            values["day"] = today - timedelta(days=DAYS - 2 - number)  # the last one is tomorrow
            for part in ("slots", "entries") + (("circles",) if number >= DAYS - SEATED_DAYS else ()):
                connection.execute(PARTS[part], values)
            if number % 10 == 9:
                say(f"{number + 1} of {DAYS} days")
        for name, definition in indexes:
            connection.execute(definition)
            say(name)
        connection.execute("vacuum (analyze)")
        connection.execute("checkpoint")
        say("ready")


def buffers(connection: psycopg.Connection[Any], role: str, claims: str, query: str) -> tuple[int, float, int]:
    """Make one call and take it back; return pages looked at, milliseconds, bytes of the write-ahead log."""
    try:
        connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        connection.execute(f"set local role {role}")
        (found,) = connection.execute(
            f"explain (analyze, buffers, wal, timing off, format json) {query}"
        ).fetchone() or ([],)
        plan = found[0]["Plan"]
        return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], found[0]["Execution Time"], plan["WAL Bytes"]
    finally:
        connection.rollback()


def measure(settings: Settings, database: str, campuses: int, scale: float) -> dict[str, dict[str, Any]]:
    """Return buffers and milliseconds of every call, one for each member who was drawn."""
    today = datetime.now(UTC).date()
    found: dict[str, dict[str, Any]] = {name: {"buffers": [], "milliseconds": [], "wal_bytes": []} for name in CALLS}
    with psycopg.connect(settings.dsn(SUPERUSER, database=database), prepare_threshold=None) as connection:
        for name, (role, text) in CALLS.items():
            for number in range(-8, DRAWN):  # the first eight make everything ready
                campus = f"bench-{number * 37 % campuses}"
                past, ahead = connection.execute(
                    "select max(time_slot) filter (where time_slot < %(today)s),"
                    " min(time_slot) filter (where time_slot > %(today)s + 1)"
                    " from app.time_slots where campus_id = %(campus)s",
                    {"today": today, "campus": campus},
                ).fetchone() or ("", "")
                # Who leaves is on the list; all others were in a circle, and are not on it.
                (user,) = connection.execute(
                    LISTED if name == "leave_waitlist" else SEATED,
                    {"campus": campus, "past": past, "ahead": ahead, "number": number % DRAWN},
                ).fetchone() or (None,)
                (claims,) = connection.execute("select identity.token_claims(%s)::text", [user]).fetchone() or ("",)
                connection.rollback()
                query = text.format(
                    day=past.date(), user=user, past=past.isoformat(), ahead=ahead.isoformat(), campus=campus
                )
                if name == "matching":  # at the slot's own time; taken back with the call
                    set_clock(connection, ahead)
                pages, milliseconds, wal = buffers(connection, role, claims, query)
                if number >= 0:
                    found[name]["buffers"].append(pages)
                    found[name]["milliseconds"].append(milliseconds)
                    found[name]["wal_bytes"].append(wal)
            print(f"{database} {name:18} {statistics.median(found[name]['buffers']):8.0f} buffers", flush=True)
        sizes = connection.execute(
            "select relname, reltuples::bigint, pg_total_relation_size(oid) from pg_class"
            " where relnamespace = 'app'::regnamespace and relkind = 'r' and reltuples > 100 order by 3 desc"
        ).fetchall()
    return {
        "calls": found,
        "rows": {name: rows for name, rows, _ in sizes},
        "bytes": {name: size for name, _, size in sizes},
    }


def main() -> None:
    """Load, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--campuses", type=int, default=100)
    parser.add_argument("--scale", type=float, default=1, help="of the members and entries of each campus")
    parser.add_argument("--keep", action="store_true", help="keep the databases, and take them if they are there")
    options, results = parse(parser, RESULTS)
    settings = Settings.require()
    databases = {"one campus": ("circle27_bench_growth_1", 1), "all": ("circle27_bench_growth_n", options.campuses)}
    found = {}
    try:
        for database, campuses in databases.values():
            with psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as connection:
                there = connection.execute("select from pg_database where datname = %s", [database]).fetchone()
            if not (options.keep and there):
                prepare(settings, database, campuses, options.scale)
        for side, (database, campuses) in databases.items():
            found[side] = measure(settings, database, campuses, options.scale)
    finally:
        if not options.keep:
            with psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as connection:
                for database, _ in databases.values():
                    connection.execute(f"drop database if exists {database} with (force)")
    small, large = (found[side]["calls"] for side in databases)
    ratios = {
        name: {
            what: statistics.median(large[name][what]) / statistics.median(small[name][what])
            for what in ("buffers", "milliseconds")
        }
        for name in CALLS
    }
    for name, ratio in ratios.items():
        pages = " -> ".join(f"{statistics.median(side[name]['buffers']):.0f}" for side in (small, large))
        times = " -> ".join(f"{statistics.median(side[name]['milliseconds']):.2f}" for side in (small, large))
        missed = "" if ratio["buffers"] <= BUDGET else "  MISSED"
        print(f"{name:18} buffers {pages:>16}  ratio {ratio['buffers']:.2f}  {times} ms{missed}")
    summary = {"machine": machine(), "options": vars(options), "budget": BUDGET, "ratio": ratios, "sides": found}
    results.write_text(json.dumps(summary, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
