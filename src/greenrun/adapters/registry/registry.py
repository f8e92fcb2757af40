"""Images, in the registry of their name."""

from collections.abc import Mapping

from greenrun.adapters.docker.push import DockerPush
from greenrun.adapters.registry.address import Address
from greenrun.adapters.registry.api import RegistryApi
from greenrun.adapters.registry.login import Logins, MachineLogins
from greenrun.model.errors import CallFailed, GateClosed
from greenrun.model.image import Digest, Image
from greenrun.model.interfaces import Clock, Timeout

_PLATFORM = ("linux", "amd64")
"""What Cloud Run runs."""

_TAGS_FIRST = "GOOGLE_MANIFEST_DANGLING_TAG"


class DockerRegistry:
    """Whatever speaks the registry's HTTP API; the engine sends to it.

    Args:
        clock: the time that tries and pauses take.
        logins: who we are where; what this machine has, unless told otherwise.
    """

    def __init__(self, clock: Clock, logins: Logins | None = None) -> None:
        self._clock = clock
        self._logins = logins or MachineLogins()
        self._api = RegistryApi(self._logins, clock)

    def close(self) -> None:
        """Close all connections."""
        self._api.close()

    def push(self, image: Image, timeout: Timeout) -> Digest:
        """Send, and see that the registry has what the engine told.

        Raises GateClosed where the image tag means another manifest by then.
        """
        ask_why = self._api.expect_room
        pushed = DockerPush(image, timeout, self._logins, ask_why, self._clock).run()
        held = self.digest(image.repository, image.tag)
        if held != pushed:
            raise GateClosed(
                f"{image.repository}:{image.tag}: got {held} in the registry, "
                f"needs {pushed}, which was pushed",
                hint="somebody else moved the image tag; give this release one of its own",
            )
        return pushed

    def digest(self, repository: str, tag: str) -> Digest | None:
        """Of the manifest's bytes, or of the index's."""
        found = self._api.manifest(Address.of(repository), tag)
        return found.digest if found else None

    def image_id(self, repository: str, manifest: Digest) -> Digest | None:
        """The digest of the configuration; of an index, that of its image for linux/amd64."""
        address = Address.of(repository)
        found = self._api.manifest(address, str(manifest))
        if found and (chosen := found.for_platform(*_PLATFORM)):
            found = self._api.manifest(address, str(chosen))
        return found.configuration if found else None

    def tags(self, repository: str) -> Mapping[str, Digest]:
        """One call each: the registry's own list has no digests."""
        address = Address.of(repository)
        found = ((tag, self._api.manifest(address, tag)) for tag in self._api.tags(address))
        return {tag: manifest.digest for tag, manifest in found if manifest}

    def remove(self, repository: str, manifest: Digest) -> None:
        """Google's registries want the image tags gone first; others know no way to do that."""
        address = Address.of(repository)
        try:
            self._api.remove(address, str(manifest))
        except CallFailed as error:
            if _TAGS_FIRST not in error.message:
                raise
            for tag, held in self.tags(repository).items():
                if held == manifest:
                    self._api.remove(address, tag)
            self._api.remove(address, str(manifest))
