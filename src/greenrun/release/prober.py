"""Asks a service as its users do."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from greenrun.canary.sources.probes import request
from greenrun.model.errors import CallFailed, DeadlineExceeded, ReleaseError
from greenrun.model.interfaces import Dependencies, HttpRequest, HttpResponse
from greenrun.model.plan import IDENTITY_TOKEN, Probe
from greenrun.model.polling import Deadline, polls

_PROBES = 10
"""Requests behind the proof of who answers."""

_TRIES, _TRIED_FOR = 5, timedelta(seconds=30)
"""Requests of a kind none of which is answered well: no error of one in ten requests is that."""

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
        said = self._identities[identity]
        if not self.shows_token:
            return said
        own = {name.lower() for name in said}
        shown = self._identities[IDENTITY_TOKEN].items()
        return {**{name: text for name, text in shown if name.lower() not in own}, **said}

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

    def send(self, url: str, probe: Probe, **headers: str) -> HttpResponse:
        """Send one probe to the service or revision at a URL."""
        sent = {**self.headers(probe.identity), **headers}
        return self.dependencies.web.send(request(probe, url, sent))

    def failing(self, url: str, probes: Mapping[str, Probe]) -> dict[str, str]:
        """The names of all probes that are never answered well, each with `GOT, needs STATUS`."""
        found = {name: self._never_good(url, probe) for name, probe in probes.items()}
        return {name: f"{got}, needs {probes[name].needs}" for name, got in found.items() if got}

    def _never_good(self, url: str, probe: Probe) -> str:
        """Return what was answered last where no answer was good; empty after the first that is."""
        deadline, found = Deadline(self.dependencies.clock, _TRIED_FOR), ""
        for _ in range(_TRIES):
            if found and deadline.left <= timedelta():
                break
            try:
                status = self.send(url, probe).status
            except CallFailed as failed:
                found = failed.message
                continue
            if status in probe.statuses:
                return ""
            found = str(status)
        return found

    def answering(self, url: str, probe: Probe) -> frozenset[str]:
        """The revisions behind some requests to a URL, told by the platform's request log.

        Raises:
            DeadlineExceeded: the log does not show the requests in time; tells their statuses.
        """
        user_agent = f"greenrun/{uuid4().hex}"
        sent = (self.send(url, probe, **{"User-Agent": user_agent}) for _ in range(_PROBES))
        statuses = Counter(answer.status for answer in sent)
        found: Sequence[str] = ()
        for _ in polls(self.dependencies.clock, _LOG_LAG):
            found = self.dependencies.logs.answerers(user_agent)
            if len(found) >= _PROBES:
                return frozenset(found)
        raise DeadlineExceeded(
            f"{_PROBES} requests in the request log",
            after=_LOG_LAG,
            last_seen=f"{len(found)} of them; {probe} at {url} answered {_told(statuses)}",
            hint=_NOT_LOGGED if not found else "",
        )

    def await_answers_of(self, revision: str, url: str, probe: Probe, within: timedelta) -> None:
        """Return once every answer of a URL is this revision's, by the request log.

        A revision tag's URL may go on to the revision that had the tag before, for a while.

        Raises:
            DeadlineExceeded: others still answer after that time.
        """
        found: frozenset[str] = frozenset()
        for _ in polls(self.dependencies.clock, within):
            found = self.answering(url, probe)
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
