"""What greenrun asks the suite around it."""

from collections.abc import Mapping

import pytest


def pytest_greenrun_environment(config: pytest.Config) -> Mapping[str, str]:  # type: ignore[empty-body]  # a specification
    """Facts for the head of the report: service, image, commit, versions. Several may answer."""


@pytest.hookspec(firstresult=True)
def pytest_greenrun_rehearsed(config: pytest.Config) -> str | None:
    """Say that what is to be released was rehearsed, as in `a green rehearsal, 12 min ago`.

    Asked before a release to another environment, and when it is only listed; must change nothing.
    What it says stands at the head of the run and of its report. None: it has to be rehearsed.
    """


def pytest_greenrun_ended(config: pytest.Config, status: int) -> None:
    """A run that had begun has ended with this exit status, and nothing will change it any more.

    Comes after everything was torn down, and before the report is made: evidence may still be kept.
    """
