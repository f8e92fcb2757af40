"""Latencies as a canary weighs them."""

from bisect import bisect_right
from dataclasses import replace
from datetime import timedelta

from greenrun.model.histogram import Histogram
from greenrun.model.stats import Sample, SequentialTest

_MS = timedelta(milliseconds=1)


def floor_of(trial: SequentialTest, floor: timedelta) -> float:
    """In milliseconds: what is under it counts as equal; no limit lies below it."""
    return min([floor / _MS, *(limit for _, limit in trial.latency_limits)])


def floored(sample: Sample, milliseconds: float) -> Sample:
    """With all buckets below the floor as one."""
    latencies = sample.latencies
    first = bisect_right(latencies.bounds, milliseconds) - 1
    if first < 1:
        return sample
    below = sum(latencies.counts[: first + 1])
    counts = (below, *latencies.counts[first + 1 :])
    return replace(sample, latencies=Histogram(latencies.bounds[first:], counts))
