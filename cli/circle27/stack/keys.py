"""Rotate the key that signs tokens, without signing anyone out.

At every moment whatever is signed with is accepted by every PostgREST: a new key is accepted first and signs after
that; the former one signs no more, and is accepted until it is retired.
"""

import os
import time

import httpx
import jwt

from circle27.errors import CircleError
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
    """Let each PostgREST read the keys again; return when each accepts, or refuses, what `key` signs."""
    render(settings)
    claims = {"role": "anon", "exp": int(time.time()) + 60}
    headers = {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm='HS256')}"}
    wanted = 200 if accepted else 401
    for service in settings.postgrest_services():
        supervisor.signal(service, "USR2")
        url = f"{settings.url(service)}/rpc/ready"
        wait_until(
            lambda url=url: httpx.get(url, headers=headers).status_code == wanted,
            10,
            f"{service} did not take the keys",
        )
