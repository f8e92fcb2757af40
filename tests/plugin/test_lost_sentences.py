"""What Gherkin would take for prose, or nobody would read, is refused with its file and line."""

import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.plugin.conftest import FORWARD, Suite
from tests.plugin.test_before_it_begins import complaints

GREEN = "  Scenario: S\n    Given a release\n"
PROSE = "reads as a description, and would not run"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("  Given a release\n  Then a gate closes\n\n" + GREEN, f"2: {PROSE}: Given a release;*"),
        (
            "  Scenrio: first\n    Given a release\n    Then a gate closes\n" + GREEN,
            f"2: {PROSE}: Scenrio: first; nearest: Scenario:",
        ),
        ("  Scenario first\n    Given a release\n" + GREEN, "2: *; nearest: Scenario:"),
        ("  Scenrio first\n" + GREEN, "2: *; nearest: Scenario:"),
        ("  Backgrund:\n    Then a gate closes\n" + GREEN, "2: *; nearest: Background:"),
        ("  Background\n    Then a gate closes\n" + GREEN, "2: *; nearest: Background:"),
        ("  Exmples:\n    | a |\n" + GREEN, "2: *; nearest: Examples:"),
        ("\n  # why\n  Protects users.\n\n  Thn a gate closes\n" + GREEN, '6: *"a gate closes"'),
        ("  a gate closes\n" + GREEN, '2: *; nearest: "a gate closes"'),
        ("  * a gate closes\n" + GREEN, '2: *; nearest: "a gate closes"'),
        ("  Thn a gat closes\n" + GREEN, '2: *; nearest: "a gate closes"'),
        (
            "  Whn 5 % of the traffic reach the candidate\n" + GREEN,
            '2: *; nearest: "{percent*"',
        ),
        ("  | a | b |\n" + GREEN, "2: *; nearest: a sentence above it"),
        (
            "  Rule: r\n    Then a gate closes\n\n    Example: s\n      Given a release\n",
            f"3: {PROSE}: Then a gate closes;*",
        ),
        ("  Rule: r\n    Scenrio: s\n" + GREEN, "3: *; nearest: Scenario:"),
        ("  Rule: r\n    The users come first.\n", '2: rule "r" holds no scenario'),
        (
            "  Background:\n    Protects users.\n    Given a release\n" + GREEN,
            "3: not a sentence: Protects users.",
        ),
        ("  Background:\n" + GREEN, "2: a background needs a sentence"),
        ("  Protects users.\n", "1: holds no scenario"),
        ("  Background:\n    Given a release\n", "1: holds no scenario"),
    ],
)
def test_a_sentence_that_would_be_lost_is_refused(suite: Suite, text: str, complaint: str) -> None:
    suite.feature("01", f"Feature: F\n{text}")

    pytest.LineMatcher(complaints(suite)).fnmatch_lines([f"features/01.feature:{complaint}"])


@pytest.mark.parametrize(
    "prose",
    [
        "Protects everybody who uses the service now: a release that could not be taken back.",
        "The way back is proven,\n  and whoever is sent back is served as before,\n  then and now.",
        "* users come first\n  * nobody is lost",
        "Note: the candidate stands beside the baseline.",
    ],
)
def test_prose_is_welcome(suite: Suite, prose: str) -> None:
    suite.feature("01", f"Feature: F\n  {prose}\n\n  Rule: r\n    {prose}\n{GREEN}")

    assert suite.run().ret == 0


OUTLINE = (
    "  Scenario Outline: <share> is enough\n    When <share> % of the traffic reach the candidate\n"
)
ROWS = "\n    Examples:\n      | share |\n      | 10    |\n\n      | 20    |\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (OUTLINE + "\n    Examples:\n", '5: "<share> is enough" has no row of examples'),
        (OUTLINE + "\n    Examples:\n      | share |\n", "5: *has no row of examples"),
        (OUTLINE + ROWS + "\n    Examples: more\n      | share |\n", "11: *no row of examples"),
        (OUTLINE + "\n    Examples:\n      Given a release\n", "5: *no row of examples"),
        (
            OUTLINE + ROWS.replace("share", "part"),
            "2: <share>: the examples of line 5 name no such column: part",
        ),
        (
            OUTLINE + "    And <more> % of the traffic reach the candidate\n" + ROWS,
            "4: <more>: the examples of line 6 name no such column: share",
        ),
        (
            OUTLINE + "    Then a table\n      | <cell> |\n" + ROWS,
            "5: <cell>: the examples of line 7 name no such column: share",
        ),
        (
            OUTLINE + "\n    Examples:\n      | share | share |\n      | 10 | 20 |\n",
            "6: got 2 columns share, needs one",
        ),
    ],
)
def test_an_outline_says_what_each_placeholder_is(suite: Suite, text: str, complaint: str) -> None:
    suite.feature("01", f"Feature: F\n{text}")

    pytest.LineMatcher(complaints(suite)).fnmatch_lines([f"features/01.feature:{complaint}"])


FRENCH = """# language: fr
Fonctionnalité: F

  Plan du scénario: <part> suffit
    Quand <part> % of the traffic reach the candidate
"""


def test_an_outline_needs_rows_in_any_language(suite: Suite) -> None:
    suite.feature("01", FRENCH)

    assert complaints(suite) == ['features/01.feature:4: "<part> suffit" has no row of examples']


def test_a_feature_in_another_language_runs_and_loses_nothing(suite: Suite) -> None:
    rows = "\n    Exemples:\n      | part |\n      | 10 |\n"
    suite.feature("01", FRENCH + rows)
    assert suite.run().ret == 0
    assert suite.diary == ["local: begun", "local: 10 % to the candidate", "local: rolled back"]

    suite.feature("01", FRENCH.replace("é: F\n", "é: F\n  Alors a gate closes\n") + rows)
    told = suite.run()
    assert told.ret == pytest.ExitCode.USAGE_ERROR
    told.stderr.fnmatch_lines([f"*01.feature:3: {PROSE}: Alors a gate closes;*"])


@pytest.mark.parametrize(
    ("sentence", "complaint"),
    [
        ("Then all gates hold\n      | a |\n", '"all gates hold" takes no table*'),
        ('Then all gates hold\n      """\n      text\n      """\n', "*takes no text*"),
        ("Then there is a table\n", '"there is a table" needs a table below it'),
        ("Then there is a text\n", '"there is a text" needs a text below it'),
        ("Then it is asked\n", '"it is asked" needs answer, and no sentence before it makes that'),
        ("Then it is asked deeply\n", '"it is asked deeply" needs ground, and no sentence before*'),
    ],
)
def test_what_stands_below_a_sentence_is_read_and_what_it_needs_is_made(
    suite: Suite, sentence: str, complaint: str
) -> None:
    suite.steps(
        """
        @then("there is a table")
        def _(datatable):
            pass


        @then("there is a text")
        def _(docstring):
            pass


        @pytest.fixture
        def depth(ground):
            pass


        @then("it is asked deeply")
        def _(depth):
            pass


        @then("it is asked")
        def _(answer):
            pass
        """
    )
    suite.feature("01", f"Feature: F\n  Scenario: S\n    Given a release\n    {sentence}")

    pytest.LineMatcher(complaints(suite)).fnmatch_lines([f"features/01.feature:4: {complaint}"])


def test_a_byte_order_mark_is_read_over(suite: Suite) -> None:
    path = suite.feature("01", FORWARD)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert suite.run().ret == 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"Feature: F\n  Scenario: \xe9t\xe9\n    Given a release\n", "2: not UTF-8: *"),
        (b"# " + b"x" * (1 << 20) + b"\nFeature: F\n", "1: got more than 1048576 bytes*"),
    ],
)
def test_what_is_no_text_is_refused(suite: Suite, content: bytes, complaint: str) -> None:
    suite.feature("01", "").write_bytes(content)

    pytest.LineMatcher(complaints(suite)).fnmatch_lines([f"features/01.feature:{complaint}"])


def test_features_in_folders_below_belong_to_the_release(suite: Suite) -> None:
    suite.feature("01", FORWARD)
    below = suite.path / "features/deep/er"
    below.mkdir(parents=True)
    (below / "02.feature").write_text("Feature: G\n  Scenario: Below\n    Then a gate closes\n")

    whole, part = suite.run("features"), suite.run("features/01.feature")

    whole.stdout.fnmatch_lines(["      features/deep/er/02.feature:3", "Not released: *Below"])
    assert (whole.ret, part.ret) == (1, 0)
    part.stdout.fnmatch_lines(["Passed on local, in part: this is no whole release"])


def test_a_name_that_is_no_text_is_read_and_reported(suite: Suite) -> None:
    suite.feature("01", FORWARD.replace("Then all gates hold", "Then a gate closes", 1))
    named = Path(os.fsdecode(os.fsencode(suite.path / "features") + b"/\xe9t\xe9.feature"))
    (suite.path / "features/01.feature").rename(named)

    with suite.start("features", "--junit-xml=junit.xml") as run:
        told, _ = run.communicate()

    assert run.returncode == 1
    assert "Not released: stopped at Users meet the candidate slowly: The candidate starts" in told
    assert "INTERNALERROR" not in told


def test_other_reports_name_the_feature_and_its_line(suite: Suite) -> None:
    outline = OUTLINE.replace("<share> is", "<share> % is") + ROWS + "\n" + GREEN
    suite.feature("01", f"Feature: F\n{outline}")

    suite.run("features", "--junit-xml=junit.xml", "-o", "junit_family=xunit1")

    cases = ET.parse(suite.path / "junit.xml").iter("testcase")
    places = [(case.get("file"), int(case.get("line", -1)) + 1) for case in cases]
    lines = (suite.path / "features/01.feature").read_text().splitlines()
    assert [(file, re.sub(" +", " ", lines[line - 1].strip())) for file, line in places] == [
        ("features/01.feature", "| 10 |"),
        ("features/01.feature", "| 20 |"),
        ("features/01.feature", "Scenario: S"),
    ]
