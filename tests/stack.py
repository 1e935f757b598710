"""The real local stack as fixtures: brought up once a session by the command line, on ports of its own."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg
import pytest

from circle27.stack.settings import PORTS, SUPERUSER, Settings
from circle27.stack.supervision import Supervisor, wait_until
from tests.answers import typed
from tests.scratch import scratch

CIRCLE27 = [sys.executable, "-m", "circle27"]


@dataclass
class Stack:
    """One running stack, seen from outside: the command line, HTTP, and SQL where a test must arrange something."""

    environment: dict[str, str]
    _tokens: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `circle27 ARGUMENTS` against this stack."""
        return subprocess.run(
            [*CIRCLE27, *arguments], env=self.environment, text=True, capture_output=True, check=check, timeout=120
        )

    @property
    def home(self) -> Path:
        return Path(self.environment["CIRCLE27_HOME"])

    @cached_property
    def settings(self) -> Settings:
        stored = json.loads((self.home / "stack.json").read_text("utf-8"))
        return Settings(**stored, home=self.home)

    @cached_property
    def http(self) -> httpx.Client:
        """A client without a token: calls as `anon`."""
        return httpx.Client(base_url=self.settings.url("gateway"), timeout=20, verify=False)

    def token(self, email: str) -> str:
        """A member's token, made as `circle27 token` makes it."""
        if email not in self._tokens:
            user_id = self.sql("select user_id from app.register_user(%s)", email)[0][0]
            self._tokens[email] = self.sign(self.sql("select identity.token_claims(%s)", user_id)[0][0])
        return self._tokens[email]

    @cached_property
    def service_token(self) -> str:
        return self.run("token", "--role", "service_role").stdout.strip()

    def sign(self, claims: dict[str, Any], key: str | None = None, algorithm: str = "HS256") -> str:
        return jwt.encode(claims, self.settings.secret("jwt.key") if key is None else key, algorithm=algorithm)

    def claims(self, email: str) -> dict[str, Any]:
        return jwt.decode(self.token(email), options={"verify_signature": False})

    def rpc(
        self, name: str, arguments: dict[str, Any] | None = None, token: str | None = None, method: str = "POST"
    ) -> httpx.Response:
        """Call a function through the gateway, as the bearer of `token` (nobody without one).

        A success is of the type that web/circle27.d.ts names, in every test.
        """
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        if method == "GET":
            return typed(name, self.http.get(f"/rest/v1/rpc/{name}", params=arguments, headers=headers))
        return typed(name, self.http.post(f"/rest/v1/rpc/{name}", json=arguments or {}, headers=headers))

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run one statement as the superuser: to arrange what no API call may."""
        with psycopg.connect(self.settings.dsn(SUPERUSER), autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def mailed_code(self, address: str) -> str:
        """Return the newest login code that this address was sent, once a mail is there."""

        def found() -> list[str]:
            mail = self.run("mailbox", "--to", address, "--last", check=False).stdout
            return re.findall(r"^Subject: .* (\d{6})$", mail, re.M)

        wait_until(found, 20, f"no mail came to {address}")
        return found()[0]

    def reload(self, function: str) -> None:
        """Let both PostgREST instances read the schema again; return when each knows `function`."""
        for service in self.settings.postgrest_services():
            Supervisor(self.settings).signal(service, "USR1")
            url = f"{self.settings.url(service)}/rpc/{function}"
            wait_until(lambda url=url: self.http.post(url).status_code != 404, 10, f"{function} stayed unknown")


def environment(home: Path) -> dict[str, str]:
    """The environment of a stack in `home`, on ports that are free now; libpq's own variables do not leak in."""
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("PG", "CIRCLE27_")) or key == "PG_BINDIR"
    }
    with ExitStack() as held:  # all at once, so that no two services are dealt the same port
        sockets = [held.enter_context(socket.socket()) for _ in PORTS]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        ports = {
            f"CIRCLE27_{name.upper()}_PORT": str(s.getsockname()[1]) for name, s in zip(PORTS, sockets, strict=True)
        }
    # A test makes more calls than a member; tests/http/test_limits.py has a stack with limits.
    return {**clean, **ports, "CIRCLE27_HOME": str(home), "CIRCLE27_RATE_LIMITS": "off"}


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A stack for the tests that leave it as they found it."""
    yield from running_stack()


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A stack for one module that stops, kills or reconfigures it."""
    yield from running_stack()


def running_stack(**variables: str) -> Iterator[Stack]:
    """Make, start and in the end remove a stack; the variables are added to its environment."""
    with scratch() as folder:
        made = Stack({**environment(folder / "stack"), **variables})
        try:
            result = made.run("up", check=False)
            if result.returncode:
                pytest.fail(f"circle27 up failed:\n{result.stderr}\n{made.run('logs', check=False).stdout[-5000:]}")
            yield made
        finally:
            made.run("down", check=False)
