"""Faults that a drill plants by the variable FAULTS; unset, they cost nothing.

A comma-separated list, which a request meets in the order given:
  slow:/PATH:900ms   answers of that path (without /PATH, of all) take so much longer
  errors:/PATH:5%    so many of them are 500, evenly spread: of 5 %, every twentieth
  leak:10MB          each request leaves so much memory behind
  memory:400MB       holds so much memory from its first request on
  error-lines        ERROR lines in the log, at start and with each request
  silent             answers, but logs nothing and counts nothing
  secret-at-start    writes API_TOKEN into the log
  crash-at-start     ends with an exception before it listens
  never-listens      lives, but opens no port
"""

import asyncio
import functools
import itertools
import logging
import re
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import SecretStr
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app import RefusedError

log = logging.getLogger(__name__)
MALFORMED = "SQL error: database disk image is malformed (planted by FAULTS)"

Strike = Callable[[], Awaitable[ASGIApp | None]]
"""Comes before the service; what it returns answers in the service's place."""


def slow(milliseconds: int) -> Strike:
    return lambda: asyncio.sleep(milliseconds / 1000)


def errors(percent: int) -> Strike:
    requests = itertools.count(1)

    async def strike() -> ASGIApp | None:
        number = next(requests)
        due = number * percent // 100 > (number - 1) * percent // 100
        return JSONResponse({"detail": "planted by FAULTS"}, 500) if due else None

    return strike


def leak(megabytes: int) -> Strike:
    kept: list[bytes] = []
    return lambda: asyncio.to_thread(kept.append, b"\1" * (megabytes * 1024**2))


def memory(megabytes: int) -> Strike:
    hold = functools.cache(lambda: b"\1" * (megabytes * 1024**2))

    async def strike() -> None:
        hold()

    return strike


def error_lines(_: int) -> Strike:
    return lambda: asyncio.to_thread(log.error, MALFORMED)


AT_START = {"silent", "error-lines", "secret-at-start", "crash-at-start", "never-listens"}
ON_REQUEST = {
    r"slow:(?:(/[^:]*):)?(\d+)ms": slow,
    r"errors:(?:(/[^:]*):)?(\d\d?|100)%": errors,
    r"leak:()(\d+)MB": leak,
    r"memory:()(\d+)MB": memory,
    r"error-lines()()": error_lines,
}


@dataclass(frozen=True)
class Faults:
    """Names that matter at start, and strikes with the path that they hit."""

    at_start: frozenset[str] = frozenset()
    on_request: tuple[tuple[str, Strike], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """Raise RefusedError for a fault that is not in the list above."""
        names = [name for part in text.split(",") if (name := part.strip())]
        strikes = {name: _strikes(name) for name in names}
        for name in names:
            if name not in AT_START and not strikes[name]:
                raise RefusedError(f"FAULTS names an unknown fault: {name!r}")
        return cls(frozenset(names) & AT_START, tuple(itertools.chain(*strikes.values())))

    def start(self, token: SecretStr) -> None:
        """Do what was planted for the moment before the port opens."""
        if "error-lines" in self.at_start:
            log.error(MALFORMED)
        if "secret-at-start" in self.at_start:
            log.info("configured with API_TOKEN=%s", token.get_secret_value())
        if "crash-at-start" in self.at_start:
            raise RuntimeError("crash-at-start, planted by FAULTS")
        if "never-listens" in self.at_start:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            signal.sigwait({signal.SIGTERM})
            raise SystemExit

    def before(self, app: ASGIApp) -> ASGIApp:
        """The app with every strike before it; the app itself when there is none."""
        for path, strike in reversed(self.on_request):
            app = _struck(app, path, strike)
        return app


def _strikes(name: str) -> list[tuple[str, Strike]]:
    matches = ((re.fullmatch(pattern, name), make) for pattern, make in ON_REQUEST.items())
    return [(match[1] or "", make(int(match[2] or 0))) for match, make in matches if match]


def _struck(app: ASGIApp, path: str, strike: Strike) -> ASGIApp:
    async def struck(scope: Scope, receive: Receive, send: Send) -> None:
        hit = scope["type"] == "http" and path in ("", scope["path"])
        answer = await strike() if hit else None
        await (answer or app)(scope, receive, send)

    return struck
