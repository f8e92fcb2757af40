import pytest

from greenrun.suite.course import WENT_THROUGH, Course
from greenrun.suite.tags import Kind, environments, kind

FORWARD, DRILL, WAY_BACK, RECORD = Kind.FORWARD, Kind.DRILL, Kind.WAY_BACK, Kind.RECORD


@pytest.fixture
def course() -> Course:
    return Course(["local", "prod"], frozenset({"local", "prod"}))


def reasons(course: Course, environment: str) -> dict[Kind, str]:
    return {each: course.reason_to_skip(environment, each) for each in Kind}


def test_everything_but_the_way_back_is_attempted_while_nothing_failed(course: Course) -> None:
    assert reasons(course, "local") == {FORWARD: "", DRILL: "", WAY_BACK: WENT_THROUGH, RECORD: ""}


def test_after_a_failure_only_the_way_back_and_the_record_are_attempted(course: Course) -> None:
    course.fail("prod", FORWARD, "Canary: it holds")

    assert reasons(course, "prod") == {
        FORWARD: "stopped at Canary: it holds",
        DRILL: "stopped at Canary: it holds",
        WAY_BACK: "",
        RECORD: "",
    }


def test_an_environment_is_never_begun_after_an_earlier_one_failed(course: Course) -> None:
    course.fail("local", FORWARD, "Canary: it holds")

    assert set(reasons(course, "prod").values()) == {"stopped at Canary: it holds"}


def test_the_first_failure_is_the_one_that_is_named(course: Course) -> None:
    course.fail("local", FORWARD, "first")
    course.fail("local", WAY_BACK, "second")

    assert course.reason_to_skip("local", FORWARD) == "stopped at first"
    assert course.stopped_at == "first"


@pytest.mark.parametrize("failed", [DRILL, WAY_BACK, RECORD])
def test_what_is_not_the_way_forward_stops_later_environments_alone(
    course: Course, failed: Kind
) -> None:
    course.fail("local", failed, "it")

    assert course.reason_to_skip("local", FORWARD) == ""
    assert course.reason_to_skip("local", WAY_BACK) == ""
    assert course.reason_to_skip("prod", FORWARD) == "stopped at it"


def test_the_way_back_runs_when_it_is_asked_for_alone() -> None:
    course = Course(["local", "prod"], frozenset())
    course.fail("local", WAY_BACK, "it")

    assert course.reason_to_skip("prod", WAY_BACK) == ""


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([], ["local", "prod"]),
        (["rehearsal"], ["local"]),
        (["drill"], ["local"]),
        (["cloud"], ["prod"]),
        (["cloud", "drill"], []),
        (["way-back"], ["local", "prod"]),
    ],
)
def test_tags_say_where_a_scenario_runs(tags: list[str], expected: list[str]) -> None:
    assert environments(frozenset(tags), ["local", "prod"]) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["rehearsal"], FORWARD),
        (["drill"], DRILL),
        (["drill", "way-back"], WAY_BACK),
        (["way-back", "record"], RECORD),
    ],
)
def test_tags_say_what_a_scenario_is_to_the_release(tags: list[str], expected: Kind) -> None:
    assert kind(frozenset(tags)) is expected
