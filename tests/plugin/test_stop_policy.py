import pytest

from greenrun.plugin.gherkin.tags import Kind, environments, kind
from greenrun.plugin.run.selection import NOT_NEEDED, RunMode, StopPolicy

FORWARD, DRILL, WAY_BACK, RECORD = Kind.FORWARD, Kind.DRILL, Kind.WAY_BACK, Kind.RECORD


@pytest.fixture
def stop_policy() -> StopPolicy:
    return StopPolicy(RunMode.RELEASE, ["local", "prod"], frozenset({"local", "prod"}))


def reasons(stop_policy: StopPolicy, environment: str) -> dict[Kind, str]:
    return {each: stop_policy.reason_to_skip(environment, each) for each in Kind}


def test_everything_but_the_way_back_is_attempted_while_nothing_failed(
    stop_policy: StopPolicy,
) -> None:
    assert reasons(stop_policy, "local") == {
        FORWARD: "",
        DRILL: "",
        WAY_BACK: NOT_NEEDED,
        RECORD: "",
    }


def test_after_a_failure_only_the_way_back_and_the_record_are_attempted(
    stop_policy: StopPolicy,
) -> None:
    stop_policy.fail("prod", FORWARD, "Canary: it holds")

    assert reasons(stop_policy, "prod") == {
        FORWARD: "stopped at Canary: it holds",
        DRILL: "stopped at Canary: it holds",
        WAY_BACK: "",
        RECORD: "",
    }


def test_an_environment_is_never_begun_after_an_earlier_one_failed(stop_policy: StopPolicy) -> None:
    stop_policy.fail("local", FORWARD, "Canary: it holds")

    assert set(reasons(stop_policy, "prod").values()) == {"stopped at Canary: it holds"}


def test_the_first_failure_is_the_one_that_is_named(stop_policy: StopPolicy) -> None:
    stop_policy.fail("local", FORWARD, "first")
    stop_policy.fail("local", WAY_BACK, "second")

    assert stop_policy.reason_to_skip("local", FORWARD) == "stopped at first"
    assert stop_policy.stopped_at == "first"


@pytest.mark.parametrize("failed", [DRILL, WAY_BACK, RECORD])
def test_what_is_not_the_way_forward_stops_later_environments_alone(
    stop_policy: StopPolicy, failed: Kind
) -> None:
    stop_policy.fail("local", failed, "it")

    assert stop_policy.reason_to_skip("local", FORWARD) == ""
    assert stop_policy.reason_to_skip("local", RECORD) == ""
    assert set(reasons(stop_policy, "prod").values()) == {"stopped at it"}


@pytest.mark.parametrize("forward", [frozenset({"prod"}), frozenset[str]()])
def test_a_way_back_that_failed_is_not_gone_further(forward: frozenset[str]) -> None:
    stop_policy = StopPolicy(RunMode.WAY_BACK, ["prod"], forward)
    stop_policy.fail("prod", WAY_BACK, "Way back: users return")

    assert stop_policy.reason_to_skip("prod", WAY_BACK) == "stopped at Way back: users return"
    assert stop_policy.reason_to_skip("prod", RECORD) == ""


def test_the_way_back_runs_when_it_is_asked_for_alone() -> None:
    assert StopPolicy(RunMode.WAY_BACK, ["prod"]).reason_to_skip("prod", WAY_BACK) == ""


def test_a_plan_goes_on_after_a_failure() -> None:
    stop_policy = StopPolicy(RunMode.PLAN, ["prod"], frozenset({"prod"}))
    stop_policy.fail("prod", FORWARD, "Preflight: the engine answers")

    assert stop_policy.reason_to_skip("prod", FORWARD) == ""
    assert stop_policy.stopped_at == "Preflight: the engine answers"


@pytest.mark.parametrize(
    ("environments", "expected"),
    [(["local", "prod"], "local, then prod: because"), (["prod"], "prod only: because")],
)
def test_it_says_where_it_leads_and_why(environments: list[str], expected: str) -> None:
    assert str(StopPolicy(RunMode.RELEASE, environments, why="because")) == expected


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
        (["delete-candidate"], WAY_BACK),
        (["scale-to-zero", "cloud"], WAY_BACK),
        (["plan", "cloud"], FORWARD),
    ],
)
def test_tags_say_what_a_scenario_is_to_the_release(tags: list[str], expected: Kind) -> None:
    assert kind(frozenset(tags)) is expected
