"""Rotate the key that signs tokens, without signing anyone out.

At every moment whatever is signed with is accepted by whoever checks tokens: a new key is first accepted by every
PostgREST and by the gateway, which counts calls by member; then the database and this command line sign with it. The
former key signs no more, and is accepted until it is retired.
"""

import os
import time
import uuid

import httpx
import jwt
import psycopg

from circle27.errors import CircleError
from circle27.stack.cluster import sign_with
from circle27.stack.lifecycle import alone
from circle27.stack.render import render
from circle27.stack.secrets import FORMER_KEY, NEXT_KEY, new_key, write_private
from circle27.stack.settings import Settings
from circle27.stack.supervision import Supervisor, wait_until


def rotate(settings: Settings) -> None:
    """Make a new key, which signs from now on. Raises CircleError while the one before is still accepted."""
    with alone():
        supervisor = _running(settings)
        if _former(settings):
            raise CircleError("a former key is still accepted. Retire it first: circle27 keys retire")
        folder = settings.home / "secrets"
        write_private(settings, folder / NEXT_KEY, new_key())
        _reload(settings, supervisor, settings.secret(NEXT_KEY), accepted=True)
        with psycopg.connect(settings.dsn("circle27_migrator")) as connection:
            sign_with(connection, settings.secret(NEXT_KEY))
        (folder / FORMER_KEY).unlink(missing_ok=True)
        os.link(folder / "jwt.key", folder / FORMER_KEY)  # a link, so that there is a signing key at every moment
        (folder / NEXT_KEY).replace(folder / "jwt.key")


def retire(settings: Settings) -> None:
    """Accept no token any more that the former key has signed. Raises CircleError if there is no former key."""
    with alone():
        supervisor = _running(settings)
        former = _former(settings)
        if former is None:
            raise CircleError("there is no former key. A new one is made by: circle27 keys rotate")
        (settings.home / "secrets" / FORMER_KEY).unlink()
        _reload(settings, supervisor, former, accepted=False)
        with psycopg.connect(settings.dsn("circle27_migrator")) as connection:
            connection.execute("select identity.forget_former_keys()")


def _former(settings: Settings) -> str | None:
    """Return the former key; None, too, if a rotation broke off just before its end: `rotate` takes it up again."""
    if not (settings.home / "secrets" / FORMER_KEY).exists():
        return None
    former = settings.secret(FORMER_KEY)
    return former if former != settings.secret("jwt.key") else None


def _running(settings: Settings) -> Supervisor:
    supervisor = Supervisor(settings)
    if not supervisor.running():
        raise CircleError("the stack is down. Start it first: circle27 up")
    return supervisor


def _reload(settings: Settings, supervisor: Supervisor, key: str, *, accepted: bool) -> None:
    """Let all who check tokens read the keys again; return when each accepts, or refuses, what `key` signs."""
    render(settings)
    for service in settings.postgrest_services():
        supervisor.signal(service, "USR2")
        wait_until(
            lambda service=service: _postgrest_accepts(settings, service, key) == accepted,
            10,
            f"{service} did not take the keys",
        )
    supervisor.signal("gateway", "HUP")
    if settings.rate_limits:  # else the gateway checks no token
        wait_until(lambda: _gateway_accepts(settings, key) == accepted, 10, "the gateway did not take the keys")


def _postgrest_accepts(settings: Settings, service: str, key: str) -> bool:
    answer = httpx.get(f"{settings.url(service)}/rpc/ready", headers=_bearer(key, role="anon"))
    return answer.status_code == httpx.codes.OK


def _gateway_accepts(settings: Settings, key: str) -> bool:
    """Tell whether the gateway takes a member for one; /health counts as no call, and needs nothing behind it."""
    headers = _bearer(key, role="authenticated", sub=str(uuid.uuid4()))
    answer = httpx.get(f"{settings.url('gateway')}/health", headers=headers, verify=False)
    return str(answer.headers.get("RateLimit-Policy")).startswith('"user"')


def _bearer(key: str, **claims: str) -> dict[str, str]:
    token = jwt.encode({**claims, "exp": int(time.time()) + 60}, key, algorithm="HS256")
    return {"Authorization": f"Bearer {token}"}
