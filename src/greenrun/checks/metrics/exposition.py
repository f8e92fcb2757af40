"""What a service tells Prometheus of itself at one moment, and which of its series are meant."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import isfinite, nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric
    from prometheus_client.samples import Sample

from greenrun.checks.logs import LinearPattern
from greenrun.model.errors import ReleaseError

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_VALUE = r'"(?:[^"\\]|\\.)*"'
_MATCHER = re.compile(rf"(\w+)\s*(=~|!~|!=|=)\s*({_VALUE})")
_MATCHERS = rf"\s*\w+\s*(?:=~|!~|!=|=)\s*{_VALUE}\s*"

WRITTEN = rf"{_NAME}(?:\{{{_MATCHERS}(?:,{_MATCHERS})*\}})?"
"""How a selector is written, without groups."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label's condition; a label that is not there reads as empty.

    Source: https://prometheus.io/docs/prometheus/latest/querying/basics/
    """

    label: str
    relation: str
    value: str

    def fits(self, labels: Mapping[str, str]) -> bool:
        """True for labels that fulfil the condition."""
        found = labels.get(self.label, "")
        if "~" in self.relation:
            same = _pattern(self.value).fullmatch(found)
        else:
            same = found == self.value
        return same != self.relation.startswith("!")

    def __str__(self) -> str:
        quoted = re.sub(r'(["\\])', r"\\\1", self.value)
        return f'{self.label}{self.relation}"{quoted}"'


@dataclass(frozen=True, slots=True)
class Selector:
    """The name of samples, and conditions that their labels fulfil."""

    name: str
    matchers: tuple[Matcher, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Selector":
        """Read what people wrote.

        Raises:
            ReleaseError: it selects no series.
        """
        if not re.fullmatch(WRITTEN, text):
            raise ReleaseError(
                f'got series {text!r}, needs a name, and labels like {{status="200"}} where some '
                "of its series are meant"
            )
        name, _, conditions = text.partition("{")
        return cls(name, tuple(_matcher(*found) for found in _MATCHER.findall(conditions)))

    @property
    def labels(self) -> frozenset[str]:
        """The labels that it has conditions for."""
        return frozenset(matcher.label for matcher in self.matchers)

    def fits(self, labels: Mapping[str, str]) -> bool:
        """True for labels that fulfil every condition."""
        return all(matcher.fits(labels) for matcher in self.matchers)

    def __str__(self) -> str:
        conditions = ",".join(map(str, self.matchers))
        return f"{self.name}{{{conditions}}}" if conditions else self.name


@cache
def _pattern(value: str) -> LinearPattern:
    return LinearPattern(value)


def _matcher(label: str, relation: str, quoted: str) -> Matcher:
    value = re.sub(r'\\(["\\])', r"\1", quoted[1:-1])
    try:
        if "~" in relation:
            _pattern(value)
    except ValueError as error:
        raise ReleaseError(f"label {label}: got {value!r}, needs a pattern: {error}") from error
    return Matcher(label, relation, value)


_ONLY_RISE = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count"),
    "summary": ("_count",),
}
"""How samples end that never fall while a process lives, by the type of their family."""

_PROCESS_STARTED = "process_start_time_seconds"
"""Every official client library tells it, and no two instances the same."""


Series = tuple[str, frozenset[tuple[str, str]]]
"""A sample's name, and its labels with their values."""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its type and samples. A counter goes by its name without `_total`."""

    name: str
    kind: str
    samples: "tuple[Sample, ...]" = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that people may know it by."""
        return (self.name, f"{self.name}_total") if self.kind == "counter" else (self.name,)

    @property
    def labels(self) -> frozenset[str]:
        """The labels that its samples have."""
        return frozenset(label for sample in self.samples for label in sample.labels)

    def begins_with(self, prefix: str) -> bool:
        """True where one of its names does."""
        return any(name.startswith(prefix) for name in self.names)

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}{''.join(f', {name}' for name in sorted(self.labels))})"


@dataclass(frozen=True, slots=True)
class Exposition:
    """All families that one answer told."""

    families: tuple[Family, ...]

    @classmethod
    def parse(cls, text: str, media_type: str = "text/plain") -> "Exposition":
        """Read Prometheus' text, or OpenMetrics where the media type says so.

        Raises:
            ValueError: the text is neither.
        """
        from prometheus_client.openmetrics import parser as openmetrics  # noqa: PLC0415 - takes a while
        from prometheus_client.parser import text_string_to_metric_families as plain  # noqa: PLC0415 - likewise

        is_open = media_type.startswith("application/openmetrics-text")
        read = openmetrics.text_string_to_metric_families if is_open else plain
        try:
            return cls(tuple(_told(read(text))))
        except (IndexError, KeyError, TypeError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    def family(self, sample: str) -> Family | None:
        """The family that a sample of this name belongs to, or would."""
        return next((found for found in self.families if _belongs(sample, found)), None)

    def matching(self, selector: Selector) -> "tuple[Sample, ...]":
        """The samples that are meant; a counter's also by its name without `_total`."""
        family = self.family(selector.name)
        if family is None:
            return ()
        names = family.names if selector.name in family.names else (selector.name,)
        return tuple(
            sample
            for sample in family.samples
            if sample.name in names and selector.fits(sample.labels)
        )

    def value(self, selector: Selector) -> float:
        """The sum over the series that are meant; NaN where there is no such number.

        A counter's series that is not there has not counted yet: it is 0, if the family has the
        labels that are asked for.
        """
        if found := self.matching(selector):
            return sum(sample.value for sample in found)
        family = self.family(selector.name)
        if family and family.kind == "counter" and selector.labels <= family.labels:
            return 0.0
        return nan

    def is_of_the_process(self, earlier: "Exposition") -> bool:
        """True where nothing says that another process told it than the earlier one."""
        started = {told.started for told in (self, earlier) if told.started is not None}
        now = self.risen()
        rose = all(now.get(series, -1) >= value for series, value in earlier.risen().items())
        return rose and len(started) < 2

    @property
    def started(self) -> float | None:
        """When the process began, in seconds since 1970; None where that is not told."""
        started = self.value(Selector(_PROCESS_STARTED))
        return started if isfinite(started) else None

    def risen(self) -> Mapping[Series, float]:
        """The samples that never fall while a process lives, by their series."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
            if sample.name.endswith(_ONLY_RISE.get(family.kind, ())) and isfinite(sample.value)
        }


def _told(metrics: "Iterable[Metric]") -> Iterator[Family]:
    """The families but for `_created`, which tell only since when others count."""
    for metric in metrics:
        if not metric.name.endswith("_created"):
            yield Family(metric.name, metric.type, tuple(metric.samples))


def _belongs(sample: str, family: Family) -> bool:
    return sample in family.names or any(found.name == sample for found in family.samples)
