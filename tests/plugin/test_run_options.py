"""What may be wished for on the command line, and what is refused before anything runs."""

import pytest

from greenrun.plugin.options import RunOptions
from tests.plugin.conftest import AFTERWARDS, FORWARD, Suite
from tests.plugin.test_before_it_begins import complaints

DIGEST = "sha256:" + "c0ffee12" * 8
FEATURES = ("features", "--env=prod")
WAY_BACK = ("features/02-afterwards.feature", "--env=prod")

NOTING = """
@given("the run options are noted")
@reaches(PROMOTED)
def _(pytestconfig, release):
    from greenrun.plugin.options import run_options_of
    release.write(run_options_of(pytestconfig))
"""


@pytest.fixture
def whole(suite: Suite) -> Suite:
    suite.feature("01-forward", FORWARD)
    suite.feature("02-afterwards", AFTERWARDS)
    return suite


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), RunOptions()),
        (("--resume", "--unlock"), RunOptions(resume=True, unlock=True)),
        (("--to=shop-00007-abc",), RunOptions(to="shop-00007-abc")),
        ((f"--to={DIGEST}", "--unlock"), RunOptions(unlock=True, to=DIGEST)),
        (("--delete-candidate",), RunOptions(delete_candidate=True)),
        (("--scale-to-zero", "--unlock"), RunOptions(scale_to_zero=True, unlock=True)),
        (("--plan",), RunOptions(plan=True)),
    ],
)
def test_fixtures_and_steps_can_read_them(
    suite: Suite, options: tuple[str, ...], expected: RunOptions
) -> None:
    suite.steps(NOTING)
    tags = "@plan @way-back" if expected.to else "@plan"
    suite.feature(
        "01",
        f"""
        Feature: F
          {tags}
          Scenario: S
            Given the run options are noted
          @delete-candidate
          Scenario: D
            Given the run options are noted
          @scale-to-zero
          Scenario: Z
            Given the run options are noted
        """,
    )

    suite.run(*FEATURES, *options)

    assert suite.diary[1] == f"{suite.diary[0].partition(':')[0]}: {expected}"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("features", "--plan"),
            "--plan: got --env=local, needs the one to release to",
        ),
        (
            ("features", "--env=local", "--resume", "--unlock"),
            "--resume, --unlock: got --env=local, needs the one to release to",
        ),
        (
            (*WAY_BACK, "--to="),
            "--to: got '', needs a revision's name or sha256: and 64 hex digits",
        ),
        (
            (*WAY_BACK, "--to=sha256:c0ffee"),
            "--to: got 'sha256:c0ffee', needs a revision's name or sha256: and 64 hex digits",
        ),
        (
            (*WAY_BACK, "--to=Shop_7"),
            "--to: got 'Shop_7', needs a revision's name or sha256: and 64 hex digits",
        ),
        (
            (*FEATURES, "--plan", "--resume", "--unlock"),
            "--plan: a plan changes nothing; leave out --resume, --unlock",
        ),
        (
            (*FEATURES, "--scale-to-zero", "--unlock", "--delete-candidate"),
            "--scale-to-zero: an emergency does nothing else; leave out --delete-candidate",
        ),
        (
            (*FEATURES, "--to=shop-00007-abc"),
            "--to: leads the way back; got more, needs scenarios tagged @way-back alone",
        ),
        (
            (*WAY_BACK, "--resume"),
            "--resume: goes on with a release; got the way back alone, leave it out",
        ),
        ((*FEATURES, "--plan"), "--plan: got no scenario tagged @plan, needs one"),
        (
            (*WAY_BACK, "--delete-candidate"),
            "--delete-candidate: got no scenario tagged @delete-candidate, needs one",
        ),
        (
            (*FEATURES, "--scale-to-zero"),
            "--scale-to-zero: got no scenario tagged @scale-to-zero, needs one",
        ),
        (
            ("test_ordinary.py", "--env=prod", "--unlock"),
            "--unlock: got no feature, needs one (pytest features/ --env=NAME)",
        ),
    ],
)
@pytest.mark.parametrize("listing", [(), ("--collect-only",)])
def test_what_makes_no_sense_is_refused_in_one_line(
    whole: Suite, arguments: tuple[str, ...], complaint: str, listing: tuple[str, ...]
) -> None:
    (whole.path / "test_ordinary.py").write_text("def test_one():\n    pass\n")

    assert complaints(whole, *arguments, *listing) == [complaint]


def test_a_scenario_on_request_is_not_run_by_its_name_alone(suite: Suite) -> None:
    suite.feature("01", "Feature: F\n  @scale-to-zero\n  Scenario: S\n    Given a release\n")

    assert complaints(suite, "features/01.feature::S[prod]", "--env=prod") == [
        "what was asked for runs on request alone: needs --scale-to-zero"
    ]


def test_help_tells_what_each_is_for(suite: Suite) -> None:
    told = " ".join(" ".join(suite.run("--help").outlines).split())

    for words in (
        "--plan with --env: say what a release would do, and change nothing",
        "--resume with --env: go on with a release that was cut short, instead of taking it back",
        "--unlock with --env: end the lease of another release first; make sure that it is dead",
        "--to=REVISION|sha256:DIGEST with --env, and the way back asked for alone: send users",
        "--delete-candidate with --env: on the way back, also delete the revision that users left",
        "--scale-to-zero with --env: emergency: take the service down to no instances at all",
    ):
        assert words in told
