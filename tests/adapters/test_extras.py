"""What an extra brings is asked for by name where it is not there."""

import subprocess
import sys

import pytest

from greenrun.model.errors import ReleaseError
from greenrun.model.extras import BROWSER, OPENAPI, Extra


def test_what_is_there_is_not_told() -> None:
    assert BROWSER.is_installed
    assert OPENAPI.is_installed
    BROWSER.require("open a page")


def test_what_is_not_there_is_told_with_the_command_that_installs_it() -> None:
    with pytest.raises(ReleaseError) as told:
        Extra("browser", "no_such_package").require("open a page")

    assert told.value.message == (
        "could not open a page: got no no_such_package, needs the extra browser"
    )
    assert told.value.hint == "pip install 'greenrun[browser]'"


def test_everything_loads_without_the_extras() -> None:
    """As after `pip install greenrun`: what they bring cannot be imported."""
    absent = ("playwright", "schemathesis", "hypothesis")
    program = f"""
import sys
sys.modules.update(dict.fromkeys({absent!r}))
from importlib import import_module
from greenrun.steps import pytest_plugins
for name in (*pytest_plugins, "greenrun.steps.wiring.adapters"):
    import_module(name)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
