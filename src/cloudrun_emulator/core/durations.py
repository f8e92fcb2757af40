"""Durations as people type them: `200ms`, `180s`, `1.5m`, `2h`."""

import re
from datetime import timedelta

UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"}
DURATION = rf"\d{{1,6}}(?:\.\d{{1,6}})?(?:{'|'.join(UNITS)})"
_PARTS = re.compile(rf"([\d.]+)({'|'.join(UNITS)})")


def duration(text: str) -> timedelta:
    """Raise ValueError for anything but a number and a unit."""
    match = _PARTS.fullmatch(text) if re.fullmatch(DURATION, text) else None
    if match is None:
        raise ValueError(f"{text!r} needs a number and one of {', '.join(UNITS)}")
    return timedelta(**{UNITS[match[2]]: float(match[1])})
