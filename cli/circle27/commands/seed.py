"""`circle27 seed`."""

import time
from datetime import date, datetime

import click
import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from circle27.connection import dsn_option, resolve_dsn
from circle27.seed import History, Written, totals, write_history


@click.command()
@click.option("--campus", required=True, metavar="ID", help="The campus; `circle27 campus add` makes one.")
@click.option("--users", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="How many members.")
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True, help="How many past days.")
@click.option(
    "--random-seed",
    type=click.IntRange(0, 2**53),
    default=1,
    show_default=True,
    help="What all is drawn from: the same number gives the same data, user ids included.",
)
@click.option(
    "--attendance",
    type=click.FloatRange(0, 1),
    default=0.2,
    show_default=True,
    help="Share of the members who join each slot.",
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The day after the last one; by default today on the campus.",
)
@click.option(
    "--among-others", is_flag=True, help="Also on a campus that has members of its own; there is no way back."
)
@dsn_option
def seed(
    *,
    campus: str,
    users: int,
    days: int,
    random_seed: int,
    attendance: float,
    until: datetime | None,
    among_others: bool,
    dsn: str | None,
) -> None:
    """Give a campus an invented past, for tests and benches.

    Members, waitlists, circles of the campus's sizes, spots, pairs who have met, feedback and a few blocks; today and
    the days ahead get open slots. A slot that exists is left as it is: so the same command again changes nothing, and
    more --days add older ones. Another number of members, or another random seed, on the same campus is refused.

    \b
    Example:
      circle27 campus add yale --name 'Yale University' --time-zone America/New_York --domain yale.edu
      circle27 seed --campus yale --users 1000 --days 30
      circle27 seed --campus yale --users 1000 --days 30 --until 2026-11-20
    """
    wanted = History(campus, users, days, random_seed, attendance, _day(until), among_others)
    began = time.monotonic()
    with psycopg.connect(resolve_dsn(dsn), autocommit=True) as connection:
        written = _with_progress(connection, wanted)
        counts = totals(connection, campus)
    _show(wanted, written, counts, time.monotonic() - began)


def _day(until: datetime | None) -> date | None:
    return None if until is None else until.date()


def _with_progress(connection: psycopg.Connection, wanted: History) -> Written:
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("days  {task.fields[rows]:,} rows "),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(wanted.campus, total=wanted.days, rows=0)
        return write_history(connection, wanted, lambda done, rows: progress.update(task, completed=done, rows=rows))


def _show(wanted: History, written: Written, counts: dict[str, int], seconds: float) -> None:
    console = Console(highlight=False, markup=False)
    if written.days:
        console.print(f"Wrote {written.rows:,} rows of {written.days} days in {seconds:.1f} s.")
    else:
        console.print(f"Nothing to add: all {wanted.days} days are there.")
    if written.opened:
        console.print(f"Opened {written.opened} slots from today on.")
    table = Table("table", "rows", title=f"{wanted.campus} now", title_justify="left", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
