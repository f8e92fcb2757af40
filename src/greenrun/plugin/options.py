"""The command line of a release: what may be asked for, and what is refused."""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import pytest

from greenrun.model.plan import REHEARSAL
from greenrun.plugin.gherkin.tags import ON_REQUEST
from greenrun.plugin.plugin import CHECKED, RELEASE_FILE

_RUN_LOCK = pytest.StashKey[int]()
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

ITS_BEGINNING = "a release starts at its beginning"
ITS_END = "a release goes on to its end: the way back and the record come last"
ONE_BY_ONE = "features run one after another"
ONCE = "each scenario runs once"
NEVER_HALF = "a scenario is performed, or it proves nothing"
NOT_CUT_SHORT = "what brings users back is not cut short, and has time limits of its own"
NOBODY_THERE = "users would wait for a debugger"
ITS_STATUS = "the exit status tells how the release ended"

LOOPING = f"{ONCE}: leave out -f"

REFUSED = {
    "lf": ("--lf", ITS_BEGINNING),
    "failedfirst": ("--ff", ITS_BEGINNING),
    "newfirst": ("--nf", ITS_BEGINNING),
    "stepwise": ("--sw", ITS_BEGINNING),
    "stepwise_skip": ("--sw-skip", ITS_BEGINNING),
    "stepwise_reset": ("--sw-reset", ITS_BEGINNING),
    "maxfail": ("-x, --maxfail", ITS_END),
    "numprocesses": ("-n", ONE_BY_ONE),
    "keepduplicates": ("--keep-duplicates", ONCE),
    "setuponly": ("--setup-only", NEVER_HALF),
    "setupplan": ("--setup-plan", NEVER_HALF),
    "usepdb": ("--pdb", NOBODY_THERE),
    "trace": ("--trace", NOBODY_THERE),
    "max_warnings": ("--max-warnings", ITS_STATUS),
    # plugins that many have installed
    "reruns": ("--reruns", ONCE),  # pytest-rerunfailures
    "flake_finder_flake_runs": ("--flake-runs", ONCE),  # pytest-flakefinder
    "splits": ("--splits", ITS_END),  # pytest-split
    "forked": ("--forked", ONE_BY_ONE),  # pytest-forked
}
"""Options of pytest that a release does not survive, by their name within it, and why."""

ONE = {"count": ("--count", ONCE), "repeat": ("--repeat", ONCE)}
"""Likewise, of pytest-repeat and its like; 1 changes nothing."""


SWITCHES = {
    "--plan": "say what a release would do, and change nothing",
    "--resume": "go on with a release that was cut short, instead of taking it back",
    "--unlock": "end the lease of another release first; make sure that it is dead",
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
        "--events",
        metavar="FILE",
        help="write everything that the terminal tells into this file too, a JSON object a line",
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
    for folder, folders, files in os.walk(start):
        yield from (name for name in files if name.endswith(".feature"))
        folders[:] = [
            name
            for name in folders
            if not any(fnmatch(name, p) for p in skipped)
            and not Path(folder, name, RELEASE_FILE).is_file()
        ]


def release_within(root: Path, path: Path) -> Path | None:
    """The folder of another release below the root that a path belongs to; None of our own."""
    folders = (each for each in (path, *path.parents) if each != root)
    inside = (each for each in folders if each.is_relative_to(root))
    return next((each for each in inside if (each / RELEASE_FILE).is_file()), None)


def refusals(config: pytest.Config) -> Iterator[str]:
    """Why these options cannot be used together."""
    yield from _conflicts(config, target(config))
    if features_are_among(config):
        yield from _of_another_release(config)
        yield from _unbearable(config)
    elif asked := _asked_of_a_release(config):
        yield f"{', '.join(asked)}: got no feature, needs one (pytest features/ --env=NAME)"


def _of_another_release(config: pytest.Config) -> Iterator[str]:
    """What stands outside of the folder of release.yaml is no part of its release."""
    root = config.rootpath.resolve()
    for arg in config.args:
        start = (config.invocation_params.dir / arg.partition("::")[0]).resolve()
        if not start.is_relative_to(root) and any(_features(start, ())):
            yield f"{arg}: got features outside of {root}, needs those of one release in a run"
        elif (other := release_within(root, start)) and any(_features(start, ())):
            yield f"{arg}: got features of the release in {other}, needs those of {root}"


def _asked_of_a_release(config: pytest.Config) -> Sequence[str]:
    """The options that only a release can meet; tests that pass are none."""
    elsewhere = target(config) != REHEARSAL and not _only_lists(config)
    return run_options_of(config).switches or ([f"--env={target(config)}"] if elsewhere else [])


def performs_features(config: pytest.Config) -> bool:
    """True where features are not merely to be listed."""
    return not _only_lists(config) and features_are_among(config)


def _only_lists(config: pytest.Config) -> bool:
    listed = (
        *("collectonly", "help", "version", "markers", "showfixtures", "show_fixtures_per_test"),
        *("cacheshow", "generate_missing"),
    )
    given = vars(config.option)
    return any(given.get(name) for name in listed)


def is_to_be_complete(config: pytest.Config) -> bool:
    """True where features have to lead to their goal: they are performed, or checked for that."""
    return performs_features(config) or config.stash.get(CHECKED, False)


def _unbearable(config: pytest.Config) -> Iterator[str]:
    """What would reorder, repeat, halve or cut short a release; one line each."""
    given: Mapping[str, object] = vars(config.option)
    asked = [REFUSED[name] for name in REFUSED if given.get(name)]
    if given.get("setupplan"):
        asked.remove(REFUSED["setuponly"])  # which it implies
    asked += [ONE[name] for name in ONE if given.get(name) not in (None, 0, 1)]
    for switch, reason in asked:
        yield f"{reason}: leave out {switch}"
    if given.get("tx") and not given.get("numprocesses"):
        yield f"{ONE_BY_ONE}: leave out --tx"
    if given.get("capture") == "tee-sys":
        yield "what sentences print may hold a secret: leave out --capture=tee-sys"
    if config.pluginmanager.is_blocked("terminal"):
        yield "a release tells what it does: leave out -p no:terminal"
    if config.pluginmanager.hasplugin("randomly") and given.get("randomly_reorganize", True):
        yield "features run in their own order: add -p no:randomly"
    if _random_order(config):
        yield "features run in their own order: leave out --random-order"
    if _pytest_timeout(config):
        yield f"{NOT_CUT_SHORT}: leave out --timeout"
    if _ini(config, "faulthandler_exit_on_timeout"):
        yield f"{NOT_CUT_SHORT}: leave out faulthandler_exit_on_timeout"


def _pytest_timeout(config: pytest.Config) -> bool:
    """True where pytest-timeout would end a scenario, or by its thread the whole process."""
    given: object = vars(config.option).get("timeout")
    chosen = given if given is not None else os.environ.get("PYTEST_TIMEOUT")
    has_plugin = config.pluginmanager.hasplugin("timeout")
    return has_plugin and bool(float(str(chosen or _ini(config, "timeout") or 0)))


def _ini(config: pytest.Config, name: str) -> object:
    """What a setting says; None where nobody knows it."""
    try:
        return config.getini(name)
    except (KeyError, ValueError):
        return None


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


def take_run_lock(config: pytest.Config) -> None:
    """Hold the directory until this process has ended, however it ends; unless another run does.

    One run at a time: its report and its journals are shared. The directory itself is locked, so
    that nothing is left behind.
    """
    directory = os.open(config.rootpath, os.O_RDONLY | os.O_CLOEXEC)
    config.add_cleanup(partial(os.close, directory))
    with suppress(BlockingIOError):
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        config.stash[_RUN_LOCK] = directory


def holds_run_lock(config: pytest.Config) -> bool:
    """True where no other run of features is under way in this directory."""
    return _RUN_LOCK in config.stash


def run_lock_complaints(config: pytest.Config) -> Iterator[str]:
    """Say that another run is under way, where one is."""
    if not holds_run_lock(config):
        yield "another run of features is under way in this directory"
        yield "wait for its end, or stop it (`pgrep -af pytest` tells which): it takes users back"
