"""Proofs of what the candidate does that no single answer shows."""

import json
from collections.abc import Mapping, Sequence
from uuid import uuid4

from prometheus_client.parser import text_string_to_metric_families

from greenrun.errors import GateClosed
from greenrun.expectations import Expectation
from greenrun.release import Release

METRICS = "/api/metrics"

_EXPAND_FIRST = (
    "a migration may add now what new code needs, and take away what old code reads only in a "
    "later release; the baseline's log is in the report"
)


def answers(release: Release, url: str, revision: str, promises: Sequence[Expectation]) -> None:
    """A URL keeps its promises; where it does not, the log of its revision is evidence, too."""
    try:
        release.prober.verify(url, promises)
    except GateClosed:
        log = release.roles.logs.of_revision(revision)
        release.roles.evidence.attach(f"log of {revision}", "\n".join(map(str, log)))
        raise


def baseline_survives(release: Release, promises: Sequence[Expectation]) -> None:
    """The baseline keeps its promises on the schema that the candidate's migrations have made."""
    try:
        answers(release, release.service.url, release.baseline, promises)
    except GateClosed as closed:
        raise GateClosed(closed.message, hint=_EXPAND_FIRST) from closed


def session_is_apart(release: Release, path: str, session: str) -> None:
    """A request in a session is answered otherwise than one outside any."""
    url = release.candidate.url + path
    everybody = release.prober.ask(url)
    alone = release.prober.ask(url, **{"X-Session-Id": session})
    if (everybody.status, alone.status) != (200, 200) or everybody.body == alone.body:
        raise GateClosed(
            f"{path} in session {session}: got status {alone.status} and "
            f"{'the same' if everybody.body == alone.body else 'another'} body, "
            "needs 200 and another body than without a session"
        )


def converses(release: Release, path: str, message: str) -> None:
    """A message on a WebSocket is answered by one that contains it."""
    url = "ws" + release.candidate.url.removeprefix("http") + path
    received = release.roles.web.converse(url, message)
    release.roles.evidence.attach("conversation", "\n".join((f"> {message}", *received)))
    if not any(message in text for text in received):
        raise GateClosed(f"WebSocket {path}: got {list(received)}, needs an answer to {message!r}")


def metric_families(release: Release, fewest: int, named: Sequence[str]) -> None:
    """The metrics parse, and hold so many families; each name begins at least one of them."""
    families = sorted(scrape(release))
    release.roles.evidence.attach("metric families", "\n".join(families))
    missing = [name for name in named if not any(found.startswith(name) for found in families)]
    if len(families) < fewest or missing:
        raise GateClosed(
            f"metrics: got {len(families)} families without {', '.join(missing) or 'a gap'}, "
            f"needs at least {fewest} with {', '.join(named)}"
        )


def scrape(release: Release) -> Mapping[str, float]:
    """The candidate's metrics: sums over all labels, by family.

    Raises:
        GateClosed: they cannot be read, or are no Prometheus text.
    """
    answer = release.prober.ask(release.candidate.url + METRICS)
    try:
        families = list(text_string_to_metric_families(answer.body))
    except ValueError as error:
        raise GateClosed(f"{METRICS}: got {error}, needs Prometheus text") from error
    return {
        family.name: sum(sample.value for sample in family.samples if _counts(sample.name))
        for family in families
    }


def analyse_twice(release: Release) -> "Analysis":
    """Have the same new text analysed twice, with a scrape of the metrics on either side."""
    before = scrape(release)
    text = {"text": f"a rehearsal of {uuid4().hex}"}
    url = release.candidate.url + "/api/memory/analyze"
    answers = [release.prober.ask(url, method="POST", json=text) for _ in range(2)]
    release.roles.evidence.attach("answers", "\n".join(answer.body for answer in answers))
    return Analysis([_status(answer.body) for answer in answers], before, scrape(release))


class Analysis:
    """Two answers to the same question, and the counters before and after."""

    def __init__(
        self, statuses: Sequence[str], before: Mapping[str, float], after: Mapping[str, float]
    ) -> None:
        self.statuses = tuple(statuses)
        self._before = before
        self._after = after

    def __repr__(self) -> str:
        return f"<analyses answered {' and '.join(self.statuses)}>"

    def answered(self, *statuses: str) -> None:
        """The answers had these statuses, in this order."""
        if self.statuses != statuses:
            raise GateClosed(f"analyses: got {self.statuses}, needs {statuses}")

    def moved(self, counters: Sequence[str]) -> None:
        """Each of these counters is higher after than before."""
        stuck = [name for name in counters if self._moved_by(name) <= 0]
        if stuck:
            raise GateClosed(f"counters: {', '.join(stuck)} did not move, needs each to rise")

    def _moved_by(self, counter: str) -> float:
        name = counter.removesuffix("_total")
        return self._after.get(name, 0) - self._before.get(name, 0)


def _counts(sample: str) -> bool:
    return not sample.endswith(("_created", "_bucket"))


def _status(body: str) -> str:
    try:
        return str(json.loads(body).get("status"))
    except (ValueError, AttributeError):
        return f"no JSON but {body[:80]!r}"
