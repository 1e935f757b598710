"""The peers' processes: a second gateway and PgBouncer of the same templates, FastAPI behind; both services bare."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg

from circle27.stack import programs
from circle27.stack.render import render
from circle27.stack.settings import DATABASE, LOOPBACK, SUPERUSER, Settings
from circle27.stack.supervision import wait_until

ROLE = "bench_service"


@contextmanager
def running(settings: Settings) -> Iterator[dict[str, list[str]]]:
    """Give the addresses of each side: `ours` and `fastapi` behind their gateways, and bare, one for each process."""
    folder = settings.home / "tmp" / "peers"
    shutil.rmtree(folder, ignore_errors=True)
    port = iter(free_ports(9))
    ports = {
        **settings.ports,
        **{name: next(port) for name in ("gateway", "publish", "pgbouncer", "postgrest", "postgrest_2")},
    }
    peer = replace(settings, home=folder, ports=ports)
    with ExitStack() as stack:
        password = stack.enter_context(role(settings))
        lay_out(settings, peer, password)
        start = [f"{programs.program('pgbouncer')}", "-q", f"{folder}/conf/pgbouncer.ini"]
        stack.enter_context(process(peer, start))
        wait_until(lambda: listens(ports["pgbouncer"]), 10, "the peers' PgBouncer did not come up")
        start = [
            f"{programs.program('nginx')}",
            "-p",
            f"{folder}",
            "-e",
            "stderr",
            "-c",
            f"{folder}/secrets/nginx.conf",
        ]
        stack.enter_context(process(peer, start))
        pooled = f"postgresql://{ROLE}:{password}@{LOOPBACK}:{ports['pgbouncer']}/{DATABASE}"
        straight = f"postgresql://{ROLE}:{password}@{LOOPBACK}:{ports['postgresql']}/{DATABASE}"
        for name in ("postgrest", "postgrest_2"):
            stack.enter_context(uvicorn(settings, ports[name], pooled, prepared=False))
        bare = {"fastapi_bare": [next(port), next(port)], "ours_bare": [next(port), next(port)]}
        for number in bare["fastapi_bare"]:
            stack.enter_context(uvicorn(settings, number, straight, prepared=True))
        for number in bare["ours_bare"]:
            stack.enter_context(postgrest(settings, folder, number))
        addresses = {
            "ours": [f"{settings.url('gateway')}/rest/v1"],
            "fastapi": [f"http://{LOOPBACK}:{ports['gateway']}/rest/v1"],
            **{side: [f"http://{LOOPBACK}:{number}" for number in numbers] for side, numbers in bare.items()},
        }
        for url in (url for urls in addresses.values() for url in urls):
            wait_until(lambda url=url: answers(url), 20, f"{url} did not come up")
        yield addresses


@contextmanager
def role(settings: Settings) -> Iterator[str]:
    """Make the role of the service, with the rights of both owners; give its password."""
    password = secrets.token_hex(16)
    with psycopg.connect(settings.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(f"drop role if exists {ROLE}")
        connection.execute(f"create role {ROLE} login password '{password}' in role circle27_owner, circle27_auth")
        connection.execute(f"grant connect on database {DATABASE} to {ROLE}")
        try:
            yield password
        finally:
            connection.execute(f"drop owned by {ROLE}")
            connection.execute(f"drop role {ROLE}")


def lay_out(settings: Settings, peer: Settings, password: str) -> None:
    """Render the stack's templates for the peer, who may be let in by PgBouncer."""
    for name in ("conf", "tmp", "access"):
        (peer.home / name).mkdir(parents=True)
    shutil.copytree(settings.home / "secrets", peer.home / "secrets")
    render(peer)
    with (peer.home / "secrets/pgbouncer.users").open("a") as file:
        file.write(f'"{ROLE}" "{password}"\n')
    if os.geteuid() == 0:
        for path in (peer.home, *peer.home.rglob("*")):
            shutil.chown(path, settings.os_user)


@contextmanager
def process(settings: Settings, command: list[str], **environment: str) -> Iterator[None]:
    """Run a program as the services' user as long as it is needed."""
    # Python is the bench's own, and may lie where the services' user can't go.
    user = settings.os_user if os.geteuid() == 0 and sys.executable not in command else None
    groups: list[str] | None = [] if user else None
    started = subprocess.Popen(command, env={**os.environ, **environment}, user=user, group=user, extra_groups=groups)
    try:
        yield
    finally:
        started.terminate()
        started.wait()


def uvicorn(settings: Settings, port: int, dsn: str, *, prepared: bool) -> AbstractContextManager[None]:
    """Run one worker of the FastAPI service."""
    command = [sys.executable, "-m", "uvicorn", "bench.peers.service:app", "--port", str(port), "--no-access-log"]
    command += ["--log-level", "error", "--loop", "uvloop", "--http", "httptools"]
    return process(settings, command, DSN=dsn, PREPARED="1" if prepared else "0", JWT_KEY=settings.secret("jwt.key"))


@contextmanager
def postgrest(settings: Settings, folder: Path, port: int) -> Iterator[None]:
    """Run one PostgREST straight at PostgreSQL, where statements stay prepared."""
    text = (settings.home / "conf/postgrest.conf").read_text("utf-8")
    pooled, straight = (f"{LOOPBACK}:{settings.ports[name]}" for name in ("pgbouncer", "postgresql"))
    text = text.replace(pooled, straight).replace("db-prepared-statements = false", "db-prepared-statements = true")
    text = re.sub(r"(?m)^server-port = .*", f"server-port = {port}", text)
    text = re.sub(r"(?m)^admin-server-port = .*\n", "", text)
    file = folder / f"postgrest-{port}.conf"
    file.write_text(text, "utf-8")
    with process(replace(settings, os_user="root"), [str(programs.program("postgrest")), str(file)], GHCRTS="-N1"):
        yield


def answers(url: str) -> bool:
    """Return whether anything but an outage comes back."""
    try:
        return httpx.get(f"{url}/rpc/get_button_states").status_code < 500
    except httpx.HTTPError:
        return False


def listens(port: int) -> bool:
    """Return whether a connection to this port is taken."""
    with socket.socket() as client:
        return client.connect_ex((LOOPBACK, port)) == 0


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    held = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    numbers = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return numbers
