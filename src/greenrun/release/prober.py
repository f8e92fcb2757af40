"""Asks a service as its users do."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from greenrun.model.errors import DeadlineExceeded, ReleaseError
from greenrun.model.interfaces import Dependencies, HttpRequest, HttpResponse
from greenrun.model.plan import IDENTITY_TOKEN
from greenrun.model.polling import polls

_PROBES = 10
"""Requests behind the proof of who answers."""

_LOG_LAG = timedelta(seconds=60)
_NOT_LOGGED = "see the service's ingress: what it turns away is answered, and not logged"


class Prober:
    """Sends probes, and judges what comes back.

    Args:
        dependencies: the web, the clock, the logs and the evidence of a release.
        identities: who asks, with the headers that say so.
        features: the folder that schemas of a table are named in.

    `shows_token`: the platform lets in nobody without an identity token, so that everybody shows
    one, whoever they are to the service.
    """

    def __init__(
        self,
        dependencies: Dependencies,
        identities: Mapping[str, Mapping[str, str]],
        features: Path = Path("features"),
    ) -> None:
        self.dependencies = dependencies
        self._identities = identities
        self.features = features
        self.shows_token = False

    def headers(self, identity: str) -> Mapping[str, str]:
        """The headers of an identity; raises ReleaseError for one that nobody declared."""
        if identity not in self._identities:
            known = ", ".join(self._identities)
            raise ReleaseError(f"got identity {identity!r}, needs one of: {known}")
        shown = self._identities[IDENTITY_TOKEN] if self.shows_token else {}
        return {**shown, **self._identities[identity]}

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        identity: str = "a user",
        json: object = None,
        **headers: str,
    ) -> HttpResponse:
        """Send one probe to a full URL."""
        sent = {**self.headers(identity), **headers}
        return self.dependencies.web.send(HttpRequest(url, method, sent, json))

    def answering(self, url: str, path: str) -> frozenset[str]:
        """The revisions behind some requests to a URL, told by the platform's request log.

        Raises:
            DeadlineExceeded: the log does not show the requests in time; tells their statuses.
        """
        user_agent = f"greenrun/{uuid4().hex}"
        answers = (self.ask(url + path, **{"User-Agent": user_agent}) for _ in range(_PROBES))
        statuses = Counter(answer.status for answer in answers)
        found: Sequence[str] = ()
        for _ in polls(self.dependencies.clock, _LOG_LAG):
            found = self.dependencies.logs.answerers(user_agent)
            if len(found) >= _PROBES:
                return frozenset(found)
        raise DeadlineExceeded(
            f"{_PROBES} requests in the request log",
            after=_LOG_LAG,
            last_seen=f"{len(found)} of them; {url + path} answered {_told(statuses)}",
            hint=_NOT_LOGGED if not found else "",
        )

    def await_answers_of(self, revision: str, url: str, path: str, within: timedelta) -> None:
        """Return once every answer of a URL is this revision's, by the request log.

        A revision tag's URL may go on to the revision that had the tag before, for a while.

        Raises:
            DeadlineExceeded: others still answer after that time.
        """
        found: frozenset[str] = frozenset()
        for _ in polls(self.dependencies.clock, within):
            found = self.answering(url, path)
            if found == {revision}:
                return
            self.dependencies.progress.report(f"{url} still answers by {', '.join(sorted(found))}")
        raise DeadlineExceeded(
            f"{url} to be answered by {revision}",
            after=within,
            last_seen=f"answers from {', '.join(sorted(found))}",
        )


def _told(statuses: Counter[int]) -> str:
    return ", ".join(f"{status} ({times} times)" for status, times in statuses.most_common())
