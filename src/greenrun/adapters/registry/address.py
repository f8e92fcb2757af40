"""Where a registry keeps a repository, and what a person does about its refusals there."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from docker.auth import INDEX_NAME, resolve_repository_name
from docker.errors import InvalidRepository

from greenrun.model.errors import CallFailed

_INDEX_HOST = "registry-1.docker.io"
_ROLES = {"push": "writer", "remove": "repoAdmin"}
_LONGEST = 400
"""Characters of a refusal that a message quotes."""


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


@dataclass(frozen=True, slots=True)
class Refusal:
    """A kind of no that trying again will not change: by its words, and what it takes instead."""

    words: re.Pattern[str]
    needs: str
    hint: Callable[[str, Address], str]


def refusal(action: str, address: Address, said: str) -> CallFailed | None:
    """The error of what an engine or a registry `said`; None where it may pass by itself.

    `action` is `push`, `read` or `remove`.
    """
    kind = next((kind for kind in _KINDS if kind.words.search(said)), None)
    if kind is None:
        return None
    return CallFailed(
        f"could not {action} {address}: got {shortened(said)}, needs {kind.needs}",
        hint=kind.hint(action, address),
    )


def shortened(said: str) -> str:
    """In one line of bounded length."""
    line = " ".join(said.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _make_room(_: str, address: Address) -> str:
    return f"make room where the message says: on this machine's disk, or at {address.host}"


def _log_in(_: str, address: Address) -> str:
    google, other = "gcloud auth application-default login", f"docker login {address.host}"
    return google if address.is_google else other


def _ask_for_role(action: str, address: Address) -> str:
    if not address.is_google:
        return f"log in to {address.host} as somebody who may {action} {address.path}"
    role = f"roles/artifactregistry.{_ROLES.get(action, 'reader')}"
    return f"grant {role} on {address}, or see that this repository exists"


def _create_repository(_: str, address: Address) -> str:
    if not address.is_google:
        return f"create {address.path} at {address.host}"
    project, name, location = _parts(address)
    return (
        f"gcloud artifacts repositories create {name} --repository-format=docker "
        f"--location={location} --project={project}"
    )


def _parts(address: Address) -> tuple[str, str, str]:
    """Project, repository and location, as Artifact Registry has them.

    Names of gcr.io are kept in a repository of that name, in the location that the host stands for:
    https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo.
    """
    project, _, rest = address.path.partition("/")
    if address.host.endswith(".pkg.dev"):
        return project, rest.partition("/")[0], address.host.removesuffix("-docker.pkg.dev")
    continent = address.host.removesuffix("gcr.io").rstrip(".")
    return project, address.host, {"eu": "europe", "": "us"}.get(continent, continent)


def _check_name(_: str, address: Address) -> str:
    return f"see that build.repository in release.yaml means {address.host}, and that DNS knows it"


def _trust(_: str, address: Address) -> str:
    return f"let this machine and its engine trust the certificate of {address.host}"


def _kind(words: str, needs: str, hint: Callable[[str, Address], str]) -> Refusal:
    return Refusal(re.compile(words, re.IGNORECASE), needs, hint)


# The first that fits: Google says `denied` to whom it does not know, too, and `unauthorized` to
# whom it knows and does not allow.
_KINDS = (
    _kind(r"no space left|quota exceeded|HTTP (status: )?507|\"Err\":28", "room", _make_room),
    _kind(r"no such host|name or service not known", "a host that exists", _check_name),
    _kind(r"x509:|certificate verify|HTTP response to HTTPS", "a host that is trusted", _trust),
    _kind(r"name.?unknown|repository .*not found", "a repository that exists", _create_repository),
    _kind(
        r"unauthenticated|no basic auth|authentication (required|failed)",
        "credentials that it knows",
        _log_in,
    ),
    _kind(
        r"denied|needed permissions|insufficient.scope|HTTP (status: )?403",
        "the permission",
        _ask_for_role,
    ),
    _kind(r"unauthorized|HTTP (status: )?401", "credentials that it knows", _log_in),
)
