"""The demo: one day of a campus in fast motion, played through the gateway by the members themselves."""

import asyncio
import time
from datetime import datetime, timedelta

import psycopg
from rich.console import Console

from circle27.demo.day import Day
from circle27.demo.phone import Gateway
from circle27.demo.show import Screen
from circle27.demo.stage import CAMPUS, Clock, Member, alone, service_token, set_up_campus, sign_in
from circle27.errors import CircleError
from circle27.stack import lifecycle
from circle27.stack.settings import Settings


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
        tomorrow = asyncio.run(_slot_of_tomorrow(settings, members[0]))
    screen.moment("Summary", "What came of the day:")
    screen.facts({**day.summary(), "time taken": f"{time.monotonic() - began:.0f} seconds"})
    _show_next(console, settings.url("gateway"), clock, members[0], tomorrow)


async def _play(settings: Settings, clock: Clock, screen: Screen, members: list[Member]) -> Day:
    gateway = Gateway(settings.url("gateway"))
    day = Day(gateway, clock, screen, members, service_token(settings))
    try:
        await day.play()
    finally:
        await gateway.close()
    return day


async def _slot_of_tomorrow(settings: Settings, member: Member) -> str:
    """Return the first slot of tomorrow, which is open now."""
    gateway = Gateway(settings.url("gateway"))
    try:
        now = datetime.fromisoformat((await gateway.call(member.token, "get_button_states"))["now"])
        day = (now + timedelta(days=1)).date().isoformat()
        found = await gateway.call(member.token, "time_slots", p_campus_id=CAMPUS, p_day=day)
    finally:
        await gateway.close()
    slot: str = found["slots"][0]["timeSlot"]
    return slot


def _show_next(console: Console, url: str, clock: Clock, member: Member, time_slot: str) -> None:
    rpc, bearer = f"{url}/rest/v1/rpc", '-H "Authorization: Bearer $TOKEN"'
    json_body = f"""-H 'Content-Type: application/json' -d '{{"p_time_slot": "{time_slot}"}}'"""
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
