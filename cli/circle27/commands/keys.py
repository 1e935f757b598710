"""`circle27 keys`."""

import click

from circle27.stack import keys as stack_keys
from circle27.stack.settings import Settings


@click.group()
def keys() -> None:
    """Rotate the key that signs tokens, without signing anyone out.

    \b
    Example:
      circle27 keys rotate
      circle27 keys retire
    """


@keys.command()
def rotate() -> None:
    """Make a new key, which signs tokens from now on.

    Tokens that the former key has signed stay good until `circle27 keys retire`.

    \b
    Example:
      circle27 keys rotate
    """
    stack_keys.rotate(Settings.require())
    click.echo("A new key signs from now on. When the tokens of the former one have ended: circle27 keys retire")


@keys.command()
def retire() -> None:
    """Refuse the tokens of the former key from now on.

    Straight after `rotate` this signs everybody out: what to do when a key was stolen.

    \b
    Example:
      circle27 keys retire
    """
    stack_keys.retire(Settings.require())
    click.echo("The former key is gone: its tokens are refused.")
