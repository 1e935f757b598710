"""Joining one hot slot against a bare INSERT into the same table: pgbench, 40 clients, both sides in one run.

    .venv/bin/python -m bench.join.run [--rounds 5] [--seconds 5] [--clients 40]

Needs a running stack (`make up`): a database of the bench's own is made in its cluster and dropped afterwards, so that
no worker carries events away meanwhile. Everyone joins the same slot. Sides, alternating:

  insert   insert into app.waitlist_entries: the table with its keys and indexes, and nothing else
  rows     the four rows that a limited join writes (entry, event, trail, bucket), by hand in one statement: no lookup,
           no lock, no function. What no join that writes them can beat
  join     app.join_waitlist(): locks, clock, checks, entry, event, trail, the new button
  limited  the same, after app.limit_write(), which counts the call against the member's limit

Once with synchronous commit (as deployed: the disk has its say) and once without (the processor alone). Prints
transactions a second and ratios: limited/insert (budget: at least 0.5), rows/insert (how far any join could get:
decision 11) and others; writes everything to bench/results/join.json.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from bench.options import parse
from circle27.migrations import migrate
from circle27.paths import DB
from circle27.stack.programs import postgresql_bindir
from circle27.stack.settings import SUPERUSER, Settings

RESULTS = Path(__file__).parents[1] / "results" / "join.json"
DATABASE = "circle27_bench_join"
MEMBERS = 400_000
BUTTON = json.dumps(
    {
        "buttonState": "leave",
        "buttonText": "Leave",
        "middleText": "Decide by 11AM",
        "isDisabled": False,
        "timeSlot": "2100-01-01T12:00:00+00:00",
        "deadlineAt": "2100-01-01T11:00:00+00:00",
        "endsAt": "2100-01-01T12:20:00+00:00",
        "slotStatus": "open",
        "pending": False,
        "changesAt": "2100-01-01T11:00:00+00:00",
        "version": 1,
    }
)
SIDES = {
    "insert": "insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, version) values ('bench',"
    " '2100-01-01 12:00+00', md5(nextval('bench_number')::text)::uuid, clock_timestamp(), nextval('app.version_seq'));",
    "rows": "with caller as materialized (select md5(nextval('bench_number')::text)::uuid as user_id),"
    " entry as (insert into app.waitlist_entries (campus_id, time_slot, user_id, joined_at, version)"
    " select 'bench', '2100-01-01 12:00+00', user_id, clock_timestamp(), nextval('app.version_seq') from caller),"
    " event as (insert into events.outbox (campus_id, channel, event, payload)"
    f" select 'bench', 'user:' || user_id, 'button', '{BUTTON}' from caller),"
    " line as (insert into audit.log (action, campus_id, user_id, time_slot, actor_role)"
    " select 'waitlist.joined', 'bench', user_id, '2100-01-01 12:00+00', 'authenticated' from caller)"
    " insert into ops.buckets as buckets (caller, full_at) select 'user:' || user_id, clock_timestamp() from caller"
    " on conflict on constraint buckets_pkey do update set full_at = excluded.full_at;",
    "join": "select app.join_waitlist('bench', md5(nextval('bench_number')::text)::uuid, '2100-01-01 12:00+00');",
    "limited": "with caller as materialized (select md5(nextval('bench_number')::text)::uuid as user_id)"
    " select app.limit_write(user_id), app.join_waitlist('bench', user_id, '2100-01-01 12:00+00') from caller;",
}
RATIOS = [("join", "insert"), ("limited", "insert"), ("rows", "insert"), ("limited", "join"), ("limited", "rows")]
MEMBERS_SQL = """
with ids as (select md5(number::text)::uuid as user_id, number from generate_series(1, %s) as numbers (number)),
directory as (insert into app.user_campuses (user_id, campus_id) select user_id, 'bench' from ids)
insert into app.users (campus_id, user_id, email, display_name)
select 'bench', user_id, 'member' || number || '@bench.edu', 'Member' from ids"""
SLOT_SQL = """
insert into app.time_slots (campus_id, time_slot, deadline_at, ends_at, version)
values ('bench', '2100-01-01 12:00+00', '2100-01-01 11:00+00', '2100-01-01 12:20+00', app.next_version())"""


def prepare(settings: Settings, members: int) -> psycopg.Connection[Any]:
    """Make the database with so many members; return a connection to it."""
    with psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(f"drop database if exists {DATABASE}")
        connection.execute(f"create database {DATABASE}")
    connection = psycopg.connect(settings.dsn(SUPERUSER, database=DATABASE), autocommit=True)
    connection.execute((DB / "roles.sql").read_bytes())
    migrate(settings.dsn("circle27_migrator", database=DATABASE))
    connection.execute("select app.add_campus('bench', 'Bench', 'UTC', array['bench.edu'])")
    connection.execute(SLOT_SQL)
    connection.execute("create sequence bench_number")
    connection.execute(f"alter database {DATABASE} set circle27.rate_limits = on")  # whatever the stack has
    print(f"{members:,} members", flush=True)
    connection.execute(MEMBERS_SQL, [members])
    connection.execute("vacuum (analyze)")
    return connection


def transactions_per_second(dsn: str, script: str, options: argparse.Namespace) -> float:
    """Run pgbench once; refuse a run with any failure."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script + "\n")
        file.flush()
        command = [str(postgresql_bindir() / "pgbench"), "-n", "-M", "prepared", "-f", file.name]
        command += ["-c", str(options.clients), "-j", "2", "-T", str(options.seconds), dsn]
        output = subprocess.run(command, text=True, capture_output=True, check=True).stdout
    found = re.search(r"tps = ([\d.]+) \(without", output)
    if found is None or "number of failed transactions: 0 " not in output:
        raise SystemExit(f"some transactions failed:\n{output}")
    return float(found[1])


def measure(settings: Settings, options: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    """Return transactions a second by commit setting and side, one for each round."""
    found: dict[str, dict[str, list[float]]] = {
        commit: {side: [] for side in SIDES} for commit in ("synchronous", "asynchronous")
    }
    with prepare(settings, MEMBERS) as connection:
        for commit, sides in found.items():
            value = "on" if commit == "synchronous" else "off"
            connection.execute(f"alter database {DATABASE} set synchronous_commit = {value}")
            for number in range(options.rounds):
                for side in sorted(SIDES, reverse=bool(number % 2)):
                    connection.execute("truncate app.waitlist_entries, events.outbox, ops.buckets cascade")
                    connection.execute("select setval('bench_number', 1)")
                    connection.execute("vacuum app.users")
                    dsn = settings.dsn(SUPERUSER, database=DATABASE)
                    sides[side].append(transactions_per_second(dsn, SIDES[side], options))
                    print(f"{commit:12} round {number + 1}  {side:7} {sides[side][-1]:8.0f} a second", flush=True)
    return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=40)
    options, results = parse(parser, RESULTS)
    settings = Settings.require()
    try:
        found = measure(settings, options)
    finally:
        with psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as connection:
            connection.execute(f"drop database if exists {DATABASE} with (force)")
    summary = {
        "measured_at": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": {"cores": os.cpu_count(), "kernel": platform.release()},
        "options": vars(options),
        "transactions_per_second": found,
        "ratio": {
            commit: {f"{side}/{base}": ratio(sides[side], sides[base]) for side, base in RATIOS}
            for commit, sides in found.items()
        },
    }
    results.write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
    print(json.dumps(summary["ratio"], indent=2))


def ratio(side: list[float], base: list[float]) -> dict[str, float]:
    """Return median, least and greatest of the rounds' ratios."""
    ratios = [one / other for one, other in zip(side, base, strict=True)]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


if __name__ == "__main__":
    main()
