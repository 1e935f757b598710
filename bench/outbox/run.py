"""A million events through the outbox at a constant load: the table stays small, and the taking quick.

    .venv/bin/python -m bench.outbox.run [--events 1000000] [--batch 500] [--pace 5000]

Needs a running stack (`make up`): a database of the bench's own is made in its cluster and dropped afterwards. One
session writes `--pace` events a second through app.emit(), as so many joins would; another one takes them as the worker
does, 1,000 at most at a time, without telling anybody. Two sides in one run:

  alone     nothing else happens
  snapshot  a transaction is open (a forgotten session): vacuum can remove nothing until the server ends it, after
            a minute (idle_in_transaction_session_timeout)

Prints, for each tenth of the events: the size of the table with its index, how many waited at most, and the median and
worst time of one taking; writes everything to bench/results/outbox.json. `alone` must come to a size and stay there.
"""

import argparse
import json
import os
import platform
import statistics
import threading
import time
from pathlib import Path
from typing import Any

import psycopg

from bench.options import parse
from circle27.migrations import migrate
from circle27.paths import DB
from circle27.stack.settings import SUPERUSER, Settings

RESULTS = Path(__file__).parents[1] / "results" / "outbox.json"
DATABASE = "circle27_bench_outbox"
PARTS = 10
EMIT = """
select app.emit('bench', 'user:' || md5(number::text)::uuid, 'button', jsonb_build_object('text', repeat('x', 300)))
from generate_series(%s::bigint, %s) as numbers (number)"""
TAKE = "select id, channel, event, payload::text from events.take(1000)"
SIZE = "select pg_total_relation_size('events.outbox')"


def prepare(settings: Settings) -> None:
    """Make the database anew."""
    with psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(f"drop database if exists {DATABASE} with (force)")
        connection.execute(f"create database {DATABASE}")
    with psycopg.connect(settings.dsn(SUPERUSER, database=DATABASE), autocommit=True) as connection:
        connection.execute((DB / "roles.sql").read_bytes())
    migrate(settings.dsn("circle27_migrator", database=DATABASE))


def measure(settings: Settings, options: argparse.Namespace, *, snapshot: bool) -> list[dict[str, float]]:
    """Return the figures of each tenth."""
    dsn = settings.dsn(SUPERUSER, database=DATABASE)
    written = [0]

    def write() -> None:
        began = time.monotonic()
        with psycopg.connect(dsn, autocommit=True) as writer:
            while written[0] < options.events:
                writer.execute(EMIT, [written[0] + 1, written[0] + options.batch])
                written[0] += options.batch
                time.sleep(max(0.0, began + written[0] / options.pace - time.monotonic()))

    parts = []
    other = psycopg.connect(dsn)
    with psycopg.connect(dsn, autocommit=True) as taker:
        if snapshot:
            other.execute("set transaction isolation level repeatable read")
            other.execute("select count(*) from events.outbox")
        thread = threading.Thread(target=write)
        thread.start()
        taken, times, waiting = 0, [], 0
        while taken < options.events:
            began = time.monotonic()
            waiting = max(waiting, written[0] - taken)
            rows = len(taker.execute(TAKE).fetchall())
            if rows:
                times.append((time.monotonic() - began) * 1000)
            else:
                time.sleep(0.01)
            taken += rows
            if taken >= options.events * (len(parts) + 1) // PARTS:
                (size,) = taker.execute(SIZE).fetchone() or (0,)
                part = {"events": taken, "mb": round(size / 1e6, 1), "most_waiting": waiting}
                part |= {"take_ms_median": round(statistics.median(times), 2), "take_ms_max": round(max(times), 1)}
                print(f"{'snapshot' if snapshot else 'alone':8} {part}", flush=True)
                parts.append(part)
                times, waiting = [], 0
        thread.join()
    other.close()
    return parts


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=500, help="events of one statement of the writer")
    parser.add_argument("--pace", type=int, default=5000, help="events a second")
    options, results = parse(parser, RESULTS)
    settings = Settings.require()
    found: dict[str, Any] = {}
    try:
        for side in ("alone", "snapshot"):
            prepare(settings)
            found[side] = measure(settings, options, snapshot=side == "snapshot")
    finally:
        with psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as connection:
            connection.execute(f"drop database if exists {DATABASE} with (force)")
    growth = {
        side: {key: round(parts[-1][key] / parts[len(parts) // 2][key], 2) for key in ("mb", "take_ms_median")}
        for side, parts in found.items()
    }
    summary = {
        "measured_at": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": {"cores": os.cpu_count(), "kernel": platform.release()},
        "options": vars(options),
        "last_tenth/sixth_tenth": growth,
        "tenths": found,
    }
    results.write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
    print(json.dumps(growth, indent=2))


if __name__ == "__main__":
    main()
