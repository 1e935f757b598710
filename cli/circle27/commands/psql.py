"""`circle27 psql`."""

import os

import click

from circle27.stack.settings import LOGIN_ROLES, SUPERUSER, Settings


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--role",
    type=click.Choice([*LOGIN_ROLES, SUPERUSER]),
    default="circle27_migrator",
    show_default=True,
    help="Who to be.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(role: str, arguments: tuple[str, ...]) -> None:
    """Open psql on the local database; ARGUMENTS go to psql.

    \b
    Examples:
      circle27 psql
      circle27 psql -c 'select * from app.time_slots limit 3'
      circle27 psql --role postgres -- -f file.sql
    """
    os.execvp("psql", ["psql", Settings.require().dsn(role), *arguments])
