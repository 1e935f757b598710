"""`circle27 up`."""

import time

import click
from rich.console import Console

from circle27.stack import lifecycle


@click.command()
def up() -> None:
    """Start the local stack and wait until it is ready.

    PostgreSQL, PgBouncer, two PostgREST, nginx and the worker run on 127.0.0.1 in .circle27/; the database
    is migrated and the campus `stanford` has its slots. Safe to repeat: what runs is left alone.

    \b
    Ports, each overridden by a variable:
      CIRCLE27_GATEWAY_PORT     8027     CIRCLE27_PGBOUNCER_PORT   6427
      CIRCLE27_POSTGREST_PORT   8028     CIRCLE27_POSTGRESQL_PORT  5427
    and CIRCLE27_HOME for another folder.

    \b
    The gateway, kept until another value is set (docs/how-to/serve-tls.md):
      CIRCLE27_TLS_CERT, CIRCLE27_TLS_KEY  files of a certificate and its key: HTTPS
      CIRCLE27_TRUSTED_PROXIES             networks whose X-Forwarded-For is believed
      CIRCLE27_ALLOWED_ORIGINS             web pages that may call; all by default
      CIRCLE27_CONNECTIONS_PER_ADDRESS     open at once from one network; 5000 by default
      CIRCLE27_RATE_LIMITS                 off for load runs: no limits at all
      CIRCLE27_LOCAL_PAGES                 off: no panel that turns the clock, no /mailbox

    \b
    Example:
      circle27 up
    """
    console = Console(stderr=True)
    began = time.monotonic()
    with console.status("starting") as status:

        def say(step: str) -> None:
            status.update(step)
            console.print(f"  {step}")

        settings = lifecycle.up(say)
    console.print(f"[green]up[/] in {time.monotonic() - began:.1f} s at [bold]{settings.url('gateway')}[/]")
    if not settings.rate_limits:
        console.print("[yellow]rate limits are off[/]; CIRCLE27_RATE_LIMITS=on circle27 up has them", highlight=False)
    console.print("next: circle27 token --email ann@stanford.edu", highlight=False)
