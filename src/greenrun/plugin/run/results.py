"""What became of scenarios and of their errors, as a run of features goes on."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from greenrun.model.errors import Hinted, ManualActionRequired
from greenrun.model.results import EnvironmentFigures, ScenarioResult
from greenrun.plugin.gherkin.collection import PlannedScenario
from greenrun.plugin.run.signals import Interrupted
from greenrun.plugin.terminal.reporter import duration_text

NEEDS_PERSON = 10


def is_plain(error: BaseException) -> bool:
    """True for an error whose message says it all; Python's need their type, and a traceback."""
    return isinstance(error, Hinted | Interrupted | pytest.skip.Exception)


def message_of(error: BaseException) -> str:
    """What people are told of an error."""
    return str(error) if is_plain(error) else f"{type(error).__name__}: {error}"


@dataclass
class Outcome:
    """What went wrong that pytest has no exit status for."""

    needs_person: list[ManualActionRequired] = field(default_factory=list)

    def note_error(self, error: BaseException) -> None:
        """Look for a call for help, among an error's causes as well."""
        known = set(map(id, self.needs_person))
        calls = (each for each in _tree(error) if isinstance(each, ManualActionRequired))
        self.needs_person += [call for call in calls if id(call) not in known]


def _tree(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error with all that it groups or follows from."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        members = each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        waiting += [*members, each.__cause__, each.__context__]


PASSED, FAILED, SKIPPED = ENDINGS = ("passed", "failed", "skipped")


@dataclass
class ScenarioResults:
    """Takes in the phases of the running scenario, and keeps the results of those that ended.

    `errors` are what failed them, in order; the same one may fail several.
    """

    ended: list[ScenarioResult] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    _reports: list[pytest.TestReport] = field(default_factory=list)
    _reason: str = ""

    def add(self, report: pytest.TestReport, error: BaseException | None) -> None:
        """Take in one phase of the running scenario."""
        self._reports.append(report)
        if error is None:
            return
        self._reason = self._reason or message_of(error)
        if report.failed:
            self.errors.append(error)

    def knows(self, error: BaseException) -> bool:
        """True for an error that has come up before."""
        return any(error is known for known in self.errors)

    def close(self, scenario: PlannedScenario) -> ScenarioResult:
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
        self.ended.append(result)
        return result

    def figures(self) -> tuple[EnvironmentFigures, ...]:
        """Each environment with its figures, in the order of the run."""
        endings = defaultdict[str, Counter[str]](Counter)
        seconds = defaultdict[str, float](float)
        for result in self.ended:
            endings[result.environment][result.ending] += 1
            seconds[result.environment] += result.seconds
        return tuple(
            EnvironmentFigures(each, told[PASSED], told[FAILED], told[SKIPPED], seconds[each])
            for each, told in endings.items()
        )

    def lines(self) -> Iterator[tuple[str, str]]:
        """Each environment with its figures, as people read them."""
        for each in self.figures():
            counted = zip((each.passed, each.failed, each.skipped), ENDINGS, strict=True)
            figures = ", ".join(f"{count} {ending}" for count, ending in counted if count)
            yield each.environment, f"{figures}, {duration_text(each.seconds)}"

    @property
    def failed(self) -> bool:
        """True when any scenario failed."""
        return any(result.ending == FAILED for result in self.ended)


def _ending(reports: list[pytest.TestReport]) -> str:
    if any(report.failed for report in reports):
        return FAILED
    return SKIPPED if any(report.skipped for report in reports) else PASSED
