"""Which database a command talks to, and how PostgREST learns of a change in it."""

import os

import click

from circle27.stack.settings import Settings
from circle27.stack.supervision import Supervisor

dsn_option = click.option("--dsn", metavar="DSN", help="Database to use; by default as `circle27 db`.")

LIBPQ = ("PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE")


def resolve_dsn(dsn: str | None) -> str:
    """Return the connection string to use: the one given, libpq's own variables, or the local stack's migrator.

    Returns '' where libpq's variables rule. Raises click.UsageError where there is nothing to connect to.
    """
    if dsn is not None:
        return dsn
    if any(name in os.environ for name in LIBPQ):
        return ""
    settings = Settings.load()
    if settings is None:
        raise click.UsageError("which database? Give --dsn, set PGHOST and PGDATABASE, or start one: circle27 up")
    return settings.dsn("circle27_migrator")


def reload_schema_cache(dsn: str) -> str:
    """Let the local PostgREST see a changed schema; return one sentence that says what was done or is to be done."""
    settings = Settings.load()
    if settings is None or dsn != settings.dsn("circle27_migrator"):
        return "PostgREST sees the change after a reload: send each instance SIGUSR1, or restart it."
    supervisor = Supervisor(settings)
    if not supervisor.running():
        return "PostgREST is not running; it reads the schema when it starts."
    for service in settings.postgrest_services():
        supervisor.signal(service, "USR1")
    return "PostgREST reloads its schema cache."
