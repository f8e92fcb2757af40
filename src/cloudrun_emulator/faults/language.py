"""Faults as people write them: `SUBJECT: EFFECT[, OCCASION]`."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from cloudrun_emulator.faults.effects import CallEffect
from cloudrun_emulator.faults.fault import Fault
from cloudrun_emulator.faults.grammar import (
    CALLS,
    DATA,
    OCCASIONS,
    REVISIONS,
    Form,
    explained,
    read,
)
from cloudrun_emulator.faults.triggers import Clock, Rule, Trigger, always
from cloudrun_emulator.server.methods import Method

_FAULT = re.compile(
    r"(?P<subject>[^:]*[^:\s]) ?: ?(?P<effect>[^,]*[^,\s])(?: ?, ?(?P<occasion>.+))?"
)
_DATA = re.compile(r"(metrics|logs)")
_REVISION = re.compile(r"revision (\S+)")
_CALL = re.compile(r"(\S+)(?: of (\S+))?")


class UnknownFault(ValueError):
    """A fault that cannot be: the message says in one line what it says, and what is known."""

    def __init__(self, fault: str, problem: str) -> None:
        super().__init__(f"fault {fault!r}: {problem}")


def parse(text: str, methods: Sequence[Method], clock: Clock) -> Fault[Any]:
    """Raise UnknownFault for what is not of the language, or befalls none of `methods`."""
    text = " ".join(text.split())
    match = _FAULT.fullmatch(text)
    if match is None:
        raise UnknownFault(text, "needs SUBJECT: EFFECT, or SUBJECT: EFFECT, OCCASION")
    subject, forms = _subject(text, match["subject"])
    effect = _understood(text, "effect", match["effect"], forms)
    if isinstance(effect, CallEffect):
        _check_rpc(text, subject[0], effect, methods)
    return Fault(text, subject, effect, Trigger(_rule(text, match["occasion"]), clock))


def _subject(fault: str, subject: str) -> tuple[tuple[str, ...], Iterable[Form]]:
    """Its patterns, and the forms of what can befall it."""
    if match := _DATA.fullmatch(subject):
        return (match[1],), DATA
    if match := _REVISION.fullmatch(subject):
        return (match[1],), REVISIONS
    if match := _CALL.fullmatch(subject):
        return (match[1], match[2] or "*"), CALLS
    known = "API.RPC | API.RPC of RESOURCE | revision NAME | metrics | logs"
    raise UnknownFault(fault, f"unknown subject {subject!r}; known: {known}")


def _understood(fault: str, part: str, text: str, forms: Iterable[Form]) -> Any:  # noqa: ANN401 - an effect or a rule
    said = read(text, forms)
    if said is None:
        raise UnknownFault(fault, f"unknown {part} {text!r}; known: {explained(forms)}")
    return said


def _rule(fault: str, occasion: str | None) -> Rule:
    if occasion is None:
        return always()
    rule: Rule = _understood(fault, "occasion", occasion, OCCASIONS)
    return rule


def _check_rpc(fault: str, pattern: str, effect: CallEffect, methods: Sequence[Method]) -> None:
    meant = [method for method in methods if fnmatchcase(method.rpc, pattern)]
    if not meant:
        raise UnknownFault(fault, f"unknown RPC {pattern!r}; known: {_alike(pattern, methods)}")
    if not any(effect.suits(method) for method in meant):
        suited = ", ".join(method.rpc for method in methods if effect.suits(method))
        raise UnknownFault(fault, f"that does not befall {pattern!r}, only {suited}")


def _alike(pattern: str, methods: Sequence[Method]) -> str:
    """The RPCs of the API that is meant; where there is no such API, the APIs."""
    api = pattern.partition(".")[0]
    rpcs = [method.rpc for method in methods if method.rpc.startswith(f"{api}.")]
    return ", ".join(rpcs or sorted({f"{method.rpc.partition('.')[0]}.*" for method in methods}))
