"""The life of one slot over a PostgREST of its own: whether a migrated database works, whoever else lives in it."""

import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import jwt
import psycopg

from circle27.stack.programs import program
from circle27.stack.supervision import wait_until
from tests.migrations.conftest import Database

ZONE = ZoneInfo("America/Los_Angeles")
SECRET = "a secret of this test alone, long enough for HS256"
OWN = """
db-schemas = "api"
db-pre-request = "app.pre_request"
"""
CONFIG = """
db-uri = "host={host} port={port} dbname={name} user=authenticator"
db-extra-search-path = ""
db-anon-role = "anon"
db-pool = 2
jwt-secret = "{secret}"
jwt-aud = "authenticated"
server-host = "127.0.0.1"
server-port = {listen}
log-level = "error"
"""


def token(**claims: Any) -> str:
    """Return a token with the claims that Supabase Auth gives, and these."""
    usual = {"aud": "authenticated", "role": "authenticated", "session_id": str(uuid.uuid4()), "is_anonymous": False}
    return jwt.encode({**usual, "exp": int(time.time()) + 600, **claims}, SECRET, algorithm="HS256")


@contextmanager
def postgrest(database: Database, folder: Path, own: str) -> Iterator[httpx.Client]:
    """PostgREST on a free port, and a client that asks for schema api."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        listen = held.getsockname()[1]
    config = folder / "postgrest.conf"
    values = {"host": database.host, "port": database.port, "name": database.name}
    config.write_text(CONFIG.format(**values, secret=SECRET, listen=listen) + own, "utf-8")
    process = Popen([program("postgrest"), config])
    try:
        profile = {"Accept-Profile": "api", "Content-Profile": "api"}
        with httpx.Client(base_url=f"http://127.0.0.1:{listen}/rpc/", headers=profile, timeout=20) as http:
            wait_until(lambda: _answers(http), 20, "PostgREST does not answer")
            yield http
    finally:
        process.terminate()
        process.wait()


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("time_slots").status_code < 500
    except httpx.TransportError:
        return False


def live(database: Database, folder: Path, own: str = OWN) -> None:
    """Four members join, the deadline passes, they meet; a stranger, nobody and a bad token are refused.

    `own` is what PostgREST's configuration says of us; what it does not say must be in the database.
    """
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("select app.add_campus('life', 'Life', %s, array['life.edu'])", [ZONE.key])
        connection.execute("select app.open_campus_slots('life', app.clock())")
        members = [
            connection.execute("select user_id::text from app.register_user(%s)", [f"{name}@life.edu"]).fetchall()[0][0]
            for name in ("ann", "ben", "cas", "dee", "eve")
        ]
    with postgrest(database, folder, own) as http:

        def call(function: str, bearer: str, **arguments: Any) -> httpx.Response:
            return http.post(function, json=arguments, headers={"Authorization": f"Bearer {bearer}"})

        tomorrow = datetime.now(ZONE).date() + timedelta(days=1)
        slots = http.get("time_slots", params={"p_campus_id": "life", "p_day": str(tomorrow)}).json()["slots"]
        slot, deadline = slots[0]["timeSlot"], datetime.fromisoformat(slots[0]["deadlineAt"])
        tokens = [token(sub=member) for member in members]

        def buttons() -> list[str]:
            answers = [
                call("get_button_state", bearer, p_user_id=sub, p_time_slot=slot).json()
                for sub, bearer in zip(members, tokens, strict=True)
            ]
            return [answer["buttonState"] for answer in answers]

        assert buttons() == ["join"] * 5
        for bearer in tokens[:4]:
            assert call("join_waitlist", bearer, p_time_slot=slot).json()["buttonState"] == "leave"
        assert buttons() == ["leave"] * 4 + ["join"]
        assert call("get_button_state", tokens[0], p_user_id=members[1], p_time_slot=slot).status_code == 403
        assert call("join_waitlist", token(sub=str(uuid.uuid4())), p_time_slot=slot).json()["details"] == "no_campus"
        assert http.post("join_waitlist", json={"p_time_slot": slot}).status_code == 401

        bad = call("get_button_states", token(sub=members[0], aud=None))
        assert (bad.status_code, bad.json()["details"]) == (401, "token_invalid")

        service = token(role="service_role", aud=None)
        to_deadline = deadline - datetime.now(ZONE)
        assert call("set_clock_offset", service, p_offset=f"{to_deadline.total_seconds()} seconds").is_success
        with psycopg.connect(database.dsn, user="circle27_worker", autocommit=True) as connection:
            connection.execute("select app.run_due_deadlines()")
        assert buttons() == ["confirmed"] * 4 + ["past"]
        circle = call("my_circle", tokens[0], p_time_slot=slot).json()["members"]
        assert {mate["userId"] for mate in circle} == {*members[:4]}
        assert call("set_clock_offset", service, p_offset="0").is_success
