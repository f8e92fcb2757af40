"""The hooks of a release: implement them in a conftest.py, with those of their arguments in use.

The five events are told when users are where they belong, so nothing that an implementation does
comes in their way; one that raises is told and changes nothing. They come for rehearsals, too
(`event.environment == "local"`), and not for a plan. A notification is one function:

    def pytest_greenrun_rolled_back(event):
        httpx.post(URL, json={"text": f"{event.service}: back on {event.baseline}"})
"""

from collections.abc import Mapping

import pytest

from greenrun.model.events import ReleaseEvent
from greenrun.model.results import RunSummary


def pytest_greenrun_environment(config: pytest.Config) -> Mapping[str, str]:  # type: ignore[empty-body]  # a specification
    """Facts for the head of the report: service, image, commit, versions. Several may answer."""


@pytest.hookspec(firstresult=True)
def pytest_greenrun_rehearsed(config: pytest.Config) -> str | None:
    """Say that what is to be released was rehearsed, as in `a green rehearsal, 12 min ago`.

    Asked before a release to another environment, and when it is only listed; must change nothing.
    What it says stands at the head of the run and of its report. None: it has to be rehearsed.
    """


def pytest_greenrun_reset(config: pytest.Config) -> None:
    """Take away what an earlier run left as its outcome: none may be read as that of this one.

    Comes before anything is read or refused, unless another run is under way in the directory.
    """


def pytest_greenrun_began(event: ReleaseEvent, config: pytest.Config) -> None:
    """A release to an environment begins; nothing of it was changed yet."""


def pytest_greenrun_promoted(event: ReleaseEvent, config: pytest.Config) -> None:
    """The candidate serves every user, all scenarios of the environment have passed."""


def pytest_greenrun_rolled_back(event: ReleaseEvent, config: pytest.Config) -> None:
    """The baseline serves every user again; `reason` is what failed first."""


def pytest_greenrun_manual_action_required(event: ReleaseEvent, config: pytest.Config) -> None:
    """Users could not be brought back, or not provably; `reason` and exit status 10 say so."""


def pytest_greenrun_ended(event: ReleaseEvent, config: pytest.Config) -> None:
    """A run that had begun has ended with `event.exit_status`, and nothing will change it any more.

    Comes after everything was torn down, and before the report is made: evidence may still be kept.
    """


def pytest_greenrun_summed_up(summary: RunSummary, config: pytest.Config) -> None:
    """The last lines of a run were told, and its report was made; the last that it does."""
