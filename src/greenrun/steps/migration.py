"""Sentences about the schema."""

from pytest_bdd import then, when

from greenrun.checks import schema
from greenrun.release.migrate import Migration
from greenrun.release.release import Release


@when("the migrations of the image are applied", target_fixture="migrations")
def _(release: Release) -> tuple[Migration, ...]:
    return release.migrate()


@then("no migration is pending")
def _(migrations: tuple[Migration, ...]) -> None:
    schema.none_pending(migrations)


@then("the data have held the image's own check")
def _(release: Release, migrations: tuple[Migration, ...]) -> None:
    schema.data_checked(release.plan, migrations)
