"""What the canary will be able to see, from what users have asked of the baseline lately."""

from datetime import datetime, timedelta

from greenrun.canary.power import Forecast, Traffic
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import REHEARSAL, Plan
from greenrun.model.service import Service
from greenrun.model.stats import SequentialTest

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def forecast(
    plan: Plan, dependencies: Dependencies, service: Service, baseline: str, trial: SequentialTest
) -> Forecast:
    """Read the live traffic, and change nothing. A rehearsal has none: there, only probes count.

    `trial` is what each watcher judges by. Raises CallFailed where the metrics cannot be read.
    """
    metrics, live = dependencies.metrics, plan.environment != REHEARSAL
    found = _traffic(dependencies, service, baseline) if live else Traffic()
    return Forecast(plan.canary, trial, found, metrics.lag)


def _traffic(dependencies: Dependencies, service: Service, baseline: str) -> Traffic:
    """Of the last day, or since the baseline serves as it does.

    The canary comes within the hour: where that was quieter than the day, it counts.
    """
    now = dependencies.clock.now()
    since = max(now - DAY, _changed(service) or now - DAY)
    over = now - since
    sample = dependencies.metrics.sample(baseline, since)
    if over <= HOUR:
        return Traffic(_rate(sample.counts.total, over), sample, over)
    lately = dependencies.metrics.sample(baseline, now - HOUR).counts.total
    return Traffic(min(_rate(sample.counts.total, over), _rate(lately, HOUR)), sample, over)


def _changed(service: Service) -> datetime | None:
    return datetime.fromisoformat(service.changed_at) if service.changed_at else None


def _rate(requests: int, over: timedelta) -> float:
    return requests / over.total_seconds() if over > timedelta() else 0.0
