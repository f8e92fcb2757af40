"""Sequential tests: a candidate is judged by evidence that may be looked at at any time."""

from greenrun.model.stats.comparisons import ErrorRateComparison, QuantileComparison, RateLimit
from greenrun.model.stats.result import LogEvidence, Outcome, Result
from greenrun.model.stats.samples import UNKNOWN, Counts, Histogram, Sample
from greenrun.model.stats.sequential_test import Results, SequentialTest

__all__ = [
    "UNKNOWN",
    "Counts",
    "ErrorRateComparison",
    "Histogram",
    "LogEvidence",
    "Outcome",
    "QuantileComparison",
    "RateLimit",
    "Result",
    "Results",
    "Sample",
    "SequentialTest",
]
