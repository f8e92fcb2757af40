"""Where a registry keeps a repository."""

import ipaddress
from dataclasses import dataclass

from docker.auth import INDEX_NAME, resolve_repository_name
from docker.errors import InvalidRepository

from greenrun.model.errors import CallFailed

_INDEX_HOST = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Address:
    """A repository, parted as engines part its name: host (with its port), and path."""

    host: str
    path: str

    @classmethod
    def of(cls, repository: str) -> "Address":
        """Raises CallFailed for what is no name of a repository."""
        try:
            host, path = resolve_repository_name(repository)
        except InvalidRepository as error:
            raise CallFailed(f"could not find {repository!r}: {error}") from error
        return cls(host, f"library/{path}" if host == INDEX_NAME and "/" not in path else path)

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"

    @property
    def is_loopback(self) -> bool:
        """True on this machine, which engines speak to without encryption."""
        return is_loopback(self.host.rpartition(":")[0] or self.host)

    @property
    def is_google(self) -> bool:
        """True for Artifact Registry and Container Registry."""
        return self.host.endswith((".pkg.dev", ".gcr.io")) or self.host == "gcr.io"

    @property
    def url(self) -> str:
        """The beginning of every address of its HTTP API, without a slash at the end."""
        scheme = "http" if self.is_loopback else "https"
        host = _INDEX_HOST if self.host == INDEX_NAME else self.host
        return f"{scheme}://{host}/v2/{self.path}"


def is_loopback(host: str) -> bool:
    """Whether a host, without its port, is this machine by its name or number."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
