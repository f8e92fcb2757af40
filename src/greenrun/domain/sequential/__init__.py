"""Judging a candidate by evidence that may be looked at at every moment."""

from greenrun.domain.sequential.comparison import Sequential
from greenrun.domain.sequential.counts import Counts
from greenrun.domain.sequential.latency import Quantile
from greenrun.domain.sequential.look import Evidence, Look, Outcome
from greenrun.domain.sequential.objective import Objective
from greenrun.domain.sequential.parts import Sample
from greenrun.domain.sequential.power import detectable, power, promise
from greenrun.domain.sequential.trial import Standings, Trial

__all__ = [
    "Counts",
    "Evidence",
    "Look",
    "Objective",
    "Outcome",
    "Quantile",
    "Sample",
    "Sequential",
    "Standings",
    "Trial",
    "detectable",
    "power",
    "promise",
]
