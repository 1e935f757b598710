"""Run the worker until SIGTERM: `python -m circle27.worker`."""

import logging
import signal
import threading
import time

import psycopg

from circle27.stack.settings import Settings
from circle27.worker.deadlines import Deadlines
from circle27.worker.gateway import Gateway, GatewayError
from circle27.worker.outbox import Counts, publish_batch

POLL_S = 0.1  # an idle look at deadlines and outbox; costs 3 ms of database time
HOUSEKEEPING_EVERY_S = 600
STREAMS_EVERY_S = 1  # by how much a stream may outlive its token
RETRY_S = 0.5
# A clock that was turned back (a demo) is no reason to open slots of the past.
OPEN_SLOTS = "select app.open_time_slots(greatest(app.clock(), clock_timestamp()))"
END_EXPIRED_STREAMS = "select events.end_expired_streams()"
TIDY_UP = "select identity.forget_old(), audit.open_partitions(), ops.forget_full_buckets()"

log = logging.getLogger("circle27.worker")


def main() -> None:
    """Work; after a lost connection begin again."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = Settings.require()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    deadlines = Deadlines()
    while not stop.is_set():
        try:
            work(settings, stop, deadlines)
        except (psycopg.Error, GatewayError) as error:
            outage = isinstance(error, psycopg.OperationalError | GatewayError)
            log.log(
                logging.WARNING if outage else logging.ERROR,
                "begins again: %s",
                str(error).splitlines()[0] if str(error) else type(error).__name__,
            )
            stop.wait(RETRY_S)
    log.info("stopped")


def work(settings: Settings, stop: threading.Event, deadlines: Deadlines) -> None:
    """Match what is due, publish what was said, end streams and sessions whose time is over, until `stop` is set.

    Sleeps to the next deadline where that comes before the next look. What a matching says is published straight after
    its commit. A gateway that is away stops the telling, never the matching.
    """
    next_housekeeping = next_look_at_streams = 0.0
    counts = Counts()
    gateways = [Gateway(host, port, settings.secret("publish.key")) for host, port in settings.gateways()]
    with psycopg.connect(settings.dsn("circle27_worker"), autocommit=True) as connection:
        log.info("connected")
        while not stop.is_set():
            if time.monotonic() >= next_housekeeping:
                keep_house(connection)
                next_housekeeping = time.monotonic() + HOUSEKEEPING_EVERY_S
            if time.monotonic() >= next_look_at_streams:
                connection.execute(END_EXPIRED_STREAMS)
                next_look_at_streams = time.monotonic() + STREAMS_EVERY_S
            counts.tell(connection)
            next_deadline = deadlines.run(connection)
            if not publish_batch(connection, gateways, counts):
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
