"""Run the worker until SIGTERM: `python -m circle27.worker`."""

import logging
import signal
import threading
import time

import httpx
import psycopg

from circle27.stack.settings import Settings
from circle27.worker.deadlines import Deadlines
from circle27.worker.outbox import publish_batch

POLL_S = 0.1  # an idle look at deadlines and outbox; costs 3 ms of database time
HOUSEKEEPING_EVERY_S = 600
RETRY_S = 0.5
# A clock that was turned back (a demo) is no reason to open slots of the past.
OPEN_SLOTS = "select app.open_time_slots(greatest(app.clock(), clock_timestamp()))"
TIDY_UP = "select identity.forget_old(), audit.open_partitions(), ops.forget_full_buckets()"

log = logging.getLogger("circle27.worker")


def main() -> None:
    """Work; after a lost connection begin again."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = Settings.require()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    deadlines = Deadlines()
    while not stop.is_set():
        try:
            work(settings, stop, deadlines)
        except (psycopg.Error, httpx.HTTPError) as error:
            outage = isinstance(error, psycopg.OperationalError | httpx.HTTPError)
            log.log(
                logging.WARNING if outage else logging.ERROR,
                "begins again: %s",
                str(error).splitlines()[0] if str(error) else type(error).__name__,
            )
            stop.wait(RETRY_S)
    log.info("stopped")


def work(settings: Settings, stop: threading.Event, deadlines: Deadlines) -> None:
    """Match what is due, publish what was said, open slots and forget old sessions, until `stop` is set.

    Sleeps to the next deadline where that comes before the next look. What a matching says is published straight after
    its commit. A gateway that is away stops the telling, never the matching.
    """
    publish_key = settings.secret("publish.key")
    next_housekeeping = 0.0
    with (
        psycopg.connect(settings.dsn("circle27_worker"), autocommit=True) as connection,
        httpx.Client(base_url=settings.url("publish"), timeout=5) as client,
    ):
        log.info("connected")
        while not stop.is_set():
            if time.monotonic() >= next_housekeeping:
                keep_house(connection)
                next_housekeeping = time.monotonic() + HOUSEKEEPING_EVERY_S
            next_deadline = deadlines.run(connection)
            if not publish_batch(connection, client, publish_key):
                stop.wait(min(POLL_S, next_deadline))


def keep_house(connection: psycopg.Connection) -> None:
    """Open the slots of the days ahead, and forget what is old. What fails here must not keep a deadline waiting."""
    for statement in (OPEN_SLOTS, TIDY_UP):
        try:
            connection.execute(statement)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            log.log(logging.ERROR, "housekeeping failed: %s", str(error).splitlines()[0])


if __name__ == "__main__":
    main()
