"""`circle27 demo`."""

import click
from rich.console import Console

from circle27 import demo as play_of_a_day
from circle27.stack.settings import Settings


@click.command()
@click.option(
    "--members", type=click.IntRange(20, 2000), default=200, show_default=True, help="How many members play along."
)
def demo(members: int) -> None:
    """Play one day of a campus in fast motion, through the gateway, and say what to try next.

    Takes some 20 seconds. It has a campus of its own, `demo`, and turns the app clock back to a past day that the
    campus has not used; the clock is put back at the end, also after Ctrl-C. (After a kill -9: circle27 clock --reset.)

    \b
    Example:
      circle27 demo
      circle27 demo --members 50
    """
    play_of_a_day.play(Settings.require(), members, Console(highlight=False))
