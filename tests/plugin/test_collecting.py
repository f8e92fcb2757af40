"""How feature files become tests."""

import pytest

from tests.plugin.conftest import Suite

KINDS = """
Feature: Kinds of scenarios

  Background:
    Given a release

  Scenario: Plain
    Then all gates hold

  Scenario Outline: <percent> % is enough
    When <percent> % of the traffic reach the candidate

    Examples:
      | percent |
      | 10      |
      | 50      |

  Scenario Outline: Any share
    When <percent> % of the traffic reach the candidate

    Examples:
      | percent |
      | 10      |

    @cloud
    Examples:
      | percent |
      | 50      |

  Rule: Rules hold

    Background:
      Then all gates hold

    Scenario: Within a rule
      Then the record is written
"""


@pytest.fixture
def kinds(suite: Suite) -> Suite:
    suite.feature("01-kinds", KINDS)
    return suite


def collected(suite: Suite, *arguments: str) -> list[str]:
    result = suite.run(*arguments, "--collect-only", "-q")
    return [line for line in result.outlines if "::" in line]


def test_each_scenario_and_row_is_a_test_of_each_environment(kinds: Suite) -> None:
    assert collected(kinds, "features", "--env=prod") == [
        "features/01-kinds.feature::Plain[local]",
        "features/01-kinds.feature::10 % is enough[local]",
        "features/01-kinds.feature::50 % is enough[local]",
        "features/01-kinds.feature::Any share[local-10]",
        "features/01-kinds.feature::Within a rule[local]",
        "features/01-kinds.feature::Plain[prod]",
        "features/01-kinds.feature::10 % is enough[prod]",
        "features/01-kinds.feature::50 % is enough[prod]",
        "features/01-kinds.feature::Any share[prod-10]",
        "features/01-kinds.feature::Any share[prod-50]",
        "features/01-kinds.feature::Within a rule[prod]",
    ]


def test_backgrounds_come_before_each_scenario(kinds: Suite) -> None:
    result = kinds.run("features", "-k", "Within")

    assert result.ret == 0
    assert kinds.diary == ["local: begun", "local: gates hold", "local: recorded"]


@pytest.mark.parametrize(
    "argument", ["features", "features/01-kinds.feature", "features/01-kinds.feature::Plain"]
)
def test_features_are_found_by_folder_file_and_name(kinds: Suite, argument: str) -> None:
    assert collected(kinds, argument)[0] == "features/01-kinds.feature::Plain[local]"


def test_one_environment_of_a_scenario_can_be_named(kinds: Suite) -> None:
    named = "features/01-kinds.feature::50 % is enough[prod]"

    assert collected(kinds, named, "--env=prod") == [named]


def test_files_come_in_order_whatever_the_arguments(suite: Suite) -> None:
    for name in ("02-second", "01-first"):
        suite.feature(name, f"Feature: {name}\n  Scenario: {name}\n    Given a release\n")

    assert collected(suite, "features/02-second.feature", "features/01-first.feature") == [
        "features/01-first.feature::01-first[local]",
        "features/02-second.feature::02-second[local]",
    ]


def test_the_way_back_and_the_record_come_last_wherever_they_stand(suite: Suite) -> None:
    suite.feature(
        "01",
        """
        Feature: F
          @record
          Scenario: record
            Given a release
          @way-back
          Scenario: way back
            Given a release
          Scenario: forward
            Given a release
          @drill
          Scenario: drill
            Given a release
        """,
    )

    names = [line.partition("::")[2] for line in collected(suite, "features", "--env=prod")]
    assert names == [
        *("forward[local]", "drill[local]", "way back[local]", "record[local]"),
        *("forward[prod]", "way back[prod]", "record[prod]"),
    ]


def test_the_nearest_conftest_has_the_say(suite: Suite) -> None:
    suite.feature("01", "Feature: F\n  Scenario: S\n    Then all gates hold\n")
    (suite.path / "features" / "conftest.py").write_text(
        "from pytest_bdd import then\n\n\n"
        "@then('all gates hold')\ndef _(release):\n    release.write('near')\n"
    )

    assert suite.run("features").ret == 0
    assert suite.diary == ["local: begun", "local: near"]


def test_sentences_speak_as_in_pytest_bdd(suite: Suite) -> None:
    suite.steps(
        r"""
        @given(parsers.re(r"a (?P<size>\d+) row table"), converters={"size": int},
               target_fixture="table")
        def _(release, size, datatable, docstring=None, extra="default"):
            assert (size, docstring, extra) == (2, None, "default")
            yield datatable
            release.write("table cleared")


        @then("it can be read")
        @reaches(PROMOTED)
        def _(release, table, docstring):
            release.write(f"{table} {docstring}")
        """
    )
    suite.feature(
        "01",
        '''
        Feature: F
          Scenario: S
            Given a 2 row table
              | a | b |
              | 1 | 2 |
            Then it can be read
              """
              said
              """
        ''',
    )

    assert suite.run("features").ret == 0
    assert suite.diary == [
        "local: begun",
        "local: [['a', 'b'], ['1', '2']] said",
        "local: table cleared",
    ]


def test_other_plugins_hear_pytest_bdds_hooks(suite: Suite) -> None:
    suite.steps(
        """
        heard = []

        def pytest_bdd_before_scenario(scenario):
            heard.append("the scenario begins")

        def pytest_bdd_before_step(step):
            heard.append(step.name)

        def pytest_bdd_before_step_call(step_func_args):
            heard.append(f"with {', '.join(step_func_args) or 'nothing'}")

        def pytest_bdd_after_step(step):
            heard.append("done")

        def pytest_bdd_step_error(exception):
            heard.append(type(exception).__name__)

        def pytest_bdd_after_scenario(scenario):
            heard.append("the scenario ends")

        def pytest_terminal_summary(terminalreporter):
            terminalreporter.write_line("; ".join(heard))
        """
    )
    suite.feature("01", "Feature: F\n  Scenario: S\n    Given a release\n    Then a gate closes\n")

    heard = [
        *("the scenario begins", "a release", "with release", "done"),
        *("a gate closes", "with nothing", "GateClosed", "the scenario ends"),
    ]
    assert "; ".join(heard) in suite.run("features").outlines


def test_an_environment_is_any_name(suite: Suite) -> None:
    suite.feature("01", "Feature: F\n  Scenario: S\n    Given a release\n")

    assert collected(suite, "features", "--env=eu-staging_2")[-1].endswith("[eu-staging_2]")
    result = suite.run("features", "--env=a/b")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --env: got 'a/b', needs letters, digits, _ or -"])
