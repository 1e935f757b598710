"""`circle27 container`: what docker-compose.yml calls inside its containers."""

import os
import shlex

import click
import psycopg

from circle27.errors import CircleError
from circle27.paths import home
from circle27.stack import cluster, lifecycle, programs
from circle27.stack.options import gateway_options
from circle27.stack.settings import DATABASE, PORTS, Settings

SERVICES = ("postgresql", "pgbouncer", "postgrest", "postgrest_2", "gateway", "worker", "porter", "mailbox", "mailer")


@click.group()
def container() -> None:
    """Run one part of the stack in a container (docker-compose.yml calls these).

    \b
    Example:
      docker compose up
    """


@container.command()
def prepare() -> None:
    """Make secrets, render the configuration and initialise the data folder in the shared volume.

    \b
    Example:
      CIRCLE27_HOME=/stack circle27 container prepare
    """
    settings = Settings(
        home=home(),
        ports=dict(PORTS),
        os_user="postgres",
        listen="0.0.0.0",
        trusted_network="samenet",
        hosts={name: name.removesuffix("_admin").replace("publish", "gateway") for name in PORTS},
        **gateway_options(),
    )
    lifecycle.prepare(settings)
    click.echo("prepared")


@container.command()
def migrate() -> None:
    """Bring the database up to date: roles, passwords, migrations, the local campus.

    \b
    Example:
      circle27 container migrate
    """
    try:
        cluster.bring_up_to_date(Settings.require(), click.echo)
    except psycopg.OperationalError as error:
        raise CircleError(f"the database {DATABASE} did not answer: {error}") from None
    click.echo("migrated")


@container.command()
@click.argument("service", type=click.Choice(SERVICES))
def run(service: str) -> None:
    """Become one SERVICE: replace this process by it, as the services' user.

    \b
    Example:
      circle27 container run gateway
    """
    settings = Settings.require()
    command = next(command for name, command, _ in programs.services(settings) if name == service)
    arguments = shlex.split(command)
    os.chdir(settings.home)
    cluster.step_down(settings)
    os.execv(arguments[0], arguments)
