"""`circle27 demo`."""

import click


@click.command()
def demo() -> None:
    """Play one day of a campus in fast motion.

    \b
    Example:
      circle27 demo
    """
