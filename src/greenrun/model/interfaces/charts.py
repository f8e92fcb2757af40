"""Figures that are drawn for people to see."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from greenrun.model.canary_step import CanaryStep


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing as an SVG document, and what it shows."""

    name: str
    svg: bytes = field(repr=False)


class Charts(Protocol):
    """Draws what happened."""

    def of_canary(self, steps: Sequence[CanaryStep]) -> Sequence[Chart]:
        """Evidence over time with the decision, latencies side by side, traffic over time.

        Of steps that were watched until now, oldest first; none where nothing was counted.
        """
