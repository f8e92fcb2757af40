"""What must be true before anything moves: checks by the sentence that a feature says of each."""

from greenrun.release.preflight.rollback import baseline, existing

__all__ = ["baseline", "existing"]
