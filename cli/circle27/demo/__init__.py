"""The demo: one day of a campus in fast motion, played through the gateway by the members themselves."""

import asyncio
import time
from datetime import datetime, timedelta

import psycopg
from rich.console import Console

from circle27.demo.day import Day
from circle27.demo.phone import Gateway
from circle27.demo.show import Screen
from circle27.demo.stage import CAMPUS, DOMAIN, Clock, Member, alone, service_token, set_up_campus, sign_in
from circle27.errors import CircleError
from circle27.stack import lifecycle
from circle27.stack.settings import Settings

CROWD = 40  # members who wait on the lists of the next days, so that whoever comes by is in company
DAYS_AHEAD = 3


def play(settings: Settings, count: int, console: Console) -> None:
    """Play a day with `count` members on the campus `demo`; print it, and what to try next.

    The app clock is turned back for it, and put back in any case. Raises CircleError.
    """
    if not lifecycle.ready(settings):
        raise CircleError("the stack is not up. Start it: circle27 up")
    began = time.monotonic()
    screen = Screen(console)
    with psycopg.connect(settings.dsn("circle27_migrator"), autocommit=True) as connection, alone(connection):
        set_up_campus(connection)
        members = sign_in(settings, connection, count)
        clock = Clock(settings, connection)
        console.print(
            f"[bold]Circle27: a day on a campus, in fast motion.[/] {count} members, three meetings. One may join the "
            "list for a meeting until its deadline, an hour before; then the database forms circles of three to five "
            "people, who meet for 20 minutes."
        )
        console.print(
            f"[dim]Every number below comes from calls through {settings.url('gateway')}, with a member's own token. "
            "The clock that meetings follow is turned back for it; Ctrl-C ends the demo and puts it right.[/]"
        )
        try:
            with clock.borrowed():
                day = asyncio.run(_play(settings, clock, screen, members))
        except BaseException:
            console.print(f"\nThe demo has ended early. {clock.as_found()}")
            raise
        ahead = asyncio.run(_join_days_ahead(settings, members[:CROWD]))
    screen.moment("Summary", "What came of the day:")
    screen.facts({**day.summary(), "time taken": f"{time.monotonic() - began:.0f} seconds"})
    _show_next(console, settings.url("gateway"), clock, members[0], ahead)


async def _play(settings: Settings, clock: Clock, screen: Screen, members: list[Member]) -> Day:
    gateway = Gateway(settings.url("gateway"))
    day = Day(gateway, clock, screen, members, service_token(settings))
    try:
        await day.play()
    finally:
        await gateway.close()
    return day


async def _join_days_ahead(settings: Settings, members: list[Member]) -> str:
    """Let members join all that is open on the next days; return the first slot of tomorrow."""
    gateway = Gateway(settings.url("gateway"))
    try:
        now = datetime.fromisoformat((await gateway.call(members[0].token, "get_button_states"))["now"])
        days = [(now + timedelta(days=n)).date().isoformat() for n in range(DAYS_AHEAD + 1)]
        found = [await gateway.call(members[0].token, "time_slots", p_campus_id=CAMPUS, p_day=day) for day in days]
        open_slots = [slot["timeSlot"] for day in found for slot in day["slots"] if slot["slotStatus"] == "open"]
        await asyncio.gather(
            *(
                gateway.ask(member.token, "join_waitlist", p_time_slot=slot)
                for n, member in enumerate(members)
                for m, slot in enumerate(open_slots)
                if (n + m) % 3  # each slot has a list of its own
            )
        )
    finally:
        await gateway.close()
    slot: str = found[1]["slots"][0]["timeSlot"]
    return slot


def _show_next(console: Console, url: str, clock: Clock, member: Member, time_slot: str) -> None:
    rpc, bearer = f"{url}/rest/v1/rpc", '-H "Authorization: Bearer $TOKEN"'
    json_body = f"""-H 'Content-Type: application/json' -d '{{"p_time_slot": "{time_slot}"}}'"""
    console.print(
        f"\n[bold]Watch a day yourself:[/] open [bold]{url}[/] and sign in as you@{DOMAIN}; the code comes to "
        f"{url}/mailbox. {CROWD} members wait on the lists of the next days. Join, open the panel in the corner "
        "and press “Play the day”: it takes a minute."
    )
    console.print(
        f"\nThe stack is up at [bold]{url}[/]. {clock.as_found()} "
        f"Go on as {member.name}; the token is good for an hour:\n"
    )
    for line in (
        f"TOKEN={member.token}",
        f"curl -s {rpc}/get_button_states {bearer}",
        f"curl -s {rpc}/join_waitlist {bearer} {json_body}",
        f"curl -s {rpc}/my_profile {bearer}",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
