"""What a person wishes of one run beside its environment, and which wishes cannot go together."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields

import pytest

from greenrun.model.plan import REHEARSAL
from greenrun.plugin.gherkin.tags import ON_REQUEST

DESTINATION = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?|sha256:[0-9a-f]{64}")
"""A revision's name as Cloud Run takes it, or the digest of an image."""

ALONE = {
    "--plan": (frozenset[str](), "a plan changes nothing"),
    "--scale-to-zero": (frozenset({"--unlock"}), "an emergency does nothing else"),
}
"""Wishes that leave no room for others than these, and why."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was wished for. `to` is a revision's name, an image's `sha256:` digest, or empty."""

    plan: bool = False
    resume: bool = False
    unlock: bool = False
    to: str = ""
    delete_candidate: bool = False
    scale_to_zero: bool = False

    @property
    def switches(self) -> tuple[str, ...]:
        """The options that were given, as people write them."""
        given = (field.name for field in fields(self) if getattr(self, field.name))
        return tuple(f"--{name.replace('_', '-')}" for name in given)

    @property
    def tags(self) -> frozenset[str]:
        """The tags that were wished for: a run needs a scenario that has each of them."""
        return (ON_REQUEST | {"plan"}) & {each.removeprefix("--") for each in self.switches}


def run_options_of(config: pytest.Config) -> RunOptions:
    """What the command line of this run wishes for."""
    given = {field.name: config.getoption(field.name) for field in fields(RunOptions)}
    return RunOptions(**{name: value for name, value in given.items() if value})


def complaints(config: pytest.Config, target: str) -> Iterator[str]:
    """Why these wishes cannot be meant, one line each."""
    run_options, destination = run_options_of(config), config.getoption("to")
    if run_options.switches and target == REHEARSAL:
        yield f"{', '.join(run_options.switches)}: got --env={target}, needs the one to release to"
    if destination is not None and not DESTINATION.fullmatch(destination):
        yield f"--to: got {destination!r}, needs a revision's name or sha256: and 64 hex digits"
    for switch, (company, reason) in ALONE.items():
        others = [other for other in run_options.switches if other not in {switch, *company}]
        if switch in run_options.switches and others:
            yield f"{switch}: {reason}; leave out {', '.join(others)}"
