"""What the record keeps of a canary: of each increment the verdict, and what it rested on."""

from collections.abc import Mapping, Sequence

from greenrun.domain.gate import Quantity
from greenrun.domain.increment import Increment, Watcher
from greenrun.domain.sequential import Sample
from greenrun.record.facts import RecordedCounts, RecordedIncrement

_QUANTILES = {"p50 latency": 0.50, "p95 latency": 0.95, "p99 latency": 0.99}


def recorded(increments: Sequence[Increment]) -> tuple[RecordedIncrement, ...]:
    """Every increment as plain values, oldest first."""
    return tuple(map(_recorded, increments))


def _recorded(increment: Increment) -> RecordedIncrement:
    return RecordedIncrement(
        share=increment.share,
        verdict=increment.outcome.value,
        judged=increment.sentence,
        seconds=(increment.ended - increment.began).total_seconds(),
        counted=tuple(
            RecordedCounts(watcher.value, _figures(last.candidate), _figures(last.baseline))
            for watcher in Watcher
            if (last := increment.last(watcher))
        ),
    )


def _figures(sample: Sample) -> Mapping[str, Quantity | None]:
    """By measure, as gates name them; None where there were no requests to tell it by."""
    counts, latencies = sample.counts, sample.latencies
    return {
        "requests": Quantity(counts.total),
        "failed": Quantity(counts.bad),
        "error rate": Quantity(100 * counts.rate, "%") if counts.total else None,
        **{
            measure: Quantity(latencies.quantile(share), "ms") if latencies.total else None
            for measure, share in _QUANTILES.items()
        },
    }
