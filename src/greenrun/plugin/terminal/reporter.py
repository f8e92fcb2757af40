"""Tells a release as it happens: features, scenarios, one line per sentence."""

import textwrap
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from greenrun.plugin.terminal.screen import WIDEST, Screen

PROGRESS_EVERY = 2.0  # seconds, where lines cannot be rewritten
PASSED, FAILED, SKIPPED = "✓", "✗", "-"
OUTCOMES = {PASSED: "passed", FAILED: "failed", SKIPPED: "skipped"}
MARKS = {PASSED: {"green": True}, FAILED: {"red": True, "bold": True}, SKIPPED: {"yellow": True}}
TIME_WIDTH = 12  # columns


def duration_text(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _nobody(_: str, **__: object) -> None:
    """Hear an event, where nobody has asked for them."""


@dataclass
class ScenarioReporter:
    """Speaks to the person who watches. `verbosity` is pytest's: 0, or below with -q.

    `events` is told the same, whatever the verbosity.
    """

    screen: Screen
    verbosity: int = 0
    clock: Callable[[], float] = time.monotonic
    events: Callable[..., object] = _nobody
    _heading: tuple[str, str] | None = None
    _sentence: str = ""
    _began: float = 0.0
    _told: float | None = None
    _untold: str = ""
    _skipped: Counter[str] = field(default_factory=Counter)

    def feature(self, name: str, environment: str) -> None:
        """Head what follows with its feature, unless it stands there already."""
        self.close_skips()
        if self._heading != (name, environment) and self.verbosity >= -1:
            self.screen.line()
            self.screen.line(f"{name} · {environment}", bold=True)
        self._heading = (name, environment)

    def scenario(self, title: str) -> None:
        """A scenario begins."""
        if self.verbosity >= 0:
            self.screen.line(f"  {title}")

    def begin(self, sentence: str) -> None:
        """A sentence begins."""
        self._sentence, self._began = sentence, self.clock()
        self._told, self._untold = None, ""
        self.events("sentence_began", sentence=sentence)
        if self.verbosity >= 0:
            self.screen.live(f"    … {sentence}")

    def report(self, text: str) -> None:
        """Tell what the running sentence is at."""
        self.events("progress", text=text)
        if self.verbosity < 0:
            return
        if self.screen.rewrites:
            running = [f"    … {self._sentence}"] if self._sentence else []
            self.screen.live(*running, f"      {text}")
        elif self._told is not None and self.clock() - self._told < PROGRESS_EVERY:
            self._untold = text
        else:
            self._tell(text)

    def end(self, mark: str) -> None:
        """The running sentence has ended: one of the MARKS."""
        seconds = self.clock() - self._began
        self.events(
            "sentence_ended", sentence=self._sentence, outcome=OUTCOMES[mark], seconds=seconds
        )
        if self._untold:
            self._tell(self._untold)
        if self.verbosity >= 0 or mark != PASSED:
            self._timed(f"    {mark} ", self._sentence, seconds)
        self._sentence = ""

    def close(self, title: str, seconds: float, *, passed: bool) -> None:
        """A scenario has ended; with -q this is its only line."""
        if self.verbosity == -1:
            self._timed(f"  {PASSED if passed else FAILED} ", title, seconds)

    def problem(self, message: str) -> None:
        """What went wrong, beneath the sentence where it did."""
        self.events("problem", text=message)
        self.screen.message(message, indent=" " * 6, red=True)

    def remark(self, text: str) -> None:
        """Say something that belongs to no sentence."""
        self.events("told", text=text)
        self.screen.line(f"  {text}", yellow=True)

    def present(self, text: str) -> None:
        """Lines that stay, of any length, beneath the running sentence."""
        self.events("told", text=text)
        if self.verbosity >= 0:
            self._announce()
            for line in text.splitlines():
                self.screen.line(f"      {line}".rstrip())

    def note(self, event: str, **facts: object) -> None:
        """Tell machines alone; people hear of it in another way."""
        self.events(event, **facts)

    def skip(self, reason: str, count: int = 1) -> None:
        """Count scenarios that are not attempted."""
        self._skipped[reason] += count

    def close_skips(self) -> None:
        """Tell of the scenarios that were not attempted, one line a reason."""
        if self.verbosity >= -1:
            for reason, count in self._skipped.items():
                noun = "scenario" if count == 1 else "scenarios"
                self.screen.paragraph(f"{count} {noun} skipped: {reason}", indent="  ", yellow=True)
        self._skipped.clear()

    def _announce(self) -> None:
        if self._sentence and self._told is None:
            self.screen.line(f"    … {self._sentence}")

    def _tell(self, text: str) -> None:
        self._announce()
        self.screen.glimpse(f"      {text}")
        self._told, self._untold = self.clock(), ""

    def _timed(self, mark: str, text: str, seconds: float) -> None:
        room = min(self.screen.width, WIDEST) - TIME_WIDTH
        lines = [mark + text]
        if len(lines[0]) > room:
            lines = textwrap.wrap(mark + text, room, subsequent_indent=" " * len(mark))
        lines[-1] = lines[-1].ljust(room) + duration_text(seconds).rjust(TIME_WIDTH - 1)
        self.screen.line(lines[0].removeprefix(mark), lead=mark, **MARKS[mark.strip()])
        for line in lines[1:]:
            self.screen.line(line)
