"""Where a load run takes place: a campus of its own, members with tokens, slots, and what is true of them."""

import ipaddress
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import jwt
import psycopg

from circle27.errors import CircleError
from circle27.seed.names import FIRST_NAMES, LAST_NAMES
from circle27.stack.settings import Settings

CAMPUS, NAME, DOMAIN = "load", "Load Campus", "load.circle27.invalid"
TOKEN_S = 3600  # as the API gives them; a stream lives as long


@dataclass(frozen=True)
class Member:
    """One member: user id and access token."""

    user_id: str
    token: str


@dataclass(frozen=True)
class Slot:
    """A slot that a run is about: as the API writes its instant, and its deadline in real time."""

    time_slot: str
    day: str
    deadline: float  # seconds since 1970


def require_loopback(url: str) -> None:
    """Refuse a target that is not this very machine. Raises CircleError."""
    host = urlsplit(url).hostname or ""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        found = set()
    if not found or not all(ipaddress.ip_address(address).is_loopback for address in found):
        raise CircleError(f"{url} is not on this machine, and a load run may be aimed at no other: use a local stack.")


class Ground:
    """The campus of load runs, through the migrator's connection."""

    def __init__(self, settings: Settings, connection: psycopg.Connection) -> None:
        self._settings = settings
        self._connection = connection

    def prepare(self, users: int) -> list[Member]:
        """Make the campus and its members, unless they are there; return them with tokens for an hour from now."""
        numbers = range(users)
        names = [f"{FIRST_NAMES[n % len(FIRST_NAMES)]} {LAST_NAMES[n * 37 % len(LAST_NAMES)]}" for n in numbers]
        emails = [f"member-{n:06}@{DOMAIN}" for n in numbers]
        key = self._settings.secret("jwt.key")
        with self._connection.transaction():
            self._connection.execute("select app.add_campus(%s, %s, 'UTC', %s)", [CAMPUS, NAME, [DOMAIN]])
            rows = self._connection.execute(_sql("members"), {"names": names, "emails": emails}).fetchall()
        self._connection.execute("analyze app.users, app.user_campuses")
        return [Member(claims["sub"], jwt.encode(claims, key, algorithm="HS256")) for (claims,) in rows]

    def open_slot(self, lead_s: float) -> Slot:
        """Open a slot whose deadline comes in `lead_s` seconds, by the database's clock."""
        with self._connection.transaction():
            self._connection.execute("set local role circle27_owner")
            row = self._connection.execute(_sql("slot"), {"campus": CAMPUS, "lead": lead_s}).fetchone()
        assert row is not None
        time_slot, day, deadline = row
        return Slot(time_slot, day, float(deadline))

    def matched(self, slot: Slot) -> dict[str, Any] | None:
        """Return the matching's report with `wake_up_s` and `matching_s`; None as long as there is none."""
        with self._connection.transaction():
            self._connection.execute("set local role circle27_owner")
            row = self._connection.execute(
                "select match_report, extract(epoch from matched_at - deadline_at)::float from app.time_slots"
                " where campus_id = %s and time_slot = %s and matched_at is not null",
                [CAMPUS, slot.time_slot],
            ).fetchone()
        return None if row is None else {**row[0], "wake_up_s": row[1]}

    def matching_ended(self, slot: Slot) -> float:
        """Return when the trail noted the matching, its last act before the commit, in seconds since 1970."""
        with self._connection.transaction():
            self._connection.execute("set local role circle27_auth")
            row = self._connection.execute(
                "select extract(epoch from max(at))::float from audit.log"
                " where campus_id = %s and action = 'slot.matched' and time_slot = %s",
                [CAMPUS, slot.time_slot],
            ).fetchone()
        assert row is not None
        return float(row[0])

    def buttons(self, members: Sequence[Member], slot: Slot) -> dict[str, dict[str, Any]]:
        """Return what the database says of the slot now, by user id."""
        rows = self._connection.execute(
            "select users.user_id, app.button(%(campus)s, users.user_id::uuid, %(slot)s::timestamptz, app.clock())"
            " from unnest(%(users)s::text[]) as users (user_id)",
            {"campus": CAMPUS, "slot": slot.time_slot, "users": [member.user_id for member in members]},
        ).fetchall()
        return dict(rows)

    def wait_for_matching(self, slot: Slot, seconds: float) -> dict[str, Any]:
        """Return the matching's report. Raises CircleError if there is none so long after the deadline."""
        while time.time() < slot.deadline + seconds:
            if report := self.matched(slot):
                return report
            time.sleep(0.2)
        raise CircleError(f"the slot was not matched within {seconds:.0f} s after its deadline. `circle27 logs worker`")


def instant(text: str) -> datetime:
    """Return an instant as the API writes it."""
    return datetime.fromisoformat(text)


def _sql(name: str) -> bytes:
    return resources.files(__package__).joinpath(f"{name}.sql").read_bytes()
