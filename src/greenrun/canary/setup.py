"""From the table of objectives to the judges of a canary, and the URLs that they probe at."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from greenrun.canary.judge import Judge, RequestJudge
from greenrun.canary.sources.gauges import GAUGES, Gauge, PeakJudge
from greenrun.canary.sources.platform import PlatformMetrics
from greenrun.canary.sources.probes import Headers, Probes, named_after, sustained_rate
from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces import Dependencies
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import CanaryPlan, Plan
from greenrun.model.service import Service
from greenrun.model.stats import Histogram, SequentialTest
from greenrun.model.traffic import TrafficSplit

_QUANTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]+)?) latency")
_ERRORS = "error rate"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two revisions of a service, by name. `headers` are what the identity of a probe shows."""

    plan: Plan
    service: Service
    candidate: str
    baseline: str
    run: str
    headers: Headers = field(repr=False)

    @contextmanager
    def judges(
        self, gate: Gate, dependencies: Dependencies, reference: Histogram
    ) -> Iterator[Sequence[Judge]]:
        """Yield all judges, while our own probes are sent.

        The metric sources share alpha in equal parts. `reference`: the baseline's latencies of
        earlier times, as the platform tells of them.

        Raises:
            ReleaseError: the objectives cannot be judged, or a revision has no URL to be probed at.
        """
        canary, clock = self.plan.canary, dependencies.clock
        test = sequential_test(gate, canary)
        platform = PlatformMetrics(dependencies.metrics, clock, self.candidate, self.baseline)
        floor = canary.latency_floor
        judges: list[Judge] = [
            RequestJudge(platform, test, latency_floor=floor, reference=reference),
            *(PeakJudge(gauge, limit, platform) for gauge, limit in gauge_limits(gate)),
        ]
        if not canary.is_probed:
            yield judges
            return
        headers = named_after(self.run, self.headers)
        with Probes(canary, self._urls, headers, dependencies.web, clock) as probes:
            yield [RequestJudge(probes, test, canary.named_probes, floor), *judges]

    def sustained(self, dependencies: Dependencies) -> CanaryPlan:
        """Return the plan with the rate of probes that both revisions sustain, up to its own."""
        canary, urls = self.plan.canary, self._urls
        headers = named_after(self.run, self.headers)
        rate = sustained_rate(canary, urls, headers, dependencies.web, dependencies.clock)
        return replace(canary, probes_per_second=rate)

    @property
    def _urls(self) -> tuple[str, str]:
        return self._url(self.plan.revision_tag), self._url(self.plan.baseline_tag)

    def _url(self, tag: str) -> str:
        if tag not in self.service.tag_urls:
            found = ", ".join(self.service.tag_urls) or "none"
            raise ReleaseError(
                f"could not probe both revisions: got revision tags {found}, needs {tag}",
                hint="the release sets it when it deploys: release again",
            )
        return self.service.tag_urls[tag]


def sequential_test(gate: Gate, plan: CanaryPlan) -> SequentialTest:
    """Return the test of each metric source: limits, and the same figures against the baseline's.

    Raises:
        ReleaseError: an objective that a canary cannot judge, in another unit, or stated twice.
    """
    gauge_limits(gate)  # no part of the test, and no reason to start one where they are wrong
    errors = _only(gate, _ERRORS)
    others = [one for one in gate.thresholds if one.measure not in {_ERRORS, *GAUGES}]
    latencies = [(_share(one), one) for one in others]
    _refuse_twice(f"p{100 * share:.4g} latency" for share, _ in latencies)
    limits = tuple((share, _limit(one, "ms")) for share, one in latencies)
    return SequentialTest(
        alpha=plan.alpha_each,
        beta=plan.beta,
        max_error_increase=plan.max_error_increase,
        error_limit=_limit(errors, "%") / 100 if errors else None,
        quantiles=tuple(share for share, _ in limits),
        max_latency_increase=plan.max_latency_increase,
        latency_limits=limits,
        stall=plan.stall.total_seconds(),
    )


def gauge_limits(gate: Gate) -> list[tuple[Gauge, Quantity]]:
    """Return the gauges that have a row among the objectives, each with its limit.

    Raises:
        ReleaseError: one is in another unit, no part of the whole, or stated twice.
    """
    stated = ((gauge, _only(gate, gauge.measure)) for gauge in GAUGES.values())
    return [
        (gauge, Quantity(_limit(threshold, gauge.unit), gauge.unit))
        for gauge, threshold in stated
        if threshold
    ]


def _only(gate: Gate, measure: str) -> Threshold | None:
    found = [one for one in gate.thresholds if one.measure == measure]
    _refuse_twice(one.measure for one in found)
    return found[0] if found else None


def _refuse_twice(measures: Iterable[str]) -> None:
    for measure, times in Counter(measures).items():
        if times > 1:
            raise ReleaseError(
                f"objectives of the canary: got {measure} {times} times, needs each measure once"
            )


def _share(threshold: Threshold) -> float:
    found = _QUANTILE.fullmatch(threshold.measure)
    share = float(found[1]) / 100 if found else 0.0
    if not share:
        known = ", ".join(f"`{measure}`" for measure in (_ERRORS, *GAUGES))
        raise ReleaseError(
            f"objectives of the canary: got the measure {threshold.measure!r}, "
            f"needs {known} or a quantile such as `p95 latency`"
        )
    return share


def _limit(threshold: Threshold, unit: str) -> float:
    limit, most = threshold.limit, 100 if unit == "%" else float("inf")
    if limit.unit != unit or not 0 < limit.value < most:
        over = "between 0 and 100 %" if unit == "%" else f"over 0 {unit}"
        raise ReleaseError(
            f"objectives of the canary: {threshold.measure}: got {limit}, needs to be {over}"
        )
    return limit.value


def with_baseline_tagged(split: TrafficSplit, baseline: str, plan: Plan) -> TrafficSplit:
    """Return the same shares, with a URL of its own for the baseline where the canary probes.

    Raises:
        ReleaseError: the revision tag stands for another revision already.
    """
    tag, holder = plan.baseline_tag, split.tags.get(plan.baseline_tag, baseline)
    if not plan.canary.is_probed:
        return split
    if holder != baseline:
        raise ReleaseError(
            f"could not give the baseline a URL of its own: got revision tag {tag} on {holder}, "
            f"needs it on nothing or on {baseline}",
            hint="remove that tag, or name another as `deploy.baseline-tag` in release.yaml",
        )
    return split.tagged(baseline, tag)


def without_baseline_tag(split: TrafficSplit, before: TrafficSplit, plan: Plan) -> TrafficSplit:
    """Remove the baseline's revision tag, unless it stood there before the release."""
    if plan.baseline_tag in before.tags:
        return split
    return TrafficSplit(tuple(one for one in split if one.tag != plan.baseline_tag))
