"""A release from its first sentence to its exit status."""

from collections.abc import Callable

from tests.plugin.conftest import AFTERWARDS, Suite

Write = Callable[..., Suite]


def test_a_green_release_goes_through_every_environment(release_suite: Write) -> None:
    suite = release_suite()

    result = suite.run("features", "--env=prod")

    assert result.ret == 0
    result.assert_outcomes(passed=8, skipped=2)
    assert suite.diary == [
        *("local: begun", "local: gates hold", "local: 10 % to the candidate"),
        *("local: gates hold", "local: gates hold", "local: recorded", "local: rolled back"),
        *("prod: begun", "prod: gates hold", "prod: 10 % to the candidate"),
        *("prod: gates hold", "prod: gates hold", "prod: recorded", "prod: rolled back"),
    ]
    result.stdout.fnmatch_lines(["Released to prod"])


def test_without_an_environment_it_is_a_rehearsal(release_suite: Write) -> None:
    result = release_suite().run("features")

    assert result.ret == 0
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(["The rehearsal passed"])


def test_red_before_traffic_leaves_traffic_alone(release_suite: Write) -> None:
    suite = release_suite(start="a gate closes")

    result = suite.run("features", "--env=prod")

    assert result.ret == 1
    assert suite.diary == ["local: begun", "local: recorded"]
    result.stdout.fnmatch_lines(
        [
            "    ✗ Then a gate closes *",
            "      features/01-forward.feature:5",
            "      p95: got 900 ms, needs 500 ms or less",
            "      hint: look at the queries",
            "  2 scenarios skipped: stopped at Users meet the candidate slowly: The candidate",
            "  starts",
            "There is a way back and a record · local",
            "  5 scenarios skipped: stopped at Users meet the candidate slowly: The candidate",
            "Not released: stopped at Users meet the candidate slowly: The candidate starts",
            "  local    2 passed, 1 failed, 2 skipped, *",
            "  prod     5 skipped, *",
            "  next     look at the queries",
        ],
        consecutive=False,
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*FAILURES*")


def test_red_after_traffic_goes_the_way_back_before_the_record(release_suite: Write) -> None:
    suite = release_suite(canary="a gate closes")

    result = suite.run("features")

    assert result.ret == 1
    result.assert_outcomes(passed=3, failed=1, skipped=1)
    assert suite.diary == [
        *("local: begun", "local: gates hold", "local: 10 % to the candidate"),
        *("local: rolled back", "local: recorded"),
    ]


def test_an_environment_is_left_before_the_next_is_begun(release_suite: Write) -> None:
    suite = release_suite()

    suite.run("features", "--env=prod")

    assert suite.diary.index("local: rolled back") < suite.diary.index("prod: begun")


def test_a_release_that_had_begun_on_its_target_and_failed_leaves_its_record(suite: Suite) -> None:
    suite.feature(
        "01-forward",
        """
        Feature: Users meet the candidate slowly

          Scenario: The candidate starts
            Given a release

          @cloud
          Scenario: The canary holds
            When 10 % of the traffic reach the candidate
            Then a gate closes
        """,
    )
    suite.feature("02-afterwards", AFTERWARDS)

    result = suite.run("features", "--env=prod")

    assert result.ret == 1
    assert suite.diary == [
        *("local: begun", "local: recorded"),
        *("prod: begun", "prod: 10 % to the candidate", "prod: rolled back", "prod: recorded"),
    ]
    result.stdout.fnmatch_lines(["Not released: stopped at Users meet * The canary holds"])


def test_a_drill_that_fails_keeps_the_release_from_the_next_environment(
    release_suite: Write,
) -> None:
    suite = release_suite()
    suite.feature(
        "01-a-drill",
        """
        Feature: Failures are rehearsed

          @drill
          Scenario: A slow candidate is found
            Then a gate closes
        """,
    )

    result = suite.run("features", "--env=prod")

    assert result.ret == 1
    assert "local: 10 % to the candidate" in suite.diary
    assert not [event for event in suite.diary if event.startswith("prod")]
    result.stdout.fnmatch_lines(
        [
            "  5 scenarios skipped: stopped at Failures are rehearsed: A slow candidate is",
            "Not released: stopped at Failures are rehearsed: A slow candidate is found",
        ]
    )


def test_quiet_tells_scenarios_only(release_suite: Write) -> None:
    result = release_suite(canary="a gate closes").run("features", "-q")

    result.stdout.fnmatch_lines(
        [
            "Users meet the candidate slowly · local",
            "  ✓ The candidate starts *",
            "    ✗ Then a gate closes *",
            "      features/01-forward.feature:9",
            "  ✗ The canary holds *",
        ]
    )
    result.stdout.no_fnmatch_line("*Given a release*")


def test_ordinary_tests_are_reported_as_ever_and_come_first(release_suite: Write) -> None:
    suite = release_suite()
    (suite.path / "test_ordinary.py").write_text(
        "def test_one(environment):\n    assert environment == 'local'\n\n"
        "def test_two():\n    assert 1 == 2\n"
    )

    result = suite.run("features", "test_ordinary.py")

    result.assert_outcomes(passed=5, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["test_ordinary.py .F*", "Users meet the candidate slowly · local", "*FAILURES*", "*1 == 2"]
    )


def test_ordinary_tests_alone_leave_no_report(suite: Suite) -> None:
    (suite.path / "test_ordinary.py").write_text("def test_one():\n    pass\n")

    result = suite.run("test_ordinary.py")

    result.assert_outcomes(passed=1)
    assert not (suite.path / "reports").exists()
