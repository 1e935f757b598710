"""Outbox to gateway: take, publish, delete, commit. At least once, in order, nothing to skip."""

import httpx
import psycopg

BATCH = 500


def publish_batch(connection: psycopg.Connection, client: httpx.Client, publish_key: str) -> int:
    """Publish the oldest events; return how many.

    The rows are deleted in the transaction that publishes them: if the gateway is away, or the worker dies,
    they are still there. Raises httpx.HTTPError and psycopg.Error; then nothing was deleted.
    """
    with connection.transaction():
        events = connection.execute("select channel, event, payload::text from events.take(%s)", [BATCH]).fetchall()
        for channel, event, payload in events:
            answer = client.post(
                f"/publish/{channel}",
                content=payload,
                headers={
                    "X-Publish-Key": publish_key,
                    "Content-Type": "application/json",
                    "X-EventSource-Event": event,
                },
            )
            answer.raise_for_status()
    return len(events)
