"""Proofs of the schema."""

from collections.abc import Sequence

from greenrun.errors import GateClosed
from greenrun.migration import Migration


def none_pending(migrations: Sequence[Migration]) -> None:
    """Every migration is applied; an image without any proves nothing."""
    pending = [migration.name for migration in migrations if not migration.applied]
    if pending or not migrations:
        found = ", ".join(pending) or "no migration at all"
        raise GateClosed(f"pending migrations: got {found}, needs every one applied")
