"""Checks before anything moves, each by the sentence that a feature says of it."""

from greenrun.release.preflight.rollback import baseline, existing

__all__ = ["baseline", "existing"]
