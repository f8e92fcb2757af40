"""What is monitored of a service after its release: figures of its own metrics, and alerts."""

from dataclasses import dataclass
from datetime import timedelta

from greenrun.model.objective import Threshold

ALERTABLE = ("error rate", "p50 latency", "p95 latency", "p99 latency", "memory")
"""Measures of the platform's own metrics, which it can alert people by."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of the sum of some counters comes from some of them, in %."""

    part: tuple[str, ...]
    whole: tuple[str, ...]
    unit = "%"


@dataclass(frozen=True, slots=True)
class Quantile:
    """What `level` (0 to 1) of the values of a histogram do not exceed, in ms.

    The histogram counts in seconds, as is Prometheus' custom.
    """

    histogram: str
    level: float
    unit = "ms"


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a counter grows, per second; one line for each value of the labels `by`."""

    counter: str
    by: tuple[str, ...] = ()
    unit = "/s"


@dataclass(frozen=True, slots=True)
class Level:
    """What a gauge shows, the highest of all instances."""

    gauge: str
    unit = ""


Reading = Share | Quantile | Rate | Level
"""How a figure is read off the service's own metrics. Sources are selectors: `name{label="x"}`."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the service's own metrics; what it has to be has the unit of its reading."""

    name: str
    reading: Reading
    thresholds: tuple[Threshold, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The selectors that it is read off."""
        match self.reading:
            case Share(part, whole):
                return tuple(dict.fromkeys((*part, *whole)))
            case Quantile(histogram):
                return (histogram,)
            case Rate(counter):
                return (counter,)
            case Level(gauge):
                return (gauge,)


@dataclass(frozen=True, slots=True)
class Alert:
    """An objective of the platform's own metrics; people are alerted once it is broken so long.

    The measure is one of ALERTABLE.
    """

    threshold: Threshold
    lasting: timedelta

    def __str__(self) -> str:
        beyond = "over" if self.threshold.relation == "at most" else "under"
        minutes = self.lasting / timedelta(minutes=1)
        return f"{self.threshold.measure} {beyond} {self.threshold.limit} for {minutes:g} min"
