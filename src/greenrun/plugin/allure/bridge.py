"""Makes Allure results read as Gherkin; allure-pytest itself knows nothing of sentences."""

# allure_commons has no types
# mypy: allow-untyped-calls

import csv
import io
import sys
from collections.abc import Callable, Generator

import pytest
from allure_commons import plugin_manager
from allure_commons.model2 import (
    Label,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)
from allure_commons.reporter import AllureReporter
from allure_commons.types import AttachmentType, LabelType
from allure_commons.utils import md5, now, uuid4
from allure_pytest.listener import AllureListener  # type: ignore[import-untyped]  # likewise
from pytest_bdd.parser import Scenario, Step

from greenrun.model.errors import Hinted
from greenrun.plugin.gherkin.collection import ENVIRONMENTS, PlannedScenario, scenario_of
from greenrun.plugin.run.signals import Interrupted

_reporter = (
    AllureReporter()
)  # all reporters share the running test, so allure.attach reaches it too


class ScenarioListener(AllureListener):  # type: ignore[misc]  # it has no types
    """Leaves the fixtures of scenarios alone, so that what their teardown proves is not lost."""

    _is_scenario = False

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object]:
        self._is_scenario = scenario_of(item) is not None
        yield from super().pytest_runtest_protocol(item, nextitem)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Generator[None, object]:
        if self._is_scenario:
            yield
        else:
            yield from super().pytest_fixture_setup(fixturedef, request)


class GherkinBridge:
    """Tells Allure of sentences, by pytest-bdd's hooks, and what a scenario is called."""

    def __init__(self, note_scenario: Callable[[str], None]) -> None:
        self._note_scenario = note_scenario
        self._sentence = ""
        self._come_to = 0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        if scenario_of(item):
            self._note_scenario(_running().uuid)
        return (yield)

    def pytest_bdd_before_scenario(self) -> None:
        self._come_to = 0

    def pytest_bdd_before_step(self, step: Step) -> None:
        self._sentence = uuid4()
        self._come_to += 1
        _reporter.start_step(None, self._sentence, TestStepResult(name=_words(step), start=now()))
        _attach_what_it_says(step)

    def pytest_bdd_after_step(self) -> None:
        self._close(None)

    def pytest_bdd_step_error(self, exception: BaseException) -> None:
        self._close(exception)

    def pytest_bdd_after_scenario(self, scenario: Scenario) -> None:
        error = sys.exception()
        if self._sentence:
            self._close(error)
        if isinstance(error, KeyboardInterrupt | pytest.exit.Exception):
            _running().status = Status.BROKEN  # pytest makes no report of these
        _list_unattempted(scenario.steps[self._come_to :])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        before = _running()
        details = before.statusDetails if before else None
        report = yield
        if (scenario := scenario_of(item)) and call.excinfo:
            _judge(_running(), call.excinfo.value, details)
            if call.when == "setup":
                _list_unattempted(scenario.scenario.steps)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None]:
        try:
            return (yield)
        finally:
            if scenario := scenario_of(item):
                alone = len(item.config.stash[ENVIRONMENTS]) == 1
                _describe(_running(), scenario, item.nodeid, alone=alone)

    def _close(self, error: BaseException | None) -> None:
        _reporter.stop_step(
            self._sentence, stop=now(), status=_status(error), statusDetails=_details(error)
        )
        self._sentence = ""


def _running() -> TestResult:
    result: TestResult = _reporter.get_test(None)
    return result


def _words(sentence: Step) -> str:
    return f"{sentence.keyword} {sentence.name}"


def _status(error: BaseException | None) -> str:
    if error is None:
        return Status.PASSED
    if isinstance(error, pytest.skip.Exception):
        return Status.SKIPPED
    judged = isinstance(error, AssertionError | pytest.fail.Exception)
    return Status.FAILED if judged else Status.BROKEN


def _details(error: BaseException | None) -> StatusDetails | None:
    return StatusDetails(message=_message(error)) if error else None


def _message(error: BaseException) -> str:
    known = isinstance(error, Hinted | Interrupted | pytest.skip.Exception)
    return str(error) if known else f"{type(error).__name__}: {error}"


def _judge(result: TestResult, error: BaseException, earlier: StatusDetails | None) -> None:
    """Say how a scenario ended. What fails when it is torn down is told after its own failure."""
    if isinstance(error, Hinted | Interrupted | pytest.skip.Exception):
        result.statusDetails = _details(error)
    if result.status in (Status.FAILED, Status.BROKEN) and earlier:
        message = f"{earlier.message}\n\nthen: {_message(error)}"
        result.statusDetails = StatusDetails(message=message, trace=earlier.trace)
    elif not isinstance(error, pytest.skip.Exception):
        result.status = _status(error)


def _list_unattempted(sentences: list[Step]) -> None:
    """Show the sentences that were not come to, so that a scenario can be read to its end."""
    at = now()
    _running().steps += [
        TestStepResult(name=_words(each), status=Status.SKIPPED, start=at, stop=at)
        for each in sentences
    ]


def _attach_what_it_says(sentence: Step) -> None:
    if sentence.datatable is not None:
        table = io.StringIO()
        csv.writer(table).writerows(sentence.datatable.raw())
        _attach("table", table.getvalue(), AttachmentType.CSV)
    if sentence.docstring is not None:
        _attach("text", sentence.docstring, AttachmentType.TEXT)


def _attach(name: str, content: str, kind: AttachmentType) -> None:
    plugin_manager.hook.attach_data(
        body=content, name=name, attachment_type=kind, extension=kind.extension
    )


def _describe(result: TestResult, scenario: PlannedScenario, nodeid: str, *, alone: bool) -> None:
    """Name a scenario so that the tree reads environment (if not alone), feature, scenario."""
    feature, rule = scenario.feature.name, scenario.scenario.rule
    places = [(LabelType.PARENT_SUITE, scenario.environment), (LabelType.SUITE, feature)]
    places += [(LabelType.EPIC, scenario.environment), (LabelType.FEATURE, feature)]
    if rule:
        places += [(LabelType.SUB_SUITE, rule.name), (LabelType.STORY, rule.name)]
    tags = [label for label in result.labels if label.name == LabelType.TAG]
    result.labels = tags + [Label(name=name, value=value) for name, value in places]
    result.titlePath = [feature] if alone else [scenario.environment, feature]
    result.parameters = [each for each in result.parameters if each.name != "environment"]
    result.name = scenario.title
    result.description = scenario.feature.description.strip()
    file = nodeid.partition("::")[0]
    result.fullName = f"{file}: {scenario.title}"
    result.testCaseId = result.historyId = md5(scenario.environment, result.fullName)
