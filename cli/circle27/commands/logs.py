"""`circle27 logs`."""

import os

import click

from circle27.errors import CircleError
from circle27.stack.settings import Settings


@click.command()
@click.argument("service", required=False)
@click.option("--lines", "-n", default=20, show_default=True, help="How many lines of each file.")
@click.option("--follow", "-f", is_flag=True, help="Go on printing what is added, until Ctrl-C.")
def logs(service: str | None, lines: int, follow: bool) -> None:
    """Print the end of the services' logs (of one SERVICE, or of all).

    Services: postgresql, pgbouncer, postgrest, postgrest_2, gateway, access, worker, healer, supervisord.

    \b
    Examples:
      circle27 logs
      circle27 logs postgresql -n 100
      circle27 logs worker -f
    """
    home = Settings.require().home
    files = sorted([*home.glob("logs/*.log"), *home.glob("access/*.log")])
    if service is not None:
        known = ", ".join(file.stem for file in files)
        files = [file for file in files if file.stem == service]
        if not files:
            raise CircleError(f"there is no log named {service}. There are: {known}")
    os.execvp("tail", ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, files)])
