"""`circle27 clock`."""

from datetime import datetime, timedelta

import click
import psycopg

from circle27.stack.settings import Settings


@click.command()
@click.option("--set", "instant", metavar="INSTANT", help="Make it this instant (ISO 8601; without offset: UTC).")
@click.option("--shift", metavar="INTERVAL", help="Move by an interval as PostgreSQL writes it: '2 hours', '-1 day'.")
@click.option("--reset", is_flag=True, help="Back to the real time.")
def clock(instant: str | None, shift: str | None, reset: bool) -> None:
    """Show or turn the clock that slots, deadlines and feedback follow. Tokens keep real time.

    \b
    Examples:
      circle27 clock
      circle27 clock --shift '45 minutes'
      circle27 clock --set 2027-03-14T17:59:55Z
      circle27 clock --reset
    """
    if sum([instant is not None, shift is not None, reset]) > 1:
        raise click.UsageError("give one of --set, --shift or --reset")
    with psycopg.connect(Settings.require().dsn("circle27_migrator")) as connection:
        connection.execute("set timezone = 'UTC'")
        try:
            if instant is not None:
                connection.execute("select app.set_clock_offset(%s::timestamptz - clock_timestamp())", [instant])
            elif shift is not None:
                connection.execute(
                    "select app.set_clock_offset(app.clock() + %s::interval - clock_timestamp())", [shift]
                )
            elif reset:
                connection.execute("select app.set_clock_offset(interval '0')")
        except (psycopg.errors.DataError, psycopg.errors.SyntaxErrorOrAccessRuleViolation) as error:
            raise click.BadParameter(str(error.diag.message_primary)) from None
        row = connection.execute("select app.clock(), app.clock() - clock_timestamp()").fetchone()
    assert row is not None
    now, offset = row
    assert isinstance(now, datetime)
    assert isinstance(offset, timedelta)
    seconds = round(offset.total_seconds())
    ahead = "real time" if seconds == 0 else f"{timedelta(seconds=abs(seconds))} {'ahead' if seconds > 0 else 'behind'}"
    click.echo(f"{now.isoformat(timespec='seconds')}  ({ahead})")
