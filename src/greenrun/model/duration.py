"""How long something takes, as people say it."""

from collections.abc import Mapping
from datetime import timedelta

MILLISECONDS: Mapping[str, int] = {"s": 1_000, "ms": 1, "min": 60_000}
"""In one of each unit that a limit of time may be in."""


def span(duration: timedelta) -> str:
    """`1 h 5 min 30 s`, without what is zero."""
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
