"""What a benchmark comes to: a ratio beside its aim."""

import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEAD = ("benchmark", "measured", "against", "ratio", "aim")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `aim` reads as people write it: `1.10 or less`; empty is none."""

    benchmark: str
    measured: str
    against: str
    ratio: float
    aim: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """As the table shows them."""
        return (self.benchmark, self.measured, self.against, f"{self.ratio:.2f}", self.aim)


def table(figures: Iterable[Figure]) -> str:
    """Columns as wide as their widest cell."""
    rows = [HEAD, *(figure.cells for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def middle(values: Sequence[float], unit: str, *, digits: int = 2) -> str:
    """The median, and between which values the others lie: `8.41 s (8.30 to 9.02)`."""
    low, high = min(values), max(values)
    median = statistics.median(values)
    return f"{median:.{digits}f} {unit} ({low:.{digits}f} to {high:.{digits}f})"


def of_medians(measured: Sequence[float], against: Sequence[float]) -> float:
    """The ratio of the medians."""
    return statistics.median(measured) / statistics.median(against)


def say(line: str) -> None:
    """Write a line at once: a benchmark takes its time."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
