"""The gateway's porter: tell the database which streams have ended. `python -m circle27.worker.porter`, until SIGTERM.

It stands beside its gateway, on the same host. nginx writes a line for each stream that has ended: to a file, as a
socket would drop lines when thousands end at once, and keeps none for a porter who is away.

What a killed process of nginx held has ended without a line, so the porter looks whether they are all there. The
others' streams may have gone deaf with it: a channel lives in one process, and nchan does not move it to another. So
nginx is reloaded then: every client comes back, and looks once.

And it renews the gateway's lease.
"""

import logging
import os
import signal
import threading
import time
from collections import deque
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
CLOSE = "select events.close_streams(%s)"
RENEW = "select events.renew_gateway(%s, %s)"
RETRY_S = 0.5

log = logging.getLogger("circle27.porter")


class EndedStreams:
    """The gateway's log of ended streams, read from its beginning: what is said again does no harm."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode = self._position = 0

    def read(self) -> list[str]:
        """Return the ids of some streams that have ended; none if there is nothing new."""
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_ino != self._inode or status.st_size < self._position:  # another file
                    self._inode, self._position = status.st_ino, 0
                file.seek(self._position)
                text = file.read(BATCH * 33)
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._position += len(whole)
        return whole.decode("ascii", "replace").split()


def work(settings: Settings, stop: threading.Event, nginx: Nginx) -> None:
    """Tell what ends, until `stop` is set. Raises psycopg.Error; whoever begins again says nothing wrong."""
    gateway = settings.host("gateway")
    ended = EndedStreams(settings.home / "access" / "streams.log")
    again: deque[tuple[float, list[str]]] = deque()
    next_renewal = next_look = 0.0
    processes: set[int] = set()  # of nginx; those that hold streams since before are told by the first renewal
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
                working, one_was_killed = nginx.look()
                processes |= working
                dead = [process for process in processes if not is_alive(process)]
                if one_was_killed:
                    log.warning("a process of nginx was killed: the others begin anew")
                    nginx.begin_anew()
                if dead or now >= next_renewal:
                    row = database.execute(RENEW, [gateway, dead]).fetchone()
                    assert row is not None
                    processes = set(row[0]) | processes - set(dead)
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
    nginx = Nginx(settings.home / "tmp" / "nginx.pid")  # kept: a process may be killed while the database is away
    while not stop.is_set():
        try:
            work(settings, stop, nginx)
        except psycopg.Error as error:
            log.warning("begins again: %s", str(error).splitlines()[0] if str(error) else type(error).__name__)
            stop.wait(RETRY_S)
    log.info("stopped")


if __name__ == "__main__":
    main()
