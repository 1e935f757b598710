"""The gateway's porter: tell the database which streams have ended. `python -m circle27.worker.porter`, until SIGTERM.

It stands beside its gateway, on the same host. nginx writes a line for each stream that has ended: to a file, as a
socket would drop lines when thousands end at once, and keeps none for a porter who is away.

What a killed process of nginx held has ended without a line, so the porter looks whether it is there.

And it renews the gateway's lease.
"""

import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

from circle27.stack.settings import Settings
from circle27.worker.nginx import Nginx, is_alive

LOOK_S = 0.1
PROCESSES_EVERY_S = 0.5
RENEW_EVERY_S = 15
# Said twice: a client may go while its stream is being opened, and the row come after the line. No call takes so long.
AGAIN_S = 10
BATCH = 5000
LONG_LOG = 1_000_000  # bytes: 30,000 streams
CLOSE = "select events.close_streams(%s)"
RENEW = "select events.renew_gateway(%s, %s)"
RETRY_S = 0.5

log = logging.getLogger("circle27.porter")


class EndedStreams:
    """The gateway's log of ended streams, read from its beginning: what is said again does no harm.

    One that has grown long is put aside, and read on, as nginx may write to it for a moment more.
    """

    def __init__(self, path: Path, begin_new_log: Callable[[], None]) -> None:
        self._path, self._aside = path, path.with_suffix(".log.1")
        self._begin_new_log = begin_new_log
        self._positions: dict[int, int] = {}  # by inode

    def read(self) -> list[str]:
        """Return the ids of some streams that have ended; none if there is nothing new."""
        ids = [stream for path in (self._aside, self._path) for stream in self._news(path)]
        if not ids and self._path.exists() and self._path.stat().st_size > LONG_LOG:
            self._path.replace(self._aside)
            aside = self._aside.stat().st_ino
            self._positions = {aside: self._positions[aside]}
            self._begin_new_log()
        return ids

    def _news(self, path: Path) -> list[str]:
        with suppress(FileNotFoundError), path.open("rb") as file:
            inode = os.fstat(file.fileno()).st_ino
            file.seek(self._positions.setdefault(inode, 0))
            text = file.read(BATCH * 33)
            whole = text[: text.rfind(b"\n") + 1]
            self._positions[inode] += len(whole)
            return whole.decode("ascii", "replace").split()
        return []


def work(settings: Settings, stop: threading.Event) -> None:
    """Tell what ends, until `stop` is set. Raises psycopg.Error; whoever begins again says nothing wrong."""
    gateway = settings.host("gateway")
    nginx = Nginx(settings.home / "tmp" / "nginx.pid")
    ended = EndedStreams(settings.home / "access" / "streams.log", nginx.begin_new_logs)
    again: deque[tuple[float, list[str]]] = deque()
    next_renewal = next_look = 0.0
    known: set[int] = set()  # processes of nginx; those that hold streams since before are told by the first renewal
    with psycopg.connect(settings.dsn("circle27_worker"), autocommit=True) as database:
        log.info("connected")
        while not stop.is_set():
            now = time.monotonic()
            if ids := ended.read():
                database.execute(CLOSE, [ids])
                again.append((now + AGAIN_S, ids))
            while again and again[0][0] <= now:
                database.execute(CLOSE, [again.popleft()[1]])
            if now >= next_look:
                next_look = now + PROCESSES_EVERY_S
                known |= nginx.processes()
                dead = [process for process in known if not is_alive(process)]
                if dead or now >= next_renewal:
                    row = database.execute(RENEW, [gateway, dead]).fetchone()
                    assert row is not None
                    known = set(row[0]) | known - set(dead)
                    next_renewal = now + RENEW_EVERY_S
            if not ids:
                stop.wait(LOOK_S)


def main() -> None:
    """Work; after a lost connection begin again."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = Settings.require()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            work(settings, stop)
        except psycopg.Error as error:
            log.warning("begins again: %s", str(error).splitlines()[0] if str(error) else type(error).__name__)
            stop.wait(RETRY_S)
    log.info("stopped")


if __name__ == "__main__":
    main()
