"""What the record keeps of a canary: of each step the verdict, and what it rested on."""

from collections.abc import Iterator, Mapping, Sequence

from greenrun.model.canary_step import CanaryStep, CountedBy
from greenrun.model.objective import Quantity
from greenrun.model.stats import Sample
from greenrun.reporting.record.record import RecordedCounts, RecordedStep

Figures = Mapping[str, Quantity | None]

_QUANTILES = {"p50 latency": 0.50, "p95 latency": 0.95, "p99 latency": 0.99}


def recorded(steps: Sequence[CanaryStep]) -> tuple[RecordedStep, ...]:
    """Every step as plain values, oldest first."""
    return tuple(map(_recorded, steps))


def _recorded(step: CanaryStep) -> RecordedStep:
    return RecordedStep(
        share=step.share,
        verdict=step.outcome.value,
        judged=step.sentence,
        seconds=(step.ended - step.began).total_seconds(),
        counted=tuple(_counted(step)),
    )


def _counted(step: CanaryStep) -> Iterator[RecordedCounts]:
    """The last of each who counts."""
    for counted_by in CountedBy:
        if last := step.last(counted_by):
            one, other = _peaks(step, counted_by)
            candidate, baseline = _figures(last.candidate), _figures(last.baseline)
            yield RecordedCounts(counted_by.value, {**candidate, **one}, {**baseline, **other})


def _peaks(step: CanaryStep, counted_by: CountedBy) -> tuple[Figures, Figures]:
    """Return the gauges of either revision, which are the platform's."""
    peaks = step.peaks if counted_by is CountedBy.PLATFORM else ()
    return {one.measure: one.candidate for one in peaks}, {
        one.measure: one.baseline for one in peaks
    }


def _figures(sample: Sample) -> Figures:
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
