"""Members in processes: each holds as many streams as it may open files, and does what it is told over a pipe."""

import asyncio
import json
import multiprocessing
import re
import resource
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from itertools import repeat
from multiprocessing.connection import Connection
from threading import local
from typing import Any
from urllib.parse import urlsplit

from circle27.errors import CircleError
from circle27.load.ground import Member
from circle27.load.samples import Sample, slug_of, version_of
from circle27.load.watcher import Heard, Watcher

SPARE_FILES = 500
OPENING = 48  # streams that one process opens at the same time
CALLERS = 12  # threads of one process that call functions
TIMEOUT_S = 30
NAMES = {"get_button_states": "look", "join_waitlist": "join", "leave_waitlist": "leave"}  # in the samples


@dataclass
class Opened:
    """How opening the streams went."""

    seconds: float = 0.0
    each_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Pool:
    """All members of a run. Each method tells all processes, and returns what they answer, in the members' order."""

    def __init__(self, url: str, members: Sequence[Member]) -> None:
        count = max(2, needed_processes(len(members)))
        self._shares = [list(members[number::count]) for number in range(count)]
        self._members = members
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for share in self._shares:
            ours, theirs = context.Pipe()
            process = context.Process(target=_process, args=(theirs, url, share), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        self._tell("ready")

    @property
    def pids(self) -> list[int]:
        """The processes."""
        return [process.pid for process in self._processes if process.pid]

    def open_streams(self) -> Opened:
        """Let each member open a stream."""
        began = time.monotonic()
        parts: list[Opened] = self._tell("open")
        each = [seconds for part in parts for seconds in part.each_s]
        return Opened(time.monotonic() - began, each, [error for part in parts for error in part.errors])

    def call(self, function: str, arguments: dict[str, str], who: Sequence[bool] | None = None) -> list[Any]:
        """Let the chosen members call a function by POST; return each one's answer, None for who was not asked.

        Raises CircleError for any refusal.
        """
        chosen = who or list(repeat(True, len(self._members)))
        shares = [chosen[number :: len(self._pipes)] for number in range(len(self._pipes))]
        return self._in_order(self._tell("call", *[(function, arguments, share) for share in shares]))

    def take(self) -> list[list[Heard]]:
        """Return what each member has heard since the last time."""
        return self._in_order(self._tell("take"))

    def samples(self) -> list[Sample]:
        """Return each call, and each opening of a stream as a span; `at` is in seconds since 1970."""
        parts: list[list[Sample]] = self._tell("samples")
        return [
            replace(sample, member=sample.member * len(parts) + number)
            for number, part in enumerate(parts)
            for sample in part
        ]

    def lost(self) -> int:
        """Return how many streams have ended."""
        return sum(self._tell("lost"))

    def close(self) -> None:
        """End the processes, and all streams with them."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(5)
            process.kill()

    def _tell(self, what: str, *arguments: Any) -> list[Any]:
        for number, pipe in enumerate(self._pipes):
            pipe.send((what, arguments[number] if arguments else None))
        answers = [pipe.recv() for pipe in self._pipes]
        for answer in answers:
            if isinstance(answer, Exception):
                raise CircleError(f"a process of the load run failed: {answer}")
        return answers

    def _in_order(self, parts: list[list[Any]]) -> list[Any]:
        found: list[Any] = [None] * len(self._members)
        for number, part in enumerate(parts):
            found[number :: len(parts)] = part
        return found


def needed_processes(connections: int) -> int:
    """Return how many processes it takes to open so many connections."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_FILES
    return -(-connections // limit)


def open_all_files() -> None:
    """Let this process open as many files as it ever may."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _process(pipe: Connection, url: str, members: list[Member]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command line, which then closes the pipe
    open_all_files()
    with suppress(EOFError):
        asyncio.run(_Crowd(url, members).serve(pipe))


class _Crowd:
    """One process's members."""

    def __init__(self, url: str, members: list[Member]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._members = members
        self._watchers: list[Watcher | None] = []
        self._samples: list[Sample] = []
        self._callers = ThreadPoolExecutor(CALLERS)
        self._local = local()

    async def serve(self, pipe: Connection) -> None:
        """Do what comes over the pipe, until it is closed; streams are heard meanwhile."""
        does: dict[str, Callable[..., Any]] = {
            "ready": self._ready,
            "open": self._open_all,
            "call": self._call_all,
            "take": self._take,
            "lost": self._lost,
            "samples": self._done,
        }
        loop = asyncio.get_running_loop()
        while True:
            what, argument = await loop.run_in_executor(None, pipe.recv)
            try:
                answer = await does[what](*([argument] if argument is not None else []))
            except (CircleError, OSError, HTTPException) as error:
                answer = error
            pipe.send(answer)

    async def _ready(self) -> None:
        """Answer: this process has started."""

    async def _open_all(self) -> Opened:
        opened, gate = Opened(), asyncio.Semaphore(OPENING)
        self._watchers = await asyncio.gather(
            *(self._open(number, gate, opened) for number in range(len(self._members)))
        )
        return opened

    async def _open(self, number: int, gate: asyncio.Semaphore, opened: Opened) -> Watcher | None:
        request = (
            f"GET /realtime/v1/stream HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAccept: text/event-stream\r\n"
            f"Authorization: Bearer {self._members[number].token}\r\n\r\n"
        ).encode()
        async with gate:
            began, error = time.time(), ""
            try:
                _, watcher = await asyncio.get_running_loop().create_connection(
                    lambda: Watcher(request), self._host, self._port
                )
                await asyncio.wait_for(watcher.greeted, TIMEOUT_S)
            except (OSError, TimeoutError) as problem:
                error = str(problem) or type(problem).__name__
            took = time.time() - began
            slug = f"stream_{re.sub('[^a-z0-9]+', '_', error.lower())}" if error else ""
            self._samples.append(Sample(began, "span", "open a stream", number, "", 0, slug, took * 1000))
            if error:
                opened.errors.append(error)
                return None
            opened.each_s.append(took)
            return watcher

    async def _call_all(self, argument: tuple[str, dict[str, str], list[bool]]) -> list[Any]:
        function, arguments, chosen = argument
        loop = asyncio.get_running_loop()
        calls = [
            loop.run_in_executor(self._callers, self._call, number, function, arguments) if asked else _nothing()
            for number, asked in enumerate(chosen)
        ]
        return await asyncio.gather(*calls)

    def _call(self, number: int, function: str, arguments: dict[str, str]) -> bytes:
        """Call a function over this thread's connection; return the body of its answer."""
        http = getattr(self._local, "http", None)
        if http is None:
            http = self._local.http = HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        body = json.dumps(arguments)
        headers = {"Authorization": f"Bearer {self._members[number].token}", "Content-Type": "application/json"}
        began = time.time()
        http.request("POST", f"/rest/v1/rpc/{function}", body, headers)
        answer = http.getresponse()
        content: bytes = answer.read()
        slot, slug = (
            arguments.get("p_time_slot", ""),
            slug_of(answer.status, content, None, answer.getheader("Retry-After")),
        )
        took, name = (time.time() - began) * 1000, NAMES.get(function, function)
        version = version_of(content) if slot else 0
        self._samples.append(Sample(began, "request", name, number, slot, answer.status, slug, took, version))
        if answer.status != 200:
            raise CircleError(f"{function} answered {answer.status}: {content.decode('utf-8', 'replace')}")
        return content

    async def _take(self) -> list[list[Heard]]:
        return [watcher.take() if watcher else [] for watcher in self._watchers]

    async def _done(self) -> list[Sample]:
        return self._samples

    async def _lost(self) -> int:
        return sum(watcher is None or watcher.lost for watcher in self._watchers)


async def _nothing() -> None:
    """Stand for a member who is not asked."""
