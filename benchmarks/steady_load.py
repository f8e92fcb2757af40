"""A steady load on one address: so many requests a second, however long the answers take."""

import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from itertools import count
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from cloudrun_emulator.core.time import wait_until

CONNECTIONS = 16
PATIENCE = timedelta(seconds=10)
"""For one answer; a request without one has failed."""

_LENGTH = re.compile(r"\r\ncontent-length: *(\d+)")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: when it was due and when it ended, in seconds of the monotonic clock.

    `status` is 0 where no answer came; `failure` then says why. `revision` is who answered.
    """

    due: float
    ended: float
    status: int
    revision: str = ""
    failure: str = ""

    @property
    def failed(self) -> bool:
        """Whether it got anything but a success."""
        return not 200 <= self.status < 300

    @property
    def milliseconds(self) -> float:
        """From when it was due: a queue on our side counts as well."""
        return 1000 * (self.ended - self.due)


class SteadyLoad:
    """Asks over a few kept-alive connections for as long as it is entered.

    A connection that the other side closed between two requests counts as a failure too: clients
    that do not repeat a request would see one.
    """

    def __init__(self, url: str, rate: int, connections: int = CONNECTIONS) -> None:
        """`rate` is in requests per second; each answer is JSON that names its `revision`."""
        self._url = url
        self._pause = 1 / rate
        self._connections = connections
        self._asked: list[Asked] = []
        self._stopped = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._run()), name="load", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def asked(self) -> Sequence[Asked]:
        """What has ended so far, in the order of ending."""
        return tuple(self._asked)

    @property
    def failures(self) -> Sequence[Asked]:
        return [one for one in self.asked if one.failed]

    def go_on(self, requests: int) -> None:
        """Return when so many more have ended; raise TimeoutError when that takes too long."""
        wanted = len(self._asked) + requests
        longest = PATIENCE + timedelta(seconds=5 * requests * self._pause)
        wait_until(lambda: len(self._asked) >= wanted, longest, f"{requests} more requests to end")

    async def _run(self) -> None:
        due: asyncio.Queue[float | None] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            for _ in range(self._connections):
                group.create_task(self._ask(due))
            began = monotonic()
            for number in count():
                if self._stopped.is_set():
                    break
                due.put_nowait(began + number * self._pause)
                await asyncio.sleep(began + (number + 1) * self._pause - monotonic())
            for _ in range(self._connections):
                due.put_nowait(None)

    async def _ask(self, due: "asyncio.Queue[float | None]") -> None:
        with closing(_Connection(self._url)) as connection:
            while (time := await due.get()) is not None:
                self._asked.append(await connection.ask(time))


class _Connection:
    """Opened by the first request, and by the first after a failure."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname, parts.port
        self._request = f"GET {parts.path or '/'} HTTP/1.1\r\nhost: {parts.netloc}\r\n\r\n".encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, due: float) -> Asked:
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                status, body = await self._answer()
        except (OSError, EOFError, ValueError) as error:
            self.close()
            return Asked(due, monotonic(), 0, failure=repr(error))
        if status != HTTPStatus.OK:
            return Asked(due, monotonic(), status, failure=body.decode(errors="replace"))
        return Asked(due, monotonic(), status, json.loads(body)["revision"])

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None

    async def _answer(self) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = _LENGTH.search(head)
        if length is None:
            raise ValueError(f"needs an answer of a known length, got {head!r}")
        return int(head.split(maxsplit=2)[1]), await reader.readexactly(int(length[1]))
