"""A release that promoted nothing is none, whatever was selected and whoever ends it."""

import pytest

from tests.plugin.conftest import AFTERWARDS, Suite
from tests.plugin.test_before_it_begins import complaints

FEATURES = """
Feature: Users meet the candidate

  {tag}
  Scenario: Nothing stands in the way
    Then the record is written

  {promoting}
  Scenario: The candidate is promoted
    When 10 % of the traffic reach the candidate
"""
NOTHING = (
    "what was selected is no release: got no scenario that brings a promotion on {}, needs a "
    'scenario that says "a release"'
)


@pytest.fixture
def suite(suite: Suite) -> Suite:
    write(suite)
    (suite.path / "test_ordinary.py").write_text("def test_one():\n    pass\n")
    return suite


def write(suite: Suite, tag: str = "@plan", promoting: str = "@plan") -> None:
    suite.feature("01-forward", FEATURES.format(tag=tag, promoting=promoting))
    suite.feature("02-afterwards", AFTERWARDS)


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        (("features", "-k", "stands"), "local"),
        (("features/02-afterwards.feature",), "local"),
        (("features", "-k", "record", "--env=prod"), "local, prod"),
        (("features/01-forward.feature::Nothing stands in the way[prod]", "--env=prod"), "prod"),
        (("features", "--deselect=features/01-forward.feature"), "local"),
        (
            ("features/02-afterwards.feature", "features/01-forward.feature", "-m", "record"),
            "local",
        ),
        (("features", "test_ordinary.py", "-k", "test_one", "--env=prod"), "prod"),
    ],
)
def test_a_selection_that_promotes_nothing_is_refused(
    suite: Suite, arguments: tuple[str, ...], places: str
) -> None:
    [told] = complaints(suite, *arguments)

    assert told.partition(", needs")[0] == NOTHING.format(places).partition(", needs")[0]


@pytest.mark.parametrize(
    ("tag", "environment", "places"),
    [
        ("@skip", "local", "local"),
        ("@skip", "prod", "local, prod"),
        ("@rehearsal", "prod", "prod"),
        ("@cloud", "prod", "local"),
        ("@cloud", "local", "local"),
        ("@drill", "prod", "prod"),
    ],
)
def test_a_promotion_that_is_tagged_away_is_refused(
    suite: Suite, tag: str, environment: str, places: str
) -> None:
    write(suite, promoting=tag)

    assert complaints(suite, "features", f"--env={environment}") == [NOTHING.format(places)]


def test_features_without_a_promotion_are_refused(suite: Suite) -> None:
    suite.feature("01-forward", "Feature: F\n  Scenario: S\n    Then the record is written\n")

    assert complaints(suite, "features", "--env=prod") == [NOTHING.format("local, prod")]


def test_it_may_be_listed_and_planned_all_the_same(suite: Suite) -> None:
    assert suite.run("features", "-k", "stands", "--collect-only").ret == 0
    assert suite.run("features", "-k", "stands", "--env=prod", "--plan").ret == 0


def test_ordinary_tests_beside_features_need_no_promotion(suite: Suite) -> None:
    assert suite.run("features", "test_ordinary.py", "-k", "test_one").ret == 0


def test_a_gate_that_is_expected_to_close_is_none(suite: Suite) -> None:
    write(suite, tag="@xfail")

    [told] = complaints(suite)
    assert told == (
        "features/01-forward.feature:4: @xfail: a gate that is expected to close is none; leave it "
        "out"
    )


ENDINGS = """
from greenrun.plugin.run.session import withdraw_promotion


@then("it is called a failure that was expected")
def _(release):
    pytest.xfail("known")


@then("it is skipped")
def _(release):
    pytest.skip("today")


@then("it ends at once")
def _(release):
    pytest.exit("enough", returncode=0)


@pytest.fixture
def taken_back(pytestconfig, release):
    yield
    withdraw_promotion(pytestconfig, "local")


@then("the engine takes it back")
def _(taken_back):
    pass


@then("all is well")
def _(release):
    pass
"""


@pytest.mark.parametrize(
    ("ending", "headline"),
    [
        (
            "it is called a failure that was expected",
            "Not released: stopped at Users meet the candidate: It ends",
        ),
        ("it is skipped", "Not rehearsed: no candidate was promoted"),
        ("it ends at once", "Not rehearsed: no candidate was promoted"),
        ("the engine takes it back", "Not rehearsed: no candidate was promoted"),
    ],
)
def test_a_promotion_that_did_not_come_about_is_no_success(
    suite: Suite, ending: str, headline: str
) -> None:
    suite.steps(ENDINGS)
    suite.feature(
        "01-forward",
        f"Feature: Users meet the candidate\n  Scenario: It ends\n    Then {ending}\n"
        "    And all gates hold\n",
    )

    result = suite.run("features")

    assert result.ret == 1
    result.stdout.fnmatch_lines([headline])
    result.stdout.no_fnmatch_line("The rehearsal passed*")


def test_users_who_were_sent_back_afterwards_are_not_released_to(suite: Suite) -> None:
    suite.feature(
        "01-forward",
        "Feature: F\n  Scenario: S\n    Given a release\n    When the release is rolled back\n",
    )

    result = suite.run("features", "--env=prod")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["Not released: no candidate was promoted"])


@pytest.mark.parametrize("moment", ["tryfirst", "trylast"])
def test_nobody_else_makes_a_success_of_it(suite: Suite, moment: str) -> None:
    suite.steps(
        f"""
        @pytest.hookimpl({moment}=True)
        def pytest_sessionfinish(session):
            session.exitstatus = 0
        """
    )
    suite.feature(
        "01-forward", "Feature: F\n  Scenario: S\n    Then a gate closes\n    And all gates hold\n"
    )

    assert suite.run("features").ret == 1


@pytest.mark.parametrize(
    ("scenario", "arguments", "headline"),
    [
        ("@way-back", (), "Not rolled back on prod: no sentence sent users back"),
        ("@scale-to-zero", ("--scale-to-zero",), "Not scaled to zero on prod: no sentence did it"),
        ("@plan @skip", ("--plan",), "Nothing was changed, and nothing was looked at: *"),
        ("@way-back @skip", (), "Not rolled back on prod: no sentence sent users back"),
    ],
)
def test_what_was_asked_for_by_hand_and_did_not_happen_is_no_success(
    suite: Suite, scenario: str, arguments: tuple[str, ...], headline: str
) -> None:
    suite.steps(ENDINGS)
    (suite.path / "features/01-forward.feature").unlink()
    suite.feature(
        "02-afterwards", f"Feature: F\n  {scenario}\n  Scenario: S\n    Then all is well\n"
    )

    result = suite.run("features", "--env=prod", *arguments)

    assert result.ret == 1
    result.stdout.fnmatch_lines([headline])


def test_a_sentence_that_lacks_what_none_before_it_brings_is_told_by_file_and_line(
    suite: Suite,
) -> None:
    suite.steps(
        """
        from greenrun.plugin.gherkin.milestones import CANDIDATE, needs

        @then("the candidate answers")
        @needs(CANDIDATE)
        def _():
            pass

        @when("the candidate is deployed")
        @reaches(CANDIDATE)
        def _():
            pass
        """
    )
    before = "Feature: F\n  {}\n  Scenario: S\n    When the candidate is deployed\n"
    suite.feature("00-before", before.format("@skip"))
    suite.feature(
        "03-asked",
        "Feature: F\n  Scenario: T\n    Given a release\n    Then the candidate answers\n",
    )
    lacks = (
        'features/03-asked.feature:4: "the candidate answers" needs a candidate on {}: no scenario '
        'before it says "the candidate is deployed"'
    )

    assert complaints(suite, "features", "--env=prod") == [lacks.format("local")]
    suite.feature("00-before", before.format("@rehearsal"))
    assert complaints(suite, "features", "--env=prod") == [lacks.format("prod")]
    suite.feature("00-before", before.format("@plan"))
    assert suite.run("features", "--env=prod").ret == 0


def test_what_fails_once_users_are_with_the_candidate_does_not_deny_that(suite: Suite) -> None:
    suite.steps(
        """
        @pytest.fixture(scope="session")
        def log():
            yield
            raise ReleaseError("could not close the log")


        @then("a log is kept")
        def _(log, release):
            pass
        """
    )
    write(suite)
    suite.feature("03-log", "Feature: G\n  @cloud\n  Scenario: T\n    Then a log is kept\n")

    result = suite.run("features", "--env=prod")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "Released to prod, and what came after failed: *",
            "  prod *1 failed*",
        ]
    )


@pytest.mark.parametrize("arguments", [("--env=prod",), ("test_ordinary.py", "--env=prod")])
def test_tests_that_pass_elsewhere_are_no_release(suite: Suite, arguments: tuple[str, ...]) -> None:
    with (suite.path / "tox.ini").open("a") as settings:
        settings.write("\ntestpaths = test_ordinary.py\n")

    assert complaints(suite, *arguments) == [
        "--env=prod: got no feature, needs one (pytest features/ --env=NAME)"
    ]
    assert suite.run(*arguments, "--collect-only").ret == 0
