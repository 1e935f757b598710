"""`circle27 down`."""

import click

from circle27.stack import lifecycle
from circle27.stack.settings import Settings


@click.command()
def down() -> None:
    """Stop every process of the local stack. The data stays in .circle27/.

    \b
    Example:
      circle27 down
    """
    settings = Settings.load()
    if settings is None:
        click.echo("There is no local stack here.", err=True)
        return
    left = lifecycle.down(settings)
    if left:
        click.echo(f"Ended {left} processes that a killed supervisor had left.", err=True)
    click.echo("down", err=True)
