"""The forecast of a canary in rows: what each metric source detects, when a candidate passes."""

from collections.abc import Iterator
from datetime import timedelta

from greenrun.canary.forecast import Forecast, Power, UserTraffic, percent
from greenrun.model.text import span
from greenrun.release.dry_run.tables import Row

_HOUR = timedelta(hours=1)


def rows(forecast: Forecast) -> Iterator[Row]:
    """Live traffic, then each step as each metric source counts it."""
    yield "users", _users(forecast.traffic)
    for share in forecast.plan.steps:
        for power in forecast.at(share):
            source = power.expected.counted_by.value
            yield f"{share} %, {source}", _power(power, forecast.max_duration(share))
        yield f"{share} %, in all", _outcome(forecast, share)


def _users(traffic: UserTraffic) -> str:
    counts, latencies = traffic.sample.counts, traffic.sample.latencies
    if not traffic.over:
        return "not counted on: only our own probes are sure to come"
    if not counts.total:
        return f"no request in the last {span(traffic.over)}"
    told = f"{traffic.per_second:.3g} requests/s; {counts.total:,} in the last {span(traffic.over)}"
    told += f", {percent(counts.rate)} of them errors"
    if latencies.total:
        told += f", p95 {latencies.quantile(0.95):,.0f} ms"
    return told + (": counted for no longer than that" if traffic.over < _HOUR else "")


def _power(power: Power, within: timedelta) -> str:
    return f"{power.expected}: {_detected(power, within)}; {_passing(power)}"


def _detected(power: Power, within: timedelta) -> str:
    if not power.expected.per_second:
        return "detects nothing"
    rate = percent(power.expected.rate)
    planned = f"detects a rise from {rate} to {percent(power.worse)} in {_about(power.detects)}"
    if power.detects <= within:
        return planned
    least = power.smallest_within(within)
    possible = f"one to {percent(least)}" if least else "none"
    return f"{planned}, and {possible} in {span(within)}"


def _passing(power: Power) -> str:
    if power.passes == timedelta.max:
        return f"no candidate passes ({power.slowest})"
    at_best = "" if power.known else ", if its latencies allow"
    return (
        f"a healthy candidate passes in {_about(power.passes)} ({power.slowest}{at_best}), "
        f"9 of 10 in {_about(power.passes_nine_in_ten)}"
    )


def _outcome(forecast: Forecast, share: int) -> str:
    planned, within = forecast.plan.max_duration, forecast.max_duration(share)
    if forecast.is_underpowered(share):
        return f"underpowered: it could only end undecided after {span(within)}"
    if within > planned:
        return f"lengthened from {span(planned)} to {span(within)}"
    if forecast.passes_nine_in_ten(share) > within:
        return f"decided within {span(within)}, though not always"
    return f"decided within {span(within)}"


def _about(duration: timedelta) -> str:
    if duration == timedelta.max:
        return "no time"
    minutes = duration / timedelta(minutes=1)
    if minutes < 1.5:
        return f"about {duration.total_seconds():.0f} seconds"
    return f"about {minutes:,.0f} minutes"
