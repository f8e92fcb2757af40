"""Proofs of the schema, and of the data that it holds."""

from collections.abc import Sequence

from greenrun.model.errors import GateClosed
from greenrun.model.plan import Plan
from greenrun.release.migrate import Migration


def none_pending(migrations: Sequence[Migration]) -> None:
    """Every migration is applied; an image without any proves nothing."""
    pending = [migration.name for migration in migrations if not migration.applied]
    if pending or not migrations:
        found = ", ".join(pending) or "no migration at all"
        raise GateClosed(f"pending migrations: got {found}, needs every one applied")


def data_checked(plan: Plan, migrations: Sequence[Migration]) -> None:
    """The data were checked on this schema: applying has closed the gate where they did not hold.

    What was never checked is no proof.
    """
    if not migrations or plan.migration is None or not plan.migration.check:
        raise GateClosed(
            "check of the data: got none, needs a command that proves them",
            hint="name it in release.yaml as `migration.check`, or take the sentence out",
        )
