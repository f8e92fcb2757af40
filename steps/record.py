"""Sentences about the record."""

from pathlib import Path

from pytest_bdd import then, when

from greenrun import record
from greenrun.record import Record
from greenrun.release import Release


@when("the record is written", target_fixture="written")
def _(release: Release, reports: Path) -> Record:
    return record.write(release, reports)


@then("it tells the image, both revisions and how to go back")
def _(written: Record) -> None:
    written.is_complete()


@then("every change of the platform stands in the journal, before and after")
def _(release: Release) -> None:
    release.journal.is_whole()
