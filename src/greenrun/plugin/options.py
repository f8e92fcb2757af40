"""The command line of a release: what may be asked for, and what is refused."""

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import pytest

from greenrun.model.plan import REHEARSAL
from greenrun.plugin.gherkin.tags import ON_REQUEST

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

REFUSED_SWITCHES = {
    "lf": "--lf",
    "failedfirst": "--ff",
    "newfirst": "--nf",
    "stepwise": "--sw",
    "stepwise_skip": "--sw-skip",
}


SWITCHES = {
    "--plan": "say what a release would do, and change nothing",
    "--resume": "go on with a release that was cut short, instead of taking it back",
    "--unlock": "end the claim of another release first; make sure that it is dead",
    "--delete-candidate": "on the way back, also delete the revision that users left",
    "--scale-to-zero": "emergency: take the service down to no instances at all, at once",
}


def declare(parser: pytest.Parser) -> None:
    """Add the options of a release to pytest's."""
    group = parser.getgroup("greenrun", "releases")
    group.addoption(
        "--env",
        metavar="NAME",
        default=REHEARSAL,
        help=f"release to this environment, after a rehearsal ({REHEARSAL}: only that)",
    )
    for switch, meaning in SWITCHES.items():
        group.addoption(switch, action="store_true", help=f"with --env: {meaning}")
    group.addoption(
        "--to",
        metavar="REVISION|sha256:DIGEST",
        help="with --env, and the way back asked for alone: send users to this revision, or to a"
        " new one of this image, instead of to the baseline",
    )
    group.addoption(
        "--no-html", action="store_true", help="leave the report of features to other tools"
    )


def target(config: pytest.Config) -> str:
    """Where a run leads to. Raises UsageError for what cannot be a name."""
    wanted: str = config.getoption("--env")
    if not NAME.fullmatch(wanted):
        raise pytest.UsageError(f"--env: got {wanted!r}, needs letters, digits, _ or -")
    return wanted


def environments(config: pytest.Config) -> Sequence[str]:
    """All environments that a run may lead through, in order."""
    return list(dict.fromkeys([REHEARSAL, target(config)]))


def features_are_among(config: pytest.Config) -> bool:
    """True when an argument of pytest is, or holds, a feature file."""
    skipped: Sequence[str] = config.getini("norecursedirs")
    starts = [config.invocation_params.dir / arg.partition("::")[0] for arg in config.args]
    return any(any(_features(start, skipped)) for start in starts)


def _features(start: Path, skipped: Sequence[str]) -> Iterator[str]:
    if start.is_file() and start.suffix == ".feature":
        yield start.name
    for _, folders, files in os.walk(start):
        yield from (name for name in files if name.endswith(".feature"))
        folders[:] = [name for name in folders if not any(fnmatch(name, p) for p in skipped)]


def refusals(config: pytest.Config) -> Iterator[str]:
    """Why these options cannot be used together."""
    yield from _conflicts(config, target(config))
    if features_are_among(config):
        yield from _other_orders(config)
    elif switches := run_options_of(config).switches:
        yield f"{', '.join(switches)}: got no feature, needs one (pytest features/ --env=NAME)"


def _other_orders(config: pytest.Config) -> Iterator[str]:
    """A release has one order, and no memory."""
    given = vars(config.option)
    if given.get("numprocesses") or given.get("tx"):
        yield "features run one after another: leave out -n"
    if config.pluginmanager.hasplugin("randomly") and given.get("randomly_reorganize", True):
        yield "features run in their own order: add -p no:randomly"
    if _random_order(config):
        yield "features run in their own order: leave out --random-order"
    for name, switch in REFUSED_SWITCHES.items():
        if given.get(name):
            yield f"a release starts at its beginning: leave out {switch}"


def _random_order(config: pytest.Config) -> bool:
    given = vars(config.option)
    chosen = (given.get(f"random_order_{what}", "default:") for what in ("bucket", "seed"))
    return given.get("random_order_enabled", False) or not all(
        value.startswith("default:") for value in chosen
    )


DESTINATION = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?|sha256:[0-9a-f]{64}")
"""A revision's name as Cloud Run takes it, or the digest of an image."""

EXCLUSIVE = {
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


def _conflicts(config: pytest.Config, target: str) -> Iterator[str]:
    """Why these wishes cannot be meant, one line each."""
    run_options, destination = run_options_of(config), config.getoption("to")
    if run_options.switches and target == REHEARSAL:
        yield f"{', '.join(run_options.switches)}: got --env={target}, needs the one to release to"
    if destination is not None and not DESTINATION.fullmatch(destination):
        yield f"--to: got {destination!r}, needs a revision's name or sha256: and 64 hex digits"
    for switch, (company, reason) in EXCLUSIVE.items():
        others = [other for other in run_options.switches if other not in {switch, *company}]
        if switch in run_options.switches and others:
            yield f"{switch}: {reason}; leave out {', '.join(others)}"


def acquire_run_lock(config: pytest.Config) -> Iterator[str]:
    """Hold the directory until this process has ended, however it ends; complain where it is held.

    The directory itself is locked, so that nothing is left behind.
    """
    held = os.open(config.rootpath, os.O_RDONLY | os.O_CLOEXEC)
    config.add_cleanup(partial(os.close, held))
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield "another run of features is under way in this directory"
        yield "wait for its end, or stop it (`pgrep -af pytest` tells which): it takes users back"
