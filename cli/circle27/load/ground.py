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
    email: str


@dataclass(frozen=True)
class Slot:
    """A slot that a run is about: as the API writes its instant, and its deadline in real time."""

    time_slot: str
    day: str
    deadline: float  # seconds since 1970


@dataclass(frozen=True)
class Day:
    """The day of a run without a deadline: its date, and its three slots as the API writes them."""

    date: str
    slots: list[str]


@dataclass(frozen=True)
class Change:
    """A join (or leave) that was answered with 200: whose, of which slot, and the version that the answer named."""

    user_id: str
    time_slot: str
    joined: bool
    version: int


def require_loopback(url: str, advice: str = "use a local stack.") -> None:
    """Refuse a target that is not this very machine. Raises CircleError."""
    host = urlsplit(url).hostname or ""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        found = set()
    if not found or not all(ipaddress.ip_address(address).is_loopback for address in found):
        raise CircleError(f"{url} is not on this machine. A load run is a storm: {advice}")


class Ground:
    """The campus of load runs, through the migrator's connection."""

    def __init__(self, settings: Settings, connection: psycopg.Connection) -> None:
        self._settings = settings
        self._connection = connection

    @property
    def postgresql(self) -> str:
        """The version of the server."""
        return self._connection.info.parameter_status("server_version") or "?"

    def prepare(self, users: int, life_s: float = TOKEN_S, fresh: int = 0) -> list[Member]:
        """Make the campus and its members, unless they are there; return them with tokens for so many seconds.

        The first `fresh` of them are members of today: nobody has asked for a code to their address yet.
        """
        tag = int(time.time())
        numbers = range(users)
        names = [f"{FIRST_NAMES[n % len(FIRST_NAMES)]} {LAST_NAMES[n * 37 % len(LAST_NAMES)]}" for n in numbers]
        emails = [f"new-{tag}-{n}@{DOMAIN}" if n < fresh else f"member-{n:06}@{DOMAIN}" for n in numbers]
        key = self._settings.secret("jwt.key")
        with self._connection.transaction():
            self._connection.execute("select app.add_campus(%s, %s, 'UTC', %s)", [CAMPUS, NAME, [DOMAIN]])
            rows = self._connection.execute(_sql("members"), {"names": names, "emails": emails}).fetchall()
        self._connection.execute("analyze app.users, app.user_campuses")
        claims = [{**claims, "exp": int(time.time() + max(life_s, TOKEN_S))} for (claims,) in rows]
        tokens = [jwt.encode(each, key, algorithm="HS256") for each in claims]
        return [Member(each["sub"], *of) for each, *of in zip(claims, tokens, emails, strict=True)]

    def claims(self, member: Member) -> dict[str, Any]:
        """Return what a member's token says."""
        claims: dict[str, Any] = jwt.decode(member.token, options={"verify_signature": False})
        return claims

    def service_token(self, life_s: float = TOKEN_S) -> str:
        """Return a key of service_role."""
        claims = {"role": "service_role", "exp": int(time.time() + max(life_s, TOKEN_S))}
        return jwt.encode(claims, self._settings.secret("jwt.key"), algorithm="HS256")

    def open_day(self) -> Day:
        """Open the three slots of a day that nobody has used yet, at least a day ahead."""
        with self._connection.transaction():
            self._connection.execute("set local role circle27_owner")
            rows = self._connection.execute(_sql("day"), {"campus": CAMPUS}).fetchall()
        return Day(rows[0][0], [time_slot for _, time_slot in rows])

    def meet(self, members: Sequence[Member]) -> str:
        """Let these members have met just now, through waitlist and matching; return the slot, which is over.

        Raises CircleError if the worker matches nothing.
        """
        with self._connection.transaction():
            self._connection.execute("set local role circle27_owner")
            row = self._connection.execute(_sql("slot"), {"campus": CAMPUS, "lead": 5, "lasts": 1}).fetchone()
            assert row is not None
            slot = Slot(row[0], row[1], float(row[2]))
        self.join(members, slot)
        self.wait_for_matching(slot, 60)
        return slot.time_slot

    def join(self, members: Sequence[Member], slot: Slot) -> None:
        """Put these members on the list of a slot."""
        with self._connection.transaction():
            self._connection.execute("set local role circle27_owner")
            self._connection.execute(
                "select app.join_waitlist(%(campus)s, users.user_id, %(slot)s)"
                " from unnest(%(users)s::uuid[]) as users (user_id)",
                {"campus": CAMPUS, "slot": slot.time_slot, "users": [member.user_id for member in members]},
            )

    def lost_writes(self, changes: Sequence[Change]) -> int:
        """Return how many of these acknowledged changes the database does not have."""
        with self._connection.transaction():
            self._connection.execute("set local role circle27_owner")
            row = self._connection.execute(
                _sql("lost_writes"),
                {
                    "campus": CAMPUS,
                    "users": [change.user_id for change in changes],
                    "slots": [change.time_slot for change in changes],
                    "joined": [change.joined for change in changes],
                    "versions": [change.version for change in changes],
                },
            ).fetchone()
        assert row is not None
        return int(row[0])

    def open_slot(self, lead_s: float) -> Slot:
        """Open a slot whose deadline comes in `lead_s` seconds, by the database's clock."""
        with self._connection.transaction():
            self._connection.execute("set local role circle27_owner")
            row = self._connection.execute(
                _sql("slot"), {"campus": CAMPUS, "lead": lead_s, "lasts": 80 * 60}
            ).fetchone()
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
