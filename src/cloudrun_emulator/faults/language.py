"""Faults as people write them: `SUBJECT: EFFECT[, TRIGGER]`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from grpc import StatusCode

from cloudrun_emulator.core.time import DURATION, parse_duration
from cloudrun_emulator.faults.effects import (
    CallEffect,
    CallRefused,
    OperationDelayed,
    OperationNeverBegun,
    OperationNeverDone,
    ReplyDelayed,
    ReplyLost,
)
from cloudrun_emulator.faults.fault import Clock, Fault, Rule, Trigger, always, during, first, only
from cloudrun_emulator.faults.revisions import REASONS, ReadyDelayed, RevisionFails
from cloudrun_emulator.faults.staleness import DataDelayed, StaleReads, TagDelayed
from cloudrun_emulator.server.methods import Method

_CODES = {code.name: code for code in StatusCode if code is not StatusCode.OK}


_WORDS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "CODE": ("|".join(_CODES), _CODES.__getitem__),
    "REASON": ("|".join(REASONS), REASONS.__getitem__),
    "DURATION": (DURATION, parse_duration),
    "COUNT": (r"[1-9]\d{0,8}", int),
    "ORDINAL": (r"[1-9]\d{0,8}(?:st|nd|rd|th)", lambda text: int(text[:-2])),
}
"""The words in capitals of a form: their pattern, and the value that is made of the text."""


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
    """A sentence with words in capitals, and what makes an effect or a rule of these."""

    shown: str
    make: Callable[..., Any]

    def match(self, text: str) -> Any | None:  # noqa: ANN401 - an effect or a rule
        """Return the effect or rule that `text` describes, or None when it is not of this form."""
        match = re.fullmatch(
            _CAPITALS.sub(lambda word: f"({_WORDS[word[0]][0]})", self.shown), text
        )
        if match is None:
            return None
        words = _CAPITALS.findall(self.shown)
        said = zip(words, match.groups(), strict=True)
        return self.make(*(_WORDS[word][1](part) for word, part in said))


CALLS = (
    Form("CODE", CallRefused),
    Form("reply lost", ReplyLost),
    Form("reply late by DURATION", ReplyDelayed),
    Form("stale", StaleReads),
    Form("operation late by DURATION", OperationDelayed),
    Form("operation never done", OperationNeverDone),
    Form("operation never begun", OperationNeverBegun),
)


REVISIONS = (
    Form("never ready", ReadyDelayed),
    Form("late by DURATION", ReadyDelayed),
    Form("REASON", RevisionFails),
    Form("REASON after DURATION", RevisionFails),
)


DATA = (Form("late by DURATION", DataDelayed),)


TAGS = (Form("late by DURATION", TagDelayed),)


TRIGGERS = (
    Form("once", lambda: first(1)),
    Form("twice", lambda: first(2)),
    Form("COUNT times", first),
    Form("the ORDINAL time", only),
    Form("for DURATION", during),
)


_FAULT = re.compile(
    r"(?P<subject>[^:]*[^:\s]) ?: ?(?P<effect>[^,]*[^,\s])(?: ?, ?(?P<trigger>.+))?"
)


_DATA = re.compile(r"(metrics|logs)")


_REVISION = re.compile(r"revision (\S+)")


_TAG = re.compile(r"tag (\S+?)(?: of (\S+))?")


_CALL = re.compile(r"(\S+)(?: of (\S+))?")


class UnknownFault(ValueError):
    """Text that describes no fault; the message quotes it, and tells in one line what is known."""

    def __init__(self, fault: str, problem: str) -> None:
        super().__init__(f"fault {fault!r}: {problem}")


def parse_fault(text: str, methods: Sequence[Method], clock: Clock) -> Fault[Any]:
    """Raise UnknownFault for what is not of the language, or meets none of `methods`."""
    text = " ".join(text.split())
    match = _FAULT.fullmatch(text)
    if match is None:
        raise UnknownFault(text, "needs SUBJECT: EFFECT, or SUBJECT: EFFECT, TRIGGER")
    subject, forms = _parse_subject(text, match["subject"])
    effect = _parse_form(text, "effect", match["effect"], forms)
    if isinstance(effect, CallEffect):
        _check_rpc(text, subject[0], effect, methods)
    return Fault(text, subject, effect, Trigger(_parse_rule(text, match["trigger"]), clock))


def _parse_subject(fault: str, subject: str) -> tuple[tuple[str, ...], Iterable[Form]]:
    """Return its patterns, and the forms of its effects."""
    if match := _DATA.fullmatch(subject):
        return (match[1],), DATA
    if match := _REVISION.fullmatch(subject):
        return (match[1],), REVISIONS
    if match := _TAG.fullmatch(subject):
        return (match[1], match[2] or "*"), TAGS
    if match := _CALL.fullmatch(subject):
        return (match[1], match[2] or "*"), CALLS
    known = (
        "API.RPC | API.RPC of RESOURCE | revision NAME | tag NAME | tag NAME of SERVICE | "
        "metrics | logs"
    )
    raise UnknownFault(fault, f"unknown subject {subject!r}; known: {known}")


def _parse_form(fault: str, part: str, text: str, forms: Iterable[Form]) -> Any:  # noqa: ANN401 - an effect or a rule
    said = parse_form(text, forms)
    if said is None:
        raise UnknownFault(fault, f"unknown {part} {text!r}; known: {explain_forms(forms)}")
    return said


def _parse_rule(fault: str, trigger: str | None) -> Rule:
    if trigger is None:
        return always()
    rule: Rule = _parse_form(fault, "trigger", trigger, TRIGGERS)
    return rule


def _check_rpc(fault: str, pattern: str, effect: CallEffect, methods: Sequence[Method]) -> None:
    meant = [method for method in methods if fnmatchcase(method.rpc, pattern)]
    if not meant:
        raise UnknownFault(
            fault, f"unknown RPC {pattern!r}; known: {_similar_rpcs(pattern, methods)}"
        )
    if not any(effect.applies_to(method) for method in meant):
        suited = ", ".join(method.rpc for method in methods if effect.applies_to(method))
        raise UnknownFault(fault, f"{pattern!r} cannot meet that, only {suited} can")


def _similar_rpcs(pattern: str, methods: Sequence[Method]) -> str:
    """The RPCs of the API that is meant; where there is no such API, the APIs."""
    api = pattern.partition(".")[0]
    rpcs = [method.rpc for method in methods if method.rpc.startswith(f"{api}.")]
    return ", ".join(rpcs or sorted({f"{method.rpc.partition('.')[0]}.*" for method in methods}))


def parse_form(text: str, forms: Iterable[Form]) -> Any | None:  # noqa: ANN401 - an effect or a rule
    """Return what the first of `forms` makes of `text`; None when it is of none."""
    said = (form.match(text) for form in forms)
    return next((one for one in said if one is not None), None)


def explain_forms(forms: Iterable[Form]) -> str:
    """Show `forms` in a line, and what their capitals stand for."""
    shown = " | ".join(form.shown for form in forms)
    words = [word for word in _EXPLAINED if word in shown]
    return "; ".join([shown, *(f"{word}: {_EXPLAINED[word]}" for word in words)])
