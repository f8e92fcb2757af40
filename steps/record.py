"""Sentences about the record."""

from pathlib import Path

from pytest_bdd import then, when

from greenrun.record import Record
from greenrun.release import Release


@when("the record is written", target_fixture="record")
def _(release: Release, reports: Path) -> Record:
    return release.record(reports)


@then("it tells the image, both revisions and how to go back")
def _(record: Record) -> None:
    record.is_complete()


@then("every change of the platform stands in the journal, before and after")
def _(release: Release) -> None:
    release.journal.is_whole()
