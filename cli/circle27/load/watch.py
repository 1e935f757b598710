"""What the stack is like while a run goes on, once a second: processor time, PgBouncer's pool, a query of our own."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import psycopg
from psycopg.rows import dict_row

from circle27.load.machine import Machine
from circle27.stack.settings import Settings

PROBE_S = 0.2  # between two queries of our own
MEMORY_S = 10


@dataclass
class Seen:
    """One second."""

    at: float  # seconds after the run began
    cores: dict[str, float]  # processor time by part, in cores
    active: int  # clients of PgBouncer that have a server connection
    waiting: int  # clients that wait for one
    busy: int  # server connections in use
    idle: int
    longest_wait_s: float
    query_ms: float  # a statement's mean, as PgBouncer sees it
    wait_ms: float  # a client's mean wait for a server connection
    memory_mb: dict[str, float] = field(default_factory=dict)  # every ten seconds


class Watch:
    """Looks on in threads of its own, from `with` to its end."""

    def __init__(
        self,
        settings: Settings,
        own: Mapping[str, Iterable[int]],
        claims: dict[str, Any],
        day: str,
        each_second: Callable[[Seen], None] = lambda _: None,
    ) -> None:
        self.seconds: list[Seen] = []
        self.probes: list[tuple[float, float]] = []  # when; how many milliseconds
        self.probes_failed = 0
        self.began = time.time()
        self._settings = settings
        self._machine = Machine(settings, own)
        self._claims, self._day = json.dumps(claims), day or None
        self._each_second = each_second
        self._over = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._look, self._ask)]

    def __enter__(self) -> "Watch":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(10)

    def _look(self) -> None:
        console = None
        before: dict[str, Any] = {}
        last_memory, then = 0.0, time.monotonic()
        while not self._over.wait(1):
            now = time.monotonic()
            passed, then = now - then, now
            cores = {part: used / passed for part, used in self._machine.cores().items()}
            pool: dict[str, Any] = {}
            stats: dict[str, Any] = {}
            try:
                console = console or psycopg.connect(
                    self._settings.dsn("circle27_monitor", "pgbouncer", "pgbouncer"),
                    autocommit=True,
                    row_factory=dict_row,
                    cursor_factory=psycopg.ClientCursor,
                    connect_timeout=3,
                )
                pool = next((row for row in console.execute("show pools") if row["user"] == "authenticator"), {})
                stats = next((row for row in console.execute("show stats") if row["database"] == "circle27"), {})
            except psycopg.Error:
                console = None  # PgBouncer is being set up anew; asked again next second
            memory = {}
            if now - last_memory > MEMORY_S:
                memory, last_memory = self._machine.memory(), now
            self.seconds.append(
                Seen(
                    at=time.time() - self.began,
                    cores=cores,
                    active=pool.get("cl_active", 0),
                    waiting=pool.get("cl_waiting", 0),
                    busy=pool.get("sv_active", 0),
                    idle=pool.get("sv_idle", 0),
                    longest_wait_s=pool.get("maxwait", 0) + pool.get("maxwait_us", 0) / 1e6,
                    query_ms=_mean(stats, before, "total_query_time", "total_query_count"),
                    wait_ms=_mean(stats, before, "total_wait_time", "total_xact_count"),
                    memory_mb=memory,
                )
            )
            before = stats
            self._each_second(self.seconds[-1])
        if console is not None:
            console.close()

    def _ask(self) -> None:
        """Ask PostgreSQL itself for one member's day, as PostgREST would."""
        setting = resources.files(__package__).joinpath("probe.sql").read_bytes()
        while not self._over.is_set():
            try:
                with psycopg.connect(self._settings.dsn("authenticator"), connect_timeout=3) as connection:
                    while not self._over.wait(PROBE_S):
                        began = time.time()
                        with connection.transaction():
                            connection.execute(setting, {"claims": self._claims})
                            connection.execute("select app.pre_request()")
                            connection.execute("select api.get_button_states(%s)", [self._day])
                        self.probes.append((began - self.began, (time.time() - began) * 1000))
            except psycopg.Error:
                self.probes_failed += 1
                with suppress(ValueError):
                    self._over.wait(1)


def _mean(after: dict[str, Any], before: dict[str, Any], total: str, count: str) -> float:
    """Return the milliseconds of each between two looks."""
    if not after or not before or not (new := after[count] - before[count]) > 0:
        return 0.0
    return float((after[total] - before[total]) / new / 1000)
