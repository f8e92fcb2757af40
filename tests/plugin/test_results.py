"""The shape of Allure's results, as the report shows it."""

import json
from typing import Any

import pytest

from tests.plugin.conftest import Suite

STEPS = """
from greenrun.plugin.allure.evidence import AllureEvidence


@pytest.fixture
def evidence():
    return AllureEvidence(lambda text: text.replace("hunter2", "********"))


@when("the image is inspected")
def _(evidence):
    evidence.attach("inspection", '{"size": 1, "token": "hunter2"}', "application/json")
    evidence.attach("picture", b"PNG", "image/png")


@then("these are its settings")
def _(datatable):
    pass


@then("these are the notes")
def _(docstring):
    pass


@pytest.fixture(scope="session")
def kept_to_the_end():
    yield
    AllureEvidence(str).attach("last words", "rolled back")


@given("something is kept to the end")
def _(kept_to_the_end):
    pass


def pytest_greenrun_environment(config):
    return {"service": "shop", "image digest": "sha256:c0ffee=", "note": "two\\nlines # here"}
"""

FEATURE = '''
Feature: The image is what was asked for
  A release manager can read what was built.

  It is never built twice.

  Background:
    Given a release

  @rehearsal
  Scenario: The image is proven
    When the image is inspected
    Then these are its settings
      | setting | value |
      | memory  | 4 Gi  |
    And these are the notes
      """
      built once
      """

  Rule: Small is good

    Scenario Outline: <size> is enough
      Then <end>

      Examples:
        | size | end                  |
        | 1 GB | a gate closes        |
        | 2 GB | the platform is away |
'''


@pytest.fixture
def image(suite: Suite) -> Suite:
    suite.steps(STEPS)
    suite.feature("02-image", FEATURE)
    return suite


def result_of(suite: Suite, name: str) -> dict[str, Any]:
    [result] = [result for result in suite.results if result["name"] == name]
    return result


def attached(suite: Suite, step: dict[str, Any]) -> dict[str, tuple[str, bytes]]:
    folder = suite.path / "reports" / "allure-results"
    return {
        each["name"]: (each["type"], (folder / each["source"]).read_bytes())
        for each in step.get("attachments", [])
    }


def test_a_scenario_reads_as_gherkin(image: Suite) -> None:
    image.run("features")

    result = result_of(image, "The image is proven")
    steps = [(step["name"], step["status"]) for step in result["steps"]]
    assert steps == [
        ("Given a release", "passed"),
        ("When the image is inspected", "passed"),
        ("Then these are its settings", "passed"),
        ("And these are the notes", "passed"),
    ]
    assert all(step["start"] <= step["stop"] for step in result["steps"])
    assert result["status"] == "passed"
    assert result["description"] == (
        "A release manager can read what was built.\n\nIt is never built twice."
    )
    assert result["fullName"] == "features/02-image.feature: The image is proven"


def test_evidence_is_found_under_the_sentence_that_made_it(image: Suite) -> None:
    image.run("features")

    given, when, then, and_ = result_of(image, "The image is proven")["steps"]
    assert attached(image, given) == {}
    assert attached(image, when) == {
        "inspection": ("application/json", b'{"size": 1, "token": "********"}'),
        "picture": ("image/png", b"PNG"),
    }
    assert attached(image, then) == {"table": ("text/csv", b"setting,value\r\nmemory,4 Gi\r\n")}
    assert attached(image, and_) == {"text": ("text/plain", b"built once")}


def test_the_tree_is_environment_feature_rule_scenario(image: Suite) -> None:
    image.run("features", "--env=prod", "-k", "enough or proven")

    places = {
        (result["name"], *((label["name"], label["value"]) for label in result["labels"]))
        for result in image.results
    }
    feature = "The image is what was asked for"

    def tree(environment: str, *rule: str) -> tuple[tuple[str, str], ...]:
        return (
            ("parentSuite", environment),
            ("suite", feature),
            ("epic", environment),
            ("feature", feature),
            *((name, each) for each in rule for name in ("subSuite", "story")),
        )

    assert places == {
        ("The image is proven", ("tag", "rehearsal"), *tree("local")),
        ("1 GB is enough", *tree("local", "Small is good")),
        ("2 GB is enough", *tree("local", "Small is good")),
        ("1 GB is enough", *tree("prod", "Small is good")),
        ("2 GB is enough", *tree("prod", "Small is good")),
    }


def test_a_closed_gate_is_failed_and_a_doubt_is_broken(image: Suite) -> None:
    image.run("features/02-image.feature::1 GB is enough")
    closed = result_of(image, "1 GB is enough")
    image.run("features/02-image.feature::2 GB is enough")
    doubtful = result_of(image, "2 GB is enough")

    gate = {"message": "p95: got 900 ms, needs 500 ms or less\nhint: look at the queries"}
    assert (closed["status"], closed["statusDetails"]) == ("failed", gate)
    assert (closed["steps"][-1]["status"], closed["steps"][-1]["statusDetails"]) == ("failed", gate)
    doubt = {"message": "could not read the service: got no answer, needs one"}
    assert (doubtful["status"], doubtful["statusDetails"]) == ("broken", doubt)


def test_what_was_not_attempted_can_be_read_with_its_reason(image: Suite) -> None:
    image.run("features")

    result = result_of(image, "2 GB is enough")
    reason = "stopped at The image is what was asked for: 1 GB is enough"
    assert (result["status"], result["statusDetails"]) == ("skipped", {"message": reason})
    assert [(step["name"], step["status"]) for step in result["steps"]] == [
        ("Given a release", "skipped"),
        ("Then the platform is away", "skipped"),
    ]


def test_an_error_of_python_keeps_its_trace(suite: Suite) -> None:
    suite.feature(
        "01", "Feature: F\n  Scenario: S\n    Then a step is wrong\n    And all gates hold\n"
    )
    suite.run("features")

    [result] = suite.results
    assert result["status"] == "broken"
    assert result["statusDetails"]["message"] == "KeyError: 'missing'"
    assert "conftest.py" in result["statusDetails"]["trace"]


def test_what_fails_while_putting_back_is_told_after_the_failure(suite: Suite) -> None:
    suite.feature(
        "01",
        "Feature: F\n  Scenario: S\n    Given a release\n    When the way back is lost\n"
        "    Then a gate closes\n",
    )
    suite.run("features")

    [result] = suite.results
    assert result["status"] == "failed"
    assert result["statusDetails"]["message"] == (
        "p95: got 900 ms, needs 500 ms or less\nhint: look at the queries\n\n"
        "then: traffic is split 10/90, needs 0/100\nhint: use the console"
    )


def test_a_scenario_that_only_fails_while_putting_back_is_broken(suite: Suite) -> None:
    suite.feature(
        "01", "Feature: F\n  Scenario: S\n    Given a release\n    When the way back is lost\n"
    )
    suite.run("features")

    [result] = suite.results
    assert result["status"] == "broken"
    assert result["statusDetails"]["message"].startswith("traffic is split 10/90, needs 0/100")


def test_evidence_of_the_last_teardown_is_kept_beside_its_scenario(suite: Suite) -> None:
    suite.steps(STEPS)
    suite.feature(
        "01",
        "Feature: F\n  Scenario: S\n    Given something is kept to the end\n"
        "    Then all gates hold\n",
    )
    suite.run("features")

    [result] = suite.results
    assert attached(suite, result) == {"last words": ("text/plain", b"rolled back")}


def test_no_fixture_is_in_the_way(image: Suite) -> None:
    image.run("features", "--env=prod")

    folder = image.path / "reports" / "allure-results"
    assert list(folder.glob("*-container.json")) == []


def test_fixtures_of_ordinary_tests_stay(image: Suite) -> None:
    (image.path / "test_ordinary.py").write_text("def test_one(tmp_path):\n    pass\n")

    image.run("features", "test_ordinary.py")

    folder = image.path / "reports" / "allure-results"
    containers = [json.loads(path.read_text()) for path in folder.glob("*-container.json")]
    ordinary = result_of(image, "test_one")["uuid"]
    assert {child for container in containers for child in container["children"]} == {ordinary}


def test_identities_are_stable_and_differ_by_environment(image: Suite) -> None:
    def identities() -> set[tuple[str, str]]:
        image.run("features", "--env=prod")
        return {(result["historyId"], result["testCaseId"]) for result in image.results}

    first = identities()
    assert len(first) == 5
    assert identities() == first


def test_facts_of_the_run_are_written_as_properties(image: Suite) -> None:
    image.run("features")

    path = image.path / "reports" / "allure-results" / "environment.properties"
    assert path.read_text() == (
        "service = shop\nimage\\ digest = sha256\\:c0ffee\\=\nnote = two\\nlines\\ \\#\\ here\n"
        "environments = local\\ only\\:\\ a\\ rehearsal\\ stays\\ on\\ this\\ machine\n"
    )


def test_a_folder_that_was_asked_for_is_used_and_kept(image: Suite) -> None:
    chosen = image.path / "elsewhere"
    chosen.mkdir()
    (chosen / "of an earlier run").touch()

    image.run("features", "--alluredir", "elsewhere")

    assert (chosen / "of an earlier run").exists()
    assert len(list(chosen.glob("*-result.json"))) == 3
    assert not (image.path / "reports").exists()


def test_what_does_not_begin_leaves_the_last_results_alone(image: Suite) -> None:
    image.run("features")
    image.feature("03", "Feature: F\n  Scenario: S\n    Given nobody knows\n")

    image.run("features")

    assert len(image.results) == 3


def test_evidence_that_no_scenario_made_stands_beside_all(suite: Suite) -> None:
    suite.steps(
        """
        from greenrun.plugin.allure.evidence import AllureEvidence


        def pytest_sessionfinish():
            AllureEvidence(str).attach("last words", "rolled back")
        """
    )
    suite.feature("01", "Feature: F\n  Scenario: S\n    Given a release\n")
    suite.run("features")

    folder = suite.path / "reports" / "allure-results"
    [path] = folder.glob("*-globals.json")
    [attachment] = json.loads(path.read_text())["attachments"]
    assert attachment["name"] == "last words"
    assert (folder / attachment["source"]).read_bytes() == b"rolled back"


def test_evidence_that_comes_later_is_found_under_the_sentence_it_belongs_to(suite: Suite) -> None:
    suite.steps(
        """
        from greenrun.plugin.allure.evidence import AllureEvidence

        places = []


        @when("a gate closes")
        def _():
            places.append(AllureEvidence(lambda text: text.replace("hunter2", "****")).here())
            raise GateClosed("11 of 41 requests failed")


        @then("users are safe")
        def _():
            places[0].attach("chart", "<svg>hunter2</svg>", "image/svg+xml")
        """
    )
    suite.feature(
        "01",
        "Feature: F\n"
        "  Scenario: It is tried\n    When a gate closes\n    Then all gates hold\n"
        "  @way-back\n  Scenario: It is taken back\n    Then users are safe\n",
    )
    suite.run("features")

    tried, taken_back = (result_of(suite, f"It is {end}") for end in ("tried", "taken back"))
    assert attached(suite, tried["steps"][0]) == {"chart": ("image/svg+xml", b"<svg>****</svg>")}
    assert attached(suite, taken_back["steps"][0]) == {}
    assert (tried["status"], taken_back["status"]) == ("failed", "passed")
    assert tried["labels"]
    assert len(suite.results) == 2
