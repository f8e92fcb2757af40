"""Secret Manager: whether a secret is there, and, for those who must know, what it is."""

from google.api_core.exceptions import NotFound
from google.cloud.secretmanager_v1.types import SecretVersion

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, PATIENT, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.model.errors import CallFailed
from greenrun.model.plan import Location


class SecretManager:
    """The secrets of one project. A `version` is a number or `latest`."""

    def __init__(self, clients: GoogleClients, place: Location) -> None:
        self._clients = clients
        self._project = place.project

    def exists(self, secret: str, version: str) -> bool:
        """True for an enabled version.

        Only metadata is read (roles/secretmanager.viewer), never the value.
        """
        name = self._name(secret, version)
        with refused(f"look for {name}"):
            try:
                found = self._clients.secrets.get_secret_version(
                    name=name, retry=PATIENT, timeout=ANSWER_SECONDS
                )
            except NotFound:
                return False
        return bool(found.state == SecretVersion.State.ENABLED)

    def read(self, secret: str, version: str) -> str:
        """The value as text (roles/secretmanager.secretAccessor). Raises CallFailed."""
        name = self._name(secret, version)
        with refused(f"read {name}"):
            answer = self._clients.secrets.access_secret_version(
                name=name, retry=PATIENT, timeout=ANSWER_SECONDS
            )
        try:
            return bytes(answer.payload.data).decode()
        except UnicodeDecodeError:
            # Not chained: the cause quotes the value.
            raise CallFailed(f"could not read {name}: got no text, needs UTF-8") from None

    def _name(self, secret: str, version: str) -> str:
        return f"projects/{self._project}/secrets/{secret}/versions/{version}"
