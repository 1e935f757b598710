"""`make mutate`: take away one thing after the other that keeps members apart; each time a test must go red."""

import random
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import click
import psycopg
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from circle27.stack.programs import postgresql_bindir
from tests.mutation.equivalents import equivalents
from tests.mutation.trial import Trial
from tests.mutation.workers import attempt, begin, clone, template
from tests.server import install, running_server


@click.command(
    epilog="""\b
Example:
  python -m tests.mutation --only app.my_mates"""
)
@click.option("--only", default="", help="Only mutants whose name contains this text: an object, a kind, a line.")
@click.option("--part", default="1/1", metavar="N/M", help="Only every Mth, from the Nth on: the whole in M sittings.")
@click.option("--sample", type=int, help="Only so many, drawn by --seed.")
@click.option("--seed", type=int, default=27, show_default=True, help="What the sample is drawn by.")
@click.option("--jobs", type=int, default=2, show_default=True, help="How many databases to work on at a time.")
@click.option("--list", "listing", is_flag=True, help="List the mutants and run none.")
def main(*, only: str, part: str, sample: int | None, seed: int, jobs: int, listing: bool) -> None:
    """Mutate what keeps members apart, one thing at a time, and see the tests go red.

    Exits with 1 if a mutant survives that tests/mutation/equivalent.txt does not explain.
    """
    console = Console(highlight=False)
    with running_server(postgresql_bindir()) as server:
        install(server.host, server.port, server.user, template(server))
        clones = [clone(server, number) for number in range(jobs)]
        with psycopg.connect(clones[0], autocommit=True) as connection:
            trial = Trial(connection)
            nth, of = map(int, part.split("/"))
            names = [name for name in trial.mutants if only in name][nth - 1 :: of]
            if sample:
                names = random.Random(seed).sample(names, min(sample, len(names)))
            if listing:
                click.echo("\n".join(names))
                return
        killers = run(names, clones, console)
    sys.exit(report(killers, console))


def run(names: list[str], clones: list[str], console: Console) -> dict[str, str | None]:
    """Try each mutant; return who killed it."""
    context = get_context("spawn")
    waiting = context.Queue()
    for dsn in clones:
        waiting.put(dsn)
    killers: dict[str, str | None] = {}
    with (
        ProcessPoolExecutor(len(clones), context, begin, (waiting,)) as pool,
        Progress(console=console, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task(f"{len(names)} mutants", total=len(names))
        for done in as_completed([pool.submit(attempt, name) for name in names]):
            name, killer = done.result()
            killers[name] = killer
            progress.advance(task)
            if not console.is_terminal and len(killers) % 100 == 0:
                console.print(f"{len(killers)} of {len(names)}")
    return killers


def report(killers: dict[str, str | None], console: Console) -> int:
    """Print the score; return the exit status."""
    explained = equivalents()
    survivors = [name for name, killer in killers.items() if killer is None]
    unexplained = [name for name in survivors if name not in explained]
    table = Table("kind", "mutants", "killed", "explained", "survived", box=None)
    every = Counter(name.split(" | ")[0] for name in killers)
    lived = Counter(name.split(" | ")[0] for name in survivors)
    unknown = Counter(name.split(" | ")[0] for name in unexplained)
    for kind, count in every.items():
        table.add_row(kind, str(count), str(count - lived[kind]), str(lived[kind] - unknown[kind]), str(unknown[kind]))
    console.print(table)
    killed = len(killers) - len(survivors)
    meant = len(killers) - len(survivors) + len(unexplained)
    click.echo(
        f"{killed} of {len(killers)} killed ({killed / max(1, len(killers)):.1%}); without those that change nothing, "
        f"as equivalent.txt explains: {killed / max(1, meant):.1%}"
    )
    stale = [name for name in explained if killers.get(name)]
    for name in sorted(unexplained):
        click.echo(f"survived, unexplained: {name}")
    for name in stale:
        click.echo(f"explained, but killed; remove it from equivalent.txt: {name}")
    return 1 if unexplained or stale else 0


if __name__ == "__main__":
    main()
