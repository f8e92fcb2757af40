"""Amounts of CPU and memory in one form, however they are written: equal amounts, equal text."""

import re
from decimal import Decimal

_NUMBER = r"([0-9]{1,15}(?:\.[0-9]{1,9})?)"
_CPU = re.compile(rf"{_NUMBER}(m?)")
_MEMORY = re.compile(rf"{_NUMBER}(Ki|Mi|Gi|Ti|k|M|G|T|)")
_BINARY, _DECIMAL = ("", "Ki", "Mi", "Gi"), ("", "k", "M", "G")


def cpu(written: str) -> str:
    """CPUs: whole ones as `2`, others in thousandths, as `500m`. What is none stays as it is."""
    match = _CPU.fullmatch(written)
    if match is None:
        return written
    millis = Decimal(match[1]) * (1 if match[2] else 1000)
    if millis != int(millis):
        return written
    return f"{int(millis) // 1000}" if millis % 1000 == 0 else f"{int(millis)}m"


def memory(written: str) -> str:
    """Bytes in the largest unit that goes into them, up to Gi or G; as written where none does.

    A unit stays of its kind: 1024Mi is 1Gi, and 1000M is 1G. Plain bytes are counted in Mi.
    """
    match = _MEMORY.fullmatch(written)
    if match is None:
        return written
    units, step = (_DECIMAL, 1000) if match[2] in {"k", "M", "G", "T"} else (_BINARY, 1024)
    amount = Decimal(match[1]) * _factor(match[2], step)
    for power in (3, 2):
        if amount and amount % step**power == 0:
            return f"{int(amount) // step**power}{units[power]}"
    return written


def _factor(unit: str, step: int) -> int:
    power = 0 if not unit else "KMGT".index(unit[0].upper()) + 1
    return int(step**power)
