"""What the terminal shows of features, in place of pytest's dots and tracebacks."""

import sys
from collections.abc import Generator
from dataclasses import asdict

import pytest
from pytest_bdd.parser import Step

from greenrun.plugin.gherkin.collection import PlannedScenario, scenario_of
from greenrun.plugin.run import results
from greenrun.plugin.run.results import is_plain, message_of
from greenrun.plugin.run.session import ReleaseRun
from greenrun.plugin.terminal.reporter import FAILED, PASSED, SKIPPED
from greenrun.plugin.terminal.summary import Summary, show


class TerminalHooks:
    """Passes what pytest and pytest-bdd tell on to the reporter, and counts."""

    def __init__(self, run: ReleaseRun) -> None:
        self._run = run
        self._reporter = run.reporter
        self._scenarios: set[str] = set()
        self._sentence: Step | None = None
        self._is_over = False
        self._is_summed_up = False

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say where the run leads, and why, before anything runs."""
        if not self._run.counts:
            return []
        policy = self._run.stop_policy
        self._reporter.events(
            "run_began",
            mode=policy.mode.name.lower().replace("_", "-"),
            target=self._run.target,
            environments=list(policy.environments),
            scenarios=dict(self._run.counts),
            why=str(policy),
            doubt=self._run.doubt,
        )
        redact = self._run.secrets.redact
        return [redact(line) for line in (self._run.doubt, str(self._run.stop_policy)) if line]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        if scenario := scenario_of(item):
            self._scenarios.add(item.nodeid)
            self._open(item.config, scenario)
        done = yield
        if scenario:
            self._close(scenario)
        return done

    def pytest_bdd_before_step(self, step: Step) -> None:
        self._sentence = step
        self._reporter.begin(f"{step.keyword} {step.name}")

    def pytest_bdd_after_step(self) -> None:
        self._reporter.end(PASSED)

    def pytest_bdd_after_scenario(self) -> None:
        if error := sys.exception():
            self._reporter.end(SKIPPED if isinstance(error, pytest.skip.Exception) else FAILED)
        else:
            self._sentence = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if scenario := scenario_of(item):
            error = call.excinfo.value if call.excinfo else None
            if error is not None:
                self._tell(report, error, scenario)
            self._run.results.add(report, error)
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Leave the counting to pytest, but not the telling while features run."""
        if self._is_over or report.nodeid not in self._scenarios:
            return None
        if report.when == "call":
            return report.outcome, "", ""
        return {"passed": "", "failed": "error", "skipped": "skipped"}[report.outcome], "", ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, object, object]:
        self._is_over = True
        self._tell_what_is_left()
        try:
            return (yield)
        finally:
            terminalreporter.flush()
            self._show_summary()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None]:
        """Show the last lines also where pytest came to no summary of its own."""
        try:
            return (yield)
        finally:
            self._show_summary()

    def _show_summary(self) -> None:
        if self._scenarios and not self._is_summed_up:
            self._is_summed_up = True
            summary = self._summary()
            self._run.summary = summary.facts(self._run.secrets.redact)
            self._reporter.events("summary", **asdict(self._run.summary))
            show(summary, self._reporter.screen)

    def _open(self, config: pytest.Config, scenario: PlannedScenario) -> None:
        self._sentence = None
        self._run.begin_events(scenario)
        if not self._run.reason_to_skip(scenario):
            config.get_terminal_writer().flush()
            self._reporter.feature(scenario.feature.name, scenario.environment)
            self._reporter.scenario(scenario.title)

    def _close(self, scenario: PlannedScenario) -> None:
        result = self._run.results.close(scenario)
        self._run.end_events(result)
        if result.ending != results.SKIPPED:
            passed = result.ending == results.PASSED
            self._reporter.close(scenario.title, result.seconds, passed=passed)

    def _tell(
        self, report: pytest.TestReport, error: BaseException, scenario: PlannedScenario
    ) -> None:
        if report.skipped:
            self._reporter.skip(str(error))
            return
        message = "as told above" if self._run.results.knows(error) else message_of(error)
        place = (self._sentence or scenario.scenario).line_number
        file = report.nodeid.partition("::")[0]
        self._reporter.problem(f"{file}:{place}\n{message}")
        if is_plain(error):
            report._pdbshown = True  # type: ignore[attr-defined]  # noqa: SLF001, pytest's sign for "has been shown"

    def _tell_what_is_left(self) -> None:
        left = self._run.counts.total() - len(self._run.results.ended)
        if left and self._run.interrupted:
            self._reporter.skip(f"interrupted by {self._run.interrupted}", left)
        self._reporter.close_skips()

    def _summary(self) -> Summary:
        run = self._run
        return Summary(
            results=run.results,
            stop_policy=run.stop_policy,
            target=run.target,
            whole=run.whole,
            came_about=run.came_about,
            is_released=run.is_released,
            interrupted=run.interrupted,
            needs_person=run.outcome.needs_person,
            report=run.report,
        )
