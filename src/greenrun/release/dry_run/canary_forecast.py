"""What the canary will be able to see, and when a healthy candidate passes, in sentences."""

from collections.abc import Iterator
from datetime import timedelta

from greenrun.canary.power import Forecast, Power, Traffic, percent
from greenrun.model.duration import span
from greenrun.release.dry_run.tables import Row

_HOUR = timedelta(hours=1)


def rows(foresight: Forecast) -> Iterator[Row]:
    """Live traffic, then each increment as each watcher sees it."""
    yield "users", _users(foresight.traffic)
    for share in foresight.plan.increments:
        sights = foresight.at(share)
        for sight in sights:
            yield f"{share} %, {sight.flow.watcher.value}", _told(sight, foresight.within(share))
        yield f"{share} %, in all", _in_all(foresight, share)


def _users(traffic: Traffic) -> str:
    counts, latencies = traffic.sample.counts, traffic.sample.latencies
    if not traffic.over:
        return "not counted on: only our own probes are sure to come"
    if not counts.total:
        return f"no request in the last {span(traffic.over)}"
    told = f"{traffic.per_second:.3g} requests/s; {counts.total:,} in the last {span(traffic.over)}"
    told += f", {percent(counts.rate)} of them errors"
    if latencies.total:
        told += f", p95 {latencies.quantile(0.95):,.0f} ms"
    return told + (": known of no longer time" if traffic.over < _HOUR else "")


def _told(sight: Power, within: timedelta) -> str:
    return f"{sight.flow}: {_seen(sight, within)}; {_passing(sight)}"


def _seen(sight: Power, within: timedelta) -> str:
    if not sight.flow.per_second:
        return "can see nothing"
    rate = percent(sight.flow.rate)
    sees = f"can see {rate} to {percent(sight.worse)} in {_about(sight.sees)}"
    if sight.sees <= within:
        return sees
    least = sight.least(within)
    seen = f"{rate} to {percent(least)}" if least else "nothing"
    return f"{sees}, and {seen} in {span(within)}"


def _passing(sight: Power) -> str:
    if sight.passes == timedelta.max:
        return f"no candidate passes ({sight.slowest})"
    at_best = "" if sight.known else ", if its latencies allow"
    return (
        f"a healthy candidate passes in {_about(sight.passes)} ({sight.slowest}{at_best}), "
        f"9 of 10 in {_about(sight.surely)}"
    )


def _in_all(foresight: Forecast, share: int) -> str:
    planned, within = foresight.plan.within, foresight.within(share)
    if foresight.is_blind(share):
        return f"blind: it could only end undecided after {span(within)}"
    if within > planned:
        return f"lengthened from {span(planned)} to {span(within)}"
    if foresight.surely(share) > within:
        return f"decided within {span(within)}, though not always"
    return f"decided within {span(within)}"


def _about(duration: timedelta) -> str:
    if duration == timedelta.max:
        return "no time"
    minutes = duration / timedelta(minutes=1)
    if minutes < 1.5:
        return f"about {duration.total_seconds():.0f} seconds"
    return f"about {minutes:,.0f} minutes"
