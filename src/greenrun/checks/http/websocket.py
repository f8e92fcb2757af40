"""What a service does on its WebSockets."""

from base64 import b64encode
from uuid import uuid4

from greenrun.model.errors import GateClosed
from greenrun.release.release import Release

_SWITCHING = 101
_REFUSED = (401, 403)


def converses(release: Release, path: str, message: str, *, identity: str = "a user") -> None:
    """A message on a WebSocket is answered by one that contains it."""
    headers = release.prober.headers(identity)
    received = release.dependencies.web.converse(_address(release, path), message, headers)
    release.dependencies.evidence.attach("conversation", "\n".join((f"> {message}", *received)))
    if not any(message in text for text in received):
        raise GateClosed(f"WebSocket {path}: got {list(received)}, needs an answer to {message!r}")


def opens_only_to(release: Release, path: str, welcome: str, stranger: str) -> None:
    """A WebSocket opens to one identity, and is refused to another.

    Both are told by the status of the handshake, which is an HTTP request (RFC 6455, 4.2.2). That
    it opens to somebody tells a refusal from a path where there is no WebSocket.
    """
    found = {who: _handshake(release, path, who) for who in (welcome, stranger)}
    release.dependencies.evidence.attach(
        "handshakes", "\n".join(f"{w}: {s}" for w, s in found.items())
    )
    if found[welcome] != _SWITCHING:
        raise GateClosed(
            f"WebSocket {path} as {welcome}: got status {found[welcome]}, needs {_SWITCHING}"
        )
    if found[stranger] not in _REFUSED:
        raise GateClosed(
            f"WebSocket {path} as {stranger}: got status {found[stranger]}, needs "
            f"{' or '.join(map(str, _REFUSED))}"
        )


def _address(release: Release, path: str) -> str:
    return "ws" + release.candidate.url.removeprefix("http") + path


def _handshake(release: Release, path: str, identity: str) -> int:
    """The status that opening a WebSocket is answered with."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": b64encode(uuid4().bytes).decode(),
    }
    url = release.candidate.url + path
    return release.prober.ask(url, identity=identity, **upgrade).status
