"""The sheet that charts are drawn on: its style, its colours, and the SVG that it becomes."""

import io
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

WIDTH = 9.6
"""Of every chart, in inches: about what Allure shows without scaling it."""

CANDIDATE, BASELINE = "#d55e00", "#0072b2"
"""Colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008)."""

AGAINST, FOR = CANDIDATE, "#009e73"
INK, FAINT, BAND = "#222222", "#767676", "#eef1f4"

_CHARACTERS = 92
"""That fit on a line of the title."""

_STYLE: dict[str, object] = {
    "svg.hashsalt": "greenrun",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "path.simplify_threshold": 0.5,
}


class Sheet:
    """An empty figure under a title."""

    def __init__(self, title: str, height: float) -> None:
        self._title = _as_heading(title)
        lines = textwrap.wrap(self._title, _CHARACTERS)
        self.figure = Figure((WIDTH, height + 0.2 * len(lines)), layout="constrained")
        self.figure.suptitle(
            _plain("\n".join(lines)), x=0.01, ha="left", fontsize=11.5, fontweight="bold"
        )

    def svg(self) -> bytes:
        """The document; nothing in it tells when it was drawn, or by what."""
        document = io.BytesIO()
        FigureCanvasSVG(self.figure)
        facts = {"Title": self._title, "Date": None, "Creator": None}
        self.figure.savefig(document, format="svg", metadata=facts)
        return document.getvalue()


@contextmanager
def style() -> Iterator[None]:
    """What is drawn within looks like all charts."""
    with mpl.rc_context(cast("Any", _STYLE)):
        yield


def say(panel: Axes, text: str) -> None:
    """Words in place of a line."""
    panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", color=FAINT)


def explain(panel: Axes) -> None:
    """Tell above the panel which colour is whose."""
    legend = panel.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 0.98),
        ncols=2,
        frameon=False,
        fontsize=9,
        handlelength=1.2,
        columnspacing=1.2,
    )
    legend.set_in_layout(False)


def _as_heading(text: str) -> str:
    """With a capital, unless that is a name: p95."""
    return text if text[1:2].isdigit() else text[:1].upper() + text[1:]


def _plain(text: str) -> str:
    """Text in which matplotlib finds no formula."""
    return text.replace("$", r"\$")
