"""What became of the scenarios of a run, and how long they took."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from greenrun.model.results import ScenarioResult
from greenrun.plugin.collection import Planned
from greenrun.plugin.run.exit_status import said
from greenrun.plugin.terminal.reporter import spent

PASSED, FAILED, NOT_ATTEMPTED = ENDINGS = ("passed", "failed", "not attempted")


@dataclass
class Tally:
    """Takes in the phases of the running scenario, and keeps the results of those that ended.

    `errors` are what failed them, in order; the same one may fail several.
    """

    results: list[ScenarioResult] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    _reports: list[pytest.TestReport] = field(default_factory=list)
    _reason: str = ""

    def add(self, report: pytest.TestReport, error: BaseException | None) -> None:
        """Take in one phase of the running scenario."""
        self._reports.append(report)
        if error is None:
            return
        self._reason = self._reason or said(error)
        if report.failed:
            self.errors.append(error)

    def knows(self, error: BaseException) -> bool:
        """True for an error that has come up before."""
        return any(error is known for known in self.errors)

    def close(self, scenario: Planned) -> ScenarioResult:
        """Count the running scenario."""
        reports, self._reports = self._reports, []
        reason, self._reason = self._reason, ""
        result = ScenarioResult(
            environment=scenario.environment,
            feature=scenario.feature.name,
            title=scenario.title,
            ending=_ending(reports),
            seconds=sum(report.duration for report in reports),
            reason=reason,
        )
        self.results.append(result)
        return result

    def lines(self) -> Iterator[tuple[str, str]]:
        """Each environment with its figures."""
        endings = defaultdict[str, Counter[str]](Counter)
        seconds = defaultdict[str, float](float)
        for result in self.results:
            endings[result.environment][result.ending] += 1
            seconds[result.environment] += result.seconds
        for environment, counted in endings.items():
            figures = ", ".join(f"{counted[each]} {each}" for each in ENDINGS if counted[each])
            yield environment, f"{figures}, {spent(seconds[environment])}"

    @property
    def failed(self) -> bool:
        """True when any scenario failed."""
        return any(result.ending == FAILED for result in self.results)


def _ending(reports: list[pytest.TestReport]) -> str:
    if any(report.failed for report in reports):
        return FAILED
    return NOT_ATTEMPTED if any(report.skipped for report in reports) else PASSED
