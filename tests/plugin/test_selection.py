"""What a run performs of what was asked for, where, and what it says of that."""

import pytest

from tests.plugin.conftest import Suite

FORWARD = """
Feature: Users meet the candidate

  @plan
  Scenario: Nothing stands in the way
    Then all gates hold

  @plan @cloud
  Scenario: The plan is told
    Given a release

  Scenario: The candidate is promoted
    When 10 % of the traffic reach the candidate

  @drill
  Scenario: A failure is rehearsed
    Then all gates hold
"""

WAY_BACK = """
Feature: The way back

  @way-back
  Scenario: Users return
    When the release is rolled back

  @delete-candidate
  Scenario: The candidate is deleted
    When 0 % of the traffic reach the candidate

  @drill
  Scenario: The way back is rehearsed
    Then a gate closes

  @scale-to-zero
  Scenario: The service is scaled to zero
    When the service is scaled to zero
"""

RECORD = """
Feature: The record

  @record
  Scenario: The record remains
    Then the record is written
"""


@pytest.fixture
def release(suite: Suite) -> Suite:
    suite.feature("01-forward", FORWARD)
    suite.feature("07-rollback", WAY_BACK.replace("Then a gate closes", "Then all gates hold"))
    suite.feature("08-record", RECORD)
    return suite


@pytest.fixture
def emergency(release: Suite) -> Suite:
    """The same, where the rehearsal is red: it must hold nothing up."""
    release.feature("07-rollback", WAY_BACK)
    return release


def attempted(suite: Suite, *arguments: str) -> list[str]:
    result = suite.run(*arguments, "--collect-only", "-q")
    assert result.ret == 0
    return [line.partition("::")[2] for line in result.outlines if "::" in line]


def test_a_release_is_rehearsed_and_runs_nothing_on_request(release: Suite) -> None:
    result = release.run("features", "--env=prod")

    assert result.ret == 0
    result.assert_outcomes(passed=9, skipped=2, deselected=4)
    result.stdout.fnmatch_lines(
        ["local, then prod: what is released is rehearsed first", "Released to prod"]
    )


def test_what_only_asks_the_target_comes_before_the_rehearsal(release: Suite) -> None:
    asked = attempted(release, "features", "--env=prod")

    first, second, *others = (name.partition("[")[2] for name in asked)
    assert (first, second) == ("prod]", "prod]")
    rehearsed = others.index("prod]")
    assert set(others[:rehearsed]) == {"local]"}
    assert set(others[rehearsed:]) == {"prod]"}


def test_what_stands_in_the_way_on_the_target_is_told_before_anything_is_rehearsed(
    release: Suite,
) -> None:
    release.steps(
        """
        @then("nothing stands in the way there")
        def _(release, environment):
            if environment == "prod":
                raise GateClosed("lock: got alice, needs nobody")
        """
    )
    asking = FORWARD.replace("Then all gates hold", "Then nothing stands in the way there", 1)
    release.feature("01-forward", asking)

    result = release.run("features", "--env=prod")

    assert result.ret == 1
    assert release.diary == ["prod: begun", "prod: begun", "prod: recorded"]
    result.stdout.fnmatch_lines(
        ["Not released: stopped at Users meet the candidate: Nothing stands in the way"]
    )


def test_what_was_rehearsed_before_is_asked_for_where_it_stands(release: Suite) -> None:
    release.steps(
        """
        def pytest_greenrun_rehearsed():
            return "a green rehearsal"
        """
    )
    release.run("features", "--env=prod")

    assert release.diary[:2] == ["prod: begun", "prod: gates hold"]
    assert release.diary.count("prod: begun") == 1


def test_a_plan_runs_what_is_tagged_for_it_on_the_target_alone(release: Suite) -> None:
    result = release.run("features", "--env=prod", "--plan")

    assert result.ret == 0
    assert release.diary == ["prod: begun", "prod: gates hold"]
    result.stdout.fnmatch_lines(
        [
            "prod only: a plan changes nothing, so there is nothing to rehearse",
            "Nothing was changed: this is what a release would do",
        ]
    )


def test_a_plan_finds_all_that_stands_in_the_way(release: Suite) -> None:
    release.steps(
        """
        @then("a secret is missing")
        def _():
            raise ReleaseError("could not read TOKEN:3", hint="create it")
        """
    )
    release.feature(
        "01-forward",
        FORWARD.replace("Then all gates hold", "Then a gate closes", 1).replace(
            "Given a release", "Then a secret is missing"
        ),
    )

    result = release.run("features", "--env=prod", "--plan")

    assert result.ret == 1
    result.assert_outcomes(failed=2, deselected=13)
    result.stdout.fnmatch_lines(
        [
            "Nothing was changed, and this stands in the way: Users meet the candidate:",
            "Nothing stands in the way",
            "  next     look at the queries",
            "  next     create it",
        ]
    )


def test_a_plan_of_a_part_is_no_whole_plan(release: Suite) -> None:
    result = release.run("features/01-forward.feature", "--env=prod", "--plan")

    result.stdout.fnmatch_lines(["Passed on prod, in part: this is no whole plan"])


def test_a_plan_is_refused_where_the_release_would_be(release: Suite) -> None:
    release.feature("09-typo", "Feature: F\n  Scenario: S\n    Given a relase\n")

    result = release.run("features", "--env=prod", "--plan")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(['*09-typo.feature:3: "Given a relase" has no step definition*'])


def test_the_way_back_alone_waits_for_no_rehearsal(emergency: Suite) -> None:
    (emergency.path / "prod.traffic").write_text("10")

    result = emergency.run("features/07-rollback.feature", "--env=prod")

    assert result.ret == 0
    assert emergency.diary == ["prod: begun", "prod: rolled back"]
    result.stdout.fnmatch_lines(
        ["prod only: the way back needs no rehearsal", "Rolled back on prod"]
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("features/07-rollback.feature", "features/08-record.feature"),
        ("features", "-m", "way-back or record"),
    ],
)
def test_the_way_back_may_have_a_record_and_be_asked_for_by_tag(
    emergency: Suite, arguments: tuple[str, ...]
) -> None:
    assert attempted(emergency, *arguments, "--env=prod") == [
        "Users return[prod]",
        "The record remains[prod]",
    ]


def test_the_candidate_is_deleted_on_request_after_users_have_left(emergency: Suite) -> None:
    assert attempted(
        emergency, "features/07-rollback.feature", "--env=prod", "--delete-candidate"
    ) == ["Users return[prod]", "The candidate is deleted[prod]"]


def test_a_candidate_that_was_promoted_is_not_deleted(release: Suite) -> None:
    result = release.run("features", "--env=prod", "--delete-candidate")

    assert result.ret == 0
    assert "prod: 0 % to the candidate" not in release.diary


def test_no_candidate_is_deleted_after_a_way_back_that_failed(emergency: Suite) -> None:
    emergency.feature("07-rollback", WAY_BACK.replace("When the release is r", "Then a r", 1))
    emergency.steps("@then('a rolled back')\ndef _():\n    raise ReleaseError('no answer')\n")

    result = emergency.run("features/07-rollback.feature", "--env=prod", "--delete-candidate")

    assert result.ret == 1
    assert emergency.diary == []
    result.stdout.fnmatch_lines(
        ["The rollback on prod is not proven: stopped at The way back: Users return"]
    )


def test_an_emergency_runs_alone_whatever_was_asked_for(emergency: Suite) -> None:
    emergency.feature("01-forward", FORWARD.replace("all gates hold", "nobody wrote such words"))

    result = emergency.run("features", "--env=prod", "--scale-to-zero")

    assert result.ret == 0
    assert emergency.diary == [*("prod: begun", "prod: scaled to zero", "prod: recorded")]
    result.stdout.fnmatch_lines(
        ["prod only: an emergency does not wait for a rehearsal", "Scaled to zero on prod"]
    )


def test_here_the_way_back_is_rehearsed_like_any_feature(release: Suite) -> None:
    result = release.run("features", "-k", "rehearsed or promoted or return")

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "local only: a rehearsal stays on this machine",
            "Passed on local, in part: this is no whole release",
        ]
    )


def test_one_environment_by_name_is_told_as_what_it_is(release: Suite) -> None:
    result = release.run("features/01-forward.feature::The plan is told", "--env=prod")

    result.stdout.fnmatch_lines(
        [
            "prod only: nothing else was asked for",
            "Released to prod, in part unproven: scenarios were left out",
        ]
    )
