"""Names of lines, written where they end, each with room of its own."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes

_LINE = 7.5
"""What a line of text takes of a panel's height, in percent."""

_CHARACTERS = 22
"""That fit on it."""

_SAME = 4.0
"""Ends of lines that are nearer to each other share a label; in the data's own unit."""


@dataclass(frozen=True, slots=True)
class Label:
    """What is written beside a panel, at this height in the data's own unit."""

    height: float
    text: str
    colour: str
    bold: bool = False

    @property
    def lines(self) -> list[str]:
        """The text, broken where it has to be; of words that are too long, the end is told."""
        words = (
            word if len(word) <= _CHARACTERS else f"…{word[1 - _CHARACTERS :]}"
            for word in self.text.split()
        )
        return textwrap.wrap(" ".join(words), _CHARACTERS)


def write_beside(panel: Axes, labels: Sequence[Label]) -> None:
    """Write them right of the panel, in the order of their heights."""
    low, high = panel.get_ylim()
    rising = sorted(joined(labels), key=lambda label: label.height)
    wanted = [100 * (label.height - low) / (high - low) for label in rising]
    needed = [_LINE * len(label.lines) for label in rising]
    for label, place in zip(rising, apart(wanted, needed), strict=True):
        panel.annotate(
            "\n".join(label.lines),
            (1, place / 100),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=label.colour,
            fontsize=9 if label.bold else 8,
            fontweight="bold" if label.bold else "normal",
        )


def joined(labels: Iterable[Label]) -> list[Label]:
    """Labels that are not bold and would stand in one place, as one."""
    found: list[Label] = []
    for label in sorted(labels, key=lambda one: (one.bold, one.height)):
        last = found[-1] if found else None
        if last is None or label.bold or label.height - last.height > _SAME:
            found.append(label)
        else:
            found[-1] = replace(last, text=f"{last.text}, {label.text}")
    return found


def apart(wanted: Sequence[float], needed: Sequence[float]) -> list[float]:
    """Rising places in percent, each in the middle of what it needs.

    Moved as little as keeps them apart, and under 100 as far as they fit there.
    """
    places, floor = list(wanted), -100.0
    for index, need in enumerate(needed):
        places[index] = max(places[index], floor + need / 2)
        floor = places[index] + need / 2
    ceiling = 104.0
    for index, need in reversed(list(enumerate(needed))):
        places[index] = min(places[index], ceiling - need / 2)
        ceiling = places[index] - need / 2
    return places
