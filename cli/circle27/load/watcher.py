"""One held stream. While it counts only bytes and their moment are kept: reading them comes after."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Heard:
    """One message: when its last byte came (real time), its kind, what it says."""

    at: float
    event: str
    payload: dict[str, Any]


class Watcher(asyncio.Protocol):
    """A stream of events over a socket: opened, held, read at the end."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._chunks: list[tuple[float, bytes]] = []
        self._transport: asyncio.Transport | None = None
        self.greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False  # it ended without being asked to

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Keep what came, and when."""
        self._chunks.append((time.time(), data))
        if not self.greeted.done():
            head = b"".join(chunk for _, chunk in self._chunks)
            if b"\r\n\r\n" in head:
                if not head.startswith(b"HTTP/1.1 200"):
                    self.greeted.set_exception(ConnectionError(head[9:12].decode("ascii", "replace")))
                elif b"\r\n\r\n: hi\n" in head:
                    self.greeted.set_result(None)
                    self._chunks.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the stream has ended."""
        self.lost = True
        if not self.greeted.done():
            self.greeted.set_exception(exc or ConnectionError("closed"))

    def close(self) -> None:
        """End the stream."""
        if self._transport is not None:
            self._transport.abort()

    def take(self) -> list[Heard]:
        """Return what was heard since the last time, each message once whole."""
        heard, rest = [], b""
        for at, chunk in self._chunks:
            *blocks, rest = (rest + chunk).split(b"\n\n")
            heard += [message for block in blocks for message in _message(at, block)]
        self._chunks = [(self._chunks[-1][0], rest)] if rest else []
        return heard


def _message(at: float, block: bytes) -> Iterator[Heard]:
    fields = dict(line.split(": ", 1) for line in block.decode().splitlines() if ": " in line)
    if "data" in fields:
        yield Heard(at, fields.get("event", "message"), json.loads(fields["data"]))
