"""A schema is proven by the state of every migration, and its data by a check that was made."""

import pytest

from greenrun.checks import release_state
from greenrun.model.errors import GateClosed
from greenrun.model.plan import BuildPlan, Location, MigrationPlan, Plan
from greenrun.model.revision import RevisionSettings
from greenrun.release.migrate import Migration

APPLIED = Migration("20250901_create", applied=True)
PENDING = Migration("20251009_enrich", applied=False)
CHECKED = MigrationPlan(("status",), ("apply",), ("check",))
UNCHECKED = MigrationPlan(("status",), ("apply",))


def planned(migration: MigrationPlan | None) -> Plan:
    place, build = Location("rehearsal", "europe-west1"), BuildPlan("registry.test/shop")
    return Plan("shop", "local", place, build, RevisionSettings(), migration=migration)


def test_nothing_pending_passes() -> None:
    release_state.none_pending([APPLIED])


@pytest.mark.parametrize(
    ("migrations", "found"),
    [([APPLIED, PENDING], "20251009_enrich"), ([], "no migration at all")],
)
def test_what_is_pending_closes_the_gate(migrations: list[Migration], found: str) -> None:
    with pytest.raises(GateClosed, match=f"pending migrations: got {found}, needs every one"):
        release_state.none_pending(migrations)


def test_data_that_were_checked_pass() -> None:
    release_state.data_checked(planned(CHECKED), [APPLIED])


@pytest.mark.parametrize(
    ("migration", "migrations"), [(UNCHECKED, [APPLIED]), (None, [APPLIED]), (CHECKED, [])]
)
def test_data_that_nobody_checked_are_no_proof(
    migration: MigrationPlan | None, migrations: list[Migration]
) -> None:
    with pytest.raises(GateClosed, match="check of the data: got none"):
        release_state.data_checked(planned(migration), migrations)
