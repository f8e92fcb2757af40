"""The table of a feature that says which checks hold where."""

from collections.abc import Sequence

from greenrun.model.errors import ReleaseError
from greenrun.model.plan import REHEARSAL

_COLUMNS = ["what", "where"]
_EVERYWHERE, _CLOUD = "everywhere", "cloud"


def titles(rows: Sequence[Sequence[str]], environment: str) -> tuple[str, ...]:
    """The checks for an environment, of a table with the columns `what` and `where`.

    Raises:
        ReleaseError: other columns, a `where` that is not `everywhere` or `cloud`, or nothing that
            holds in this environment.
    """
    head, *body = rows
    if list(head) != _COLUMNS:
        raise ReleaseError(f"preflight: got columns {', '.join(head)}, needs what and where")
    if odd := [where for _, where in body if where not in {_EVERYWHERE, _CLOUD}]:
        raise ReleaseError(f"preflight: got where {', '.join(odd)}, needs everywhere or cloud")
    rehearsed = environment == REHEARSAL
    chosen = tuple(what for what, where in body if where == _EVERYWHERE or not rehearsed)
    if not chosen:
        raise ReleaseError(
            f"preflight: got no check for {environment} in {len(body)} rows, needs at least one",
            hint="tag the scenario with @cloud if it has nothing to do with the rehearsal",
        )
    return chosen
