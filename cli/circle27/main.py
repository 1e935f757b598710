"""The `circle27` command: one group, each command in a module of its own."""

import errno
import importlib
import sys

import click
import psycopg

from circle27.errors import CircleError

# Command -> module of circle27.commands; loaded on use, so that `circle27 token` stays quick.
COMMANDS = (
    "up",
    "down",
    "status",
    "demo",
    "logs",
    "psql",
    "token",
    "mailbox",
    "clock",
    "keys",
    "campus",
    "seed",
    "load",
    "db",
    "docs",
    "container",
)

NOT_OURS = (errno.EACCES, errno.EROFS, errno.ENOSPC)  # what is wrong with a file is not the program's fault


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"circle27.commands.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; turn what can go wrong outside into one sentence and exit status 1."""
        try:
            return super().invoke(ctx)
        except CircleError as error:
            click.echo(f"circle27: {error}", err=True)
        except psycopg.OperationalError as error:
            click.echo(f"circle27: the database did not answer: {str(error).splitlines()[0]}", err=True)
            click.echo("Is the stack up? `circle27 status` tells, `circle27 up` starts it.", err=True)
        except psycopg.DatabaseError as error:
            said = [error.diag.message_primary or str(error).splitlines()[0], error.diag.message_hint]
            click.echo(f"circle27: {'. '.join(part.rstrip('.') for part in said if part)}.", err=True)
        except OSError as error:
            if error.errno not in NOT_OURS:
                raise
            click.echo(f"circle27: can't use {error.filename or 'a file'}: {error.strerror}.", err=True)
            click.echo("Run this as who owns it, in a folder that can be written and has room.", err=True)
        sys.exit(1)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="circle27")
def cli() -> None:
    """Circle27: run the local stack, migrate the database, issue tokens, turn the clock.

    \b
    First steps:
      circle27 up                              start everything on 127.0.0.1
      circle27 token --email ann@stanford.edu  a member's access token
      circle27 status                          addresses and health
      circle27 down                            stop everything; data stays in .circle27/
    """
