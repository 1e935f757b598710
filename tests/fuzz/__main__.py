"""`make fuzz`: many calls as every role, drawn from the OpenAPI document that the API serves."""

import sys
from contextlib import contextmanager

import click
from rich.console import Console
from rich.table import Table

from tests.fuzz.aftermath import faults
from tests.fuzz.fuzzing import Fuzzing
from tests.fuzz.world import ROLES, made
from tests.stack import running_stack


@click.command(
    epilog="""\b
Example:
  python -m tests.fuzz --calls 2000 --seed 5"""
)
@click.option("--calls", type=click.IntRange(1), default=10_000, show_default=True, help="How many, of all roles.")
@click.option("--seed", type=int, default=27, show_default=True, help="What the calls are drawn by.")
def main(calls: int, seed: int) -> None:
    """Call everything as everyone on a stack of its own, and judge every answer, and what is left in the database.

    Exits with 1 if an answer was wrong, or the database is.
    """
    console = Console(highlight=False)
    with contextmanager(running_stack)() as stack, made(stack) as world:
        fuzzing = Fuzzing(world)
        fuzzing.run(calls, seed)
        wrong = faults(stack)
    console.print(counts(fuzzing))
    for name, example in sorted(fuzzing.problems.items()):
        console.print(name, example, sep="\n  ", style="red", markup=False)
    for fault in wrong:
        console.print(fault, style="red", markup=False)
    console.print(f"{fuzzing.calls} calls, {len(fuzzing.problems)} kinds of wrong answers, {len(wrong)} faults after")
    sys.exit(bool(fuzzing.problems or wrong))


def counts(fuzzing: Fuzzing) -> Table:
    """Return how often each role got each status."""
    table = Table("status", *ROLES)
    for status in sorted({each for counter in fuzzing.statuses.values() for each in counter}):
        table.add_row(str(status), *(str(fuzzing.statuses[role][status]) for role in ROLES))
    return table


if __name__ == "__main__":
    main()
