"""The ways to say what goes wrong, and when."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grpc import StatusCode

from cloudrun_emulator.core.durations import DURATION, duration
from cloudrun_emulator.faults import triggers
from cloudrun_emulator.faults.effects import (
    OperationLate,
    OperationNeverBegun,
    OperationNeverDone,
    Refused,
    ReplyLate,
    ReplyLost,
)
from cloudrun_emulator.faults.lateness import DataLate
from cloudrun_emulator.faults.revisions import REASONS, Failed, ReadyLate
from cloudrun_emulator.faults.staleness import Stale

_CODES = {code.name: code for code in StatusCode if code is not StatusCode.OK}

_WORDS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "CODE": ("|".join(_CODES), _CODES.__getitem__),
    "REASON": ("|".join(REASONS), REASONS.__getitem__),
    "DURATION": (DURATION, duration),
    "COUNT": (r"[1-9]\d{0,8}", int),
    "ORDINAL": (r"[1-9]\d{0,8}(?:st|nd|rd|th)", lambda text: int(text[:-2])),
}
"""What the capitals in a form stand for: their shape, and what is made of it."""

_EXPLAINED = {
    "CODE": ", ".join(_CODES),
    "REASON": ", ".join(REASONS),
    "DURATION": "as in 200ms, 180s, 1.5m",
    "COUNT": "as in 3",
    "ORDINAL": "as in 2nd",
}
_CAPITALS = re.compile("|".join(_WORDS))


@dataclass(frozen=True)
class Form:
    """One way to say something, and what it makes of the words in capitals."""

    shown: str
    make: Callable[..., Any]

    def read(self, text: str) -> Any | None:  # noqa: ANN401 - an effect or a rule
        """What `text` says, or None when it is not of this form."""
        match = re.fullmatch(
            _CAPITALS.sub(lambda word: f"({_WORDS[word[0]][0]})", self.shown), text
        )
        if match is None:
            return None
        words = _CAPITALS.findall(self.shown)
        said = zip(words, match.groups(), strict=True)
        return self.make(*(_WORDS[word][1](part) for word, part in said))


CALLS = (
    Form("CODE", Refused),
    Form("reply lost", ReplyLost),
    Form("reply late by DURATION", ReplyLate),
    Form("stale", Stale),
    Form("operation late by DURATION", OperationLate),
    Form("operation never done", OperationNeverDone),
    Form("operation never begun", OperationNeverBegun),
)
REVISIONS = (
    Form("never ready", ReadyLate),
    Form("late by DURATION", ReadyLate),
    Form("REASON", Failed),
    Form("REASON after DURATION", Failed),
)
DATA = (Form("late by DURATION", DataLate),)
OCCASIONS = (
    Form("once", lambda: triggers.first(1)),
    Form("twice", lambda: triggers.first(2)),
    Form("COUNT times", triggers.first),
    Form("the ORDINAL time", triggers.only),
    Form("for DURATION", triggers.during),
)


def read(text: str, forms: Iterable[Form]) -> Any | None:  # noqa: ANN401 - an effect or a rule
    """What `text` says in the first of `forms` that it is of; None when it is of none."""
    said = (form.read(text) for form in forms)
    return next((one for one in said if one is not None), None)


def explained(forms: Iterable[Form]) -> str:
    """All of `forms` in a line, and what their capitals stand for."""
    shown = " | ".join(form.shown for form in forms)
    words = [word for word in _EXPLAINED if word in shown]
    return "; ".join([shown, *(f"{word}: {_EXPLAINED[word]}" for word in words)])
