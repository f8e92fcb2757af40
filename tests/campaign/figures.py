"""What a campaign came to: a table of faults and calls, and its figures."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from tests.campaign.course import Ending, Outcome
from tests.campaign.faults import Case

_SHORT = {Ending.RELEASED: "ok", Ending.NOT_RELEASED: "red", Ending.NEEDS_PERSON: "person"}


def table(cases: Sequence[Case]) -> str:
    """Fault x call: how many releases ended how."""
    effects = list(dict.fromkeys(case.fault.effect for case in cases))
    cells: dict[tuple[str, str], Counter[Ending]] = defaultdict(Counter)
    for case in cases:
        cells[case.fault.rpc, case.fault.effect][case.outcome.ending] += 1
    rpcs = sorted({case.fault.rpc for case in cases})
    told = [[rpc, *(_cell(cells[rpc, effect]) for effect in effects)] for rpc in rpcs]
    rows = [["call", *effects], *told]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def endings(outcomes: Iterable[Outcome]) -> str:
    """How many releases ended how, in a line."""
    counted = Counter(outcome.ending for outcome in outcomes)
    told = (f"{counted[ending]} {ending.value}" for ending in Ending)
    return f"{counted.total()} releases: {', '.join(told)}"


def rollback(outcomes: Iterable[Outcome]) -> str:
    """From a closing gate, while users had moved, to the proof that the baseline serves them."""
    times = sorted(one.took_back for one in outcomes if one.took_back is not None)
    if not times:
        return "no gate closed while users had moved"
    return (
        f"from a closing gate to the baseline serving everybody, proven: median "
        f"{_seconds(times[len(times) // 2])}, p95 {_seconds(times[len(times) * 95 // 100])}, "
        f"most {_seconds(times[-1])}, of {len(times)}"
    )


def _cell(endings: Counter[Ending]) -> str:
    told = (f"{endings[ending]} {short}" for ending, short in _SHORT.items() if endings[ending])
    return " ".join(told) or "-"


def _seconds(time: timedelta) -> str:
    return f"{time.total_seconds():.2f} s"
