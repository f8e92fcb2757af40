"""Sentences about the record."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_bdd import then, when

from greenrun.checks import release_state
from greenrun.model.results import ScenarioResult
from greenrun.release.release import Release
from greenrun.reporting import record
from greenrun.reporting.record import Record


@when("the record is written", target_fixture="written")
def _(
    release: Release,
    reports: Path,
    results: Sequence[ScenarioResult],
    redact: Callable[[str], str],
) -> Record:
    return record.write(release, reports, results, redact)


@then("it says what was released, how it was proven and how to roll back")
def _(written: Record) -> None:
    written.is_complete()


@then("it is kept, and the index of all records leads to it")
def _(release: Release, written: Record) -> None:
    record.is_kept(release, written)


@then("the journal holds every change of the platform, before and after")
def _(release: Release) -> None:
    release_state.account_is_whole(release)
