"""Asks a service for every row of a table, and judges what comes back."""

from collections.abc import Sequence
from datetime import timedelta

from greenrun.checks.http import Expectation, Values, read_schema
from greenrun.checks.http.evaluation import Judgement
from greenrun.checks.http.runner import Deadline, asked_for
from greenrun.model.interfaces import HttpRequest, HttpResponse
from greenrun.release.prober import Prober

_WITHIN = timedelta(minutes=5)
"""For all answers to a table."""


def verify(
    prober: Prober, url: str, expectations: Sequence[Expectation], *, within: timedelta = _WITHIN
) -> None:
    """Ask for everything that is expected, and judge it all at once.

    Raises:
        GateClosed: with every broken promise, one a line, in the order of the table.
        CallFailed: nothing was answered.
        DeadlineExceeded: not everything was within that time; nothing else is wrong.
        ReleaseError: nothing was asked: an identity or a schema cannot be used.
    """
    schemas = {
        row.schema: read_schema(prober.features, row.schema) for row in expectations if row.schema
    }
    for identity in dict.fromkeys(row.identity for row in expectations):
        prober.headers(identity)

    def ask(row: Expectation, left: timedelta) -> HttpResponse:
        to, headers, sends = url + row.path, prober.headers(row.identity), row.sends
        probe = HttpRequest(to, row.method, headers, sends.json, sends.files, within=left)
        return prober.dependencies.web.send(probe)

    values = Values.of_a_table()
    rows = [row.filled(values) for row in expectations]
    deadline = Deadline.after(within, prober.dependencies.clock)
    judgement = Judgement(asked_for(rows, ask, deadline), schemas)
    prober.dependencies.evidence.attach("requests and answers", str(judgement))
    judgement.stop_if_broken()
