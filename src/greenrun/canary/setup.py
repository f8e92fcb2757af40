"""Who is compared in a canary, and by whom."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from greenrun.canary import objectives
from greenrun.canary.judge import Judge, Judging
from greenrun.canary.sources.memory import MemoryJudge
from greenrun.canary.sources.platform import PlatformCounts
from greenrun.canary.sources.probes import Probes
from greenrun.model.errors import ReleaseError
from greenrun.model.histogram import Histogram
from greenrun.model.interfaces import Dependencies, Metrics
from greenrun.model.objective import Gate
from greenrun.model.plan import Plan
from greenrun.model.service import Service
from greenrun.model.traffic import TrafficSplit


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two revisions of a service, by name. `headers` say as whom each of our own probes is sent.

    The user agent names the run, so that they can be told from users.
    """

    plan: Plan
    service: Service
    candidate: str
    baseline: str
    run: str
    headers: Callable[[], Mapping[str, str]] = field(repr=False)

    @contextmanager
    def judged(
        self, gate: Gate, dependencies: Dependencies, users: Histogram
    ) -> Iterator[Sequence[Judging]]:
        """All who judge, while our own probes are on their way.

        Those who count share alpha in equal parts. `users` are the baseline's latencies of earlier
        times, as the platform tells of them.

        Raises:
            ReleaseError: the objectives cannot be judged, or a revision has no URL to be probed at.
        """
        canary, since = self.plan.canary, dependencies.clock.now()
        trial = objectives.trial(gate, canary, canary.alpha_each)
        platform = PlatformCounts(
            dependencies.metrics, dependencies.clock, self.candidate, self.baseline, since
        )
        floor = canary.latency_floor
        judges: list[Judging] = [
            Judge(platform.metric_source, trial, latency_floor=floor, reference=users),
            *self._of_memory(gate, dependencies.metrics, platform.metric_source.every, since),
        ]
        if not canary.probes_per_second:
            yield judges
            return
        urls = self._url(self.plan.revision_tag), self._url(self.plan.baseline_tag)
        with Probes(canary, *urls, self._headers, dependencies.web) as probes:
            yield [Judge(probes.metric_source, trial, canary.probe_paths, floor), *judges]

    def _of_memory(
        self, gate: Gate, metrics: Metrics, every: timedelta, since: datetime
    ) -> Iterator[MemoryJudge]:
        """One, where the objectives have a limit of memory."""
        limit = objectives.memory_limit(gate)
        if limit is not None:
            revisions = self.candidate, self.baseline
            yield MemoryJudge(metrics, limit, revisions, since, every)

    def _headers(self) -> Mapping[str, str]:
        return {**self.headers(), "User-Agent": f"greenrun-canary/{self.run}"}

    def _url(self, tag: str) -> str:
        if tag not in self.service.tag_urls:
            found = ", ".join(self.service.tag_urls) or "none"
            raise ReleaseError(
                f"could not probe both revisions: got revision tags {found}, needs {tag}",
                hint="the release sets it when it deploys: release again",
            )
        return self.service.tag_urls[tag]


def with_baseline_tagged(split: TrafficSplit, baseline: str, plan: Plan) -> TrafficSplit:
    """Where the canary probes: the same shares, and a URL of its own for the baseline.

    Raises:
        ReleaseError: the revision tag stands for another revision already.
    """
    tag, holder = plan.baseline_tag, split.tags.get(plan.baseline_tag, baseline)
    if not plan.canary.probes_per_second:
        return split
    if holder != baseline:
        raise ReleaseError(
            f"could not give the baseline a URL of its own: got revision tag {tag} on {holder}, "
            f"needs it on nothing or on {baseline}",
            hint="remove that tag, or name another as `deploy.baseline-tag` in release.yaml",
        )
    return split.tagged(baseline, tag)


def without_our_tag(split: TrafficSplit, before: TrafficSplit, plan: Plan) -> TrafficSplit:
    """Without the baseline's revision tag, unless it stood there before the release."""
    if plan.baseline_tag in before.tags:
        return split
    return TrafficSplit(tuple(one for one in split if one.tag != plan.baseline_tag))
