"""`circle27 load`."""

import json
from pathlib import Path

import click
import psycopg

from circle27.errors import CircleError
from circle27.load import report
from circle27.load.deadline_rush import Rush
from circle27.load.ground import Ground, require_loopback
from circle27.stack import lifecycle
from circle27.stack.settings import Settings


@click.group()
def load() -> None:
    """Let many members use the local stack at once, and measure what they see.

    \b
    Example:
      circle27 load run deadline-rush --users 2000 --joined 500 --report load-report
    """


@load.command()
@click.argument("scenario", type=click.Choice(["deadline-rush"]))
@click.option("--users", type=click.IntRange(2, 100_000), default=200, show_default=True, help="How many hold streams.")
@click.option(
    "--joined", type=click.IntRange(0), default=50, show_default=True, help="How many of them are on the list."
)
@click.option("--deadlines", type=click.IntRange(1, 20), default=1, show_default=True, help="How many, one by one.")
@click.option(
    "--report",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where to write summary.json and deadline.svg.",
)
@click.option("--gateway", metavar="URL", help="Another address of the stack's gateway, on this machine.")
def run(*, scenario: str, users: int, joined: int, deadlines: int, folder: Path, gateway: str | None) -> None:
    """Play a scenario and write down what came out. Exit status 1 if a button was wrong or a request failed.

    deadline-rush: everybody holds a stream and looks once, some join a slot, and its deadline comes by the
    database's clock. summary.json says how long after it each knew the new button, whether it was the right one, where
    the time went, what a connection costs the gateway, and how many requests a client sends in an hour. With several
    deadlines its figures are their medians.

    \b
    Example:
      circle27 load run deadline-rush --users 2000 --joined 500 --deadlines 5 --report load-report
    """
    if joined > users:
        raise click.UsageError("--joined is at most --users")
    settings = Settings.require()
    url = gateway or settings.url("gateway")
    require_loopback(url)
    require_loopback(settings.url("gateway"))
    if not lifecycle.ready(settings):
        raise CircleError("the stack is not ready. Start it: circle27 up")
    with psycopg.connect(settings.dsn("circle27_migrator"), autocommit=True) as connection:
        connection.execute("set timezone = 'UTC'")
        rush = Rush(settings, Ground(settings, connection), url, users, joined, deadlines, click.echo)
        summary, runs = rush.play()
    middle = sorted(runs, key=lambda one: one.figures()["p99_s"])[len(runs) // 2]
    report.write(folder, summary, {"on the list": middle.on_list_s, "watching": middle.others_s})
    click.echo(json.dumps({key: value for key, value in summary.items() if key != "deadlines"}, indent=2))
    if summary["errors"] or summary["deadline"]["wrong"]:
        raise click.exceptions.Exit(1)
