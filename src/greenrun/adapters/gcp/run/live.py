"""The service as it stands by now: readings that never go back."""

from google.api_core.exceptions import ServiceUnavailable
from google.cloud import run_v2

from greenrun.adapters.gcp.calls import ANSWER_SECONDS
from greenrun.adapters.gcp.clients import GoogleClients


class StaleReading(ServiceUnavailable):
    """A reading older than what is known already: none at all, so read again."""


class LiveService:
    """Reads one service, and remembers how new its readings have been.

    Args:
        clients: to Google or to a local cloud.
        name: the service's full name.
    """

    def __init__(self, clients: GoogleClients, name: str) -> None:
        self._clients = clients
        self.name = name
        self._uid = ""
        self._generation = 0

    def read(self, timeout: float = ANSWER_SECONDS) -> run_v2.Service:
        """One reading. Raises what Google's clients raise, and StaleReading."""
        described = self._clients.services.get_service(name=self.name, retry=None, timeout=timeout)
        same = self._uid in {"", described.uid}
        if same and described.generation < self._generation:
            stale = f"a stale reading, generation {described.generation} after {self._generation}"
            raise StaleReading(stale)  # type: ignore[no-untyped-call] # bare in google.api_core
        self._uid, self._generation = described.uid, described.generation
        return described

    def expect(self, generation: int) -> None:
        """Whatever is older is stale from now on."""
        self._generation = max(self._generation, generation)

    def forget(self) -> None:
        """The service is gone; one of the same name begins anew."""
        self._uid, self._generation = "", 0
