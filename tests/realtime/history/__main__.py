"""`make faults`: many seeded runs on a stack of its own. python -m tests.realtime.history --runs 100 --first 1."""

import argparse
import time

from circle27.stack.supervision import wait_until
from tests.realtime.history.play import play
from tests.stack import Stack, running_stack


def main() -> int:
    """Play the runs; exit status 1 if a rule was broken in any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first seed; the others follow")
    parser.add_argument("--members", type=int, default=200)
    options = parser.parse_args()
    failed = []
    for stack in running_stack():
        for seed in range(options.first, options.first + options.runs):
            wait_until(lambda stack=stack: whole(stack), 30, "the stack is not whole")
            began = time.monotonic()
            outcome = play(stack, seed, options.members)
            verdict = f"{len(outcome.broken)} BROKEN" if outcome.broken else "ok"
            print(
                f"seed {seed}: {verdict}, settled in {outcome.settled_s:.1f} s ({time.monotonic() - began:.0f} s),"
                f" {outcome.figures}, {', '.join(outcome.faults)}",
                flush=True,
            )
            for sentence in outcome.broken[:10]:
                print(f"  {sentence}", flush=True)
            failed += [seed] if outcome.broken else []
    print(f"{options.runs - len(failed)} of {options.runs} runs passed; failed seeds: {failed}")
    return 1 if failed else 0


def whole(stack: Stack) -> bool:
    """Whether every service runs and a call reaches the database."""
    return bool(stack.run("status", check=False).returncode == 0)


if __name__ == "__main__":
    raise SystemExit(main())
