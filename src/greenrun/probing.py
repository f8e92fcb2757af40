"""Probes: what the service is asked, as whom, and what it answered."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import uuid4

from greenrun.errors import DeadlineExceeded, GateClosed, ReleaseError
from greenrun.expectations import Expectation, percentile
from greenrun.ports import Answer, Probe, Roles

_SAMPLES = 5
"""Answers behind a latency; the first of a connection is left out, as warm-up."""

_WITNESSES = 10
"""Requests behind the proof of who answers."""

_EXCERPT = 160
"""Characters of a refusal that a message quotes."""

_WHERE_TO_LOOK = "the report holds the answers and the revision's log, below this sentence"

_LOG_LAG = timedelta(seconds=60)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=10), timedelta(seconds=1)
"""Between two looks at the log; they double."""


class Prober:
    """Asks a service as its users do. `identities` maps who asks to the headers that say so."""

    def __init__(self, roles: Roles, identities: Mapping[str, Mapping[str, str]]) -> None:
        self._roles = roles
        self._identities = identities

    def headers(self, identity: str) -> Mapping[str, str]:
        """The headers of an identity; raises ReleaseError for one that nobody declared."""
        if identity not in self._identities:
            known = ", ".join(self._identities)
            raise ReleaseError(f"got identity {identity!r}, needs one of: {known}")
        return self._identities[identity]

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        identity: str = "a user",
        json: object = None,
        **headers: str,
    ) -> Answer:
        """Send one probe to a full URL."""
        sent = {**self.headers(identity), **headers}
        return self._roles.web.ask(Probe(url, method, sent, json))

    def verify(self, url: str, expectations: Sequence[Expectation]) -> None:
        """Ask for everything that is expected, several times, and judge it all at once.

        Raises:
            GateClosed: with every broken promise, one a line.
        """
        asked = [(row, self._sample(url, row)) for row in expectations]
        self._roles.evidence.attach(
            "requests and answers", "\n".join(_line(*pair) for pair in asked)
        )
        broken = [text for row, answers in asked for text in _broken(row, answers)]
        if broken:
            raise GateClosed("\n".join(broken), hint=_WHERE_TO_LOOK)

    def answering(self, url: str, path: str) -> frozenset[str]:
        """The revisions behind some requests to a URL, told by the platform's request log.

        Raises:
            DeadlineExceeded: the log does not show the requests in time.
        """
        user_agent = f"greenrun/{uuid4().hex}"
        for _ in range(_WITNESSES):
            self.ask(url + path, **{"User-Agent": user_agent})
        found: Sequence[str] = ()
        deadline, pause = self._roles.clock.now() + _LOG_LAG, _FIRST_PAUSE
        while self._roles.clock.now() < deadline:
            found = self._roles.logs.answerers(user_agent)
            if len(found) >= _WITNESSES:
                return frozenset(found)
            self._roles.clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise DeadlineExceeded(
            f"{_WITNESSES} requests in the request log",
            after=_LOG_LAG,
            last_seen=f"{len(found)} of them",
        )

    def _sample(self, url: str, row: Expectation) -> list[Answer]:
        count = 1 if row.p95 is None else 1 + _SAMPLES
        answers = [
            self.ask(url + row.path, method=row.method, identity=row.identity) for _ in range(count)
        ]
        return answers[1:] or answers


def _broken(row: Expectation, answers: Sequence[Answer]) -> list[str]:
    """Each broken promise, and what a refusal said for itself."""
    found = [f"{row}: {text}" for text in row.broken_by(answers)]
    refusal = next((answer for answer in answers if answer.status not in (row.status, 503)), None)
    if found and refusal and refusal.body:
        found.append(f"  it said: {refusal.body[:_EXCERPT]}")
    return found


def _line(row: Expectation, answers: Sequence[Answer]) -> str:
    p50, p95 = (percentile(answers, quantile) for quantile in (0.5, 0.95))
    latency = f"p50 {p50 / _MS:.1f} ms, p95 {p95 / _MS:.1f} ms of {len(answers)}"
    return f"{row}\n  {answers[-1].status}, {latency}\n  {answers[-1].body[:2000]}"


_MS = timedelta(milliseconds=1)
