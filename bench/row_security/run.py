"""What row level security costs: the five views as a member, against the same rows asked for by name.

    .venv/bin/python -m bench.row_security.run [--users 30000] [--days 60] [--members 20] [--rounds 15]

Needs a running stack (`make up`). Adds a campus of this size and seeds it, unless that was done before: with the
defaults more than 1,000,000 entries of lists. Then some members with a long past read each view, in turn:

  on   as `authenticated`, with the member's claims and no condition: the policies find the rows
  off  as `circle27_owner`, whom no policy binds, with the condition that a careful service would write

Both not prepared, as behind PgBouncer; which comes first alternates. Both must give the same number of rows. Two times
are taken: of the query alone, and of the transaction with what PostgREST must send around it (claims, role). Prints
medians and the ratios on/off (budget: at most 1.2 of the transaction); writes everything to
bench/results/row_security.json.

Of the query alone, where a read gives few rows, the fixed cost of the policies shows: 0.08 ms for who is asking and
whether the account is open.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import psycopg

from bench.campus import seeded
from bench.options import parse
from circle27.stack.settings import SUPERUSER, Settings

RESULTS = Path(__file__).parents[1] / "results" / "row_security.json"
BUDGET = 1.2
OWN = "user_id = '{member}'"
MY_CIRCLES = """(campus_id, time_slot, circle_no) in (
  select places.campus_id, places.time_slot, places.circle_no
  from app.circle_members as places where places.user_id = '{member}' and places.cancelled_at is null)"""
MY_MATES = """user_id in (
  select mates.user_id from app.circle_members as places
  inner join app.circle_members as mates
    on mates.campus_id = places.campus_id and mates.time_slot = places.time_slot and mates.circle_no = places.circle_no
    and mates.cancelled_at is null
  where places.user_id = '{member}' and places.cancelled_at is null)"""
VIEWS = {
    "waitlist_entries": OWN,
    "feedback": OWN,
    "circles": MY_CIRCLES,
    "circle_members": MY_CIRCLES,
    "profiles": f"({OWN} or {MY_MATES})",
}
SIDES = ("on", "off")
READ = """
with pgrst_source as (select api.{0}.* from api.{0} {1} limit 1000 offset 0)
select pg_catalog.count(_postgrest_t), coalesce(json_agg(_postgrest_t), '[]'),
  nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '')
from (select * from pgrst_source) as _postgrest_t"""
MEMBERS = """
select user_id::text, identity.token_claims(user_id)::text from (
  select user_id from app.circle_members where campus_id = %s group by user_id order by count(*) desc, user_id limit %s
) as longest"""


def read(connection: psycopg.Connection[Any], side: str, query: str, claims: str) -> tuple[float, float, int]:
    """Run one query in a transaction like PostgREST's; return milliseconds of the query and of all, and the rows."""
    role = "authenticated" if side == "on" else "circle27_owner"
    began = time.perf_counter()
    with connection.transaction():
        connection.execute(
            "select set_config('search_path', '', true), set_config('role', %s, true),"
            " set_config('request.jwt.claims', %s, true)",
            [role, claims],
        )
        asked = time.perf_counter()
        rows = connection.execute(query).fetchone() or (0,)
        answered = time.perf_counter()
    return (answered - asked) * 1000, (time.perf_counter() - began) * 1000, rows[0]


def measure(dsn: str, campus: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return, for each view, the times of both sides in milliseconds: one for each member and round."""
    found: dict[str, Any] = {}
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        members = connection.execute(MEMBERS, [campus, options.members]).fetchall()
        for view, condition in VIEWS.items():
            times: dict[str, dict[str, list[float]]] = {side: {"query": [], "transaction": []} for side in SIDES}
            row_counts = []
            for number in range(options.rounds):
                for member, claims in members:
                    where = " where " + condition.format(member=member)
                    queries = {"on": READ.format(view, ""), "off": READ.format(view, where)}
                    rows = {}
                    for side in SIDES[:: -1 if number % 2 else 1]:
                        query, transaction, rows[side] = read(connection, side, queries[side], claims)
                        times[side]["query"].append(query)
                        times[side]["transaction"].append(transaction)
                    if rows["on"] != rows["off"]:
                        raise SystemExit(f"{view}: {rows['on']} rows through the policies, {rows['off']} without")
                    row_counts.append(rows["on"])
            found[view] = {"rows": statistics.median(row_counts), "milliseconds": times}
            found[view]["median"] = {
                side: {what: statistics.median(times[side][what]) for what in times[side]} for side in SIDES
            }
            found[view]["ratio"] = {
                what: found[view]["median"]["on"][what] / found[view]["median"]["off"][what]
                for what in ("query", "transaction")
            }
            print(
                f"{view:17} {found[view]['rows']:5.0f} rows  on {found[view]['median']['on']['query']:7.3f} ms"
                f"  off {found[view]['median']['off']['query']:7.3f} ms  ratio {found[view]['ratio']['query']:.2f}"
                f"  whole transaction {found[view]['ratio']['transaction']:.2f}",
                flush=True,
            )
    return found


def main() -> None:
    """Seed, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=30_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--members", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=15)
    options, results = parse(parser, RESULTS)
    settings = Settings.require()
    dsn = settings.dsn(SUPERUSER)
    campus = f"bench-rls-{options.users}-{options.days}"
    seeded(campus, "America/New_York", options.users, options.days)
    with psycopg.connect(dsn) as connection:
        counts = {
            table: connection.execute(f"select count(*) from app.{table}").fetchone()[0]  # type: ignore[index]
            for table in ("users", "waitlist_entries", "circles", "circle_members", "feedback")
        }
    print(", ".join(f"{count:,} {table}" for table, count in counts.items()), flush=True)
    views = measure(dsn, campus, options)
    summary = {
        "measured_at": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": {"cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()},
        "options": vars(options),
        "rows": counts,
        "budget": BUDGET,
        "views": views,
    }
    results.write_text(json.dumps(summary, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
