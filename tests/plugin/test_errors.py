"""How errors are told, and when a person is called."""

from collections.abc import Callable

from tests.plugin.conftest import Suite

Write = Callable[..., Suite]


def test_a_lock_that_is_held_is_told_with_what_to_do(suite: Suite) -> None:
    suite.steps(
        """
        from greenrun.model.errors import LockHeld


        @then("the lock is ours")
        def _():
            raise LockHeld("could not claim shop: got claim 7 of ann on ci-3, needs none",
                           hint="wait for it; if it is dead: --unlock")
        """
    )
    suite.feature(
        "01", "Feature: F\n  Scenario: S\n    Then the lock is ours\n    And all gates hold\n"
    )

    result = suite.run("features")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "      could not claim shop: got claim 7 of ann on ci-3, needs none",
            "      hint: wait for it; if it is dead: --unlock",
            "  next     wait for it; if it is dead: --unlock",
        ]
    )
    result.stdout.no_fnmatch_line("*FAILURES*")


def test_what_could_not_be_judged_stops_as_well(release_suite: Write) -> None:
    result = release_suite(start="the platform is away").run("features")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["      could not read the service: got no answer, needs one"])
    result.stdout.no_fnmatch_line("*FAILURES*")


def test_an_error_of_python_keeps_its_traceback(release_suite: Write) -> None:
    result = release_suite(start="a step is wrong").run("features")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["      KeyError: 'missing'", "*FAILURES*", '>*{}?"missing"?', "E*KeyError: 'missing'"]
    )


def test_a_call_for_a_person_is_an_exit_status_of_its_own(release_suite: Write) -> None:
    suite = release_suite()
    suite.feature(
        "00-lost",
        """
        Feature: Nothing is taken for granted

          Scenario: The way back is lost
            When the way back is lost
        """,
    )

    result = suite.run("features", "--env=prod")

    assert result.ret == 10
    assert "prod: begun" not in suite.diary
    result.stdout.fnmatch_lines(
        [
            "      traffic is split 10/90, needs 0/100",
            "      hint: use the console",
            "A PERSON IS NEEDED: not everything is as it was before",
            "  next     traffic is split 10/90, needs 0/100",
            "           hint: use the console",
        ]
    )


def test_a_person_is_called_from_within_a_group_of_errors(suite: Suite) -> None:
    suite.steps(
        """
        @then("it ends badly")
        def _():
            call = ManualActionRequired("traffic is split", hint="use the console")
            raise ExceptionGroup("two", [ValueError("first"), call])
        """
    )
    suite.feature(
        "01", "Feature: F\n  Scenario: S\n    Then it ends badly\n    And all gates hold\n"
    )

    assert suite.run("features").ret == 10


EXITING = """
Feature: F

  Scenario: S
    Then pytest is told to exit
    And all gates hold
"""


def test_a_person_is_called_when_the_session_breaks_off(suite: Suite) -> None:
    suite.steps(
        """
        @then("pytest is told to exit")
        def _(release):
            release.stuck = True
            pytest.exit("enough")
        """
    )
    suite.feature("01", EXITING)

    result = suite.run("features")

    assert result.ret == 10
    result.stdout.fnmatch_lines(
        ["      traffic is split 10/90, needs 0/100", "A PERSON IS NEEDED: *"]
    )


def test_what_fails_when_a_broken_off_session_is_torn_down_is_told(suite: Suite) -> None:
    suite.steps(
        """
        @pytest.fixture(scope="session")
        def fragile():
            yield
            raise ReleaseError("could not close the log", hint="close it by hand")


        @then("pytest is told to exit")
        def _(fragile):
            pytest.exit("enough")
        """
    )
    suite.feature("01", EXITING)

    result = suite.run("features")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["      could not close the log", "      hint: close it by hand"])
