"""A real Chromium, one for a whole run, in a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import cast

from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.extras import BROWSER
from greenrun.model.interfaces.browser import Element, Seen, Visit

_BESIDE_THE_VISIT = timedelta(seconds=50)
"""For the start of the browser, a context, a screenshot."""

_TO_END = timedelta(seconds=5)
_EXCERPT = 300
"""Characters of what a page said that are told; cut when they are redacted, never before."""


class Chromium:
    """Starts with the first page that is opened, and runs until it is closed.

    Playwright keeps asyncio from its thread, waits without a deadline for a browser that died, and
    ends with Ctrl-C; in another process, of another session, none of that is ours.

    Args:
        redact: takes credentials out of whatever is handed on.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._process: _Process | None = None

    def close(self) -> None:
        """End the browser, if it ever began."""
        if self._process:
            self._process.end()
        self._process = None

    def unreadable(self, elements: Sequence[Element]) -> Sequence[str]:
        """What is wrong with those whose selector is no CSS, a line each."""
        if not any(each.selector for each in elements):
            return ()
        refused = cast("Sequence[str]", self._ask(tuple(elements), _BESIDE_THE_VISIT))
        return [self._redact(line) for line in refused]

    def open(self, visit: Visit) -> Seen:
        """Open a page in a context of its own, and tell what was seen."""
        seen = cast("Seen", self._ask(visit, visit.within + _BESIDE_THE_VISIT))
        return replace(
            seen,
            title=self._told(seen.title),
            console=tuple(map(self._told, seen.console)),
            errors=tuple(map(self._told, seen.errors)),
            failed=tuple(map(self._told, seen.failed)),
            pending=tuple(map(self._told, seen.pending)),
        )

    def _ask(self, question: object, within: timedelta) -> object:
        BROWSER.require("open a page")
        self._process = self._process or _Process()
        try:
            answer = self._process.ask(question, within)
        except (CallFailed, DeadlineExceeded):
            self.close()
            raise
        if isinstance(answer, CallFailed):
            raise CallFailed(self._redact(answer.message), hint=answer.hint)
        return answer

    def _told(self, text: str) -> str:
        line = re.sub(r"\s+", " ", self._redact(text)).strip()
        return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}..."


class _Process:
    """The process that drives the browser: a question, an answer."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._popen = subprocess.Popen(  # noqa: S603 - a module of our own
                [sys.executable, "-m", "greenrun.adapters.browser.process", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        self._is_asked = False

    def ask(self, question: object, within: timedelta) -> object:
        self._is_asked = True
        try:
            self._connection.send(question)
            if not self._connection.poll(within.total_seconds()):
                raise DeadlineExceeded("Chromium to show a page", after=within)
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise CallFailed("could not open a page: the process of the browser ended") from error
        self._is_asked = False
        return answer

    def end(self) -> None:
        """It ends by itself when nobody asks any more; where it is at something, it is made to."""
        self._connection.close()
        if self._is_asked:
            self._signal(signal.SIGTERM)
        try:
            self._popen.wait(_TO_END.total_seconds())
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._popen.wait()

    def _signal(self, number: signal.Signals) -> None:
        """To Playwright's own process, too, which then ends the browser."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)
