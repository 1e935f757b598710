"""Throughput of `get_button_states` against an empty RPC on the same path, both sides in one run.

    .venv/bin/python bench/button_states/run.py [--rounds 5] [--seconds 5] [--connections 16]

Needs `wrk` (Debian package) and a running stack without rate limits (`CIRCLE27_RATE_LIMITS=off make up`). The empty
function exists for the time of the run only. The sides alternate (A B, B A, ...), so that a drifting machine moves
both. Prints the requests a second of each round, the medians, and the ratio; writes everything to
bench/results/button_states.json. Budget: at least 0.85.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import time
from pathlib import Path

import httpx
import psycopg

from circle27.stack.settings import SUPERUSER, Settings
from circle27.stack.supervision import Supervisor, wait_until

RESULTS = Path(__file__).parents[1] / "results" / "button_states.json"
EMPTY = """
create or replace function api.bench_empty() returns json language plpgsql stable
set search_path = pg_catalog, pg_temp as $$ begin return '{}'::json; end $$;
grant execute on function api.bench_empty() to authenticated"""


def requests_per_second(url: str, token: str, seconds: int, connections: int) -> float:
    """Run wrk once; refuse a run with any answer but 200."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-H", f"Authorization: Bearer {token}", url]
    output = subprocess.run(command, text=True, capture_output=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"some requests failed:\n{output}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert found is not None, output
    return float(found[1])


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()

    settings = Settings.require()
    if settings.rate_limits:
        raise SystemExit("the stack has rate limits. First: CIRCLE27_RATE_LIMITS=off circle27 up")
    token = subprocess.run(
        ["circle27", "token", "--email", "bench@stanford.edu"], text=True, capture_output=True, check=True
    ).stdout.strip()
    gateway = settings.url("gateway")
    urls = {name: f"{gateway}/rest/v1/rpc/{name}" for name in ("get_button_states", "bench_empty")}
    found: dict[str, list[float]] = {name: [] for name in urls}
    with psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(EMPTY)
        try:
            for service in settings.postgrest_services():
                Supervisor(settings).signal(service, "USR1")
                own = f"{settings.url(service)}/rpc/bench_empty"
                wait_until(lambda own=own: httpx.get(own).status_code != 404, 10, "the empty RPC stayed unknown")
            for url in urls.values():
                requests_per_second(url, token, 2, options.connections)  # warm
            for number in range(options.rounds):
                for name in sorted(urls, reverse=bool(number % 2)):
                    found[name].append(requests_per_second(urls[name], token, options.seconds, options.connections))
                    print(f"round {number + 1}  {name:18} {found[name][-1]:8.0f} requests/s", flush=True)
        finally:
            connection.execute("drop function api.bench_empty()")
    ratios = [a / b for a, b in zip(found["get_button_states"], found["bench_empty"], strict=True)]
    summary = {
        "measured_at": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": {"cores": os.cpu_count(), "cpu": cpu_model(), "kernel": platform.release()},
        "options": vars(options),
        "requests_per_second": found,
        "median": {name: statistics.median(values) for name, values in found.items()},
        "ratio": {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)},
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
    print(f"ratio {summary['ratio']}  (budget: at least 0.85)")


def cpu_model() -> str:
    """Return the processor's name as Linux gives it."""
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    return found[1] if found else platform.machine()


if __name__ == "__main__":
    main()
