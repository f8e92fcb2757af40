"""The plots of docs/canary.md: evidence as it grows, three judges of the same, the report.

`make docs` draws them: the same bytes from the same seeds.
"""

import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from benchmarks import verdict_report
from benchmarks.figures import say
from benchmarks.project import ROOT
from benchmarks.verdict_judges import ALPHA, Kind, Numbers, Streams, judged
from greenrun.model.stats import Counts, ErrorRateComparison, Result

mpl.use("svg")
mpl.rcParams.update(
    {
        "svg.hashsalt": "greenrun",
        "svg.fonttype": "none",
        "path.simplify_threshold": 0.5,
        "font.size": 9,
        "axes.spines.top": False,
    }
)

from matplotlib import pyplot as plt  # noqa: E402 - the backend is chosen first

RUNS, A_MINUTE = 1000, 600
CANARY = Kind(9_000, 0.1, 0.004, 0.02)
HEALTHY = Kind(9_000, 0.1, 0.004, 0.004)
POINTS = 150
"""Of a line; more cannot be told apart."""

COLOURS = {"greenrun": "tab:green", "fixed threshold": "tab:red", "Mann-Whitney": "tab:blue"}


def draw() -> list[Path]:
    """Write them all, and say where."""
    return [
        _written("evidence", _evidence()),
        _written("judges", _judges()),
        _written("report", verdict_report.draw()),
    ]


def _written(name: str, svg: bytes) -> Path:
    path = ROOT / f"docs/canary-{name}.svg"
    path.write_text(f"{_small(svg.decode())}\n", "utf-8")
    return path


def _small(svg: str) -> str:
    """Drop what nobody sees: decimals beyond the first, metadata, and lines between elements."""
    without_facts = re.sub(r"<metadata>.*?</metadata>|<!DOCTYPE.*?>", "", svg, flags=re.DOTALL)
    rounded = re.sub(r"-?\d+\.\d{2,}", lambda found: f"{float(found[0]):.1f}", without_facts)
    return re.sub(r">\s+<", "><", re.sub(r"\s*\n\s*", " ", rounded)).strip()


def _evidence() -> bytes:
    """One bad and one healthy candidate, by the domain, in odds."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 2.6), sharey=True, layout="constrained")
    for panel, kind, title in zip(
        panels, (CANARY, HEALTHY), ("0.4 % to 2 %", "0.4 %, as before"), strict=True
    ):
        results = list(_results(kind))
        _line(panel, results, "against", "tab:red")
        _line(panel, results, "for_", "tab:green")
        panel.axhline(100, color="tab:red", linestyle=":", linewidth=1)
        panel.axhline(20, color="tab:green", linestyle=":", linewidth=1)
        panel.set(yscale="log", ylim=(0.01, 1000), xlabel="requests", title=title)
        panel.minorticks_off()
        panel.annotate(results[-1].outcome.value, (results[-1].requests, 300), ha="right")
    panels[0].set_ylabel("odds that the evidence is worth")
    names = ["against (needs 100)", "for (needs 20)"]
    figure.legend(panels[0].get_lines()[:2], names, loc="outside right upper", frameon=False)
    return _saved(figure)


def _results(kind: Kind) -> Iterable[Result]:
    """Yield the result every 32 requests, until it is decided."""
    test = ErrorRateComparison(ALPHA)
    result = test.start()
    (streams,) = kind.streams(1, 9)
    for until in range(32, kind.requests, 32):
        result = test.update(result, *_counts(streams, until))
        yield result
        if result.outcome.value in {"pass", "fail"}:
            return


def _counts(streams: Streams, until: int) -> tuple[Counts, Counts]:
    one, bad = streams.candidate[0, :until], streams.bad[0, :until]
    mine, theirs = bad[one], bad[~one]
    return (
        Counts(int((~mine).sum()), int(mine.sum())),
        Counts(int((~theirs).sum()), int(theirs.sum())),
    )


def _line(panel: Any, results: list[Result], name: str, colour: str) -> None:  # noqa: ANN401 - untyped
    some = [*results[:: max(1, len(results) // POINTS)], results[-1]]
    odds = [np.exp(getattr(result.evidence, name)) for result in some]
    panel.plot([result.requests for result in some], np.maximum(odds, 0.01), color=colour)


def _judges() -> bytes:
    """How many runs each judge has rolled back by when."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 2.6), sharey=True, layout="constrained")
    worse, equal = Kind(6_000, 0.05, 0.001, 0.05), Kind(20_000, 0.1, 0.01, 0.01)
    for panel, kind, title in (
        (panels[0], worse, "0.1 % to 5 %, share 5 %"),
        (panels[1], equal, "1 % in both, share 10 %"),
    ):
        for judge, after in judged(kind, RUNS, 8, A_MINUTE).items():
            places = np.linspace(0, kind.requests, 101)
            panel.plot(places / A_MINUTE, _by(after, places), color=COLOURS[judge], label=judge)
        panel.set(xlabel="minutes at 10 requests a second", title=title, ylim=(0, 102))
    panels[0].set_ylabel("rolled back, %")
    lines = panels[0].get_lines()
    figure.legend(lines, COLOURS, loc="outside right upper", frameon=False)
    return _saved(figure)


def _by(after: Numbers, places: Numbers) -> Numbers:
    percent: Numbers = np.mean(100.0 * (after[:, None] <= places), axis=0)
    return percent


def _saved(figure: Any) -> bytes:  # noqa: ANN401 - untyped
    document = BytesIO()
    figure.savefig(document, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return document.getvalue()


def main() -> None:
    """Draw the plots."""
    for path in draw():
        say(f"drawn: {path.relative_to(ROOT)}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
