"""The rollout: users come to the candidate, share by share, as far as the evidence goes."""

from dataclasses import dataclass, field, replace

from greenrun.canary import Canary
from greenrun.canary.forecast import Forecast, forecast
from greenrun.canary.setup import Comparison, sequential_test, without_baseline_tag
from greenrun.model.canary_step import CanaryStep
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.interfaces import Dependencies, Timeout
from greenrun.model.objective import Gate
from greenrun.model.plan import START_TAG, CanaryPlan, Plan
from greenrun.model.release_state import FIRST_TAG, Stage
from greenrun.model.revision import NOTHING_SAID, ServiceSettings
from greenrun.model.service import Service
from greenrun.model.text import span
from greenrun.model.traffic import TrafficSplit
from greenrun.release.coordination.guard import ChangeGuard, DriftGuard
from greenrun.release.deploy import admit_everybody, tell_no_effect
from greenrun.release.prober import Prober

WRONG_PROBE = (
    "correct it in `canary.probes`, where `status` says what is a good answer; what only new code "
    "answers can be a probe from the next release on"
)


@dataclass(frozen=True, slots=True)
class Rollout:
    """Leads from the baseline to a candidate, which goes by its name.

    Each split is written down before it is asked for, and rests on the service as the release left
    it.
    """

    plan: Plan
    candidate: str
    drift: DriftGuard = field(repr=False)
    prober: Prober = field(repr=False)
    dependencies: Dependencies = field(repr=False)
    guard: ChangeGuard = field(repr=False)

    def raise_share(self, percent: int) -> None:
        """Give the candidate this share of the users, and the baseline the rest."""
        shares = {self._baseline: 100 - percent, self.candidate: percent}
        self._split(self.drift.last_seen.resolved.shared(shares), f"{percent} %")

    def give_everybody(self) -> None:
        """Give the candidate every user, and leave no revision tag of ours."""
        everybody = self.drift.last_seen.resolved.shared({self.candidate: 100})
        before, wanted = NOTHING_SAID, NOTHING_SAID
        if self.plan.service_settings.said:
            before = self.dependencies.platform.service_settings()
            wanted = self.plan.service_settings.over(before)
            self.guard.update_release_state(service_settings=before)
        self._split(
            without_baseline_tag(everybody, self.guard.known_release_state.before, self.plan),
            "100 %",
            wanted,
        )

    def let_users_in(self) -> None:
        """Promote the candidate of a first release, which serves whoever may invoke the service.

        Its mark goes last: until then whoever comes next knows the service to be unfinished.
        """
        self.guard.update_release_state(stage=Stage.MOVED)
        platform = self.dependencies.platform
        admit_everybody(self.plan, platform, self.guard)
        everybody = self.drift.last_seen.resolved.shared({self.candidate: 100})
        said, wanted = self.plan.service_settings, NOTHING_SAID
        if said.said:
            wanted = said.over(platform.service_settings())
        self._split(everybody.without_tag(FIRST_TAG).pinned(self.candidate), "100 %", wanted)

    def run_canary(
        self, gate: Gate, before: Service | None, now: Service, seen: list[CanaryStep]
    ) -> None:
        """Raise the share by the planned steps; stop at the first that does not pass.

        Args:
            gate: what the candidate must keep.
            before: the service as the plan saw it, before the release has changed it.
            now: the service as it is.
            seen: gets every step that was watched, also the one that did not pass.
        """
        expected = self._sustained(self._forecast(gate, before or now), now)
        compared = self._comparison(expected.plan, now)
        with compared.judges(gate, self.dependencies, expected.traffic.sample.latencies) as judges:
            check_unchanged = self.drift.check_unchanged
            attempt = self.guard.attempt
            canary = Canary(
                self.plan.canary, judges, self.dependencies, check_unchanged, attempt, seen
            )
            for share in self.plan.canary.steps:
                canary.plan = expected.plan_at(share)
                self.raise_share(share)
                canary.analyse_step(share)

    def expect_answers(self, service: Service) -> None:
        """Ask for each probe before any user meets the candidate.

        Raises:
            GateClosed: the candidate never answers one as it has to.
            ReleaseError: the baseline does not either: then it is the probe that is wrong.
        """
        probes = self.plan.canary.named_probes
        found = self.prober.failing(service.tag_urls.get(self.plan.revision_tag, ""), probes)
        if not found:
            return
        told = "\n".join(
            f"the probe {name} of {self.candidate}: got {found[name]}" for name in found
        )
        if not self._baseline:
            raise GateClosed(told, hint=WRONG_PROBE)
        if found.keys() & self.prober.failing(service.url, probes).keys():
            raise ReleaseError(f"{told}\nand {self._baseline} answers no better", hint=WRONG_PROBE)
        raise GateClosed(told, hint="the candidate's log in the report may tell why")

    def _sustained(self, expected: Forecast, service: Service) -> Forecast:
        """Lower a rate that a rehearsal has found by itself to what both revisions sustain."""
        if not self.plan.canary.is_probed or self.plan.canary.probes_per_second is not None:
            return expected
        progress, found = self.dependencies.progress, expected.plan.probes_per_second
        progress.report("measuring how many probes the service sustains")
        plan = self._comparison(expected.plan, service).sustained(self.dependencies)
        sustained, rate = replace(expected, plan=plan), plan.probes_per_second
        told = f"probes: {rate:g} a second, as release.yaml names no canary.probes-per-second"
        if rate != found:
            longest = max(map(sustained.passes, plan.steps))
            told += f"; more is more than it sustains, and a step takes about {span(longest)}"
        progress.present(told)
        return sustained

    def _comparison(self, canary: CanaryPlan, service: Service) -> Comparison:
        plan, run, headers = replace(self.plan, canary=canary), self.guard.run, self.prober.headers
        return Comparison(plan, service, self.candidate, self._baseline, run, headers)

    @property
    def _baseline(self) -> str:
        return self.guard.known_release_state.baseline

    def _forecast(self, gate: Gate, before: Service) -> Forecast:
        """Forecast as the dry run does."""
        test = sequential_test(gate, self.plan.canary)
        return forecast(self.plan, self.dependencies, before, self._baseline, test)

    def _split(
        self, split: TrafficSplit, name: str, settings: ServiceSettings = NOTHING_SAID
    ) -> None:
        before, split = self.drift.last_seen.resolved, split.without_tag(START_TAG)
        self.guard.write_ahead(split, stage=Stage.MOVED)
        timeout = Timeout(self.plan.traffic_timeout, self.dependencies.progress.report)
        with self.guard.change("split traffic", self.plan.service, split=str(split)):
            after = self.dependencies.platform.split_traffic(
                split, self.drift.last_seen, timeout, settings
            )
        tell_no_effect(after, self.dependencies.progress, self.drift.last_seen)
        self.drift.remember(after)
        told = f"before: {before}\nafter: {after.actual}"
        self.dependencies.evidence.attach(f"traffic at {name}", told)
