"""Every check is made, and everything that they find comes at once."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from greenrun.checks import release_state
from greenrun.checks.release_state import PREFLIGHT
from greenrun.model.errors import CallFailed, GateClosed, ReleaseError
from greenrun.model.image import Source
from greenrun.model.objective import Gate
from greenrun.model.plan import BuildPlan, Plan
from greenrun.model.revision import (
    ContainerProbe,
    RevisionSettings,
    SecretReference,
    Sidecar,
    Volume,
)
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release.preflight import checks
from greenrun.release.release import Release
from tests.conftest import BASELINE, World
from tests.release.preflight.conftest import context_of

FEATURE = Path(__file__).parents[3] / "features" / "01-preflight.feature"


def test_the_feature_asks_for_every_check_there_is() -> None:
    rows = [line.split("|")[1].strip() for line in FEATURE.read_text().splitlines() if "|" in line]
    assert rows == ["what", *checks.KNOWN]


def test_nothing_stands_in_the_way(plan: Plan, world: World, source: Source) -> None:
    changes = list(world.platform.calls)
    assert (
        checks.find_problems(tuple(checks.KNOWN), context_of(plan, world.dependencies, source))
        == ()
    )
    assert world.platform.calls == changes
    assert world.progress.lines == [
        *(it.title for it in checks.KNOWN.values()),
        "the candidate keeps what the baseline has",
    ]
    kept = str(world.evidence.kept["preflight"])
    for fact in ("container engine: 20.10.24", "account: somebody@example.com", "baseline: shop-"):
        assert fact in kept


def test_all_problems_come_at_once_in_the_order_of_the_checks(
    plan: Plan, world: World, source: Source
) -> None:
    world.builder.number = "19.03"
    world.access.lacks = {"run.jobs.create"}
    world.source_control.state = replace(world.source_control.state, changed=("app/main.py",))
    found = checks.find_problems(tuple(checks.KNOWN), context_of(plan, world.dependencies, source))
    assert [str(problem).partition(":")[0] for problem in found] == [
        "container engine",
        "tree",
        "permission run.jobs.create",
    ]


class SilentEngine:
    """An engine that does not answer."""

    def engine(self) -> str:
        raise CallFailed("could not reach the engine: got\nnothing", hint="start it")

    def lacks(self, _: BuildPlan) -> tuple[str, ...]:
        return ()

    def sent(self, _: BuildPlan) -> tuple[Path, ...]:
        return ()


def test_a_check_that_cannot_be_made_is_a_problem_and_not_the_end(
    plan: Plan, world: World, source: Source
) -> None:
    silent = replace(world.dependencies, builder=SilentEngine())  # type: ignore[arg-type]  # all that is asked
    split = TrafficSplit((Target("shop-one", 90), Target("shop-two", 10)))
    world.platform.change_by_somebody(wanted=split, actual=split)
    found = checks.find_problems(tuple(checks.KNOWN), context_of(plan, silent, source))
    absent = (
        f"shop is split: got {split}, needs one revision at 100 %; "
        "hint: bring the service to rest: all traffic to one named revision"
    )
    assert list(map(str, found)) == [
        (
            "the container engine is recent enough: could not reach the engine: "
            "got / nothing; hint: start it"
        ),
        absent,
        f"the baseline could start again: {absent}",
    ]


@pytest.mark.parametrize("titles", [(), ("the moon is full",)])
def test_no_check_and_an_unknown_one_are_refused_with_the_known_ones(
    plan: Plan, world: World, source: Source, titles: tuple[str, ...]
) -> None:
    with pytest.raises(ReleaseError) as told:
        checks.find_problems(titles, context_of(plan, world.dependencies, source))
    assert all(title in str(told.value) for title in (*titles, *checks.KNOWN))
    assert not world.progress.lines


def test_one_gate_closes_over_all_problems(release: Release, world: World, directory: Path) -> None:
    assert directory
    world.builder.lacking = ("Dockerfile: got no file, needs one",)
    world.builder.number = "19.03"
    rows = [("what", "where"), *((title, "everywhere") for title in list(checks.KNOWN)[:2])]
    with pytest.raises(GateClosed) as told:
        release_state.preflight_holds(release, PREFLIGHT.read(rows), Gate(()))
    assert [line.partition(":")[0] for line in str(told.value).splitlines()] == [
        "container engine",
        "Dockerfile",
    ]
    assert "\n".join(str(note["text"]) for note in world.progress.notes) == str(told.value)
    assert {note["event"] for note in world.progress.notes} == {"finding"}


def test_no_gate_closes_where_all_holds(release: Release, directory: Path) -> None:
    assert directory
    wanted = [
        ("what", "where"),
        *((title, "cloud") for title in list(checks.KNOWN)[1:]),
        ("the container engine is recent enough", "everywhere"),
    ]
    release_state.preflight_holds(release, PREFLIGHT.read(wanted), Gate(()))


ONE_CHECK = ("the container engine is recent enough",)


def live(world: World, settings: RevisionSettings) -> None:
    baseline = world.platform.revisions_by_name[BASELINE]
    world.platform.revisions_by_name[BASELINE] = replace(baseline, settings=settings)


def told(plan: Plan, world: World, source: Source) -> list[str]:
    found = checks.find_problems(ONE_CHECK, context_of(plan, world.dependencies, source))
    return list(map(str, found))


def test_a_variable_that_would_be_lost_is_told_though_no_sentence_asks(
    plan: Plan, world: World, source: Source
) -> None:
    proxy = Sidecar(image="proxy:1", variables={"MODE": "fast"})
    live(world, RevisionSettings(variables={"A": "1", "B": "2"}, containers={"proxy": proxy}))
    said = RevisionSettings(variables={"A": "1"}, containers={"proxy": Sidecar(variables={})})

    expected = (
        "variables: the candidate would lose B, proxy: MODE of shop-baseline, needs each of them "
        "kept, or taken away on purpose; hint: keep them, with the values that they have: / "
        'B: "..." / deploy: {containers: {proxy: {update-env-vars: {MODE: "..."}}}} / '
        "or take them away: / deploy: {remove-env-vars: [B]} / "
        "deploy: {containers: {proxy: {remove-env-vars: [MODE]}}}"
    )
    assert told(replace(plan, settings=said), world, source) == [expected]
    kept = replace(said, remove_variables=("B",), containers={})
    assert told(replace(plan, settings=kept), world, source) == []


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (RevisionSettings(cpu="1"), "deploy.memory: got 8Gi (live or said), needs 128Mi to 4Gi"),
        (
            RevisionSettings(vpc_connector="c"),
            "deploy.vpc-connector: got c (live or said",
        ),
        (
            RevisionSettings(volumes={"new": Volume(path="/new")}),
            "deploy.volumes.new.source: got",
        ),
        (
            RevisionSettings(containers={"new": Sidecar()}),
            "deploy.containers.new.image: got",
        ),
        (
            RevisionSettings(depends_on=("who",)),
            "deploy.depends-on: got who (live or said",
        ),
        (
            RevisionSettings(liveness_probe=ContainerProbe(period=timedelta(seconds=1))),
            "deploy.liveness-probe: got nothing (live or said), needs a path or a grpc-service",
        ),
        (
            RevisionSettings(startup_probe=ContainerProbe(period=timedelta(seconds=1))),
            "deploy.startup-probe.timeout: got 2s (live or said), needs at most its period, 1s",
        ),
        (
            RevisionSettings(secrets={"/tls/key": SecretReference("key")}),
            "deploy.update-secrets./tls/key: got key:latest (live or said), needs a folder of its",
        ),
        (RevisionSettings(concurrency=3), ""),
    ],
)
def test_what_is_said_has_to_go_with_what_is_live(
    plan: Plan, world: World, source: Source, said: RevisionSettings, problem: str
) -> None:
    probe = ContainerProbe(
        type="tcp", timeout=timedelta(seconds=2), period=timedelta(seconds=9), failure_threshold=2
    )
    live(
        world,
        RevisionSettings(
            cpu="2",
            memory="8Gi",
            network="default",
            startup_probe=probe,
            secrets={"/tls/cert": SecretReference("cert")},
        ),
    )
    found = told(replace(plan, settings=said), world, source)

    assert [text.startswith(problem) for text in found] == [True] * bool(problem)
