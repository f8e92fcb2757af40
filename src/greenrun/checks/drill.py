"""Drills, each a rehearsal of a failure on a service of its own, and the canary of a release."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from greenrun.checks import logs
from greenrun.checks.http.expectation import Expectation
from greenrun.checks.http.verification import verify
from greenrun.checks.table import Column, TableForm, filled, quantity
from greenrun.model.canary_step import CanaryStep
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.objective import Gate, Threshold
from greenrun.model.stats import Outcome
from greenrun.release.release import Release


def all_passed(release: Release, steps: Sequence[CanaryStep]) -> None:
    """Every step was judged, and passed; a first release has none."""
    if release.is_first:
        return
    if {step.outcome for step in steps} != {Outcome.PASS}:
        found = "; ".join(map(str, steps)) or "no step"
        raise GateClosed(f"canary: got {found}, needs every step to pass")


OBJECTIVES = TableForm(
    "canary objectives",
    (Column("measure", filled, required=True), Column("at most", quantity, required=True)),
    lambda cells, _: Threshold(cells["measure"], "at most", cells["at most"]),
)


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a release was stopped, and why."""

    stage: str
    reason: str

    def __str__(self) -> str:
        return f"at its {self.stage}: {self.reason}"


class Drill:
    """Takes a candidate as far as it gets, and takes it back when a gate closes.

    The log of a healthy start has the lines of `healthy_start`.
    """

    def __init__(
        self,
        release: Release,
        baseline_promises: Sequence[Expectation],
        healthy_start: Sequence[str] = (),
    ) -> None:
        self.release = release
        self._promises = baseline_promises
        self._healthy_start = healthy_start
        self.stop: Stop | None = None

    def __repr__(self) -> str:
        return f"<drill on {self.release.plan.service}>"

    def run(self, gate: Gate | None = None) -> None:
        """Release the candidate; without a gate it stops short of users."""
        for stage, act in self._stages(gate):
            try:
                act()
            except (GateClosed, ReleaseError) as error:
                self.stop = Stop(stage, str(error))
                self.release.dependencies.evidence.attach("stopped", str(self.stop))
                self.release.roll_back()
                return

    def stopped_at(self, stage: str, reason: str) -> None:
        """The drill was stopped at this stage, for a reason that contains this text."""
        if self.stop is None or self.stop.stage != stage or reason not in self.stop.reason:
            raise GateClosed(
                f"drill: got {self.stop or 'a release that nothing stopped'}, "
                f"needs a stop at its {stage} because {reason!r}"
            )

    def rolls_back_to_nothing_new(self) -> None:
        """A rollback of what was rolled back finds nothing to do."""
        if self.release.roll_back():
            raise GateClosed("second rollback: got a change of the traffic, needs none")

    def _stages(self, gate: Gate | None) -> Iterator[tuple[str, Callable[[], object]]]:
        release = self.release
        yield "lock", release.acquire_lock
        yield "preflight", release.find_baseline
        if release.plan.migration is not None:
            yield "migration", release.migrate
        yield "baseline", self._judge_baseline
        yield "deployment", release.deploy
        yield "log", self._judge_log
        if gate is not None:
            yield "canary", lambda: release.run_canary(gate)
            yield "promotion", release.promote

    def _judge_baseline(self) -> None:
        """By what it promises, or by the probes of the canary where nobody says that."""
        release, url = self.release, self.release.service.url
        if self._promises:
            verify(release.prober, url, self._promises)
            return
        for name, got in release.prober.failing(url, release.plan.canary.named_probes).items():
            raise GateClosed(f"the probe {name}: got {got}")

    def _judge_log(self) -> None:
        logs.has_lines(self.release, self._healthy_start)
        logs.no_errors(self.release, says_something=bool(self._healthy_start))
