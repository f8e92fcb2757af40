"""Makes pytest perform releases, where a release.yaml stands at the root of the run.

Any other project runs as if this package were not there: it gets no option, no hook, no sentence.
"""

import pytest

RELEASE_FILE = "release.yaml"
LOADED = ("greenrun.plugin.hooks", "greenrun.steps")
"""Later ones override earlier ones, and what a repository's conftest.py loads overrides both."""


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the plugin's parts; options are what pytest asks for first, once it knows its root."""
    config: pytest.Config | None = pluginmanager.getplugin("pytestconfig")
    if config is not None and (config.rootpath / RELEASE_FILE).is_file():
        for name in LOADED:
            pluginmanager.import_plugin(name)
