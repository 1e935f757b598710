"""`circle27 status`."""

import json
import sys
from typing import Any

import click
import psycopg
from rich.console import Console
from rich.table import Table

from circle27.stack import lifecycle
from circle27.stack.settings import Settings
from circle27.stack.supervision import Supervisor


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
def status(as_json: bool) -> None:
    """Show addresses, health and services. Exit status 0 only if the stack is ready.

    \b
    Keys of --json: gateway, postgrest_admin, pgbouncer, database (the migrator's DSN; the password is in the
    passfile it names), ready, services {name: {state, pid, uptime_s}}, mail {breaker, openUntil, failures, failedAt,
    error, waiting, oldestAt} and events {waiting, lagSeconds, streams}: null if the database does not answer.

    \b
    Examples:
      circle27 status
      psql "$(circle27 status --json | jq -r .database)"
    """
    settings = Settings.require()
    supervisor = Supervisor(settings)
    running = supervisor.running()
    report = {
        "gateway": settings.url("gateway"),
        "postgrest_admin": settings.url("postgrest_admin"),
        "pgbouncer": settings.dsn("authenticator", "pgbouncer"),
        "database": settings.dsn("circle27_migrator"),
        "ready": running and lifecycle.ready(settings),
        "services": supervisor.states() if running else {},
        "mail": _ask(settings, "identity.mail_status()") if running else None,
        "events": _ask(settings, "events.outbox_status()") if running else None,
    }
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        _show(report)
    sys.exit(0 if report["ready"] else 1)


def _ask(settings: Settings, function: str) -> dict[str, Any] | None:
    """Return what the monitor is told; None if the database does not answer."""
    try:
        with psycopg.connect(settings.dsn("circle27_monitor"), connect_timeout=3) as connection:
            row = connection.execute(f"select {function}".encode()).fetchone()
    except psycopg.Error:
        return None
    assert row is not None
    status: dict[str, Any] = row[0]
    return status


def _show(report: dict[str, object]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    services = report["services"]
    assert isinstance(services, dict)
    table = Table("service", "state", "pid", "up for", box=None, header_style="bold")
    for name, info in services.items():
        colour = "green" if info["state"] == "RUNNING" else "yellow"
        uptime = f"{info['uptime_s']} s" if info["uptime_s"] is not None else ""
        table.add_row(name, f"[{colour}]{info['state'].lower()}[/]", str(info["pid"] or ""), uptime)
    console.print("[green]ready[/]" if report["ready"] else "[red]not ready[/] (start it with: circle27 up)")
    for key in ("gateway", "postgrest_admin", "pgbouncer", "database"):
        console.print(f"{key:16} {report[key]}")
    if isinstance(mail := report["mail"], dict):
        console.print(f"{'mail':16} {_mail_line(mail)}")
    if isinstance(events := report["events"], dict):
        lag = f", the oldest for {events['lagSeconds']} s" if events["waiting"] else ""
        console.print(f"{'events':16} {events['waiting']} waiting{lag}; {events['streams']} streams")
    if services:
        console.print(table)


def _mail_line(mail: dict[str, Any]) -> str:
    waiting = f"{mail['waiting']} waiting" + (f" since {mail['oldestAt']}" if mail["oldestAt"] else "")
    if mail["breaker"] == "closed":
        return waiting
    left = "left alone until " + mail["openUntil"] if mail["breaker"] == "open" else "being tried again"
    return f"{waiting}; [red]the mail server failed {mail['failures']} times ({mail['error']}) and is {left}[/]"
