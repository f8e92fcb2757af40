"""Asks a service as its users do."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from greenrun.model.errors import DeadlineExceeded, ReleaseError
from greenrun.model.interfaces import Dependencies, HttpRequest, HttpResponse
from greenrun.model.polling import polls

_PROBES = 10
"""Requests behind the proof of who answers."""

_LOG_LAG = timedelta(seconds=60)


class Prober:
    """Sends probes, and judges what comes back.

    Args:
        dependencies: the web, the clock, the logs and the evidence of a release.
        identities: who asks, with the headers that say so.
        features: the folder that schemas of a table are named in.
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
    ) -> HttpResponse:
        """Send one probe to a full URL."""
        sent = {**self.headers(identity), **headers}
        return self.dependencies.web.send(HttpRequest(url, method, sent, json))

    def answering(self, url: str, path: str) -> frozenset[str]:
        """The revisions behind some requests to a URL, told by the platform's request log.

        Raises:
            DeadlineExceeded: the log does not show the requests in time.
        """
        user_agent = f"greenrun/{uuid4().hex}"
        for _ in range(_PROBES):
            self.ask(url + path, **{"User-Agent": user_agent})
        found: Sequence[str] = ()
        for _ in polls(self.dependencies.clock, _LOG_LAG):
            found = self.dependencies.logs.answerers(user_agent)
            if len(found) >= _PROBES:
                return frozenset(found)
        raise DeadlineExceeded(
            f"{_PROBES} requests in the request log",
            after=_LOG_LAG,
            last_seen=f"{len(found)} of them",
        )
