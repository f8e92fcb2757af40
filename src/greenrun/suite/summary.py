"""What a release came to, in the last lines of its run."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import pytest

from greenrun.errors import Hinted, NeedsPerson
from greenrun.suite.narration import spent
from greenrun.suite.screen import Screen
from greenrun.suite.tags import REHEARSAL_ENVIRONMENT

Ending = Literal["passed", "failed", "not attempted"]


@dataclass
class Tally:
    """What became of the scenarios of each environment, and how long they took."""

    endings: dict[str, Counter[Ending]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    first_error: BaseException | None = None
    _reports: list[pytest.TestReport] = field(default_factory=list)

    def add(self, report: pytest.TestReport) -> None:
        """Take in one phase of the running scenario."""
        self._reports.append(report)

    def close(self, environment: str) -> tuple[Ending, float]:
        """Count the running scenario; return how it ended and its seconds."""
        reports, self._reports = self._reports, []
        ending: Ending = "passed"
        if any(report.failed for report in reports):
            ending = "failed"
        elif any(report.skipped for report in reports):
            ending = "not attempted"
        seconds = sum(report.duration for report in reports)
        self.endings[environment][ending] += 1
        self.seconds[environment] += seconds
        return ending, seconds

    def lines(self) -> Iterator[tuple[str, str]]:
        """Each environment with its figures."""
        for environment, endings in self.endings.items():
            present = [ending for ending in get_args(Ending) if endings[ending]]
            figures = ", ".join(f"{endings[ending]} {ending}" for ending in present)
            yield environment, f"{figures}, {spent(self.seconds[environment])}"

    @property
    def count(self) -> int:
        return sum(endings.total() for endings in self.endings.values())

    @property
    def failed(self) -> bool:
        return any(endings["failed"] for endings in self.endings.values())


@dataclass(frozen=True)
class Closing:
    """Everything that the last lines are made of. `whole` means that no scenario was left out."""

    tally: Tally
    environments: Sequence[str]
    whole: bool
    stopped_at: str = ""
    interrupted: str = ""
    needs_person: Sequence[NeedsPerson] = ()
    report: str = ""

    @property
    def went_well(self) -> bool:
        return not (self.needs_person or self.interrupted or self.tally.failed)

    @property
    def headline(self) -> str:
        target = self.environments[-1]
        if self.needs_person:
            return "A PERSON IS NEEDED: not everything is as it was before"
        if self.interrupted:
            return f"Not released: interrupted by {self.interrupted}"
        if self.tally.failed:
            return f"Not released: stopped at {self.stopped_at}"
        if not self.whole:
            return f"Passed on {', '.join(self.environments)}, in part: this is no whole release"
        if target == REHEARSAL_ENVIRONMENT:
            return "The rehearsal went through"
        return f"Released to {target}"

    @property
    def next_steps(self) -> list[str]:
        if self.needs_person:
            return list(dict.fromkeys(map(str, self.needs_person)))
        if self.interrupted:
            return ["the same command begins anew"]
        if self.tally.failed:
            error = self.tally.first_error
            hint = error.hint if isinstance(error, Hinted) else ""
            return [hint or "mend it, then give the same command"]
        return []


def show(closing: Closing, screen: Screen) -> None:
    """Write the last lines."""
    screen.line()
    well = closing.went_well
    screen.paragraph(closing.headline, bold=True, green=well, red=not well)
    for environment, figures in closing.tally.lines():
        screen.line(f"  {environment:<8} {figures}")
    if closing.report:
        screen.line(f"  {'report':<8} {closing.report}")
    for step in closing.next_steps:
        first, _, rest = step.partition("\n")
        screen.paragraph(first, lead=f"  {'next':<8} ", indent=" " * 11)
        screen.message(rest, indent=" " * 11)
