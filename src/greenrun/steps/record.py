"""Sentences about the record."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_bdd import then, when

from greenrun.checks import account
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


@then("it tells what was released, how it was proven and how to go back")
def _(written: Record) -> None:
    written.is_complete()


@then("it is kept, and the index of all records leads to it")
def _(release: Release, written: Record) -> None:
    record.is_kept(release, written)


@then("every change of the platform stands in the journal, before and after")
def _(release: Release) -> None:
    account.is_whole(release)
