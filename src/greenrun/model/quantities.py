"""Amounts of CPU and memory: one form for equal amounts, and which Cloud Run lets go together.

https://cloud.google.com/run/docs/configuring/services/cpu
"""

import re
from decimal import Decimal

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
    if concurrency > 1 and _cpu_millis(cpu) < 1000:
        raise ValueError(f"1 with deploy.cpu {cpu}, which is less than 1")


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
