"""What a person may ask of a release on the command line, and what is refused."""

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import pytest

from greenrun.model.plan import REHEARSAL
from greenrun.plugin import run_options

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
    yield from run_options.complaints(config, target(config))
    if features_are_among(config):
        yield from _other_orders(config)
    elif switches := run_options.run_options_of(config).switches:
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
