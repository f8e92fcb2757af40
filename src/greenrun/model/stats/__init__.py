"""Judging a candidate by evidence that may be looked at at every moment."""

from greenrun.model.stats.comparison import Sequential
from greenrun.model.stats.counts import Counts
from greenrun.model.stats.latency import Quantile
from greenrun.model.stats.look import Evidence, Outcome, Result
from greenrun.model.stats.objective import Objective
from greenrun.model.stats.parts import Sample
from greenrun.model.stats.power import detectable, power, promise
from greenrun.model.stats.trial import Results, SequentialTest

__all__ = [
    "Counts",
    "Evidence",
    "Objective",
    "Outcome",
    "Quantile",
    "Result",
    "Results",
    "Sample",
    "Sequential",
    "SequentialTest",
    "detectable",
    "power",
    "promise",
]
