"""The hooks and fixtures of a run of features."""

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from greenrun.plugin import hookspecs, options
from greenrun.plugin.allure.session import AllureReport, claim_results, claimed
from greenrun.plugin.gherkin import tags, validation
from greenrun.plugin.gherkin.collection import (
    ENVIRONMENTS,
    FOUND,
    REFUSED,
    FeatureFile,
    scenario_of,
)
from greenrun.plugin.redaction import Redaction, redact_logs, secrets_of
from greenrun.plugin.run.runner import ReleaseRunner
from greenrun.plugin.run.session import RELEASE_RUN, ReleaseRun
from greenrun.plugin.terminal import events
from greenrun.plugin.terminal.hooks import TerminalHooks
from greenrun.plugin.terminal.reporter import ScenarioReporter
from greenrun.plugin.terminal.screen import Screen, leave_keyboard, outlive_terminal, screen

_SLOW_TO_START = "hypothesispytest"
"""Imports all of hypothesis for a line at the head of a session; features have no use for it."""


@pytest.fixture(scope="session")
def environment(request: pytest.FixtureRequest) -> str:
    """Where the running scenario takes place; for other tests, what `--env` says."""
    here: str = getattr(request, "param", options.target(request.config))
    return here


@pytest.fixture(scope="session")
def progress(pytestconfig: pytest.Config) -> ScenarioReporter:
    """Tells what the running sentence is at; silent where no feature runs."""
    run = pytestconfig.stash.get(RELEASE_RUN, None)
    return run.reporter if run else ScenarioReporter(Screen(lambda _: None, str))


def pytest_addoption(parser: pytest.Parser) -> None:
    options.declare(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Refuse what would start processes of its own before anything is configured."""
    if vars(config.option).get("looponfail") and options.features_are_among(config):
        _refuse([options.LOOPING])


@pytest.hookimpl(wrapper=True, specname="pytest_cmdline_main")
def pytest_tell_of_a_refusal(config: pytest.Config) -> Generator[None, object, object]:
    """Have the log of events tell of a run that was refused, wherever that was."""
    try:
        return (yield)
    except pytest.UsageError as error:
        events.refused(config, str(error), int(pytest.ExitCode.USAGE_ERROR))
        raise


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if options.performs_features(config):
        options.take_run_lock(config)
        events.open_log(config, secrets_of(config).redact, anew=options.holds_run_lock(config))
        if options.holds_run_lock(config):
            config.hook.pytest_greenrun_reset(config=config)
    config.stash[ENVIRONMENTS] = options.environments(config)
    config.stash[REFUSED] = []
    config.stash[FOUND] = {}
    for tag, meaning in tags.MEANINGS.items():
        config.addinivalue_line("markers", f"{tag}: {meaning}")
    config.pluginmanager.register(Redaction(secrets_of(config)))
    redact_logs(config, secrets_of(config).redact)
    _refuse(list(options.refusals(config)))
    if options.features_are_among(config):
        outlive_terminal(config, secrets_of(config).redact)
        claim_results(config)
        config.pluginmanager.set_blocked(_SLOW_TO_START)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Wire the parts of a run of features; the screen needs pytest's terminal to be there."""
    config, secrets = session.config, secrets_of(session.config)
    if not options.features_are_among(config):
        return
    if options.performs_features(config):
        leave_keyboard(config)
    reporter = ScenarioReporter(screen(config, secrets.redact), config.get_verbosity())
    run = config.stash[RELEASE_RUN] = ReleaseRun(options.target(config), reporter, secrets)
    if log := events.log_of(config):
        run.events, reporter.events = log, log.tell
    if claimed(config):
        config.pluginmanager.register(AllureReport(config, run))
    config.pluginmanager.register(ReleaseRunner(session, run))  # comes first when the session ends
    config.pluginmanager.register(TerminalHooks(run))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FeatureFile | None:
    root = parent.config.rootpath
    if file_path.suffix != ".feature" or options.release_within(root, file_path):
        return None
    return FeatureFile.from_parent(parent, path=file_path)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Say why a feature cannot be read, rather than that a test in it was not found."""
    try:
        return (yield)
    except pytest.UsageError:
        _refuse(session.config.stash[REFUSED])
        raise


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None]:
    yield
    asked, complaints = list(items), [*config.stash[REFUSED]]
    run = config.stash.get(RELEASE_RUN, None)
    if run:
        complaints += run.plan(items, config)
    elif any(map(scenario_of, items)):
        raise pytest.UsageError("features behind a link: name their folder itself")
    is_emergency = run is not None and run.stop_policy.mode.is_emergency
    _refuse(complaints + validation.bind(items if is_emergency else asked, config))
    if run and items and not is_emergency and options.is_to_be_complete(config):
        _refuse(run.route(items).complaints())
    if run and items and not is_emergency and options.performs_features(config):
        _refuse(list(options.run_lock_complaints(config)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare a run the half second in which Hypothesis is imported to say that nothing used it."""
    if RELEASE_RUN in session.config.stash and "hypothesis" not in sys.modules:
        session.config.pluginmanager.unregister(name="hypothesispytest")


def _refuse(complaints: list[str]) -> None:
    if complaints:
        raise pytest.UsageError("\n  ".join(["no feature was begun", *complaints]))
