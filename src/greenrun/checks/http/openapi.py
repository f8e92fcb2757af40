"""Whether a service keeps what its OpenAPI document promises."""

from collections.abc import Sequence

from greenrun.checks.table import filled, listed
from greenrun.model.errors import DeadlineExceeded, GateClosed
from greenrun.model.interfaces.openapi import OpenApiTest, OpenApiTestResult
from greenrun.release.release import Release

OPERATIONS = listed("operations", "operation", filled)

_TWO_WAYS = "mend the answer, or say in the document what is true"


def keeps_its_document(
    release: Release, path: str, *, identity: str = "a user", aside: Sequence[str] = ()
) -> None:
    """Every GET of the candidate's document answers with a documented status, type and schema.

    Only the candidate's own URL is asked, whatever servers the document names.

    Raises:
        GateClosed: with one line for each way in which an operation deviates, or no document.
        DeadlineExceeded: there was no time to ask every operation.
    """
    url, headers = release.candidate.url, release.prober.headers(identity)
    document = _document(release, path, identity)
    wanted = OpenApiTest(document, url, headers, frozenset(aside))
    release.dependencies.progress.report(f"asking every GET of {path}")
    examined = release.dependencies.examiner.examine(wanted)
    release.dependencies.evidence.attach(f"GET operations of {path}", _evidence(examined))
    _judge(examined, path, wanted)


def _document(release: Release, path: str, identity: str) -> str:
    answer = release.prober.ask(release.candidate.url + path, identity=identity)
    if answer.status != 200:
        raise GateClosed(
            f"GET {path}: got status {answer.status}, needs 200 and an OpenAPI document",
            hint="a service that has no such document is released without this sentence",
        )
    return answer.body


def _judge(examined: OpenApiTestResult, path: str, wanted: OpenApiTest) -> None:
    if examined.deviations:
        raise GateClosed("\n".join(map(str, examined.deviations)), hint=_TWO_WAYS)
    if not examined.answered:
        raise GateClosed(f"{path}: got no GET operation to ask, needs at least one")
    if unasked := [name for name, answers in examined.answered.items() if not answers]:
        raise DeadlineExceeded(
            f"answers of every GET of {path}",
            after=wanted.within,
            last_seen=f"none of {', '.join(unasked)}",
        )


def _evidence(examined: OpenApiTestResult) -> str:
    counted = [f"{answers:>4} answers  {name}" for name, answers in examined.answered.items()]
    return "\n".join([*counted, *map(str, examined.deviations)])
