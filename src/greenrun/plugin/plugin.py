"""Makes pytest perform releases, where a release.yaml stands at the root of the run.

Any other project runs as if this package were not there: it gets no option, no hook, no sentence.
"""

import io
from collections.abc import Generator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

RELEASE_FILE = "release.yaml"
LOADED = ("greenrun.plugin.hooks", "greenrun.steps")
"""Later ones override earlier ones, and what a repository's conftest.py loads overrides both."""

CHECKED = pytest.StashKey[bool]()
"""There where a run is checked as if it were to be performed, and is not."""

_QUIETLY = ("--collect-only", "-qq", "-s", "--assert=plain", "-p", "no:cacheprovider")


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the plugin's parts; options are what pytest asks for first, once it knows its root."""
    config: pytest.Config | None = pluginmanager.getplugin("pytestconfig")
    if config is not None and (config.rootpath / RELEASE_FILE).is_file():
        for name in LOADED:
            pluginmanager.import_plugin(name)


def complaints(folder: Path, environment: str) -> list[str]:
    """Everything that would keep a release of this folder from beginning; nothing is performed.

    Sentences, tables and tags are looked at, and whether the sentences lead to a promotion: a line
    each, with file and line; settings are `load_plan`'s. It is pytest's own collection of
    `features/` below `folder`, in this process and in about a second; nothing is printed, and no
    engine, network or credential is needed. `environment` is what `--env` would say. The folder's
    conftest.py is imported.
    """
    told, check = io.StringIO(), _Check()
    features = str(folder.absolute() / "features")
    arguments = [features, f"--rootdir={folder.absolute()}", f"--env={environment}", *_QUIETLY]
    with redirect_stdout(told), redirect_stderr(told):
        status = pytest.main(arguments, plugins=[check])
    if check.complaints or status == pytest.ExitCode.OK:
        return check.complaints
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        return [f"{features}: got no scenario, needs one"]
    return [line for line in told.getvalue().splitlines() if line.strip(" =")]


class _Check:
    """Marks a run as one that is checked, and keeps what it is refused for."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, object, object]:
        config.stash[CHECKED] = True
        try:
            return (yield)
        except pytest.UsageError as error:
            first, *rest = str(error).splitlines()
            self.complaints = [line.removeprefix("  ") for line in rest] or [first]
            return pytest.ExitCode.USAGE_ERROR
