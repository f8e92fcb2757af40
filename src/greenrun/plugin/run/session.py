"""One run of features: where it goes, how far it came, and what others may ask of it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import pytest

from greenrun.model.events import ReleaseEvent
from greenrun.model.plan import REHEARSAL
from greenrun.model.results import RunSummary, ScenarioResult
from greenrun.plugin.gherkin.collection import (
    ENVIRONMENTS,
    FOUND,
    PlannedScenario,
    release_scenarios,
    scenario_of,
)
from greenrun.plugin.gherkin.milestones import Milestone, Reached
from greenrun.plugin.gherkin.tables import features_folder
from greenrun.plugin.gherkin.validation import Route
from greenrun.plugin.options import run_options_of
from greenrun.plugin.redaction import Secrets
from greenrun.plugin.run.results import PASSED, SKIPPED, Outcome, ScenarioResults, message_of
from greenrun.plugin.run.selection import NOT_NEEDED, RunMode, Selection, StopPolicy
from greenrun.plugin.terminal.events import EventLog
from greenrun.plugin.terminal.reporter import ScenarioReporter

RELEASE_RUN = pytest.StashKey["ReleaseRun"]()
_DESCRIBE = pytest.StashKey[Callable[[], ReleaseEvent]]()


@dataclass
class ReleaseRun:
    """One run of features: where it goes, how far it came, and who tells of it."""

    target: str
    reporter: ScenarioReporter
    secrets: Secrets
    stop_policy: StopPolicy = field(default_factory=lambda: StopPolicy(RunMode.REHEARSAL, []))
    counts: Counter[str] = field(default_factory=Counter)
    running: PlannedScenario | None = None
    whole: bool = False
    doubt: str = ""
    interrupted: str = ""
    report: str = ""
    outcome: Outcome = field(default_factory=Outcome)
    reached: Reached = field(default_factory=Reached)
    results: ScenarioResults = field(default_factory=ScenarioResults)
    events: EventLog | None = None
    summary: RunSummary | None = None

    def begin_events(self, scenario: PlannedScenario) -> None:
        """A scenario begins, or is not attempted."""
        if self.events:
            self.events.begin_scenario(
                environment=scenario.environment,
                feature=scenario.feature.name,
                scenario=scenario.title,
            )
            self.events.tell(
                "scenario_began", file=str(scenario.path), line=scenario.scenario.line_number
            )

    def end_events(self, result: ScenarioResult) -> None:
        """It has ended."""
        if self.events:
            reason = self.shown(result).reason
            self.events.tell(
                "scenario_ended", outcome=result.ending, seconds=result.seconds, reason=reason
            )
            self.events.end_scenario()

    def plan(self, items: list[pytest.Item], config: pytest.Config) -> list[str]:
        """Choose from what was asked for, and put it in order, after all ordinary tests.

        Returns why it cannot be meant.
        """
        asked = [scenario for item in items if (scenario := scenario_of(item))]
        selection = Selection(asked, self.target, run_options_of(config))
        chosen, self.stop_policy = selection.choose(lambda: self._rehearsed(config))
        self.counts = Counter(each.environment for each in chosen)
        self.whole = _is_whole(asked, config)
        _leave_out({id(each) for each in asked} - {id(each) for each in chosen}, items, config)
        items.sort(key=self._position)
        config.stash[ENVIRONMENTS] = self.stop_policy.environments
        return list(selection.complaints(chosen))

    def route(self, items: Sequence[pytest.Item]) -> Route:
        """What these lead to; ordinary tests alone lead nowhere, and need not without `--env`."""
        policy = self.stop_policy
        places = dict.fromkeys([*policy.environments, self.target])
        is_asked = self.counts or self.target != REHEARSAL
        return Route(items, list(places) if is_asked else [], policy.mode.goal, policy.is_rehearsed)

    @property
    def begun(self) -> bool:
        """True once the first scenario was attempted."""
        return bool(self.running or self.results.ended)

    @property
    def came_about(self) -> bool:
        """True where the run has done what it is for, in each of its environments."""
        goal = self.stop_policy.mode.goal
        if goal is None:
            return any(result.ending == PASSED for result in self.results.ended)
        places = {*self.stop_policy.environments, self.target}
        return all(self.reached.has(place, goal) for place in places)

    @property
    def is_released(self) -> bool:
        """True where the target's users are with the candidate, whatever has failed since."""
        is_release = self.stop_policy.mode is RunMode.RELEASE
        return is_release and self.reached.has(self.target, Milestone.PROMOTED)

    @property
    def passed_whole(self) -> bool:
        """True when nothing was left out or failed, up to the end of the environment at hand."""
        results, ended = self.results.ended, Counter[str]()
        ended.update(result.environment for result in results)
        here = self.running.environment if self.running else self.target
        left = self.counts[here] - ended[here] - bool(self.running)
        skipped = {each.reason for each in results if each.ending == SKIPPED}
        goal = self.stop_policy.mode.goal
        came_about = goal is None or self.reached.has(here, goal)
        incomplete = self.stop_policy.stopped_at or left or skipped - {NOT_NEEDED}
        return self.whole and came_about and not incomplete

    @property
    def comes_back(self) -> bool:
        """True where more scenarios of the environment at hand are to come than the one running."""
        if self.running is None:
            return False
        here = self.running.environment
        ended = sum(result.environment == here for result in self.results.ended)
        return self.counts[here] - ended > 1

    def reason_to_skip(self, scenario: PlannedScenario) -> str:
        """Why a scenario is not attempted; empty when it is."""
        return self.stop_policy.reason_to_skip(scenario.environment, scenario.kind)

    def shown(self, result: ScenarioResult) -> ScenarioResult:
        """A result as it may be shown: its reason redacted, and one line of it."""
        lines = self.secrets.redact(result.reason).splitlines()
        return replace(result, reason=lines[0] if lines else "")

    def _rehearsed(self, config: pytest.Config) -> str:
        """Ask for an earlier rehearsal. In doubt there is none."""
        try:
            return config.hook.pytest_greenrun_rehearsed(config=config) or ""
        except Exception as error:  # noqa: BLE001, whatever it is, the rehearsal will meet it and tell
            self.doubt = f"no earlier rehearsal was found: {message_of(error)}"
            return ""

    def _position(self, item: pytest.Item) -> tuple[int, int, str, int]:
        scenario = scenario_of(item)
        if not scenario:
            return (-1, 0, "", 0)
        policy, environment = self.stop_policy, scenario.environment
        first = policy.asks_first(environment, scenario.tags)
        turn = 0 if first else 1 + policy.environments.index(environment)
        line = scenario.scenario.line_number
        return (turn, scenario.kind.rank, str(scenario.path), line)


def _leave_out(scenarios: set[int], items: list[pytest.Item], config: pytest.Config) -> None:
    dropped = [item for item in items if id(scenario_of(item)) in scenarios]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if id(scenario_of(item)) not in scenarios]


def _is_whole(scenarios: Sequence[PlannedScenario], config: pytest.Config) -> bool:
    """True when no scenario beside the selected ones was left out, drills aside."""
    found = config.stash[FOUND]
    beside = {path for file in found for path in file.parent.rglob("*.feature")}
    beside.update(features_folder(config).rglob("*.feature") if found else ())
    return release_scenarios(scenarios) == sum(found.values()) and beside == found.keys()


def mode_of(config: pytest.Config) -> RunMode:
    """What this run is for; known once everything was collected."""
    run = config.stash.get(RELEASE_RUN, None)
    return run.stop_policy.mode if run else RunMode.REHEARSAL


def passed_whole(config: pytest.Config) -> bool:
    """True when the environment at hand saw every scenario of its features, and none failed.

    To be asked when the environment is left: in the teardown of what its last scenario uses.
    """
    run = config.stash.get(RELEASE_RUN, None)
    return run is not None and run.passed_whole


def withdraw_promotion(config: pytest.Config, environment: str) -> None:
    """Say that users are not with the candidate, whatever sentences have passed."""
    if run := config.stash.get(RELEASE_RUN, None):
        run.reached.withdraw(environment, Milestone.PROMOTED)


def comes_back(config: pytest.Config) -> bool:
    """True where the environment at hand is left, and more of it is to come."""
    run = config.stash.get(RELEASE_RUN, None)
    return run is not None and not run.interrupted and run.comes_back


def results_of(config: pytest.Config) -> tuple[ScenarioResult, ...]:
    """What became of all scenarios that have ended so far, in their order."""
    run = config.stash.get(RELEASE_RUN, None)
    return tuple(map(run.shown, run.results.ended)) if run else ()


def describe_release(config: pytest.Config, describe: Callable[[], ReleaseEvent]) -> None:
    """Have events tell of this release from now on: `describe` says how it stands."""
    config.stash[_DESCRIBE] = describe


def first_failure(config: pytest.Config) -> str:
    """One redacted line on what failed first, the scenario at hand included; empty where none."""
    errors = config.stash[RELEASE_RUN].results.errors
    told = config.stash[RELEASE_RUN].secrets.redact(message_of(errors[0])) if errors else ""
    return told.partition("\n")[0]


def _facts(event: ReleaseEvent) -> dict[str, object]:
    """Those that the log of events has no other place for."""
    told = asdict(event)
    return {name: told[name] for name in told if name != "at"}


def announce(config: pytest.Config, moment: str, **facts: str | int | None) -> None:
    """Call the hook `pytest_greenrun_MOMENT` with how the release stands, and these facts.

    Whatever fails on the way is told, and raises nothing.
    """
    run = config.stash[RELEASE_RUN]
    try:
        event = config.stash.get(_DESCRIBE, partial(ReleaseEvent, run.target))()
        event = replace(event, at=datetime.now(UTC), **facts)  # type: ignore[arg-type]  # by name
        run.reporter.events("release", moment=moment, **_facts(event))
        getattr(config.hook, f"pytest_greenrun_{moment}")(event=event, config=config)
    except Exception as error:  # noqa: BLE001, users are where they belong: nothing may change that
        run.reporter.problem(f"pytest_greenrun_{moment}: {message_of(error)}")
