"""Healthy releases in a row, as a day in production has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from greenrun.model.interfaces import Dependencies, HttpClient, HttpRequest, HttpResponse, Metrics
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.stats import Histogram, Outcome, Sample
from tests.campaign.course import Ending, perform, way
from tests.campaign.running import run
from tests.campaign.shop import Shop

SHOPS, RELEASES = 4, 5
OBJECTIVES = Gate(
    (
        Threshold("error rate", "at most", Quantity(15, "%")),
        Threshold("p95 latency", "at most", Quantity(5000, "ms")),
    )
)
LONG = timedelta(minutes=5)
"""A canary ends as soon as it is sure; how many probes a busy machine sends decides nothing."""


@dataclass
class EvenlyQuick:
    """The web, whose answers take as long as a seeded stream says, whatever the machine does."""

    web: HttpClient
    stream: Random = field(default_factory=lambda: Random(0))

    def send(self, request: HttpRequest) -> HttpResponse:
        milliseconds = 5 + self.stream.expovariate(0.2)
        return replace(self.web.send(request), latency=timedelta(milliseconds=milliseconds))

    def converse(self, url: str, message: str, headers: Mapping[str, str]) -> Sequence[str]:
        return self.web.converse(url, message, headers)


@dataclass
class EvenlyCounted:
    """The platform's metrics, by which every request was quick."""

    metrics: Metrics

    @property
    def lag(self) -> timedelta:
        return self.metrics.lag

    def sample(self, revision: str, since: datetime, until: datetime | None = None) -> Sample:
        counted = self.metrics.sample(revision, since, until)
        bounds = counted.latencies.bounds
        if not bounds:
            return counted
        quick = (counted.latencies.total, *[0] * len(bounds))
        return replace(counted, latencies=Histogram(bounds, quick))

    def highest(
        self, measure: str, revision: str, since: datetime, until: datetime
    ) -> Quantity | None:
        return self.metrics.highest(measure, revision, since, until)


def even(ours: Dependencies) -> Dependencies:
    """No latency that a canary judges by is measured on this machine."""
    return replace(ours, web=EvenlyQuick(ours.web), metrics=EvenlyCounted(ours.metrics))


def day(shop_number: int) -> list[tuple[Ending, str, list[Outcome]]]:
    """How each release of a shop went; each takes the place of the one before."""
    with Shop.opened() as (_, shop):
        return [released(shop, f"run-{shop_number}-{number}") for number in range(RELEASES)]


def released(shop: Shop, run_name: str) -> tuple[Ending, str, list[Outcome]]:
    with shop.releasing(run_name, chosen=even) as release:
        patient = replace(release.plan.canary, max_duration=LONG)
        release.plan = replace(release.plan, canary=patient)
        outcome = perform(release, way(OBJECTIVES))
        return outcome.ending, outcome.told, [one.outcome for one in release.steps]


def test_twenty_healthy_releases_in_a_row_are_all_released() -> None:
    days = list(run(day, range(SHOPS)))
    healthy = (Ending.RELEASED, "", [Outcome.PASS, Outcome.PASS])
    assert [each for one in days for each in one] == [healthy] * SHOPS * RELEASES
