"""Migrations are read and applied by the image, and a failure tells its log."""

import json

import pytest

from greenrun.errors import DeadlineExceeded, GateClosed, ReleaseError
from greenrun.migration import Migration
from greenrun.ports import Execution, Job, LogEntry
from greenrun.release import Release
from tests.conftest import World


@pytest.fixture
def schema(world: World, release: Release) -> dict[str, str]:
    """States by name, which the jobs of the release read and change."""
    states = {"20250901_create": "applied", "20251009_enrich": "pending"}

    def run(job: Job) -> Execution:
        name = f"{job.name}-{len(world.logs.entries)}"
        if job.command == ("apply",):
            states.update(dict.fromkeys(states, "applied"))
        rows = [{"name": migration, "state": state} for migration, state in states.items()]
        text = json.dumps({"migrations": rows})
        world.logs.entries[name] = [LogEntry(world.clock.now(), "DEFAULT", text)]
        return Execution(name, succeeded=True)

    world.platform.executions = run
    release.find_baseline()
    release.build_image()
    return states


def test_what_is_pending_is_applied(release: Release, schema: dict[str, str]) -> None:
    assert set(release.migrate()) == {
        Migration("20250901_create", applied=True),
        Migration("20251009_enrich", applied=True),
    }
    assert set(schema.values()) == {"applied"}


def test_nothing_pending_changes_nothing(
    release: Release, world: World, schema: dict[str, str]
) -> None:
    schema["20251009_enrich"] = "applied"
    release.migrate()
    assert world.platform.calls.count("run") == 1


@pytest.mark.usefixtures("schema")
def test_a_migration_that_fails_closes_the_gate_with_its_log(
    release: Release, world: World
) -> None:
    healthy = world.platform.executions

    def run(job: Job) -> Execution:
        if job.command == ("status",):
            return healthy(job)
        world.logs.entries["failed"] = [LogEntry(world.clock.now(), "ERROR", "no such table")]
        return Execution("failed", succeeded=False, reason="1 task failed")

    world.platform.executions = run
    with pytest.raises(GateClosed, match="could not apply the migrations: 1 task failed") as told:
        release.migrate()
    assert "no such table" in str(told.value)


@pytest.mark.usefixtures("schema")
@pytest.mark.parametrize("text", ["{", '{"rows": []}', '{"migrations": [{"name": 1}]}'])
def test_a_status_that_cannot_be_read_says_what_it_needs(
    release: Release, world: World, text: str
) -> None:
    world.platform.executions = lambda _: Execution("odd", succeeded=True)
    world.logs.entries["odd"] = [LogEntry(world.clock.now(), "DEFAULT", text)]
    with pytest.raises(ReleaseError, match="could not read the status of the migrations: got"):
        release.migrate()


@pytest.mark.usefixtures("schema")
def test_a_status_that_never_arrives_has_a_deadline(release: Release, world: World) -> None:
    world.platform.executions = lambda _: Execution("silent", succeeded=True)
    with pytest.raises(DeadlineExceeded, match="last saw: no line"):
        release.migrate()
