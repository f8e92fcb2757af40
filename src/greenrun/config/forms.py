"""How values are written: durations, sizes, names, paths, and what each one needs to be."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from pydantic import PlainValidator

_DURATION = re.compile(r"(?=.)(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([kKMGT]?)(i?)B")
_PERCENTAGE = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,9})?) ?%")
_MILLISECONDS = re.compile(r"([0-9]{1,9})ms")
_PREFIXES = " KMGT"


def form(needs: str, read: Callable[[object], object]) -> PlainValidator:
    """A form of value; `read` gives None for what cannot be meant, and `needs` says what can."""

    def validate(value: object) -> object:
        meant = read(value)
        if meant is None:
            raise ValueError(needs)
        return meant

    return PlainValidator(validate)


@dataclass(frozen=True, slots=True)
class Text:
    """Text that matches a pattern as a whole."""

    pattern: str
    needs: str

    def fits(self, value: object) -> bool:
        return matches(self.pattern, value)

    @property
    def form(self) -> PlainValidator:
        return form(self.needs, lambda value: value if self.fits(value) else None)


def choice(choices: dict[str, object]) -> PlainValidator:
    """One of some words, each with what it stands for."""
    return form(
        f"one of {', '.join(choices)}",
        lambda value: choices.get(value) if isinstance(value, str) else None,
    )


def flag() -> PlainValidator:
    """True or false, and no other word for it."""
    return form("true or false", lambda value: value if isinstance(value, bool) else None)


def whole(lowest: int, highest: int) -> PlainValidator:
    """A whole number within bounds, both included."""

    def read(value: object) -> int | None:
        if isinstance(value, int) and is_whole(value) and lowest <= value <= highest:
            return value
        return None

    bounds = f"from {lowest} on" if highest == 2**31 - 1 else f"from {lowest} to {highest}"
    return form(f"a whole number {bounds}", read)


def number(lowest: float, highest: float) -> PlainValidator:
    """A number within bounds, both included."""

    def read(value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if lowest <= value <= highest else None

    return form(f"a number from {lowest:g} to {highest:g}", read)


def percentage(lowest: float, highest: float) -> PlainValidator:
    """`1 %` or `0.5%`, as a part of one; bounds are in percent, and both included."""

    def read(value: object) -> float | None:
        match = _PERCENTAGE.fullmatch(value) if isinstance(value, str) else None
        if match is None or not lowest <= float(match[1]) <= highest:
            return None
        return float(Decimal(match[1]) / 100)

    return form(f"a percentage from {lowest:g} % to {highest:g} %, such as {lowest:g} %", read)


def milliseconds(highest: int) -> PlainValidator:
    """`20ms`, from none on."""

    def read(value: object) -> timedelta | None:
        match = _MILLISECONDS.fullmatch(value) if isinstance(value, str) else None
        meant = int(match[1]) if match else highest + 1
        return timedelta(milliseconds=meant) if meant <= highest else None

    return form(f"a time from 0ms to {highest}ms, such as 20ms", read)


def listed(needs: str, fits: Callable[[list[object]], bool]) -> PlainValidator:
    """A list that is judged as a whole."""
    return form(
        needs, lambda value: tuple(value) if isinstance(value, list) and fits(value) else None
    )


def duration(
    lowest: timedelta, highest: timedelta, *, bare_seconds: bool = False
) -> PlainValidator:
    """A duration within bounds; a number alone is seconds only where gcloud takes it as such."""

    def read(value: object) -> timedelta | None:
        meant = seconds(value) if bare_seconds and is_whole(value) else parse_duration(value)
        return meant if meant is not None and lowest <= meant <= highest else None

    bounds = f"from {spell_duration(lowest)} to {spell_duration(highest)}"
    return form(f"a duration {bounds}, such as 90s, 10m or 1h30m", read)


def matches(pattern: str, value: object) -> bool:
    """True for text that matches as a whole."""
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def is_whole(value: object) -> bool:
    """True for whole numbers; YAML's booleans are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def seconds(value: object) -> timedelta | None:
    """A number of seconds that a day holds."""
    return timedelta(seconds=value) if isinstance(value, int) and 0 <= value <= 86400 else None


def parse_duration(value: object) -> timedelta | None:
    """`90s`, `10m`, `1h30m`."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=rest)


def spell_duration(value: timedelta) -> str:
    """A duration of whole seconds as people write it."""
    minutes, rest = divmod(int(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "m"), (rest, "s")]
    return "".join(f"{amount}{unit}" for amount, unit in parts if amount) or "0s"


def parse_size(value: object) -> int | None:
    """Bytes of `2GB` (10^9 each) or `512MiB` (2^20 each)."""
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    amount, prefix, binary = match.groups()
    power = _PREFIXES.index(prefix.upper() or " ")
    return int(Decimal(amount) * (1024 if binary else 1000) ** power) or None
