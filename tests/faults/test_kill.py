"""kill -9 of each process under load: it heals within five seconds, and no client is blamed for it."""

import asyncio
import collections
import contextlib
import os
import signal
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from circle27.stack.settings import SUPERUSER
from circle27.stack.supervision import Supervisor, wait_until
from tests.stack import Stack

HEALS_WITHIN_S = 5.0
CLIENTS = 16
SERVICES = ["postgresql", "pgbouncer", "postgrest", "postgrest_2", "gateway", "worker", "porter", "healer"]


@dataclass
class Load:
    """What a light load saw: (moment, status or the exception's name, body of a refusal)."""

    seen: list[tuple[float, int | str, str]] = field(default_factory=list)

    def successes_since(self, moment: float) -> int:
        return sum(1 for at, status, _ in self.seen if at > moment and status == 200)


@asynccontextmanager
async def light_load(stack: Stack) -> AsyncIterator[Load]:
    """Sixteen members who ask for their buttons all the time, by GET and by POST."""
    load, stop = Load(), asyncio.Event()
    headers = {"Authorization": f"Bearer {stack.token('ann@stanford.edu')}"}

    async def client(number: int) -> None:
        async with httpx.AsyncClient(
            base_url=stack.settings.url("gateway"), timeout=10, verify=False, headers=headers
        ) as http:
            while not stop.is_set():
                began = time.monotonic()
                try:
                    path = "/rest/v1/rpc/get_button_states"
                    answer = await (http.get(path) if number % 2 else http.post(path, json={}))
                    load.seen.append((began, answer.status_code, "" if answer.is_success else answer.text))
                except httpx.HTTPError as error:
                    load.seen.append((began, type(error).__name__, ""))
                    await asyncio.sleep(0.02)

    clients = [asyncio.create_task(client(number)) for number in range(CLIENTS)]
    try:
        yield load
    finally:
        stop.set()
        await asyncio.gather(*clients)


async def until_served(load: Load, since: float, seconds: float) -> None:
    while load.successes_since(since) < CLIENTS * 2:
        if time.monotonic() > since + seconds:
            pytest.fail(f"not served within {seconds} s: {collections.Counter(status for _, status, _ in load.seen)}")
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_process_heals(own_stack: Stack, service: str) -> None:
    own_stack.token("ann@stanford.edu")
    supervisor = Supervisor(own_stack.settings)
    victim = supervisor.states()[service]["pid"]

    async def play() -> Load:
        async with light_load(own_stack) as load:
            await until_served(load, time.monotonic(), 10)
            os.kill(victim, signal.SIGKILL)
            killed = time.monotonic()
            while True:  # it is back, as another process, and the system has served everybody since
                state = supervisor.states()[service]
                if state["state"] == "RUNNING" and state["pid"] != victim:
                    break
                assert time.monotonic() < killed + HEALS_WITHIN_S, f"{service} is {state}"
                await asyncio.sleep(0.05)
            await until_served(load, time.monotonic(), killed + HEALS_WITHIN_S - time.monotonic())
            # Each pooled connection has been used since: a broken one would have shown itself.
            await until_served(load, time.monotonic(), HEALS_WITHIN_S)
            return load

    load = asyncio.run(play())
    refusals = collections.Counter((status, body) for _, status, body in load.seen if status != 200)
    if service in ("postgrest", "postgrest_2", "worker", "porter", "healer"):
        assert not refusals  # the other PostgREST answers; the rest stands in no request's way
    for (status, body), count in refusals.items():
        if isinstance(status, int):
            assert status in (503, 504), (status, body, count)
            assert "service_unavailable" in body
        else:
            assert service == "gateway", (status, count)  # only a dead gateway may cut a connection


def test_after_a_restart_of_pgbouncer_no_dead_connection_is_left(own_stack: Stack) -> None:
    """An idle pool does not notice; each of its connections would fail one request, much later."""
    supervisor = Supervisor(own_stack.settings)

    async def fill_the_pools() -> None:
        async with light_load(own_stack) as load:
            await until_served(load, time.monotonic(), 10)

    asyncio.run(fill_the_pools())
    logs = [own_stack.home / "logs" / f"{service}.log" for service in own_stack.settings.postgrest_services()]
    before = [log.read_text().count("Schema cache loaded") for log in logs]
    os.kill(supervisor.states()["pgbouncer"]["pid"], signal.SIGKILL)
    wait_until(
        lambda: all(
            log.read_text().count("Schema cache loaded") > count for log, count in zip(logs, before, strict=True)
        ),
        5,
        "PostgREST was not told",
    )
    token = own_stack.token("ann@stanford.edu")
    assert {own_stack.rpc("get_button_states", token=token).status_code for _ in range(60)} == {200}


def test_a_503_says_when_to_come_back(own_stack: Stack) -> None:
    supervisor = Supervisor(own_stack.settings)
    supervisor.rpc.stopProcess("pgbouncer", True)
    try:
        for method in ("GET", "POST"):
            answer = own_stack.rpc("get_button_states", token=own_stack.token("ann@stanford.edu"), method=method)
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["details"] == "service_unavailable"
        assert own_stack.http.get("/ready").status_code == 503
        assert own_stack.http.get("/health").status_code == 200
        assert own_stack.run("status", check=False).returncode == 1
    finally:
        supervisor.start("pgbouncer")
        wait_until(lambda: own_stack.http.get("/ready").status_code == 200, 10, "not ready again")


def test_orphans_of_a_killed_postmaster_do_not_hold_it_back(own_stack: Stack) -> None:
    """A backend in a long statement outlives its postmaster and holds the shared memory."""
    supervisor = Supervisor(own_stack.settings)
    postmaster = supervisor.states()["postgresql"]["pid"]
    connection = psycopg.connect(own_stack.settings.dsn(SUPERUSER), autocommit=True)
    backend = connection.info.backend_pid
    sleeper = threading.Thread(target=_sleep_in, args=(connection,), daemon=True)
    sleeper.start()
    asleep = "select count(*) from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
    wait_until(lambda: own_stack.sql(asleep, backend) == [(1,)], 5, "the backend does not sleep")
    os.kill(backend, signal.SIGSTOP)  # so that it can't notice the postmaster's death by itself
    os.kill(postmaster, signal.SIGKILL)
    try:
        wait_until(lambda: supervisor.states()["postgresql"]["pid"] not in (postmaster, None), 5, "no new postmaster")
        wait_until(lambda: own_stack.http.get("/ready").status_code == 200, 5, "not ready again")
        sleeper.join(5)
        assert not Path(f"/proc/{backend}/cwd").exists()
    finally:
        with contextlib.suppress(ProcessLookupError):  # where the test is red, a stopped process must not stay
            os.kill(backend, signal.SIGKILL)


def _sleep_in(connection: psycopg.Connection) -> None:
    with contextlib.suppress(psycopg.Error):
        connection.execute("select pg_sleep(60)")


def test_up_mends_what_a_killed_supervisor_left(own_stack: Stack) -> None:
    supervisord = int((own_stack.home / "run/supervisord.pid").read_text())
    os.kill(supervisord, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{supervisord}/cwd").exists(), 5, "supervisord is still there")
    result = own_stack.run("up")
    assert "killed" in result.stderr
    assert own_stack.http.get("/ready").status_code == 200
    assert own_stack.run("status").returncode == 0
