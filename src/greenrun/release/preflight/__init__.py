"""Checks before anything moves, each by the sentence that a feature says of it."""

from greenrun.release.preflight.rollback import baseline, existing
from greenrun.release.preflight.settings import expect_fitting

__all__ = ["baseline", "existing", "expect_fitting"]
