"""Who and where: the campus of the demo, its members with their tokens, and the clock that is turned for it."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import jwt
import psycopg

from circle27.errors import CircleError
from circle27.seed.names import FIRST_NAMES, LAST_NAMES
from circle27.stack.settings import Settings

CAMPUS, NAME, DOMAIN = "demo", "Demo Campus", "demo.circle27.invalid"  # RFC 6761: nobody ever has this domain
ZONE = ZoneInfo("America/Los_Angeles")
PLACES = (
    "Library",
    "Student union",
    "Rose garden",
    "Boathouse",
    "Science hall",
    "Art museum",
    "Old chapel",
    "Bookstore",
)
CORNERS = ("front steps", "by the window", "long bench", "under the clock", "west entrance")
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Member:
    """One member: the name that others see, and an access token."""

    name: str
    user_id: str
    token: str


def sign(settings: Settings, claims: dict[str, Any]) -> str:
    """Return a token for the local stack."""
    return jwt.encode(claims, settings.secret("jwt.key"), algorithm="HS256")


def service_token(settings: Settings) -> str:
    """Return a key of a trusted server, for an hour."""
    now = int(time.time())
    return sign(settings, {"role": "service_role", "iat": now, "exp": now + 3600})


@contextmanager
def alone(connection: psycopg.Connection) -> Iterator[None]:
    """Let one demo turn the clock at a time."""
    key = "hashtextextended('circle27 demo', 0)"
    row = connection.execute(f"select pg_try_advisory_lock({key})").fetchone()
    if row != (True,):
        raise CircleError("another demo is on: wait for its end.")
    try:
        yield
    finally:
        connection.execute(f"select pg_advisory_unlock({key})")


def set_up_campus(connection: psycopg.Connection) -> None:
    """Make the campus and its spots, unless they are there."""
    spots = {
        f"{place}-{corner}".lower().replace(" ", "-"): f"{place}, {corner}" for corner in CORNERS for place in PLACES
    }
    with connection.transaction():
        connection.execute("select app.add_campus(%s, %s, %s, %s)", [CAMPUS, NAME, ZONE.key, [DOMAIN]])
        connection.execute(
            "select app.add_meeting_spot(%s, spots.id, spots.name)"
            " from unnest(%s::text[], %s::text[]) as spots (id, name)",
            [CAMPUS, list(spots), list(spots.values())],
        )
        connection.execute("select app.open_campus_slots(%s, app.clock())", [CAMPUS])


def sign_in(settings: Settings, connection: psycopg.Connection, count: int) -> list[Member]:
    """Return `count` members, the same ones in each demo."""
    names = [f"{FIRST_NAMES[n % len(FIRST_NAMES)]} {LAST_NAMES[n * 37 % len(LAST_NAMES)]}" for n in range(count)]
    emails = [f"member-{n:04}@{DOMAIN}" for n in range(1, count + 1)]
    query = resources.files(__package__).joinpath("people.sql").read_bytes()
    with connection.transaction():
        rows = connection.execute(query, {"names": names, "emails": emails}).fetchall()
    return [Member(name, claims["sub"], sign(settings, claims)) for name, claims in rows]


class Clock:
    """The app clock, turned through the gateway and always put back to the offset that it had."""

    def __init__(self, settings: Settings, connection: psycopg.Connection) -> None:
        self.settings = settings
        row = connection.execute("select time_offset from app.clock_offset").fetchone()
        assert row is not None
        self.found: timedelta = row[0]
        self.offset: timedelta = self.found

    def as_found(self) -> str:
        """Say where the clock is again."""
        if not self.found:
            return "The clock is back."
        way = "ahead of" if self.found > timedelta() else "behind"
        return f"The clock is {abs(self.found)} {way} real time again, as it was before (circle27 clock --reset)."

    def turn(self, offset: timedelta) -> None:
        """Set the distance from real time. Raises CircleError."""
        try:
            answer = httpx.post(
                f"{self.settings.url('gateway')}/rest/v1/rpc/set_clock_offset",
                json={"p_offset": f"{offset / timedelta(seconds=1):.6f} seconds"},
                headers={"Authorization": f"Bearer {service_token(self.settings)}"},
                timeout=10,
                verify=False,
                trust_env=False,
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise CircleError(f"the clock could not be turned: {error}") from None
        self.offset = offset

    def turn_to(self, instant: datetime) -> None:
        """Make it this instant."""
        self.turn(instant - datetime.now(ZONE))

    def now(self) -> datetime:
        """Return what the app clock shows."""
        return datetime.now(ZONE) + self.offset

    def real(self, instant: datetime) -> float:
        """Return the real time, in seconds since 1970, at which the app clock shows `instant`."""
        return (instant - self.offset).timestamp()

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Put the clock back at the end, whatever ends it: success, failure, Ctrl-C, SIGTERM, a closed terminal."""

        def leave(number: int, _frame: object) -> None:
            raise SystemExit(128 + number)

        before = {number: signal.getsignal(number) for number in ENDINGS}
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, leave)
        try:
            yield
        finally:
            for number in ENDINGS:
                signal.signal(number, signal.SIG_IGN)  # it takes some milliseconds
            try:
                self._put_back()
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _put_back(self) -> None:
        try:
            self.turn(self.found)
        except CircleError:
            try:
                with psycopg.connect(self.settings.dsn("circle27_migrator"), connect_timeout=5) as connection:
                    connection.execute("select app.set_clock_offset(%s)", [self.found])
            except psycopg.Error:
                raise CircleError("the clock could not be put back. Do it by hand: circle27 clock --reset") from None
