"""Secret Manager: whether a secret is there, never what it is."""

from google.api_core.exceptions import NotFound
from google.cloud.secretmanager_v1.types import SecretVersion

from greenrun.adapters.google_calls import refused
from greenrun.adapters.google_clients import GoogleClients
from greenrun.domain.plan import Place


class SecretManager:
    """The secrets of one project."""

    def __init__(self, clients: GoogleClients, place: Place) -> None:
        self._clients = clients
        self._project = place.project

    def exists(self, secret: str, version: str) -> bool:
        """True for an enabled version; `version` is a number or `latest`.

        Only metadata is read (roles/secretmanager.viewer), never the value.
        """
        name = f"projects/{self._project}/secrets/{secret}/versions/{version}"
        with refused(f"look for {name}"):
            try:
                found = self._clients.secrets.get_secret_version(name=name)
            except NotFound:
                return False
        return bool(found.state == SecretVersion.State.ENABLED)
