"""The plan tells what a release would find, do and promise, and changes nothing for that."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from greenrun.model.errors import CallFailed
from greenrun.model.image import Image, Source, TagPolicy
from greenrun.model.interfaces import Dependencies, Leak, NewRevision, Timeout
from greenrun.model.lease import Lease, LeaseHolder
from greenrun.model.plan import BuildPlan, CanaryPlan, Location, MigrationPlan, Plan, PreflightPlan
from greenrun.model.release_state import FIRST_TAG, ReleaseState, Stage
from greenrun.model.revision import (
    ContainerProbe,
    RevisionSettings,
    SecretReference,
    ServiceSettings,
    Volume,
)
from greenrun.model.stats import Counts, Histogram, Sample, SequentialTest
from greenrun.model.text import delete_command
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release.dry_run import DryRun, DryRunInputs, Rehearsed, dry_run
from tests.dependencies import fake_roles
from tests.fakes import (
    IMAGE_ID,
    FakeClock,
    FakeMetrics,
    FakePlatform,
    FakeScanner,
    FakeVault,
    MemoryLeases,
)

GOLDEN = Path(__file__).parent / "dry_run_golden"
PATIENCE = Timeout(timedelta(seconds=1))
SOURCE = Source(Path(), "c0ffee" * 6 + "c0ff")
IMAGE = Image("registry.test/shop", "shop-20261121-080000", IMAGE_ID, 10**8, "amd64")

WANTED = RevisionSettings(
    variables={"LOG_LEVEL": "INFO", "MODE": "new", "WORKERS": "4"},
    secrets={"API_TOKEN": SecretReference("API_TOKEN", "5"), "KEY": SecretReference("KEY")},
    cpu="2",
    memory="4Gi",
    min_instances=1,
    max_instances=10,
    startup_probe=ContainerProbe(
        path="/api/health", period=timedelta(seconds=1), failure_threshold=60
    ),
    volumes={"data": Volume(source="nfs:10.0.0.2:/shop", path="/data")},
)
LAST = replace(
    WANTED,
    variables={"LOG_LEVEL": "INFO", "WORKERS": "2", "FLAG": "on"},
    secrets={"API_TOKEN": SecretReference("API_TOKEN", "4")},
)
LIVE = replace(
    LAST,
    variables={"LOG_LEVEL": "DEBUG", "WORKERS": "2", "FLAG": "on", "MAIL_KEY": "hunter2"},
    secrets={"API_TOKEN": SecretReference("API_TOKEN", "4"), "OLD": SecretReference("OLD")},
    memory="8Gi",
)
ANSWERED = Sample(
    Counts(275_374, 1_106), Histogram((100.0, 200.0, 400.0), (200_000, 70_000, 6_480))
)
WATCHED = (("alert policy for error rate over 5 % for 5 min", "would be created"),)
TRIAL = SequentialTest(0.005, quantiles=(0.95,), latency_limits=((0.95, 400.0),))
PROMOTED = ReleaseState(
    "a run",
    "shop-1",
    TrafficSplit.all_to("shop-1"),
    candidate="shop-2",
    stage=Stage.PROMOTED,
    migrations=("20250901_create",),
)


@pytest.fixture
def plan() -> Plan:
    return Plan(
        service="shop",
        environment="prod",
        place=Location("emergence", "europe-west1"),
        build=BuildPlan("registry.test/shop"),
        settings=WANTED,
        public=True,
        canary=CanaryPlan((10, 50), probes_per_second=10),
        preflight=PreflightPlan(quality_gates={"tests": ("pytest",)}),
        migration=MigrationPlan(("status",), ("apply",), ("app", "check")),
    )


@pytest.fixture
def platform() -> FakePlatform:
    """Released once, as shop-2; then somebody deployed shop-3 by hand, and tagged shop-1."""
    platform = FakePlatform("shop")
    platform.create(NewRevision("shop-2", "shop@sha256:2", LAST), PATIENCE)
    by_hand = TrafficSplit((Target("shop-3", 100), Target("shop-1", 0, "alice")))
    before = platform.state
    assert before is not None
    platform.deploy(NewRevision("shop-3", "shop@sha256:3", LIVE), by_hand, before, PATIENCE)
    platform.change_by_somebody(changed_at="2026-11-20T17:00:00Z")
    platform.calls.clear()
    return platform


@pytest.fixture
def dependencies(platform: FakePlatform) -> Dependencies:
    secret_store, clock = FakeVault({"API_TOKEN:5", "KEY:latest"}), FakeClock()
    metrics = FakeMetrics(clock, lag=timedelta(minutes=4), told={"shop-3": ANSWERED})
    return fake_roles(
        "shop", platform=platform, secret_store=secret_store, clock=clock, metrics=metrics
    )


def told(dry_run: DryRun, title: str) -> dict[str, tuple[str, ...]]:
    """The rows of a section, by their first cells."""
    (section,) = (section for section in dry_run.sections if section.title == title)
    return {row[0]: row[1:] for row in section.rows}


def test_a_plan_reads_like_this(plan: Plan, dependencies: Dependencies) -> None:
    found = dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL, PROMOTED, watched=WATCHED))
    assert found.as_text() == (GOLDEN / "plan.txt").read_text("utf-8")
    assert found.as_markdown() == (GOLDEN / "plan.md").read_text("utf-8")


def test_nothing_is_changed(plan: Plan, dependencies: Dependencies, platform: FakePlatform) -> None:
    before = platform.state
    dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL, PROMOTED, Rehearsed(IMAGE)))
    assert (platform.calls, platform.state) == ([], before)
    assert dependencies.leases.all() == []


def test_no_line_is_wider_than_a_terminal(plan: Plan, dependencies: Dependencies) -> None:
    wide = replace(plan, settings=replace(WANTED, variables={"LOG_LEVEL": "x" * 300}))
    lines = (
        dry_run(wide, dependencies, SOURCE, DryRunInputs(TRIAL, PROMOTED)).as_text().splitlines()
    )
    assert max(map(len, lines)) <= 100


def test_no_secret_is_told(plan: Plan, dependencies: Dependencies) -> None:
    dependencies = replace(
        dependencies, scanner=FakeScanner([Leak("LOG_LEVEL", 1, "Secret Keyword")])
    )
    found = dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL, PROMOTED))
    settings = told(found, "Settings that differ")
    assert "hunter2" not in found.as_text() + found.as_markdown()
    assert settings["env-vars.MAIL_KEY"] == ("-", "set", "-", "would be lost, changed since then")
    assert settings["env-vars.LOG_LEVEL"] == (*["********"] * 3, "changed since then")


def test_settings_are_compared_with_what_the_last_release_left_to_users(
    plan: Plan, dependencies: Dependencies
) -> None:
    taken_back = replace(PROMOTED, baseline="shop-2", candidate="shop-9", stage=Stage.RESTORED)
    expected = told(
        dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL, PROMOTED)), "Settings that differ"
    )
    found = told(
        dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL, taken_back)), "Settings that differ"
    )
    assert found == expected


def test_without_a_last_release_nobody_is_told_to_have_changed_anything(
    plan: Plan, dependencies: Dependencies
) -> None:
    found = dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL))
    settings = told(found, "Settings that differ")
    assert {row[0] for row in settings.values()} == {"unknown"}
    assert {row[-1] for row in settings.values()} == {"", "would be lost"}
    assert told(found, "Under way")["last release"] == ("none is known",)


def test_a_variable_that_becomes_a_secret_is_not_lost(
    plan: Plan, dependencies: Dependencies, platform: FakePlatform
) -> None:
    revision = platform.revisions_by_name["shop-3"]
    settings = replace(LIVE, variables={**(LIVE.variables or {}), "KEY": "plain"})
    platform.revisions_by_name["shop-3"] = replace(revision, settings=settings)
    settings_told = told(
        dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL)), "Settings that differ"
    )
    assert settings_told["env-vars.KEY"] == ("unknown", "set", "-", "")


def test_equal_settings_are_not_told(plan: Plan, dependencies: Dependencies) -> None:
    same = replace(plan, settings=LIVE)
    assert told(
        dry_run(same, dependencies, SOURCE, DryRunInputs(TRIAL)), "Settings that differ"
    ) == {"none": ("",)}


def test_secrets_that_are_missing_or_float_are_flagged(
    plan: Plan, dependencies: Dependencies
) -> None:
    dependencies = replace(dependencies, secret_store=FakeVault({"KEY:latest"}))
    secrets = told(dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL)), "Secrets")
    floating = "read anew when an instance starts: a rollback does not bring an old value back"
    assert secrets == {
        "API_TOKEN": ("API_TOKEN:5", "missing", ""),
        "KEY": ("KEY:latest", "enabled", floating),
        "OLD": ("OLD:latest", "live", floating),
    }


@pytest.mark.parametrize(
    ("brought", "applied", "pending"),
    [
        (("1", "2", "3"), ("1",), "2\n3"),
        (("1",), ("1",), "none"),
        ((), ("1",), "unknown until the image has run"),
        (("1",), (), "unknown until the image has run"),
    ],
)
def test_pending_migrations_are_told_as_far_as_they_are_known(
    plan: Plan,
    dependencies: Dependencies,
    brought: tuple[str, ...],
    applied: tuple[str, ...],
    pending: str,
) -> None:
    last = replace(PROMOTED, migrations=applied)
    found = dry_run(
        plan, dependencies, SOURCE, DryRunInputs(TRIAL, last, Rehearsed(IMAGE, brought))
    )
    assert told(found, "Migrations")["pending"] == (pending,)


def test_a_release_that_may_contract_promises_to_freeze(
    plan: Plan, dependencies: Dependencies
) -> None:
    assert plan.migration is not None
    daring = replace(plan, migration=replace(plan.migration, allow_contracting=True))
    kept, given_up = (
        told(dry_run(each, dependencies, SOURCE, DryRunInputs(TRIAL)), "If it fails")
        for each in (plan, daring)
    )
    assert kept["when a gate closes"] == ("all traffic goes back to shop-3",)
    assert "after a contraction" not in kept
    assert given_up["after a contraction"][0].startswith("freeze")


def test_a_release_without_migrations_says_so(plan: Plan, dependencies: Dependencies) -> None:
    found = dry_run(replace(plan, migration=None), dependencies, SOURCE, DryRunInputs(TRIAL))
    assert told(found, "Migrations") == {"none": ("",)}
    assert not [step for step in told(found, "Steps") if "migration" in step]


def test_a_rehearsed_image_is_not_built_again(plan: Plan, dependencies: Dependencies) -> None:
    found = dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL, None, Rehearsed(IMAGE)))
    assert told(found, "Image") == {
        "rehearsed, and green": ("registry.test/shop:shop-20261121-080000",),
        "image id": (str(IMAGE_ID),),
    }
    assert next(iter(told(found, "Steps"))) == "quality gate tests"


@pytest.mark.parametrize(
    ("policy", "tag"),
    [
        (TagPolicy.COMMIT, "c0ffeec0ffee, by the commit, and latest"),
        (TagPolicy.BUILD_ID, "the number of the last build and one, and latest"),
    ],
)
def test_the_image_tag_is_told_as_the_policy_makes_it(
    plan: Plan, dependencies: Dependencies, policy: TagPolicy, tag: str
) -> None:
    plan = replace(plan, build=replace(plan.build, tag_policy=policy))
    assert told(dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL)), "Image")["image tag"] == (
        tag,
    )


@pytest.mark.parametrize(("minutes", "dead"), [(1, False), (2, True)])
def test_a_lock_that_is_held_is_told(
    plan: Plan, dependencies: Dependencies, *, minutes: int, dead: bool
) -> None:
    renewed_at = dependencies.clock.now() - timedelta(minutes=minutes)
    owner = LeaseHolder("alice@example.com", "ci-7", 42, "a run")
    lease = Lease(3, owner, renewed_at, renewed_at, timedelta(seconds=90), held=True)
    dependencies = replace(dependencies, leases=MemoryLeases({3: lease}))
    (lock,) = told(dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL)), "Under way")["lock"]
    assert lock.startswith(f"held: {lease}, renewed {minutes} min ago")
    assert lock.endswith("would be taken over") is dead


@pytest.mark.parametrize(
    ("contracted", "first"),
    [
        (False, "shop-2, users moved; unfinished: users would first be brought back to shop-1"),
        (
            True,
            (
                "shop-2, users moved, on a contracted schema; "
                "unfinished, and frozen: a person has to decide first"
            ),
        ),
    ],
)
def test_an_unfinished_release_is_told(
    plan: Plan, dependencies: Dependencies, *, contracted: bool, first: str
) -> None:
    last = replace(PROMOTED, stage=Stage.MOVED, contracted=contracted)
    found = dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL, last))
    assert told(found, "Under way")["last release"] == (first,)


def test_a_service_that_is_split_has_no_baseline(
    plan: Plan, dependencies: Dependencies, platform: FakePlatform
) -> None:
    split = TrafficSplit(
        (Target("shop-3", 60), Target("shop-2", 40), Target("shop-2", 0, "candidate"))
    )
    platform.change_by_somebody(wanted=split, actual=split)
    found = dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL))
    serving = told(found, "Who serves")
    assert serving["baseline"][0].startswith("none: shop is split: got 60 % shop-3, 40 % shop-2")
    assert serving["revision tag candidate"] == ("on shop-2, would move to the candidate",)
    assert told(found, "Settings that differ")["memory"] == ("unknown", "8Gi", "4Gi", "")
    assert "without greenrun" not in told(found, "If it fails")


def test_the_plan_of_a_first_release_tells_how_it_comes_to_users_and_what_is_deleted(
    plan: Plan, dependencies: Dependencies
) -> None:
    found = dry_run(
        plan, replace(dependencies, platform=FakePlatform("shop")), SOURCE, DryRunInputs(TRIAL)
    )
    assert told(found, "Who serves") == {
        "baseline": ("none: shop does not exist yet: first release",),
        "created": ("after its migrations; nobody may invoke it until it is proven",),
        "proven": ("at the URL of its revision tag candidate, with an identity token",),
        "promoted": ("let everybody invoke it",),
    }
    assert told(found, "Where")["who may invoke"] == ("now nobody; wanted: everybody",)
    assert told(found, "Canary") == {"none": ("first release: there is nobody to compare with",)}
    assert told(found, "If it fails") == {
        "when a gate closes": ("shop is deleted again, which it created",),
        "migrations": ("stay applied",),
        "to roll back": (
            f"pytest features/07-rollback.feature --env={plan.environment} --delete-candidate",
        ),
        "without greenrun": (delete_command(plan),),
    }
    steps = list(told(found, "Steps"))
    assert not [step for step in steps if "canary" in step or "baseline" in step]
    assert steps.index("pending migrations applied, where there are any") < steps.index(
        "service created, which nobody may invoke"
    )


@pytest.mark.parametrize("is_leased", [True, False])
def test_what_an_unfinished_first_release_has_left_is_told_and_counts_for_nothing(
    plan: Plan, dependencies: Dependencies, *, is_leased: bool
) -> None:
    left = TrafficSplit((Target("shop-left", 100), Target("shop-left", 0, FIRST_TAG)))
    platform = FakePlatform("shop")
    new = NewRevision("shop-left", "image", plan.settings)
    platform.create(new, Timeout(timedelta(seconds=1)), left)
    asked = ReleaseState("r", "", TrafficSplit(), 0, "shop-left", asked=(left,))
    known = DryRunInputs(TRIAL, asked if is_leased else None)
    found = dry_run(plan, replace(dependencies, platform=platform), SOURCE, known)
    baseline = "none: shop does not exist yet: first release"
    assert told(found, "Who serves")["baseline"] == (baseline,)
    if is_leased:
        assert told(found, "Under way")["last release"] == (
            (
                "shop-left, begun; an unfinished first release: "
                "what no user met would be deleted first"
            ),
        )


def test_a_reading_that_is_refused_is_no_plan(plan: Plan, dependencies: Dependencies) -> None:
    class Locked(FakeVault):
        def exists(self, secret: str, version: str) -> bool:
            raise CallFailed(f"could not read {secret}:{version}")

    with pytest.raises(CallFailed, match="could not read API_TOKEN:5"):
        dry_run(plan, replace(dependencies, secret_store=Locked()), SOURCE, DryRunInputs(TRIAL))


def test_the_longest_total_is_the_sum_of_all_budgets(
    plan: Plan, dependencies: Dependencies
) -> None:
    steps = told(dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL)), "Steps")
    migration, canary = 4 * timedelta(minutes=5), 2 * timedelta(minutes=17)
    build, push, gate = (timedelta(minutes=minutes) for minutes in (10, 15, 10))
    ready, log, promotion = (timedelta(minutes=minutes) for minutes in (1, 1, 2))
    total = migration + canary + build + push + gate + ready + log + promotion
    assert total == timedelta(hours=1, minutes=33)
    assert steps["all steps with a limit"] == ("1 h 33 min",)


def test_what_somebody_deployed_without_traffic_is_named_and_not_taken_over(
    plan: Plan, dependencies: Dependencies, platform: FakePlatform
) -> None:
    before = platform.state
    assert before is not None
    tried = RevisionSettings(cpu="8", update_variables={"TRY": "a secret"})
    wanted = NewRevision("shop-experiment", "shop@sha256:4", tried, "shop-3")
    platform.deploy(wanted, before.actual, before, PATIENCE)
    found = dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL))
    assert told(found, "Deployed since, and not taken over") == {
        "revision": ("shop-experiment", "shop-3"),
        "cpu": ("8", "2"),
        "env-vars.TRY": ("set", "-"),
    }
    assert told(found, "All settings of the candidate")["cpu"] == ("2", "release.yaml")


def test_settings_that_no_flag_knows_are_told_and_kept(
    plan: Plan, dependencies: Dependencies, platform: FakePlatform
) -> None:
    revision = platform.revisions_by_name["shop-3"]
    others = {"service_mesh.mesh": "a-mesh"}
    platform.revisions_by_name["shop-3"] = replace(revision, others=others)
    found = dry_run(plan, dependencies, SOURCE, DryRunInputs(TRIAL, PROMOTED))
    assert told(found, "Settings that differ")["service_mesh.mesh"] == (
        *("-", "a-mesh", "a-mesh"),
        "changed since then",
    )
    assert told(found, "All settings of the candidate")["service_mesh.mesh"] == ("a-mesh", "kept")


def test_settings_of_the_service_change_with_the_promotion(
    plan: Plan, dependencies: Dependencies
) -> None:
    wanted = ServiceSettings(ingress="internal", min=1)
    found = dry_run(
        replace(plan, service_settings=wanted), dependencies, SOURCE, DryRunInputs(TRIAL)
    )
    settings = told(found, "Settings that differ")
    assert settings["service: ingress"] == ("unknown", "-", "internal", "with the promotion")
