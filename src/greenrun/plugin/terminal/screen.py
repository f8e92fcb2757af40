"""The terminal beneath pytest's capturing: whole lines, and on a TTY a few that are rewritten."""

import atexit
import io
import os
import pdb  # noqa: T100, to keep it from starting
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TextIO

import pytest

from greenrun.model.errors import ReleaseError
from greenrun.plugin.redaction import inert

WIDEST = 100  # columns
CLEAR_LINE, LINE_UP = "\r\x1b[K", "\x1b[1A"


class Markup(Protocol):
    """Colours a text, if colours are wanted; pytest decides that (TTY, NO_COLOR, --color)."""

    def __call__(self, text: str, **markup: bool) -> str: ...


class Screen:
    """Where lines go. `redact` sees each of them first; no text steers the terminal."""

    def __init__(
        self,
        write: Callable[[str], object],
        redact: Callable[[str], str],
        *,
        markup: Markup = lambda text, **_: text,
        width: int = 80,
        rewrites: bool = False,
    ) -> None:
        self._write = write
        self._redact = redact
        self._markup = markup
        self.width = width
        self.rewrites = rewrites
        self._live = 0

    def line(self, text: str = "", *, lead: str = "", **markup: bool) -> None:
        """Write a line that stays. Markup is for the lead alone where there is one."""
        shown = self._shown(text)
        if lead:
            shown = self._markup(lead, **markup) + shown
        elif shown:
            shown = self._markup(shown, **markup)
        self._write(f"{self._cleared()}{shown}\n")

    def paragraph(self, text: str, *, lead: str = "", indent: str = "", **markup: bool) -> None:
        """Write as many lines as the width of the screen asks for; words stay whole."""
        lines = textwrap.wrap(
            self._shown(text),
            min(self.width, WIDEST),
            initial_indent=lead or indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines:
            self.line(line, lead="", **markup)

    def message(self, text: str, *, indent: str, **markup: bool) -> None:
        """Write paragraphs. A line that is indented is a quotation or a command: it stays whole."""
        for line in text.splitlines():
            if line.startswith(" "):
                self.line(indent + line, lead="", **markup)
            else:
                self.paragraph(line, lead="", indent=indent, **markup)

    def glimpse(self, text: str) -> None:
        """Write a line that stays, as far as it fits."""
        self.line(self._shown(text)[: min(self.width, WIDEST)])

    def live(self, *lines: str) -> None:
        """Show lines until anything else is written. On a TTY only."""
        if self.rewrites:
            clipped = [self._shown(line)[: self.width - 1] for line in lines]
            self._write(self._cleared() + "\n".join(clipped))
            self._live = len(clipped)

    def _shown(self, text: str) -> str:
        return inert(self._redact(text))

    def _cleared(self) -> str:
        lines, self._live = self._live, 0
        return CLEAR_LINE + (LINE_UP + CLEAR_LINE) * (lines - 1) if lines else ""


class LastingStream:
    """A text stream that survives its reader: what nobody can read any more is dropped.

    For standard output, which pytest and its plugins write to while a release is under way; and
    sentences, too, where nothing captures them: so `redact` sees every text.
    """

    def __init__(self, stream: TextIO, redact: Callable[[str], str]) -> None:
        self._stream = stream
        self._redact = redact
        self._gone = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, if anybody is there."""
        self._attempt(lambda: self._stream.write(self._redact(text)))
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, if anybody is there."""
        self._attempt(self._stream.flush)

    def _attempt(self, action: Callable[[], object]) -> None:
        if self._gone:
            return
        try:
            action()
        except (OSError, ValueError):  # a pipe without a reader, a terminal that hung up
            self._gone = True
            atexit.register(_empty_descriptor, self._stream)


def _empty_descriptor(stream: TextIO) -> None:
    """Let Python flush what is left to nowhere; it would make an exit status of 120 of it."""
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def outlive_terminal(config: pytest.Config, redact: Callable[[str], str]) -> None:
    """Give pytest streams that cannot fail, before its terminal is made, until the run is over."""
    for name in ("stdout", "stderr"):
        _outlive(config, name, redact)


def _outlive(config: pytest.Config, name: str, redact: Callable[[str], str]) -> None:
    before: TextIO | None = getattr(sys, name)
    if before is None:  # it was closed when Python began
        return
    lasting = LastingStream(before, redact)
    setattr(sys, name, lasting)

    def restore() -> None:
        if getattr(sys, name) is lasting:
            setattr(sys, name, before)

    config.add_cleanup(restore)


def leave_keyboard(config: pytest.Config) -> None:
    """Answer whoever asks for input with its end, and a breakpoint with an error: nobody is there.

    Also where a run is given a terminal, and capturing is off; until the run is over.
    """
    before, hook, debugger = sys.stdin, sys.breakpointhook, pdb.set_trace
    nowhere = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115, open as long as the run
    sys.stdin, sys.breakpointhook, pdb.set_trace = nowhere, _no_debugger, _no_debugger
    descriptor = _replaced(0, nowhere.fileno())

    def restore() -> None:
        sys.stdin, sys.breakpointhook, pdb.set_trace = before, hook, debugger
        if descriptor is not None:
            os.dup2(descriptor, 0)
            os.close(descriptor)
        nowhere.close()

    config.add_cleanup(restore)


def _replaced(number: int, by: int) -> int | None:
    """Put one descriptor in the place of another; what was there, None where it was closed."""
    with suppress(OSError):
        before = os.dup(number)
        os.dup2(by, number)
        return before
    return None


def _no_debugger(*_: object, **__: object) -> None:
    raise ReleaseError(
        "could not stop at a breakpoint: users would wait for a debugger",
        hint="take the `breakpoint()` out",
    )


def screen(config: pytest.Config, redact: Callable[[str], str]) -> Screen:
    """Make the screen of a run. To be called while pytest does not capture."""
    if not config.pluginmanager.hasplugin("terminalreporter"):
        return Screen(lambda _: None, redact)
    writer = config.get_terminal_writer()
    return Screen(
        _around_capture(config),
        redact,
        markup=writer.markup,
        width=writer.fullwidth,
        rewrites=sys.stdout.isatty() and os.environ.get("TERM") != "dumb",
    )


def _around_capture(config: pytest.Config) -> Callable[[str], object]:
    """Write to what standard output is now, whatever pytest makes of it later.

    Unbuffered, because a signal may be told of in the middle of another line.
    """
    try:
        descriptor = os.dup(sys.stdout.fileno())
    except (OSError, io.UnsupportedOperation):
        return sys.stdout.write
    raw = open(descriptor, "wb", buffering=0)  # noqa: SIM115, PTH123, open as long as the run
    config.add_cleanup(raw.close)
    encoding = sys.stdout.encoding or "utf-8"

    def write(text: str) -> None:
        with suppress(OSError):  # nobody is there any more
            raw.write(text.encode(encoding, "replace"))

    return write
