"""Which series are meant: `http_requests_total{status=~"5.."}`, as Prometheus writes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

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
        same = re.fullmatch(self.value, found) if "~" in self.relation else found == self.value
        return bool(same) != self.relation.startswith("!")

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


def _matcher(label: str, relation: str, quoted: str) -> Matcher:
    value = re.sub(r'\\(["\\])', r"\1", quoted[1:-1])
    try:
        re.compile(value if "~" in relation else "")
    except re.error as error:
        raise ReleaseError(f"label {label}: got {value!r}, needs a pattern: {error}") from error
    return Matcher(label, relation, value)
