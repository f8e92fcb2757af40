"""Data that is told later than it came about."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class DataLate:
    """Metrics or logs younger than this are withheld."""

    delay: timedelta
