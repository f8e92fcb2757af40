"""Runs scenarios as tests: what is attempted, what breaks off, and how the session ends.

pytest has no public way to run a test without its own line for it; plugins that run tests their
way share the private `runtestprotocol`.
"""

import warnings
from collections.abc import Generator
from contextlib import nullcontext

import pytest
from _pytest.runner import runtestprotocol
from pytest_bdd.parser import Step

from greenrun.plugin import options
from greenrun.plugin.gherkin.collection import scenario_of
from greenrun.plugin.run.results import NEEDS_PERSON, is_plain, message_of
from greenrun.plugin.run.session import ReleaseRun, announce
from greenrun.plugin.run.signals import Interruption


class ReleaseRunner:
    """The hooks that make the tests of features a release."""

    def __init__(self, session: pytest.Session, run: ReleaseRun) -> None:
        self._run = run
        self._interruption = Interruption(session, run.reporter.remark)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Tear everything down at the end of an environment, so that its own tests tell of it."""
        here, after = scenario_of(item), scenario_of(nextitem)
        if not here:
            return None
        self._run.running = here
        self._interruption.listen()
        same = after is not None and after.environment == here.environment
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # told, but never raised in the middle of a way back
            runtestprotocol(item, nextitem=nextitem if same else None)
        self._run.running = None
        self._run.interrupted = self._interruption.cause
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        with self._interruption.breakable() if scenario_of(item) else nullcontext():
            return (yield)

    @pytest.hookimpl(tryfirst=True, specname="pytest_runtest_setup")
    def pytest_skip_what_is_not_attempted(self, item: pytest.Item) -> None:
        scenario = scenario_of(item)
        if scenario and (reason := self._run.reason_to_skip(scenario)):
            pytest.skip(reason)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        with self._interruption.breakable() if scenario_of(item) else nullcontext():
            return (yield)

    def pytest_bdd_after_step(self, request: pytest.FixtureRequest, step: Step) -> None:
        """Note how far the release has come."""
        if here := scenario_of(request.node):
            self._run.reached.add(here.environment, here.milestones.get(step, ()))

    @pytest.hookimpl(wrapper=True, specname="pytest_runtest_makereport")
    def pytest_have_no_gate_expected_to_close(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take `pytest.xfail()` for the failure that it is; pytest makes a skip of it."""
        report = yield
        if scenario_of(item) and report.__dict__.pop("wasxfail", None) is not None:
            report.outcome = "failed"
        return report

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say what is known of an error instead of how Python came to it."""
        report = yield
        scenario = scenario_of(item)
        if scenario and report.failed and call.excinfo:
            error = call.excinfo.value
            self._run.outcome.note_error(error)
            self._run.stop_policy.fail(scenario.environment, scenario.kind, scenario.place)
            if is_plain(error):
                report.longrepr = str(error)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Put back what was begun before anything else; what fails after that is told alone."""
        self._tear_down(session)
        self._insist_on_status(session)
        if self._run.begun:
            self._announce_end(session)
        try:
            return (yield)
        except Exception as error:  # noqa: BLE001, how the release ended stands by now
            self._run.reporter.problem(f"after the end of the run: {message_of(error)}")
        finally:
            self._insist_on_status(session)
            self._sum_up(session)

    def _sum_up(self, session: pytest.Session) -> None:
        """The very last: whoever reads files instead of the terminal has it all."""
        run = self._run
        if run.summary:
            try:
                session.config.hook.pytest_greenrun_summed_up(
                    summary=run.summary, config=session.config
                )
            except Exception as error:  # noqa: BLE001, how the release ended stands by now
                run.reporter.problem(f"after the end of the run: {message_of(error)}")
        if session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            return  # whoever hands the refusal on tells of it
        run.reporter.events("run_ended", exit_status=int(session.exitstatus))
        if run.events and (lost := run.events.close()):
            run.reporter.screen.line(f"  {lost}")

    def _insist_on_status(self, session: pytest.Session) -> None:
        """Never 0 where nothing came about, whoever else has a say in the exit status."""
        run = self._run
        performs = bool(run.counts) and options.performs_features(session.config)
        if run.outcome.needs_person:
            session.exitstatus = NEEDS_PERSON
        elif performs and session.exitstatus == 0 and (run.results.failed or not run.came_about):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_unconfigure(self) -> None:
        self._interruption.stop_listening()

    def _tear_down(self, session: pytest.Session) -> None:
        """Tear down what a session that broke off left, which no test tells of.

        pytest does it after those who write reports, and not at all where one of them raises.
        """
        try:
            session._setupstate.teardown_exact(None)  # noqa: SLF001, as `runtestprotocol` does
        except BaseException as error:  # noqa: BLE001, it is told, and the exit status says it
            self._run.outcome.note_error(error)
            self._run.reporter.problem(str(error) if is_plain(error) else message_of(error))
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _announce_end(self, session: pytest.Session) -> None:
        status = int(session.exitstatus)
        for call in self._run.outcome.needs_person[:1]:
            reason = self._run.secrets.redact(call.message)
            announce(session.config, "manual_action_required", reason=reason, exit_status=status)
        announce(session.config, "ended", exit_status=status)
