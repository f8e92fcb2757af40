"""How long something takes, as people say it."""

from datetime import timedelta


def span(duration: timedelta) -> str:
    """`1 h 5 min 30 s`, without what is zero."""
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
