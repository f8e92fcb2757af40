"""The state that the parts of the plugin share while features run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from greenrun.model.results import ScenarioResult
from greenrun.plugin.collection import ENVIRONMENTS, FOUND, Planned, planned, release_scenarios
from greenrun.plugin.redaction import Secrets
from greenrun.plugin.run.exit_status import Outcome, said
from greenrun.plugin.run.mode import RunMode
from greenrun.plugin.run.results import NOT_ATTEMPTED, Tally
from greenrun.plugin.run.selection import Selection
from greenrun.plugin.run.stop_policy import WENT_THROUGH, StopPolicy
from greenrun.plugin.run_options import run_options_of
from greenrun.plugin.terminal.reporter import Narrator

RUN = pytest.StashKey["Run"]()


@dataclass
class Run:
    """One run of features: where it goes, how far it came, and who tells of it."""

    target: str
    narrator: Narrator
    secrets: Secrets
    stop_policy: StopPolicy = field(default_factory=lambda: StopPolicy(RunMode.REHEARSAL, []))
    counts: Counter[str] = field(default_factory=Counter)
    running: Planned | None = None
    whole: bool = False
    doubt: str = ""
    interrupted: str = ""
    report: str = ""
    outcome: Outcome = field(default_factory=Outcome)
    tally: Tally = field(default_factory=Tally)

    def plan(self, items: list[pytest.Item], config: pytest.Config) -> list[str]:
        """Choose from what was asked for, and put it in order, after all ordinary tests.

        Returns why it cannot be meant.
        """
        asked = [scenario for item in items if (scenario := planned(item))]
        selection = Selection(asked, self.target, run_options_of(config))
        chosen, self.stop_policy = selection.choose(lambda: self._rehearsed(config))
        self.counts = Counter(each.environment for each in chosen)
        self.whole = _is_whole(asked, config)
        _leave_out({id(each) for each in asked} - {id(each) for each in chosen}, items, config)
        items.sort(key=self._position)
        config.stash[ENVIRONMENTS] = self.stop_policy.environments
        return list(selection.complaints(chosen))

    @property
    def begun(self) -> bool:
        """True once the first scenario was attempted."""
        return bool(self.running or self.tally.results)

    @property
    def passed_whole(self) -> bool:
        """True when nothing was left out or failed, up to the end of the environment at hand."""
        results, ended = self.tally.results, Counter[str]()
        ended.update(result.environment for result in results)
        here = self.running.environment if self.running else self.target
        left = self.counts[here] - ended[here] - bool(self.running)
        skipped = {each.reason for each in results if each.ending == NOT_ATTEMPTED}
        return self.whole and not (self.stop_policy.stopped_at or left or skipped - {WENT_THROUGH})

    def reason_to_skip(self, scenario: Planned) -> str:
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
            self.doubt = f"no earlier rehearsal was found: {said(error)}"
            return ""

    def _position(self, item: pytest.Item) -> tuple[int, int, str, int]:
        scenario = planned(item)
        if not scenario:
            return (-1, 0, "", 0)
        environment = self.stop_policy.environments.index(scenario.environment)
        line = scenario.scenario.line_number
        return (environment, scenario.kind.rank, str(scenario.path), line)


def _leave_out(scenarios: set[int], items: list[pytest.Item], config: pytest.Config) -> None:
    dropped = [item for item in items if id(planned(item)) in scenarios]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if id(planned(item)) not in scenarios]


def _is_whole(scenarios: Sequence[Planned], config: pytest.Config) -> bool:
    """True when no scenario beside the selected ones was left out, drills aside."""
    found = config.stash[FOUND]
    beside = {path for file in found for path in file.parent.glob("*.feature")}
    return release_scenarios(scenarios) == sum(found.values()) and beside == found.keys()


def mode_of(config: pytest.Config) -> RunMode:
    """What this run is for; known once everything was collected."""
    run = config.stash.get(RUN, None)
    return run.stop_policy.mode if run else RunMode.REHEARSAL


def passed_whole(config: pytest.Config) -> bool:
    """True when the environment at hand saw every scenario of its features, and none failed.

    To be asked when the environment is left: in the teardown of what its last scenario uses.
    """
    run = config.stash.get(RUN, None)
    return run is not None and run.passed_whole


def results_of(config: pytest.Config) -> tuple[ScenarioResult, ...]:
    """What became of all scenarios that have ended so far, in their order."""
    run = config.stash.get(RUN, None)
    return tuple(map(run.shown, run.tally.results)) if run else ()
