"""Runs scenarios as tests: what is attempted, what breaks off, and how the session ends.

pytest has no public way to run a test without its own line for it; plugins that run tests their
way share the private `runtestprotocol`.
"""

from collections.abc import Generator
from contextlib import nullcontext

import pytest
from _pytest.runner import runtestprotocol

from greenrun.model.errors import Hinted
from greenrun.plugin.gherkin.collection import scenario_of
from greenrun.plugin.run.session import NEEDS_PERSON, ReleaseRun, is_plain, message_of
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

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Take in what fails when a session that broke off is torn down, which no test tells of."""
        try:
            return (yield)
        except (Hinted, BaseExceptionGroup) as error:
            self._run.outcome.note_error(error)
            self._run.reporter.problem(str(error))
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        finally:
            if self._run.outcome.needs_person:
                session.exitstatus = NEEDS_PERSON
            if self._run.begun:
                self._tell_of_the_end(session)

    def pytest_unconfigure(self) -> None:
        self._interruption.stop_listening()

    def _tell_of_the_end(self, session: pytest.Session) -> None:
        """Nothing that fails here changes how the release ended."""
        hook, status = session.config.hook, int(session.exitstatus)
        try:
            hook.pytest_greenrun_ended(config=session.config, status=status)
        except Exception as error:  # noqa: BLE001, see above
            self._run.reporter.problem(f"after the end of the run: {message_of(error)}")
