"""How good and how quick the matching is. `make bench-matching` runs it.

    .venv/bin/python -m bench.matching.run [--only times golfers simulations references] [--most 50000]

Makes a server of its own; needs no stack. Writes bench/results/matching.json and, with the extra `bench` installed
(`.venv/bin/pip install -e '.[bench]'`), plots beside it and CP-SAT among the references. Exits with 1 where a budget is
missed. About ten minutes on two free cores.
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
PARTS = ("times", "golfers", "references", "simulations")


def main() -> None:
    """Run the parts, keep what they give, say what was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--most", type=int, default=50000, help="longest list of the times")
    options = parser.parse_args()

    kept = RESULTS / "matching.json"
    results: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    found: list[str] = []
    with database() as connection:
        if "times" in options.only:
            results["times"] = times.run(connection, options.most)
            found += times.missed(results["times"])
        if "golfers" in options.only:
            results["golfers"] = golfers.run(connection)
            found += golfers.missed(results["golfers"])
        if "references" in options.only:
            if not importlib.util.find_spec("ortools"):
                print("CP-SAT is not installed: .venv/bin/pip install -e '.[bench]'")
            results["references"] = references.run(connection)
        if "simulations" in options.only:
            results["simulations"] = simulations.run(connection)
            found += simulations.missed(results["simulations"])
    results["load"] = {"cores": os.cpu_count(), "at_the_end": os.getloadavg()[0]}

    kept.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    if importlib.util.find_spec("matplotlib"):
        plots.draw(results, RESULTS)
    else:
        print("no plots: matplotlib is not installed: .venv/bin/pip install -e '.[bench]'")
    for line in found:
        print(f"MISSED: {line}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
