"""Outbox to gateways: take, publish, delete, commit. At least once, in order, nothing to skip."""

import json
import time
from dataclasses import dataclass, field

import psycopg
from psycopg.rows import class_row

from circle27.worker.gateway import Event, Gateway

BATCH = 1000
COUNTS_EVERY_S = 1
TAKE = "select id as number, campus_id as campus, channel, event, payload::text from events.take(%s)"


@dataclass
class Counts:
    """Whose list has changed: each campus hears how many are on it, at most once a second."""

    _changed: set[tuple[str, str]] = field(default_factory=set)  # campus, slot
    _next: float = 0.0

    def note(self, events: list[Event]) -> None:
        """See in members' buttons that somebody has joined or left."""
        for event in events:
            if event.event == "button":
                button = json.loads(event.payload)
                if button["slotStatus"] == "open":
                    self._changed.add((event.campus, button["timeSlot"]))

    def tell(self, connection: psycopg.Connection) -> None:
        """Put what has changed into the outbox, if it is time."""
        if self._changed and time.monotonic() >= self._next:
            slots = [{"campusId": campus, "timeSlot": slot} for campus, slot in sorted(self._changed)]
            connection.execute("select app.emit_counts(%s)", [json.dumps(slots)])
            self._changed.clear()
            self._next = time.monotonic() + COUNTS_EVERY_S


def publish_batch(connection: psycopg.Connection, gateways: list[Gateway], counts: Counts) -> int:
    """Publish the oldest events to each gateway; return how many.

    The rows are deleted in the transaction that publishes them: if a gateway is away, or the worker dies, they are
    still there. Raises GatewayError and psycopg.Error; then nothing was deleted.
    """
    with connection.transaction(), connection.cursor(row_factory=class_row(Event)) as cursor:
        events = cursor.execute(TAKE, [BATCH]).fetchall()
        if events:
            for gateway in gateways:
                gateway.publish(events)
    counts.note(events)
    return len(events)
