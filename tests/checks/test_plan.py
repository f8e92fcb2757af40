"""What will happen is told before it does, in the evidence and, if wanted, aloud."""

from dataclasses import replace

import pytest

from greenrun.checks import release_state
from greenrun.model.monitoring import Figure, Level
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import MonitoringPlan
from greenrun.model.stats import SequentialTest
from greenrun.release.dry_run import DryRunInputs, Rehearsed, dry_run
from greenrun.release.release import Release
from greenrun.reporting.monitoring import Objectives
from tests.conftest import World
from tests.fakes.watching import MemoryAlerts
from tests.stages import moved, next_run

NONE = Objectives(Gate(()))
TRIAL = SequentialTest(max_error_increase=0.05, error_limit=None)
"""Of the plan at hand, without objectives."""


@pytest.mark.parametrize("aloud", [True, False])
def test_it_stands_in_the_evidence_and_is_shown_if_wanted(
    release: Release, world: World, *, aloud: bool
) -> None:
    release_state.tell_plan(release, None, NONE, MemoryAlerts(), aloud=aloud)
    expected = dry_run(release.plan, release.dependencies, release.source, DryRunInputs(TRIAL))
    assert world.evidence.kept == {"plan": expected.as_markdown()}
    assert world.progress.lines == (expected.as_text().splitlines() if aloud else [])
    assert world.progress.notes == [{"event": "plan", "text": expected.as_text()}]


def test_what_the_last_release_left_is_told_with_it(release: Release, world: World) -> None:
    later = next_run(moved(release))
    rehearsed = Rehearsed(release.build.image, ("1_shop",))
    release_state.tell_plan(later, rehearsed, NONE, MemoryAlerts(), aloud=False)
    known = DryRunInputs(TRIAL, release.release_state, rehearsed)
    expected = dry_run(later.plan, later.dependencies, later.source, known)
    assert world.evidence.kept["plan"] == expected.as_markdown()
    assert f"{release.candidate.name}, users moved; unfinished" in expected.as_text()


def test_who_watches_from_then_on_is_told_and_not_changed(release: Release, world: World) -> None:
    watched = MonitoringPlan((Figure("cache size", Level("cache_size")),), alerts=("error rate",))
    release.plan = replace(release.plan, monitoring=watched)
    own = Gate((Threshold("cache size", "at most", Quantity(100)),))
    errors = Gate((Threshold("error rate", "at most", Quantity(5, "%")),))
    alerts = MemoryAlerts(refuses={"create", "overwrite"})
    release_state.tell_plan(release, None, Objectives(errors, own), alerts, aloud=False)
    _, told = str(world.evidence.kept["plan"]).split("## Monitored from then on\n\n")
    assert told.splitlines()[2:4] == [
        (
            "| alert policy for error rate over 5 % for 5 min | would be created; "
            "notifies nobody until it is given a notification channel |"
        ),
        "| alert rules | cache size at most 100 |",
    ]


def test_telling_changes_nothing(release: Release, world: World) -> None:
    later = next_run(moved(release))
    state, calls, leases = world.platform.state, list(world.platform.calls), world.leases.all()
    release_state.tell_plan(later, None, NONE, MemoryAlerts(), aloud=True)
    assert (world.platform.state, world.platform.calls) == (state, calls)
    assert world.leases.all() == leases


def test_what_cannot_be_read_is_told_instead_of_guessed(release: Release, world: World) -> None:
    release.acquire_lock()
    release.guard.lock.write("of the future")
    release_state.tell_plan(release, None, NONE, MemoryAlerts(), aloud=False)
    (told,) = (line for line in world.progress.lines if "could not read" in line)
    assert told.startswith("could not read what lease 1 of somebody@example.com on laptop")
