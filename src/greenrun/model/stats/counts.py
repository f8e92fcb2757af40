"""Requests, counted by how they went."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Good and bad requests of one revision; since when is up to who counts."""

    good: int = 0
    bad: int = 0

    def __post_init__(self) -> None:
        if self.good < 0 or self.bad < 0:
            raise ValueError(f"got {self.good} good and {self.bad} bad, needs 0 or more of each")

    @property
    def total(self) -> int:
        """All requests."""
        return self.good + self.bad

    @property
    def rate(self) -> float:
        """The share of the bad ones, 0 to 1; 0 of none."""
        return self.bad / self.total if self.total else 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.good + other.good, self.bad + other.bad)

    def __sub__(self, earlier: "Counts") -> "Counts":
        """What was counted since.

        Raises:
            ValueError: a count has fallen.
        """
        if self.good < earlier.good or self.bad < earlier.bad:
            raise ValueError(f"got {self!r} after {earlier!r}, needs counts that never fall")
        return Counts(self.good - earlier.good, self.bad - earlier.bad)

    def __str__(self) -> str:
        return f"{self.bad:,} of {self.total:,}"
