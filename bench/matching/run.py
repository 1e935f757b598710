"""How good and how quick the matching is. `make bench-matching` runs it.

    .venv/bin/python -m bench.matching.run [--only times golfers references simulations] [--most 50000]

Makes servers of its own, one for each part; needs no stack. Writes bench/results/matching.json, part by part, and, with
the extra `bench` installed (`.venv/bin/pip install -e '.[bench]'`), plots beside it and CP-SAT among the references. A
budget that is missed makes it exit with 1. About ten minutes on two free cores; only the times need both of them.
"""

import argparse
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

from bench.matching import golfers, plots, references, simulations, times
from bench.matching.database import database

RESULTS = Path(__file__).parents[1] / "results"
KEPT = RESULTS / "matching.json"
PARTS = {"times": times, "golfers": golfers, "references": references, "simulations": simulations}


def main() -> None:
    """Run the parts, keep what they give, say what was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--most", type=int, default=max(times.PEOPLE), help="longest list of the times")
    options = parser.parse_args()
    for package, lost in (("ortools", "CP-SAT"), ("matplotlib", "plots")):
        if not importlib.util.find_spec(package):
            print(f"No {lost}: {package} is not installed (.venv/bin/pip install -e '.[bench]').")

    found: list[str] = []
    for part in options.only:
        load = round(os.getloadavg()[0], 2)
        with database() as connection:
            rows = times.run(connection, options.most) if part == "times" else PARTS[part].run(connection)
        keep(part, rows, load)
        found += PARTS[part].missed(rows)
    for line in found:
        print(f"MISSED: {line}")
    sys.exit(1 if found else 0)


def keep(part: str, rows: list[dict[str, Any]], load: float) -> None:
    """Put one part's rows beside the others', and draw."""
    results = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    results[part] = rows
    results["machine"] = {"cores": os.cpu_count()}
    results["load_before"] = {**results.get("load_before", {}), part: load}
    KEPT.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    if importlib.util.find_spec("matplotlib"):
        plots.draw(results, RESULTS)


if __name__ == "__main__":
    main()
