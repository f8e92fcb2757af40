"""Everything that is wrong with what people wrote, found without running anything."""

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from greenrun.config import load_plan
from greenrun.config.loading import RELEASE_FILE
from greenrun.model.errors import SettingsError
from greenrun.model.plan import REHEARSAL

FEATURES = "features"
_NOT_NEEDED = ("anyio", "cacheprovider", "hypothesispytest", "schemathesis", "xdist")
_QUIET = (
    "--collect-only",
    "--no-html",
    "-Wignore::pytest.PytestAssertRewriteWarning",  # of what this process has imported already
    *(f"-pno:{name}" for name in _NOT_NEEDED),
)


def complaints(folder: Path) -> list[str]:
    """Complain about the settings of every environment, then about sentences and tables."""
    return [*_about_settings(folder), *_about_features(folder)]


def _about_settings(folder: Path) -> Iterator[str]:
    try:
        load_plan(folder, REHEARSAL)
    except SettingsError as error:
        yield from map(str, error.complaints)


def _about_features(folder: Path) -> Iterator[str]:
    if not (folder / RELEASE_FILE).is_file():
        return
    if not any((folder / FEATURES).glob("**/*.feature")):
        yield f"{FEATURES}/: got no feature, needs at least one; hint: greenrun init"
        return
    yield from collect(folder)


def collect(folder: Path) -> list[str]:
    """Let pytest read the features of a folder; return why it refused them, a line each."""
    listener = _Refusals()
    with ExitStack() as stack:
        stack.enter_context(chdir(folder))
        nowhere = stack.enter_context(Path(os.devnull).open("w"))
        stack.enter_context(redirect_stdout(nowhere))
        stack.enter_context(redirect_stderr(nowhere))
        status = pytest.main([f"{FEATURES}/", "--rootdir=.", *_QUIET], plugins=[listener])
    if status in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        return []
    return listener.told or [f"{FEATURES}/: could not be collected; `pytest {FEATURES}/` tells why"]


class _Refusals:
    """Keeps what pytest was told about features, rather than let it be printed."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        try:
            return (yield)
        except pytest.UsageError as refusal:
            _head, *lines = str(refusal.args[0]).splitlines()
            self.told = [line.strip() for line in lines]
            raise
