"""Which CPU, memory and concurrency Cloud Run lets go together.

https://cloud.google.com/run/docs/configuring/services/cpu
"""

import re
from decimal import Decimal

_MEMORY = re.compile(r"([0-9]{1,9})(Mi|Gi|M|G)")
_MILLICPU = re.compile(r"([0-9]{1,9})m")
_DECIMAL = re.compile(r"[0-9]{0,9}(?:\.[0-9]{1,9})?")
_BYTES = {"M": 1000**2, "G": 1000**3, "Mi": 1024**2, "Gi": 1024**3}

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


def parse_memory(value: object) -> str | None:
    """An amount of memory in its shortest form, so that equal amounts are equal text."""
    match = _MEMORY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    amount, unit = int(match[1]), match[2]
    step = 1024 if unit == "Mi" else 1000
    if unit[0] == "M" and amount % step == 0:
        amount, unit = amount // step, unit.replace("M", "G")
    return f"{amount}{unit}" if amount else None


def parse_cpu(value: object) -> str | None:
    """A number of CPUs: whole as `2`, below one as `500m`.

    Allowed are 1, 2, 4, 6 and 8, and 0.08 to 1 in steps of 0.001.
    """
    millis = _millis("" if isinstance(value, bool) else str(value))
    if millis is None or millis != int(millis):
        return None
    if 80 <= millis < 1000:
        return f"{int(millis)}m"
    return str(int(millis) // 1000) if millis in {1000, 2000, 4000, 6000, 8000} else None


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


def _millis(written: str) -> Decimal | None:
    if match := _MILLICPU.fullmatch(written):
        return Decimal(match[1])
    return Decimal(written) * 1000 if written and _DECIMAL.fullmatch(written) else None


def _cpu_millis(cpu: str) -> int:
    return int(cpu.removesuffix("m")) if cpu.endswith("m") else int(cpu) * 1000


def _bytes(memory: str) -> int:
    unit = memory.lstrip("0123456789")
    return int(memory.removesuffix(unit)) * _BYTES[unit]
