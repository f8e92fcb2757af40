"""Forms of values that people write: durations, sizes, names; what each takes, and needs."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Generic, TypeGuard, TypeVar

T = TypeVar("T")

INT32 = 2**31 - 1
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)

_DURATION = re.compile(r"(?=.)(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([kKMGT]?)(i?)B")
_PERCENTAGE = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,9})?) ?%")
_MILLISECONDS = re.compile(r"([0-9]{1,9})ms")
_PREFIXES = " KMGT"

# CPU and memory: https://cloud.google.com/run/docs/configuring/services/cpu
_NUMBER = r"([0-9]{1,15}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})"
_CPU = re.compile(rf"{_NUMBER}(m?)")
_MEMORY = re.compile(rf"{_NUMBER}(Ki|Mi|Gi|Ti|k|M|G|T|)")
_DEPLOYED_MEMORY = re.compile(r"[0-9]{1,9}(Mi|Gi|M|G)")
_BINARY, _DECIMAL = ("", "Ki", "Mi", "Gi", "Ti"), ("", "k", "M", "G", "T")
_WHOLE_CPUS = ("1", "2", "4", "6", "8")
_MEMORY_BY_MILLICPU = (
    (80, "128Mi", "512Mi"),
    (500, "128Mi", "1Gi"),
    (1000, "128Mi", "4Gi"),
    (2000, "128Mi", "8Gi"),
    (4000, "2Gi", "16Gi"),
    (6000, "4Gi", "24Gi"),
    (8000, "4Gi", "32Gi"),
)
"""From that many thousandths of a CPU on: the least and the most memory."""


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """A form of value.

    `parse` gives None for what cannot be meant, and `needs` says what can. `normal` turns what a
    platform tells into what `parse` gives for the same. `schema` is what JSON schema can say of it.
    """

    needs: str
    parse: Callable[[object], T | None]
    normal: Callable[[T], T] = lambda value: value
    schema: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    def fits(self, value: object) -> bool:
        return self.parse(value) is not None


def text(pattern: str, needs: str) -> Form[str]:
    """Text that matches a pattern as a whole."""

    def parse(value: object) -> str | None:
        return value if isinstance(value, str) and re.fullmatch(pattern, value) else None

    return Form(needs, parse, schema={"type": "string", "pattern": f"^(?:{pattern})$"})


def choice(choices: dict[str, T]) -> Form[T]:
    """One of some words, each with what it stands for."""
    return Form(
        f"one of {', '.join(choices)}",
        lambda value: choices.get(value) if isinstance(value, str) else None,
        schema={"enum": list(choices)},
    )


def whole(lowest: int, highest: int = INT32) -> Form[int]:
    """A whole number within bounds, both included; YAML's booleans are none."""

    def parse(value: object) -> int | None:
        return value if _is_whole(value) and lowest <= value <= highest else None

    bounds = f"from {lowest} on" if highest == INT32 else f"from {lowest} to {highest}"
    limits = {"minimum": lowest, "maximum": highest}
    return Form(f"a whole number {bounds}", parse, schema={"type": "integer", **limits})


def number(lowest: float, highest: float) -> Form[float]:
    """A number within bounds, both included."""

    def parse(value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if lowest <= value <= highest else None

    limits = {"minimum": lowest, "maximum": highest}
    needs = f"a number from {lowest:g} to {highest:g}"
    return Form(needs, parse, schema={"type": "number", **limits})


def percentage(lowest: float, highest: float) -> Form[float]:
    """`1 %` or `0.5%`, as a part of one; bounds are in percent, and both included."""

    def parse(value: object) -> float | None:
        match = _PERCENTAGE.fullmatch(value) if isinstance(value, str) else None
        if match is None or not lowest <= float(match[1]) <= highest:
            return None
        return float(Decimal(match[1]) / 100)

    return Form(f"a percentage from {lowest:g} % to {highest:g} %, such as {lowest:g} %", parse)


def milliseconds(highest: int) -> Form[timedelta]:
    """`20ms`, from none on."""

    def parse(value: object) -> timedelta | None:
        match = _MILLISECONDS.fullmatch(value) if isinstance(value, str) else None
        meant = int(match[1]) if match else highest + 1
        return timedelta(milliseconds=meant) if meant <= highest else None

    return Form(f"a time from 0ms to {highest}ms, such as 20ms", parse)


def duration(
    lowest: timedelta, highest: timedelta, *, bare_seconds: bool = False
) -> Form[timedelta]:
    """A duration within bounds; a number alone is seconds only where gcloud takes it as such."""

    def parse(value: object) -> timedelta | None:
        if bare_seconds and _is_whole(value):
            meant = timedelta(seconds=value) if 0 <= value <= 86400 else None
        else:
            meant = parse_duration(value)
        return meant if meant is not None and lowest <= meant <= highest else None

    bounds = f"from {spell_duration(lowest)} to {spell_duration(highest)}"
    return Form(f"a duration {bounds}, such as 90s, 10m or 1h30m", parse)


def sequence(needs: str, fits: Callable[[Sequence[object]], bool]) -> Form[tuple[str, ...]]:
    """A list that is judged as a whole."""
    return Form(
        needs,
        lambda value: tuple(value) if isinstance(value, list) and fits(value) else None,
        schema={"type": "array"},
    )


def several(needs: str, item: Form[str]) -> Form[tuple[str, ...]]:
    """A list of one or more, each of the same form."""
    return sequence(needs, lambda values: bool(values) and all(map(item.fits, values)))


BOOLEAN = Form(
    "true or false",
    lambda value: value if isinstance(value, bool) else None,
    schema={"type": "boolean"},
)


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


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def normal_cpu(written: str) -> str:
    """CPUs: whole ones as `2`, others in thousandths, as `500m`. What is none stays as it is."""
    match = _CPU.fullmatch(written)
    if match is None:
        return written
    millis = Decimal(match[1]) * (1 if match[2] else 1000)
    if millis != int(millis):
        return written
    return f"{int(millis) // 1000}" if millis % 1000 == 0 else f"{int(millis)}m"


def normal_memory(written: str) -> str:
    """Bytes in the largest unit that goes into them, up to Gi or G; as written where none does.

    A unit stays of its kind: 1024Mi is 1Gi, and 1000M is 1G. Plain bytes are counted in Mi.
    """
    amount = _bytes(written)
    units, step = (_DECIMAL, 1000) if written[-1:] in {*_DECIMAL[1:]} else (_BINARY, 1024)
    for power in (3, 2):
        if amount and amount % step**power == 0:
            return f"{int(amount) // step**power}{units[power]}"
    return written


def parse_cpu(value: object) -> str | None:
    """Parse what a revision may ask for: 1, 2, 4, 6 or 8 CPUs, or 0.08 to 1 in steps of 0.001."""
    cpu = "" if isinstance(value, bool) else normal_cpu(str(value))
    if cpu in _WHOLE_CPUS:
        return cpu
    return cpu if cpu.endswith("m") and 80 <= Decimal(cpu.removesuffix("m")) < 1000 else None


def parse_memory(value: object) -> str | None:
    """Parse what a revision may ask for: a whole number of Mi, Gi, M or G."""
    if not isinstance(value, str) or not _DEPLOYED_MEMORY.fullmatch(value):
        return None
    return normal_memory(value) if _bytes(value) else None


def judge_memory(memory: str, *, cpu: str) -> None:
    """Raise ValueError, saying what is needed, unless the CPU goes with the memory.

    Both are in the form that `parse_memory` and `parse_cpu` give.
    """
    _, least, most = next(
        row for row in reversed(_MEMORY_BY_MILLICPU) if row[0] <= _cpu_millis(cpu)
    )
    if not _bytes(least) <= _bytes(memory) <= _bytes(most):
        raise ValueError(f"{least} to {most} with deploy.cpu {cpu}")


def judge_concurrency(concurrency: int, *, cpu: str) -> None:
    """Raise ValueError, saying what is needed, where less than a CPU serves several at once."""
    if concurrency > 1 and is_part_of_cpu(cpu):
        raise ValueError(f"1 with deploy.cpu {cpu}, which is less than 1")


def is_part_of_cpu(cpu: str) -> bool:
    """Tell whether it is less than one CPU, of what `parse_cpu` gives."""
    return _cpu_millis(cpu) < 1000


def is_memory_from(memory: str, least: str) -> bool:
    """Tell whether it is so much or more, of what `parse_memory` gives."""
    return _bytes(memory) >= _bytes(least)


def _cpu_millis(cpu: str) -> int:
    return int(cpu.removesuffix("m")) if cpu.endswith("m") else int(cpu) * 1000


def _bytes(memory: str) -> Decimal:
    """Bytes of an amount; 0 of what is none."""
    match = _MEMORY.fullmatch(memory)
    if match is None:
        return Decimal()
    power = "KMGT".index(match[2][0].upper()) + 1 if match[2] else 0
    step = Decimal(1024 if match[2].endswith("i") else 1000)
    return Decimal(match[1]) * step**power
