"""A green rehearsal of the same, that the suite knows of, stands for a new one."""

from collections.abc import Callable

import pytest

from tests.plugin.conftest import FORWARD, Suite

PLANNED = "@plan\n      Scenario: The candidate starts"

REHEARSED = """
def pytest_greenrun_rehearsed(config):
    with open(config.rootpath / "asked", "a") as file:
        print(config.getoption("--env"), file=file)
    return "a green rehearsal of the same, 12 min ago"
"""


def test_an_earlier_rehearsal_may_stand_for_this_one(release_suite: Callable[..., Suite]) -> None:
    suite = release_suite()
    suite.steps(REHEARSED)

    result = suite.run("features", "--env=prod")

    assert result.ret == 0
    assert {event.partition(":")[0] for event in suite.diary} == {"prod"}
    assert (suite.path / "asked").read_text() == "prod\n"
    why = "prod only: a green rehearsal of the same, 12 min ago"
    result.stdout.fnmatch_lines([why, "Released to prod"])
    facts = suite.path / "reports" / "allure-results" / "environment.properties"
    assert facts.read_text().replace("\\", "") == f"environments = {why}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("features",),
        ("features", "--env=prod", "-k", "starts", "--plan"),
        ("features/02-afterwards.feature", "--env=prod"),
    ],
)
def test_it_is_asked_for_only_where_there_is_one_to_spare(
    release_suite: Callable[..., Suite], arguments: tuple[str, ...]
) -> None:
    suite = release_suite()
    suite.steps(REHEARSED)
    suite.feature("01-forward", FORWARD.replace("Scenario: The candidate starts", PLANNED))

    assert suite.run(*arguments).ret == 0
    assert not (suite.path / "asked").exists()


def test_in_doubt_there_is_no_earlier_rehearsal(release_suite: Callable[..., Suite]) -> None:
    suite = release_suite()
    suite.steps(
        """
        from greenrun.plugin.redaction import keep_secret


        def pytest_greenrun_rehearsed(config):
            keep_secret(config, "hunter2")
            raise ReleaseError("could not read hunter2")
        """
    )

    result = suite.run("features", "--env=prod")

    assert result.ret == 0
    assert {event.partition(":")[0] for event in suite.diary} == {"local", "prod"}
    result.stdout.fnmatch_lines(
        [
            "no earlier rehearsal was found: could not read ********",
            "local, then prod: what is released is rehearsed first",
        ]
    )
