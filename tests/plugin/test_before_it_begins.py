"""What stops a release before its first sentence, with everything said at once."""

import sys
from datetime import timedelta

import pytest

from cloudrun_emulator.core.time import wait_until
from tests.plugin.conftest import Suite

USAGE_ERROR = pytest.ExitCode.USAGE_ERROR
SOON = timedelta(seconds=30)


def complaints(suite: Suite, *arguments: str) -> list[str]:
    """ReleaseRun, see that nothing was begun, and return what was complained of."""
    result = suite.run(*arguments)
    assert result.ret == USAGE_ERROR
    assert suite.diary == []
    first, *rest = [line for line in result.errlines if line]
    assert first == "ERROR: no feature was begun"
    return [line.strip() for line in rest]


def test_every_unbound_sentence_is_named_with_the_nearest_known_one(suite: Suite) -> None:
    suite.feature(
        "01",
        """
        Feature: F
          Scenario: S
            Given a release
            Then all gates hold on
            And nobody ever wrote such words
        """,
    )
    suite.feature("02", "Feature: G\n  Scenario: T\n    When the release is roled back\n")

    nearest = 'nearest: "the release is rolled back"'
    unknown = "has no step definition"
    assert complaints(suite) == [
        f'features/01.feature:4: "Then all gates hold on" {unknown}; nearest: "all gates hold"',
        f'features/01.feature:5: "And nobody ever wrote such words" {unknown}',
        f'features/02.feature:3: "When the release is roled back" {unknown}; {nearest}',
    ]


def test_a_sentence_of_another_kind_is_not_bound(suite: Suite) -> None:
    suite.feature("01", "Feature: F\n  Scenario: S\n    When all gates hold\n")

    assert complaints(suite)[0].startswith('features/01.feature:3: "When all gates hold" has no')


def test_an_ambiguous_sentence_names_its_definitions(suite: Suite) -> None:
    suite.steps('@then(parsers.parse("all {things} hold"))\ndef _(things):\n    pass\n')
    suite.feature("01", "Feature: F\n  Scenario: S\n    Then all gates hold\n")

    [complaint] = complaints(suite)
    assert complaint.startswith(
        'features/01.feature:3: "Then all gates hold" has 2 step definitions: conftest.py:'
    )


def test_a_misspelt_tag_is_named_with_the_nearest_known_one(suite: Suite) -> None:
    suite.feature(
        "01",
        """
        Feature: F

          @way_back @drill
          Scenario: S
            Given a release
        """,
    )

    assert complaints(suite) == ["features/01.feature:3: unknown tag @way_back; nearest: @way-back"]


def test_a_tag_that_the_project_registered_is_known(suite: Suite) -> None:
    with (suite.path / "tox.ini").open("a") as settings:
        settings.write("\nmarkers =\n    nightly: runs at night\n")
    suite.feature("01", "Feature: F\n  @nightly\n  Scenario: S\n    Given a release\n")

    assert suite.run("features", "-m", "nightly").ret == 0
    assert suite.diary == ["local: begun"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Feature: F\n  Scenario: S\n    Gven a release\n", "*:3: not a sentence: Gven a release"),
        (
            "Feature: F\n  Background:\n    Gven a release\n  Scenario: S\n    Given a release\n",
            "features/01.feature:3: not a sentence: Gven a release",
        ),
        ("Feature: F\n  Scenario: S\n    And a release\n", "features/01.feature:3: First step*"),
        ("", "features/01.feature:1: holds no feature"),
        ("Feature: F\n  Scenario: S\n", 'features/01.feature:2: "S" has no sentence'),
        ("Feature: F\n  Scenario:\n    Given a release\n", "*:2: a scenario needs a title"),
        (
            "Feature: F\n" + "  Scenario: S\n    Given a release\n" * 2,
            'features/01.feature:4: "S" is the title of line 2 already',
        ),
        (
            "Feature: F\n  Scenario Outline: S\n    Given a release\n",
            'features/01.feature:2: "S" has no row of examples',
        ),
    ],
)
@pytest.mark.parametrize("argument", ["features", "features/01.feature::S"])
def test_what_cannot_be_read_is_named_by_file_and_line(
    suite: Suite, text: str, complaint: str, argument: str
) -> None:
    suite.feature("01", text)

    pytest.LineMatcher(complaints(suite, argument)).fnmatch_lines([complaint])


def test_all_unreadable_features_are_named_at_once(suite: Suite) -> None:
    for name in ("01", "02"):
        suite.feature(name, "Feature: F\n  Scenario: S\n    Gven a release\n")

    assert [line.partition(":")[0] for line in complaints(suite)] == [
        "features/01.feature",
        "features/02.feature",
    ]


def test_only_what_was_selected_has_to_be_bound(suite: Suite) -> None:
    suite.feature(
        "01",
        """
        Feature: F
          Scenario: Known
            Given a release
          Scenario: Other
            Given nothing known
        """,
    )

    assert suite.run("features", "-k", "Known").ret == 0


@pytest.mark.parametrize("switch", ["--lf", "--ff", "--nf", "--sw"])
def test_a_release_has_no_memory_of_earlier_runs(suite: Suite, switch: str) -> None:
    suite.feature("01", "Feature: F\n  Scenario: S\n    Given a release\n")

    assert complaints(suite, "features", switch) == [
        f"a release starts at its beginning: leave out {switch}"
    ]


SHUFFLING = """
def pytest_addoption(parser):
    parser.addoption("--randomly-dont-reorganize", dest="randomly_reorganize",
                     action="store_false", default=True)
"""

RANDOM = """
def pytest_addoption(parser):
    parser.addoption("--random-order", dest="random_order_enabled", action="store_true")
    parser.addoption("--random-order-bucket", default="default:module")
    parser.addoption("--random-order-seed", default="default:1")
"""


OTHER_ORDERS = {
    "randomly": (SHUFFLING, [], "in their own order: add -p no:randomly"),
    "random_order": (
        RANDOM,
        ["--random-order-seed=7"],
        "in their own order: leave out --random-order",
    ),
}


def test_processes_side_by_side_are_refused_for_features_alone(suite: Suite) -> None:
    suite.feature("01", "Feature: F\n  Scenario: S\n    Given a release\n")
    (suite.path / "test_ordinary.py").write_text("def test_one():\n    pass\n")

    refusal = "features run one after another: leave out -n"
    assert complaints(suite, "features", "-n", "2") == [refusal]
    assert suite.run("test_ordinary.py", "-n", "1").ret == 0


@pytest.mark.parametrize("plugin", OTHER_ORDERS)
def test_other_orders_are_refused_for_features_alone(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, plugin: str
) -> None:
    source, arguments, complaint = OTHER_ORDERS[plugin]  # the options are those of real plugins
    (suite.path / f"{plugin}.py").write_text(source)
    monkeypatch.syspath_prepend(suite.path)
    suite.feature("01", "Feature: F\n  Scenario: S\n    Given a release\n")
    (suite.path / "test_ordinary.py").write_text("def test_one():\n    pass\n")

    assert complaints(suite, "features", "-p", plugin, *arguments) == [f"features run {complaint}"]
    sys.modules.pop(plugin, None)
    assert suite.run("test_ordinary.py", "-p", plugin, *arguments).ret == 0


def test_two_runs_do_not_share_a_directory(suite: Suite) -> None:
    suite.feature("01", "Feature: F\n  Scenario: S\n    Given a release\n    When it takes long\n")
    with suite.start() as first:
        try:
            wait_until(lambda: "local: waiting" in suite.diary, SOON, "the first to be under way")
            refused = suite.run()
        finally:
            first.terminate()
            first.communicate()
    assert refused.ret == USAGE_ERROR
    held = "another run of features is under way in this directory"
    assert [line for line in refused.errlines if held in line]
    assert suite.diary.count("local: begun") == 1


def test_the_next_run_is_not_hindered_by_one_that_was_killed(suite: Suite) -> None:
    suite.feature("01", "Feature: F\n  Scenario: S\n    Given a release\n    When it takes long\n")
    with suite.start() as first:
        wait_until(lambda: "local: waiting" in suite.diary, SOON, "the first to be under way")
        first.kill()
    suite.feature("01", "Feature: F\n  Scenario: S\n    Given a release\n")
    assert suite.run().ret == pytest.ExitCode.OK


def test_an_extra_that_a_sentence_needs_and_nobody_installed_is_told_first(suite: Suite) -> None:
    suite.steps(
        """
        from greenrun.model.extras import Extra

        EXTRA = Extra("browser", "no_such_package")
        """
    )
    suite.feature("01", "Feature: Pages\n  Scenario: One\n    Then all gates hold\n")

    [complaint] = complaints(suite)
    assert complaint == (
        "features/01.feature:3: 'all gates hold': got no no_such_package, needs the extra browser; "
        "hint: pip install 'greenrun[browser]'"
    )
    assert suite.diary == []
