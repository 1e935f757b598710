"""Outbox to gateway: take, publish, delete, commit. At least once, in order, nothing to skip."""

import logging

import httpx
import psycopg

BATCH = 500
UNPUBLISHABLE = (400, 404, 413)  # the gateway will say the same of this event for ever

log = logging.getLogger("circle27.worker")


def publish_batch(connection: psycopg.Connection, client: httpx.Client, publish_key: str) -> int:
    """Publish the oldest events; return how many.

    The rows are deleted in the transaction that publishes them: if the gateway is away, or the worker dies,
    they are still there. Raises httpx.HTTPError and psycopg.Error; then nothing was deleted. An event that the
    gateway can never take is logged and dropped, so that it does not hold up all others.
    """
    with connection.transaction():
        events = connection.execute("select id, channel, event, payload::text from events.take(%s)", [BATCH]).fetchall()
        for number, channel, event, payload in events:
            answer = client.post(
                f"/publish/{channel}",
                content=payload,
                headers={
                    "X-Publish-Key": publish_key,
                    "Content-Type": "application/json",
                    "X-EventSource-Event": event,
                },
            )
            if answer.status_code in UNPUBLISHABLE:
                log.error("dropped event %s on %s: the gateway answers %s", number, channel, answer.status_code)
                continue
            answer.raise_for_status()
            if event == "session":  # it is over: so are the streams on its channel
                answer = client.delete(f"/publish/{channel}", headers={"X-Publish-Key": publish_key})
                if answer.status_code != 404:
                    answer.raise_for_status()
    return len(events)
