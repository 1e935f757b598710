"""`circle27 db`: migrations, for those who run databases."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import psycopg
from rich.console import Console
from rich.table import Table

from circle27 import migrations
from circle27.connection import reload_schema_cache, resolve_dsn
from circle27.errors import CircleError
from circle27.migrations.drift import drift as find_drift
from circle27.migrations.drift import fresh, schema_text
from circle27.migrations.effects import Effect, effects
from circle27.migrations.engine import Change
from circle27.migrations.errors import shown
from circle27.migrations.operations import State
from circle27.migrations.rehearsal import Rehearsed, milliseconds
from circle27.migrations.scaffold import scaffold
from circle27.migrations.snapshot import prepare
from circle27.paths import DB

COLOURS: dict[State, str] = {"deployed": "green", "pending": "yellow", "edited": "red", "unknown": "red"}
SHOWN = 4  # names of a kind that hold no data, before "and n more"

dsn_option = click.option("--dsn", metavar="DSN", help="Database to use: a libpq connection string or URI.")


def _database(ctx: click.Context, dsn: str | None) -> str:
    """Return the DSN of the command, else of the group, else what `resolve_dsn` finds."""
    return resolve_dsn(dsn if dsn is not None else ctx.obj["dsn"])


class _Console(Console):
    """A console whose reader may go (`| head`) without stopping a migration halfway."""

    def on_broken_pipe(self) -> None:
        """Fall silent. (rich would exit.) Standard output goes nowhere from here, so that Python's last flush works."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _console() -> Console:
    return _Console(highlight=False, soft_wrap=True, markup=False)


def at_terminal() -> bool:
    """Whether somebody is there to answer a question."""
    return sys.stdin.isatty()


def _waiting() -> None:
    click.echo("Another migration is running; waiting for its end.", err=True)


def _busy() -> None:
    click.echo("Others use what this change locks; letting them pass, and trying again for a minute.", err=True)


def _report(console: Console, sign: str, style: str) -> Callable[[str], None]:
    return lambda name: console.print(f"{sign} {name}", style=style)


@click.group()
@dsn_option
@click.option(
    "--db-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=DB,
    help="Folder that holds migrations/, functions/ and policies/; by default the checkout's db/.",
)
@click.pass_context
def db(ctx: click.Context, dsn: str | None, db_dir: Path) -> None:
    """Migrate a database, take it back, and look at where it stands.

    Without --dsn the commands use libpq's variables (PGHOST, PGDATABASE, PGSERVICE, ...), or else the local stack.
    Connect directly, not through a transaction pooler: migrations hold a session lock. The state is kept in Sqitch's
    registry, so `sqitch` works on the same database in turn.

    \b
    Example:
      circle27 db status
      circle27 db migrate
      circle27 db rollback --to schemas
    """
    ctx.obj = {"dsn": dsn, "db_dir": db_dir}


@db.command()
@dsn_option
@click.option("--to", metavar="CHANGE|@TAG", help="Deploy up to and including this one; by default all.")
@click.option("--rehearse", is_flag=True, help="Run all in one transaction, tell times and locks, and roll back.")
@click.pass_context
def migrate(ctx: click.Context, dsn: str | None, to: str | None, rehearse: bool) -> None:
    """Deploy what is pending.

    Each change runs, is verified and is registered in one transaction: it is there as a whole, or not at all. A change
    that does not get a lock within 0.2 s lets the traffic pass and tries again, for a minute; with PGOPTIONS='-c
    lock_timeout=60s' it waits that long, once, and all requests behind it. A snapshot of functions and policies that
    has changed before its release was tagged is refreshed: dropped and deployed anew in one transaction, together with
    what the plan has put before it.

    --rehearse does the same, verify scripts and all, in one transaction that is rolled back. It really takes the locks,
    and holds them to its end, but waits 0.2 s for each, and then gives up. It stops before a change that does not run
    in a transaction, and exits 1 then, as it does where a change fails.

    \b
    Example:
      circle27 db migrate --rehearse
      circle27 db migrate
      circle27 db migrate --to @v0.1.0
      circle27 db --dsn 'host=db.internal dbname=circle27 user=circle27_migrator' migrate
    """
    conninfo, db_dir, console = _database(ctx, dsn), ctx.obj["db_dir"], _console()
    if rehearse:
        _rehearse(console, conninfo, db_dir, to)
        return
    done = migrations.migrate(
        conninfo,
        db_dir=db_dir,
        to=to,
        on_change=_report(console, "+", "green"),
        on_refresh=_report(console, "~ refreshes", "yellow"),
        on_wait=_waiting,
        on_busy=_busy,
    )
    if done:
        console.print(reload_schema_cache(conninfo))
    else:
        console.print("Nothing to deploy.")
    if edited := [change.name for change in migrations.status(conninfo, db_dir=db_dir) if change.state == "edited"]:
        click.echo(
            f"Note: {', '.join(edited)} was deployed from another text than its script has now; "
            "put the script back, and write a new change instead.",
            err=True,
        )


def _rehearse(console: Console, conninfo: str, db_dir: Path, to: str | None) -> None:
    """Rehearse, print each step, and say what the rehearsal is worth."""
    steps: list[Rehearsed] = []

    def tell(step: Rehearsed) -> None:
        steps.append(step)
        sign = "~ refreshes" if step.refreshes else "+"
        console.print(f"{sign} {', '.join(step.names)}: {milliseconds(step.seconds)}", style="green")
        for lock in step.locks:
            console.print(f"    {lock}")

    stopped = migrations.rehearse(conninfo, db_dir=db_dir, to=to, on_unit=tell, on_wait=_waiting)
    if any(step.locks for step in steps[:-1]):
        console.print(
            "All was one transaction: what a change above had locked is not told again, or told as strong as there."
        )
    if steps:
        console.print("Rolled back: nothing was kept.")
    if stopped:
        raise CircleError(
            f"the rehearsal ends before {stopped}, which does not run in a transaction and could not be rolled back; "
            f"deploy it with `circle27 db migrate --to {stopped}`, then rehearse the rest."
        )
    if not steps:
        console.print("Nothing to deploy.")


@db.command()
@click.argument("name")
@click.option("-n", "--note", default="", help="What the change does, in a few words, for the plan.")
@click.option("--requires", metavar="CHANGE", multiple=True, help="A change that this one needs; may be repeated.")
@click.option("--concurrently", is_flag=True, help="For an index that is built while the table is in use.")
@click.pass_context
def new(ctx: click.Context, name: str, note: str, requires: tuple[str, ...], concurrently: bool) -> None:
    """Plan a change of tables and write its scripts.

    Adds NAME to sqitch.plan, before the release that is not tagged yet, and makes its deploy, revert and verify scripts
    with hints. They fail until you have written them.

    With --concurrently the deploy script has no transaction around it and can be repeated; NAME is the index's name.

    \b
    Example:
      circle27 db new add_nickname -n 'What members like to be called' --requires campuses
      circle27 db new users_created_at_idx --concurrently
    """
    for path in scaffold(name, db_dir=ctx.obj["db_dir"], note=note, requires=requires, concurrently=concurrently):
        click.echo(f"{'Added a line to' if path.suffix == '.plan' else 'Wrote'} {shown(path)}")
    click.echo("Write the three scripts, then: circle27 db snapshot, circle27 db migrate")


@db.command()
@dsn_option
@click.option(
    "--to", metavar="CHANGE|@TAG|@ROOT", required=True, help="Keep this one and all before it; @ROOT keeps none."
)
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.pass_context
def rollback(ctx: click.Context, dsn: str | None, to: str, yes: bool) -> None:
    """Revert all that was deployed after a change.

    Says first what it reverts and what that takes away, and asks. Without a terminal it needs --yes.

    \b
    Example:
      circle27 db rollback --to time_slots
      circle27 db rollback --to @v0.1.0
      circle27 db rollback --to @ROOT --yes
    """
    conninfo, db_dir, console = _database(ctx, dsn), ctx.obj["db_dir"], _console()
    planned = migrations.reversals(conninfo, to=to, db_dir=db_dir)
    if not planned:
        console.print(f"Nothing was deployed after {to}.")
        return
    with console:  # one write: a reader who goes is noticed before anything is done, or not at all
        for change in planned:
            console.print(f"- {change.entry.name}", style="bold")
            for line, style in _lost(change):
                console.print(f"    {line}", style=style)
    if console.quiet:
        raise CircleError(
            "nobody reads what this rollback would do, so nothing was rolled back; run it without a pipe."
        )
    if not yes:
        if not at_terminal():
            raise CircleError("nobody is there to confirm this rollback; add --yes to go ahead.")
        click.confirm(f"Revert {len(planned)} change(s)?", abort=True)
    names = [change.entry.name for change in planned]
    report = _report(console, "-", "yellow")
    migrations.rollback(conninfo, to=to, db_dir=db_dir, on_change=report, on_wait=_waiting, on_busy=_busy, expect=names)
    console.print(reload_schema_cache(conninfo))


def _lost(change: Change) -> list[tuple[str, str]]:
    """Return (line, style) for each kind of thing that reverting a change takes away."""
    if change.former:
        kept = "but for those of the releases before it" if change.former.statements else "of whatever draft"
        return [(f"drops all functions, views, types, triggers, policies and grants, {kept}", "")]
    return _losses(effects(change.revert))


def _losses(found: list[Effect]) -> list[tuple[str, str]]:
    """Return (line, style) for each kind of thing lost; what holds data in full and in red."""
    lines = []
    for data in (True, False):
        kinds = dict.fromkeys(effect.kind for effect in found if effect.loses_data == data)
        for kind in kinds:
            names = [effect.name for effect in found if effect.kind == kind and effect.loses_data == data]
            cut = names if data or (kind == "statement" and len(names) <= SHOWN) else names[:SHOWN]
            more = f", and {len(names) - len(cut)} more" if len(cut) < len(names) else ""
            verb = {"statement": "runs", "former": "puts back"}.get(kind, f"drops {kind}")
            note = " (with its data)" if data and kind != "statement" else ""
            lines.append((f"{verb} {', '.join(cut)}{more}{note}", "red" if data else ""))
    return lines or [("takes nothing away", "")]


@db.command()
@dsn_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: {changes: [{name, state, id, note, tags, deployed_at}]}."
)
@click.pass_context
def status(ctx: click.Context, dsn: str | None, as_json: bool) -> None:
    """Show where each change stands.

    A change is deployed, pending, edited (its script has changed since), or unknown to this plan.

    \b
    Example:
      circle27 db status
      circle27 db status --json | jq -r '.changes[] | select(.state == "pending").name'
    """
    changes = migrations.status(_database(ctx, dsn), db_dir=ctx.obj["db_dir"])
    if as_json:
        rows: list[dict[str, Any]] = [asdict(change) for change in changes]
        click.echo(json.dumps({"changes": rows}, indent=2, default=lambda value: value.isoformat()))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("change", "state", "deployed at", "note"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "note")
    for change in changes:
        at = change.deployed_at.isoformat(" ", "seconds") if change.deployed_at else ""
        name = " ".join([change.name, *change.tags])
        table.add_row(name, f"[{COLOURS[change.state]}]{change.state}[/]", at, change.note)
    Console(highlight=False).print(table)


@db.command()
@dsn_option
@click.pass_context
def verify(ctx: click.Context, dsn: str | None) -> None:
    """Verify what is deployed.

    Runs the verify script of each deployed change; exits 1 if one fails. Changes nothing.

    \b
    Example:
      circle27 db verify
    """
    checks, console = migrations.verify(_database(ctx, dsn), db_dir=ctx.obj["db_dir"]), _console()
    for check in checks:
        console.print(f"failed {check.name}: {check.error}" if check.error else f"ok {check.name}")
    if failed := [check.name for check in checks if check.error]:
        raise CircleError(f"{', '.join(failed)}: the database is not as deployed; look for what was altered by hand.")


@db.command()
@dsn_option
@click.option("--to", metavar="CHANGE|@TAG", help="Up to and including this one; by default all.")
@click.option("--locks", is_flag=True, help="Measure the locks, too: rehearses, as `migrate --rehearse` does.")
@click.pass_context
def plan(ctx: click.Context, dsn: str | None, to: str | None, locks: bool) -> None:
    """Print the SQL that migrate would run.

    Runs nothing, unless you ask for the locks: they are measured in a transaction that is rolled back. Then the SQL of
    each change comes below the tables that it locks, who has to wait for that, and how long.

    \b
    Example:
      circle27 db plan | less
      circle27 db plan --locks --to add_nickname
    """
    conninfo, db_dir = _database(ctx, dsn), ctx.obj["db_dir"]
    found = migrations.pending(conninfo, db_dir=db_dir, to=to)
    if not found:
        click.echo("-- Nothing to deploy.")
        return
    steps: list[Rehearsed] = []
    if locks:
        migrations.rehearse(conninfo, db_dir=db_dir, to=to, on_unit=steps.append, on_wait=_waiting)
    measured = {name: step for step in steps for name in step.names if not step.refreshes}
    for change in found:
        if change.whole:
            click.echo(
                f"-- ~ refreshes {change.entry.name}: drops first what its draft has made; all in one transaction"
            )
            for lock in (lock for step in steps for lock in step.locks):
                click.echo(f"--     {lock}")
    for change in found:
        how = "" if change.deploy.transactional else " (not in a transaction)"
        click.echo(f"-- + {change.entry.name}{how}")
        if step := measured.get(change.entry.name):
            click.echo("\n".join(f"--     {lock}" for lock in step.locks) or "--     blocks nobody")
        elif locks and not (steps and steps[0].refreshes):
            click.echo("--     not measured: the rehearsal ends before a change that does not run in a transaction")
        click.echo(change.deploy.text)


@db.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a source differs from the snapshot.")
@click.pass_context
def snapshot(ctx: click.Context, check: bool) -> None:
    """Freeze functions and policies into a change.

    Joins db/functions and db/policies into the release's change, the last of the plan. Edit the sources, run this, and
    commit both. The change is rewritten in place until its release is tagged in sqitch.plan; then raise the version in
    pyproject.toml, and the next release takes what differs from the last: its revert puts the former bodies back.

    \b
    Example:
      circle27 db snapshot
      circle27 db snapshot --check
    """
    found, console = prepare(ctx.obj["db_dir"]), _console()
    for difference in found.differences:
        console.print(f"{difference.kind}: {difference.path}")
    if not found.differences:
        console.print(f"{found.change} holds every source as it is.")
    elif check:
        raise CircleError(
            f"{found.change} is not what the sources say; run `circle27 db snapshot` and commit its files."
        )
    else:
        found.write()
        gone = f"Nothing differs from {found.change} any more; took the draft away."
        console.print(gone if found.vanishes else f"Wrote {found.change}.")


@db.command()
@dsn_option
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON: {differences: [{kind, object, message, expected, found, diff}]}; kind: missing, extra, changed.",
)
@click.pass_context
def drift(ctx: click.Context, dsn: str | None, as_json: bool) -> None:
    """Compare a database with what this version makes.

    Names every difference: a function that was edited by hand, a stray grant, an index that is missing or not valid, a
    policy, constraint, default, owner. Reads the catalogue alone, so any role may run it: circle27_monitor, too.

    Exits 0 if there is no difference, 1 if there is one, 2 if the database can't be compared: it does not answer, or is
    of another version.

    \b
    Example:
      circle27 db drift
      circle27 db drift --json | jq -r '.differences[].message'
    """
    try:
        found, note = find_drift(_database(ctx, dsn), db_dir=ctx.obj["db_dir"])
    except (CircleError, psycopg.Error) as error:
        click.echo(f"circle27: {str(error).splitlines()[0]}", err=True)
        sys.exit(2)
    if note:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        click.echo(json.dumps({"differences": [asdict(difference) for difference in found]}, indent=2))
    else:
        console = _console()
        for difference in found:
            console.print(difference.message, style="red")
            if difference.diff:
                console.print(difference.diff, end="")
        if not found:
            console.print("No drift: the database is what this version makes.")
    sys.exit(1 if found else 0)


@db.command()
@dsn_option
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the file is out of date.")
@click.pass_context
def schema(ctx: click.Context, dsn: str | None, check: bool) -> None:
    """Write db/schema.sql, the whole schema for readers.

    Made from a database that is migrated from empty and dropped again, on the server of --dsn: the role needs CREATEDB.
    `db drift` compares with this file: run this after a change of the schema, and commit the file with it.

    \b
    Example:
      circle27 db schema
      circle27 db schema --check
    """
    with fresh(_database(ctx, dsn), ctx.obj["db_dir"]) as connection:
        text = schema_text(connection)
    path: Path = ctx.obj["db_dir"] / "schema.sql"
    if path.exists() and path.read_text("utf-8") == text:
        click.echo(f"{shown(path)} is up to date.")
    elif check:
        raise CircleError(f"{shown(path)} is out of date; run `circle27 db schema` and commit it.")
    else:
        path.write_text(text, "utf-8")
        click.echo(f"Wrote {shown(path)}.")
