"""The plots of docs/canary.md: evidence as it grows, three judges of the same, the report."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from benchmarks import verdict_report
from benchmarks.project import ROOT
from benchmarks.verdict_judges import ALPHA, Kind, Numbers, Streams, judged
from greenrun.model.stats import Counts, ErrorRateComparison, Result

mpl.use("svg")
mpl.rcParams.update({"svg.hashsalt": "greenrun", "font.size": 9, "axes.spines.top": False})

from matplotlib import pyplot as plt  # noqa: E402 - the backend is chosen first

RUNS, A_MINUTE = 1000, 600
CANARY = Kind(9_000, 0.1, 0.004, 0.02)
HEALTHY = Kind(9_000, 0.1, 0.004, 0.004)
COLOURS = {"greenrun": "tab:green", "fixed threshold": "tab:red", "Mann-Whitney": "tab:blue"}


def draw() -> list[Path]:
    """Write them all, and say where."""
    return [
        _evidence(ROOT / "docs/canary-evidence.svg"),
        _judges(ROOT / "docs/canary-judges.svg"),
        verdict_report.draw(ROOT / "docs/canary-report.svg"),
    ]


def _evidence(path: Path) -> Path:
    """One bad and one healthy candidate, by the domain, in odds."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 2.6), sharey=True, layout="constrained")
    for panel, kind, title in zip(
        panels, (CANARY, HEALTHY), ("0.4 % to 2 %", "0.4 %, as before"), strict=True
    ):
        looks = list(_looks(kind))
        _line(panel, looks, "against", "tab:red")
        _line(panel, looks, "for_", "tab:green")
        panel.axhline(100, color="tab:red", linestyle=":", linewidth=1)
        panel.axhline(20, color="tab:green", linestyle=":", linewidth=1)
        panel.set(yscale="log", ylim=(0.01, 1000), xlabel="requests", title=title)
        panel.annotate(looks[-1].outcome.value, (looks[-1].requests, 300), ha="right")
    panels[0].set_ylabel("odds that the evidence is worth")
    names = ["against (needs 100)", "for (needs 20)"]
    figure.legend(panels[0].get_lines()[:2], names, loc="outside right upper", frameon=False)
    return _saved(figure, path)


def _looks(kind: Kind) -> Iterable[Result]:
    """Every 32 requests, until it is decided."""
    test = ErrorRateComparison(ALPHA)
    look = test.start()
    (streams,) = kind.streams(1, 9)
    for until in range(32, kind.requests, 32):
        look = test.update(look, *_counts(streams, until))
        yield look
        if look.outcome.value in {"pass", "fail"}:
            return


def _counts(streams: Streams, until: int) -> tuple[Counts, Counts]:
    one, bad = streams.candidate[0, :until], streams.bad[0, :until]
    mine, theirs = bad[one], bad[~one]
    return (
        Counts(int((~mine).sum()), int(mine.sum())),
        Counts(int((~theirs).sum()), int(theirs.sum())),
    )


def _line(panel: Any, looks: list[Result], name: str, colour: str) -> None:  # noqa: ANN401 - untyped
    odds = [np.exp(getattr(look.evidence, name)) for look in looks]
    panel.plot([look.requests for look in looks], np.maximum(odds, 0.01), color=colour)


def _judges(path: Path) -> Path:
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
    return _saved(figure, path)


def _by(after: Numbers, places: Numbers) -> Numbers:
    percent: Numbers = np.mean(100.0 * (after[:, None] <= places), axis=0)
    return percent


def _saved(figure: Any, path: Path) -> Path:  # noqa: ANN401 - untyped
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path
