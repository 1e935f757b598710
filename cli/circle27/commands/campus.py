"""`circle27 campus`."""

import json
import re
from importlib import resources
from typing import Any

import click
import psycopg
from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from circle27.connection import dsn_option, resolve_dsn


def _clock_time(_ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> list[str]:
    for value in values:
        if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", value):
            raise click.BadParameter(f"{value!r} is no time of day; write it as 14:00")
    return list(values)


def _spot(_ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    spots = [value.partition("=") for value in values]
    for spot_id, equals, name in spots:
        if not (spot_id and equals and name.strip()):
            raise click.BadParameter("write a spot as id=name: 'library-steps=Library, front steps'")
    return [(spot_id, name) for spot_id, _, name in spots]


@click.group()
def campus() -> None:
    """Add a campus, its slots and its meeting spots; list them.

    \b
    Example:
      circle27 campus list
    """


@campus.command()
@click.argument("campus_id", metavar="ID")
@click.option("--name", required=True, help="Name for people: 'Stanford University'.")
@click.option("--time-zone", required=True, metavar="ZONE", help="IANA name: America/Los_Angeles.")
@click.option("--domain", "domains", multiple=True, required=True, help="E-mail domain of its members. Repeatable.")
@click.option(
    "--slot-time",
    "slot_times",
    metavar="HH:MM",
    multiple=True,
    default=("11:00", "14:00", "17:00"),
    show_default=True,
    callback=_clock_time,
    help="Local time of a daily slot. Repeatable.",
)
@click.option(
    "--spot", "spots", metavar="ID=NAME", multiple=True, callback=_spot, help="Place where circles meet. Repeatable."
)
@dsn_option
def add(
    *,
    campus_id: str,
    name: str,
    time_zone: str,
    domains: tuple[str, ...],
    slot_times: list[str],
    spots: list[tuple[str, str]],
    dsn: str | None,
) -> None:
    """Add a campus and open its slots.

    Safe to repeat: the same values change nothing; a spot's name and new spots are taken; other values for a campus
    that exists are refused.

    \b
    Example:
      circle27 campus add yale --name 'Yale University' --time-zone America/New_York --domain yale.edu \\
               --spot 'library-steps=Library, front steps' --spot 'cafe=Café, by the window'
    """
    with psycopg.connect(resolve_dsn(dsn)) as connection:
        connection.execute(
            "select app.add_campus(%s, %s, %s, %s, %s::time[])",
            [campus_id, name, time_zone, list(domains), slot_times],
        )
        for spot_id, spot_name in spots:
            connection.execute("select app.add_meeting_spot(%s, %s, %s)", [campus_id, spot_id, spot_name])
        row = connection.execute("select app.open_campus_slots(%s, app.clock())", [campus_id]).fetchone()
    assert row is not None
    opened = f"opened {row[0]} slots" if row[0] else "its slots were open already"
    click.echo(f"{campus_id} is there: {opened}. Its members: circle27 token --email somebody@{domains[0].lower()}")


@campus.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for scripts.")
@dsn_option
def list_campuses(as_json: bool, dsn: str | None) -> None:
    """List the campuses.

    \b
    Keys of --json: campusId, name, timeZone, domains, slotTimes, spots [{spotId, name}], members.

    \b
    Example:
      circle27 campus list
      circle27 campus list --json | jq -r '.[].campusId'
    """
    query = resources.files(__package__).joinpath("campuses.sql").read_bytes()
    with psycopg.connect(resolve_dsn(dsn), row_factory=dict_row) as connection:
        connection.execute("set local role circle27_owner")
        rows = connection.execute(query).fetchall()
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _show(rows)


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table("campus", "name, domains", "time zone", "slots", box=None, pad_edge=False, header_style="bold")
    table.add_column("spots", justify="right")
    table.add_column("members", justify="right")
    for row in rows:
        named = "\n".join([row["name"], *row["domains"]])
        slots = "\n".join(row["slotTimes"])
        table.add_row(row["campusId"], named, row["timeZone"], slots, str(len(row["spots"])), f"{row['members']:,}")
    Console(highlight=False, markup=False).print(table)
