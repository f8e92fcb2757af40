"""What the suite around it hears of a run: how each scenario ended, and the run itself."""

from collections.abc import Callable

import pytest

from tests.plugin.conftest import FORWARD, Suite

Write = Callable[..., Suite]

HEARING = """
from greenrun.plugin.allure.evidence import AllureEvidence
from greenrun.plugin.redaction import keep_secret
from greenrun.plugin.run.session import passed_whole, results_of


def pytest_greenrun_ended(config, event):
    AllureEvidence(str).attach("ending", str(event.exit_status))
    with (config.rootpath / "diary").open("a") as diary:
        print(f"ended with {event.exit_status}", file=diary)
        for each in results_of(config):
            print(each.environment, each.title, each.ending, each.reason, sep="; ", file=diary)


@then("the results so far are noted")
def _(pytestconfig, release):
    release.write([(each.title, each.ending) for each in results_of(pytestconfig)])


@then("it fails at length")
def _(pytestconfig):
    keep_secret(pytestconfig, "hunter2")
    raise ReleaseError("could not log in with hunter2\\nand more", hint="look")


@then("the last words fail")
def _(release):
    release.stuck = True
"""


@pytest.fixture
def hearing(release_suite: Write) -> Write:
    def write(**sentences: str) -> Suite:
        suite = release_suite(**sentences)
        suite.steps(HEARING)
        return suite

    return write


def heard(suite: Suite) -> list[str]:
    at = next(place for place, event in enumerate(suite.diary) if event.startswith("ended"))
    return suite.diary[at:]


def test_the_end_is_heard_with_every_result(hearing: Write) -> None:
    suite = hearing()

    assert suite.run("features").ret == 0
    assert heard(suite) == [
        "ended with 0",
        "local; The candidate starts; passed; ",
        "local; The canary holds; passed; ",
        "local; The candidate is promoted; passed; ",
        "local; All traffic returns; skipped; not needed, the release succeeded",
        "local; The record remains; passed; ",
    ]


def test_reasons_are_redacted_and_one_line(hearing: Write) -> None:
    suite = hearing(canary="it fails at length")

    assert suite.run("features").ret == 1
    stopped = "stopped at Users meet the candidate slowly: The canary holds"
    assert heard(suite) == [
        "ended with 1",
        "local; The candidate starts; passed; ",
        "local; The canary holds; failed; could not log in with ********",
        f"local; The candidate is promoted; skipped; {stopped}",
        "local; All traffic returns; passed; ",
        "local; The record remains; passed; ",
    ]


def test_a_call_for_a_person_in_the_last_teardown_is_heard(hearing: Write) -> None:
    suite = hearing(canary="the last words fail")

    assert suite.run("features").ret == 10
    assert heard(suite)[0] == "ended with 10"
    assert heard(suite)[-1] == (
        "local; The record remains; failed; traffic is split 10/90, needs 0/100"
    )


def test_results_can_be_read_while_it_runs(hearing: Write) -> None:
    suite = hearing(canary="the results so far are noted")

    suite.run("features")

    assert "local: [('The candidate starts', 'passed')]" in suite.diary


def test_it_is_heard_before_the_report_is_made(hearing: Write) -> None:
    suite = hearing()

    suite.run("features")

    folder = suite.path / "reports" / "allure-results"
    assert [path.read_text() for path in folder.glob("*-attachment*")] == ["0"]


@pytest.mark.parametrize("unbound", [True, False])
def test_what_never_begins_has_no_end(hearing: Write, *, unbound: bool) -> None:
    suite = hearing(canary="nobody knows" if unbound else "all gates hold")

    suite.run("features", *([] if unbound else ["--collect-only"]))

    assert suite.diary == []


def test_what_fails_after_the_end_is_told_and_changes_nothing(suite: Suite) -> None:
    suite.steps(
        """
        def pytest_greenrun_ended(config, event):
            raise OSError("disk full")
        """
    )
    suite.feature("01", FORWARD)

    result = suite.run("features")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["      pytest_greenrun_ended: OSError: disk full"])


WHOLE = """
from greenrun.plugin.run.session import passed_whole


@pytest.fixture(scope="session", autouse=True)
def whole(environment, pytestconfig):
    yield
    with (pytestconfig.rootpath / "whole").open("a") as file:
        print(environment, passed_whole(pytestconfig), file=file)
"""


@pytest.mark.parametrize(
    ("sentences", "arguments", "expected"),
    [
        ({}, ("features",), "local True\n"),
        ({}, ("features", "--env=prod"), "local True\nprod True\n"),
        ({}, ("features/01-forward.feature",), "local False\n"),
        ({}, ("features", "-k", "starts or holds"), "local False\n"),
        ({"canary": "a gate closes"}, ("features",), "local False\n"),
        ({"canary": "it is left out"}, ("features",), "local False\n"),
        ({"start": "pytest is told to exit"}, ("features",), "local False\n"),
    ],
)
def test_an_environment_is_passed_whole_when_nothing_was_left_out(
    release_suite: Write, sentences: dict[str, str], arguments: tuple[str, ...], expected: str
) -> None:
    suite = release_suite(**sentences)
    suite.steps(
        WHOLE + "\n\n@then('it is left out')\ndef _():\n    pytest.skip('today')\n"
        "\n\n@then('pytest is told to exit')\ndef _():\n    pytest.exit('enough')\n"
    )

    suite.run(*arguments)

    assert (suite.path / "whole").read_text() == expected
