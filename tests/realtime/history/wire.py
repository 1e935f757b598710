"""HTTP by hand: hundreds of devices that reconnect at once must cost the test little, or it measures itself."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 10


@dataclass(frozen=True)
class Wire:
    """Where the gateway is, and whose token is sent."""

    host: str
    port: int
    token: str

    async def call(self, function: str, arguments: dict[str, str]) -> tuple[int, Any, str]:
        """Call a function; return status, body and the request's id. (0, None, "") if no whole answer came."""
        sent = json.dumps(arguments)
        headers = f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n"
        try:
            async with asyncio.timeout(TIMEOUT_S):
                # HTTP 1.0: the answer ends with the connection.
                reader, writer = await self._send(f"POST /rest/v1/rpc/{function} HTTP/1.0", headers, sent)
                try:
                    answer = await reader.read()
                finally:
                    writer.close()
            head, _, body = answer.partition(b"\r\n\r\n")
            number = re.search(r"^X-Request-Id: (\w+)", head.decode("latin-1"), re.M | re.I)
            return int(head[9:12]), json.loads(body), number[1] if number else ""
        except (OSError, TimeoutError, ValueError):
            return 0, None, ""

    async def events(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Hold a stream: ("", {}) when it is held, then each event. Ends with it; at once where it is refused."""
        writer = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reader, writer = await self._send(
                    "GET /realtime/v1/stream HTTP/1.1", "Accept: text/event-stream\r\n", ""
                )
                head = await reader.readuntil(b"\r\n\r\n")
                if head[9:12] != b"200":
                    return
                await reader.readuntil(b": hi\n")
            yield "", {}
            event = ""
            while line := await reader.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    yield event, json.loads(value)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return
        finally:
            if writer is not None:
                with suppress(OSError):
                    writer.transport.abort()

    async def _send(self, line: str, head: str, body: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        request = f"{line}\r\nHost: {self.host}\r\nAuthorization: Bearer {self.token}\r\n{head}\r\n{body}"
        writer.write(request.encode())
        return reader, writer
