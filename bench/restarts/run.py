"""How long the worker is away when it is killed: from kill -9 to the next one's connection, both sides in one run.

    .venv/bin/python -m bench.restarts.run [--rounds 12]

Needs a running stack (`make up`). Sides, alternating: supervisord `asleep`, with its listener (circle27.stack.healer)
stopped, and `awake`, as it is. Looks at PostgreSQL only, for whoever asks supervisord anything wakes it. Budget of
`awake`: 2 seconds. Writes everything to bench/results/restarts.json.
"""

import argparse
import json
import os
import random
import signal
import statistics
import time
from pathlib import Path
from typing import Any

import psycopg

from bench.machine import machine
from bench.options import parse
from circle27.stack.settings import SUPERUSER, Settings
from circle27.stack.supervision import Supervisor

RESULTS = Path(__file__).parents[1] / "results" / "restarts.json"
BUDGET_S = 2.0


def connections(database: psycopg.Connection[Any]) -> set[int]:
    """Return the server processes of the worker's role."""
    rows = database.execute("select pid from pg_stat_activity where usename = 'circle27_worker'").fetchall()
    return {pid for (pid,) in rows}


def away_s(supervisor: Supervisor, database: psycopg.Connection[Any]) -> float:
    """Kill the worker; return how many seconds later another one is connected."""
    before, process = connections(database), supervisor.states()["worker"]["pid"]
    time.sleep(2 + random.random())  # at any moment of supervisord's second, and long after it was asked
    killed_at = time.monotonic()
    os.kill(process, signal.SIGKILL)
    while not connections(database) - before:
        if time.monotonic() > killed_at + 60:
            raise SystemExit("the worker did not come back: circle27 logs worker")
        time.sleep(0.01)
    return time.monotonic() - killed_at


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    options, results = parse(parser, RESULTS)
    settings = Settings.require()
    supervisor = Supervisor(settings)
    found: dict[str, list[float]] = {"asleep": [], "awake": []}
    with psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as database:
        for number in range(options.rounds):
            for side in sorted(found, reverse=bool(number % 2)):
                if side == "asleep":
                    supervisor.rpc.stopProcess("healer", True)
                try:
                    found[side].append(round(away_s(supervisor, database), 3))
                finally:
                    supervisor.start("healer")
                print(f"round {number + 1}  {side:7} {found[side][-1]:6.2f} s", flush=True)
    for side, seconds in found.items():
        print(f"{side:7} median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s")
    results.write_text(json.dumps({"machine": machine(), "budget_s": BUDGET_S, "seconds": found}, indent=1) + "\n")
    if max(found["awake"]) > BUDGET_S:
        print(f"MISSED: {max(found['awake'])} s, not {BUDGET_S}")


if __name__ == "__main__":
    main()
