"""Images, in the registry of their name.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx

from greenrun.adapters.docker.push import DockerPush
from greenrun.adapters.http.client import BoundedClient
from greenrun.adapters.registry.address import Address, refusal, shortened
from greenrun.adapters.registry.login import Challenged, Logins, MachineLogins
from greenrun.model.errors import CallFailed, GateClosed
from greenrun.model.image import Digest, Image
from greenrun.model.interfaces import Clock, Timeout
from greenrun.model.polling import CALL_BACKOFF

_PLATFORM = ("linux", "amd64")
"""What Cloud Run runs."""

_DOCKER = "application/vnd.docker.distribution.manifest"
_OCI = "application/vnd.oci.image"
_KINDS = (f"{_DOCKER}.v2+json", f"{_DOCKER}.list.v2+json", f"{_OCI}.manifest.v1+json")
_ACCEPTED = ", ".join((*_KINDS, f"{_OCI}.index.v1+json"))
_TRIES = 4
_ANSWER_SECONDS = 15.0
_HEADERS = {"user-agent": "greenrun", "accept-encoding": "identity"}
_MOST_BYTES = 4 * 2**20
"""Of a manifest or a list, as the specification of the registry has it."""

_MOST_TAGS, _MOST_PAGES = 100_000, 1000
"""Image tags of one repository that are read, and pages of them."""

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


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says, under the digest of its bytes. Its questions raise CallFailed."""

    digest: Digest
    fields: Mapping[str, Any] = field(repr=False)

    @property
    def configuration(self) -> Digest | None:
        """The digest of the image's configuration; None for an index of several images."""
        found = self.fields.get("config")
        return self._digest_in(found) if found else None

    def for_platform(self, system: str, architecture: str) -> Digest | None:
        """The manifest of one platform, in an index."""
        wanted = {"os": system, "architecture": architecture}
        entries = self.fields.get("manifests") or ()
        for entry in entries if isinstance(entries, list) else (entries,):
            platform = entry.get("platform") if isinstance(entry, Mapping) else None
            if isinstance(platform, Mapping) and wanted.items() <= _texts(platform).items():
                return self._digest_in(entry)
        return None

    def _digest_in(self, descriptor: object) -> Digest:
        digest = descriptor.get("digest") if isinstance(descriptor, Mapping) else descriptor
        try:
            return Digest(str(digest))
        except ValueError as error:
            raise CallFailed(
                f"could not read the manifest {self.digest.short}: {shortened(str(error))}"
            ) from error


def _texts(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name, text in fields.items() if isinstance(text, str)}


class RegistryApi:
    """Calls that read, or that may be made twice; what may pass by itself is tried again."""

    def __init__(self, logins: Logins, clock: Clock) -> None:
        self._logins = logins
        self._clock = clock
        self._client = BoundedClient(
            seconds=_ANSWER_SECONDS, most=_MOST_BYTES, follow_redirects=True, headers=_HEADERS
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def manifest(self, address: Address, reference: str) -> Manifest | None:
        """Behind an image tag or a digest; None where there is none, or no such repository."""
        url, headers = f"{address.url}/manifests/{reference}", {"accept": _ACCEPTED}
        answer = self._request("GET", url, "read", address, headers)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        digest = Digest(f"sha256:{hashlib.sha256(answer.content).hexdigest()}")
        return Manifest(digest, _said(answer))

    def tags(self, address: Address) -> Iterator[str]:
        """Every image tag, in the order that the registry has them; page by page."""
        first = url = httpx.URL(f"{address.url}/tags/list")
        count = 0
        for _ in range(_MOST_PAGES):
            answer = self._request("GET", url, "read", address)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return
            tags = _listed(answer)
            count += len(tags)
            if count > _MOST_TAGS:
                raise _too_many(address, f"{_MOST_TAGS} image tags")
            yield from tags
            following = _next_page(answer)
            if not following:
                return
            url = _within(first, following)
        raise _too_many(address, f"{_MOST_PAGES} pages of image tags")

    def remove(self, address: Address, reference: str) -> None:
        """A manifest by its digest, or where the registry knows how to, an image tag."""
        self._request("DELETE", f"{address.url}/manifests/{reference}", "remove", address)

    def expect_room(self, address: Address) -> None:
        """Begin an upload and take it back; raise CallFailed where that is refused for good."""
        auth = Challenged(self._logins(address), address)
        try:
            begun = self._client.post(f"{address.url}/blobs/uploads/", auth=auth)
            if not begun.is_error and "location" in begun.headers:
                self._client.delete(begun.url.join(begun.headers["location"]), auth=auth)
        except (httpx.HTTPError, httpx.InvalidURL):
            return
        if begun.is_error and (error := refusal("push", address, _told(begun))):
            raise error

    def _request(
        self,
        method: str,
        url: str | httpx.URL,
        action: str,
        address: Address,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """An answer that is no error, or says that there is no such thing."""
        for pause in (*islice(CALL_BACKOFF, _TRIES - 1), None):
            auth = Challenged(self._logins(address), address)
            try:
                answer = self._client.request(method, url, headers=headers, auth=auth)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                said = f"{type(error).__name__}: {error}"
            else:
                if answer.is_success or answer.status_code == httpx.codes.NOT_FOUND:
                    return answer
                said = _told(answer)
            if error_of := refusal(action, address, said):
                raise error_of
            if pause is not None:
                self._clock.sleep(pause)
        raise CallFailed(
            f"could not {action} {address}: got {shortened(said)}, {_TRIES} times in a row",
            hint=f"see that {address.host} can be reached from here, then try again",
        )


def _listed(answer: httpx.Response) -> list[str]:
    tags = _said(answer).get("tags") or []
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        return tags
    raise CallFailed(f"could not read {answer.url}: got {shortened(str(tags))}, needs image tags")


def _too_many(address: Address, most: str) -> CallFailed:
    return CallFailed(f"could not read {address}: got more than {most}, needs fewer")


def _next_page(answer: httpx.Response) -> str:
    return str(answer.links.get("next", {}).get("url", ""))


def _within(first: httpx.URL, following: str) -> httpx.URL:
    """The next page, of the same registry: another would be told who we are."""
    try:
        url = first.join(following)
    except httpx.InvalidURL as error:
        raise CallFailed(f"could not read {first}: got a next page that is no address") from error
    if (url.scheme, url.netloc) != (first.scheme, first.netloc):
        raise CallFailed(f"could not read {first}: got a next page at {url.host}, needs the same")
    return url


def _said(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, Mapping):
        return found
    raise CallFailed(f"could not read {answer.url}: got {shortened(answer.text)!r}, needs JSON")


def _told(answer: httpx.Response) -> str:
    return f"HTTP {answer.status_code} {answer.reason_phrase} {answer.text}"
