"""Judging: measurements against thresholds, and what follows."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """The outcome of a judgement. Inconclusive is never a pass: no data is no proof."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit: `%`, `ms`, `MiB` or nothing (a count)."""

    value: float
    unit: str = ""

    def __str__(self) -> str:
        number = f"{self.value:.4g}" if abs(self.value) < 1000 else f"{self.value:.0f}"
        return f"{number} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a measurement has to be: at most, or at least, a limit. Bounds are inclusive."""

    measure: str
    relation: str
    limit: Quantity

    def __post_init__(self) -> None:
        if self.relation not in {"at most", "at least"}:
            raise ValueError(f"got relation {self.relation!r}, needs 'at most' or 'at least'")

    def judge(self, measured: Quantity | None) -> "Finding":
        """Compare; None is a measurement that could not be made.

        Raises:
            ValueError: the measurement has another unit than the limit.
        """
        if measured is None:
            return Finding(self, None, Verdict.INCONCLUSIVE)
        if measured.unit != self.limit.unit:
            raise ValueError(
                f"{self.measure}: got unit {measured.unit!r}, needs {self.limit.unit!r}"
            )
        held = (
            measured.value <= self.limit.value
            if self.relation == "at most"
            else measured.value >= self.limit.value
        )
        return Finding(self, measured, Verdict.PASS if held else Verdict.FAIL)


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison. Reads `p99 latency 412 ms (needs at most 2000 ms)`."""

    threshold: Threshold
    measured: Quantity | None
    verdict: Verdict

    def __str__(self) -> str:
        got = "no data" if self.measured is None else str(self.measured)
        return (
            f"{self.threshold.measure} {got} "
            f"(needs {self.threshold.relation} {self.threshold.limit})"
        )


@dataclass(frozen=True, slots=True)
class Gate:
    """Thresholds that must all hold before a release goes on."""

    thresholds: tuple[Threshold, ...]
