"""`circle27 load`."""

import sys
from pathlib import Path
from typing import Any

import click

from circle27.errors import CircleError
from circle27.load import tune_page, tuning
from circle27.load.ground import require_loopback
from circle27.load.ladder import climb
from circle27.load.objectives import measured
from circle27.load.play import on_stage
from circle27.load.scenarios import SCENARIOS
from circle27.stack import lifecycle
from circle27.stack.settings import Settings

INTERRUPTED = 130


@click.group()
def load() -> None:
    """Let many members use the local stack at once, and measure what they see.

    \b
    Example:
      circle27 load run deadline-rush --users 2000 --joined 500 --report load-report
    """


def _ladder(_: click.Context, __: click.Parameter, text: str | None) -> list[int]:
    rungs = (text or "").split(",") if text else []
    if not all(rung.strip().isdigit() and int(rung) > 0 for rung in rungs):
        raise click.BadParameter("write numbers of users with commas between, like 100,1000,5000")
    return [int(rung) for rung in rungs]


@load.command()
@click.argument("scenario", type=click.Choice(list(SCENARIOS)))
@click.option("--users", type=click.IntRange(2, 100_000), help="How many members.  [default: the scenario's]")
@click.option(
    "--ladder", callback=_ladder, metavar="N,N,…", help="Several runs, one after the other, instead of --users."
)
@click.option("--duration", type=click.FloatRange(1, 86400), help="Seconds.  [default: the scenario's]")
@click.option("--ramp", type=click.FloatRange(0), help="Seconds in which all come.  [default: the scenario's]")
@click.option("--think", type=click.FloatRange(0.01), help="Seconds between two things one member does, in the mean.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of all that is drawn at random.")
@click.option(
    "--joined",
    type=click.IntRange(0),
    help="deadline-rush: how many are on the list; realtime-storm: how many join and leave.  [default: a quarter]",
)
@click.option("--deadlines", type=click.IntRange(1, 20), default=1, show_default=True, help="deadline-rush: how many.")
@click.option(
    "--generators", type=click.IntRange(1, 16), default=1, show_default=True, help="Processes that play members."
)
@click.option(
    "--report", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where to write."
)
@click.option("--gateway", metavar="URL", help="Another address of the stack's gateway.")
@click.option(
    "--not-loopback", is_flag=True, help="Allow a --gateway that is not on this machine. Ask its owner first."
)
def run(
    *,
    scenario: str,
    users: int | None,
    ladder: list[int],
    folder: Path,
    gateway: str | None,
    not_loopback: bool,
    **options: Any,
) -> None:
    """Play a scenario, and write a report: summary.json, the raw samples, and a page (index.html).

    Exit status 1 if an objective was missed, 130 after Ctrl-C (the report is of what was played until then).

    \b
    Examples:
      circle27 load run deadline-rush --users 2000 --joined 500 --report load-report
      circle27 load run polling-baseline --ladder 100,1000,5000 --report load-report
    """
    chosen = SCENARIOS[scenario]
    rungs = ladder or [users or chosen.users]
    if (options["joined"] or 0) > min(rungs):
        raise click.UsageError("--joined is at most --users")
    settings = Settings.require()
    url = gateway or settings.url("gateway")
    if not not_loopback:
        require_loopback(url, "name another only with its owner's consent, by --not-loopback.")
    with on_stage(settings, url, click.echo, _tell) as stage:
        summary = climb(stage, chosen, rungs, options, folder, _conclude)
    click.echo(f"report: {folder / 'index.html'}")
    if summary["interrupted"]:
        raise click.exceptions.Exit(INTERRUPTED)
    if not summary["passed"]:
        raise click.exceptions.Exit(1)


@load.command()
@click.option("--seconds", type=click.FloatRange(1, 60), default=4, show_default=True, help="Of each measurement.")
@click.option(
    "--rounds", type=click.IntRange(1, 20), default=2, show_default=True, help="Measurements of each setting."
)
@click.option("--clients", type=click.IntRange(2, 2000), default=48, show_default=True, help="Members at once.")
@click.option("--crowd", type=click.IntRange(20, 13_000), default=5000, show_default=True, help="Of the overload.")
@click.option("--apply", "apply_it", is_flag=True, help="Let the local stack have what is recommended, from now on.")
@click.option(
    "--report",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where to write tune.json and a page (index.html).",
)
def tune(*, folder: Path, **options: Any) -> None:
    """Try settings of PgBouncer, PostgREST and nginx on the running stack, and recommend the best.

    Members call without thinking, while one setting after the other is changed; then without PgBouncer, with more and
    more members, and with a crowd. In the end the stack has the settings of before, unless --apply. Takes some minutes.

    \b
    Example:
      CIRCLE27_RATE_LIMITS=off circle27 up
      circle27 load tune --report load-report
    """
    settings = Settings.require()
    if settings.rate_limits:
        raise CircleError(
            "the stack has rate limits, which would be measured. First: CIRCLE27_RATE_LIMITS=off circle27 up"
        )
    with lifecycle.alone(), on_stage(settings, settings.url("gateway"), click.echo, _tell) as stage:
        found = tuning.tune(stage, **options)
    tune_page.write(folder, found)
    click.echo(tune_page.verdict(found))
    click.echo(f"report: {folder / 'index.html'}")


def _tell(line: str) -> None:
    """Show the line of this second: over the one before on a terminal."""
    if sys.stdout.isatty():
        click.echo(f"\r{line[:150]:150}", nl=False)
    else:
        click.echo(line)


def _conclude(summary: dict[str, Any]) -> None:
    if sys.stdout.isatty():
        click.echo()
    for objective in summary["objectives"]:
        mark = "pass" if objective["passed"] else "FAIL"
        limit = f"{objective['limit']:g} {objective['unit']}" if objective["limit"] else "none"
        click.echo(f"  {mark}  {objective['text']}: {measured(objective)} (limit: {limit})")
    for slug, count in summary["errors_by_slug"].items():
        click.echo(f"        {slug}: {count:,}")
    if summary["generator_limited"]:
        generator = summary["generator"]
        click.echo(
            f"  the generator was the limit: {generator['busiest_cores']} of a core, {generator['late_ms']:.0f} ms late"
        )
