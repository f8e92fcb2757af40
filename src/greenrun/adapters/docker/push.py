"""Sending an image by the Docker engine, until the registry has it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from itertools import islice
from typing import Any

from docker import APIClient
from docker.errors import ImageNotFound

from greenrun.adapters.docker.engine import FAILURES, Cutoff, connect, refused
from greenrun.adapters.registry.address import Address, refusal, shortened
from greenrun.adapters.registry.login import Logins
from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.image import Digest, Image
from greenrun.model.interfaces import Clock, Timeout
from greenrun.model.polling import CALL_BACKOFF, Deadline

_TRIES_IN_VAIN = 6
_WATCH_INTERVAL = timedelta(seconds=1)


_DONE = ("Pushed", "Layer already exists", "Mounted from")


class BrokenOff(Exception):
    """One try ended with what may pass by itself; its text is what was said."""


class DockerPush:
    """One push: tried again until its time is up, or six tries in a row have sent nothing more.

    Engines keep to themselves what a registry says along with a 5xx. `ask_why` asks it directly,
    and raises CallFailed where that will not pass by itself.
    """

    def __init__(
        self,
        image: Image,
        timeout: Timeout,
        logins: Logins,
        ask_why: Callable[[Address], None],
        clock: Clock,
    ) -> None:
        self._image = image
        self._reference = f"{image.repository}:{image.tag}"
        self._address = Address.of(image.repository)
        self._watch = timeout.watch
        self._logins = logins
        self._ask_why = ask_why
        self._clock = clock
        self._deadline = Deadline(clock, timeout.within)
        self._seen = "nothing"
        self._watched: timedelta | None = None

    def run(self) -> Digest:
        """The digest of the manifest, as the engine tells it."""
        most_done, pauses = 0, islice(CALL_BACKOFF, _TRIES_IN_VAIN - 1)
        with closing(connect()) as client:
            self._name_the_bytes(client)
            while True:
                layers = Layers()
                try:
                    return self._try(client, layers)
                except BrokenOff as broken:
                    self._ask_why(self._address)
                    if layers.done > most_done:
                        most_done, pauses = layers.done, islice(CALL_BACKOFF, _TRIES_IN_VAIN - 1)
                    self._rest(next(pauses, None), str(broken))

    def _name_the_bytes(self, client: APIClient) -> None:
        """Engines push names: this one shall mean the bytes that were rehearsed."""
        image = self._image
        with refused(f"tag {image.digest} as {self._reference}"):
            try:
                client.tag(str(image.digest), image.repository, image.tag)
            except ImageNotFound as error:
                raise CallFailed(
                    f"could not push {self._reference}: got no image {image.digest} here",
                    hint="run the rehearsal on this machine, which builds it",
                ) from error

    def _try(self, client: APIClient, layers: "Layers") -> Digest:
        """Raises BrokenOff, or a CallFailed that no other try would change."""
        digest = None
        with Cutoff(client, self._left()) as cutoff:
            try:
                for event in self._events(client):
                    if "error" in event:
                        raise self._failure(event["error"])
                    digest = event.get("aux", {}).get("Digest", digest)
                    self._follow(layers, event)
            except FAILURES as error:
                if cutoff.struck:
                    raise self._too_late() from error
                raise CallFailed(
                    f"could not push {self._reference}: lost the engine at {self._seen}: "
                    f"got {shortened(str(error))}",
                    hint="`docker info` shows whether the engine answers",
                ) from error
        if digest is None:
            raise self._too_late() if cutoff.struck else BrokenOff("an end without a digest")
        return Digest(digest)

    def _events(self, client: APIClient) -> Iterator[Mapping[str, Any]]:
        login = self._logins(self._address)
        yield from client.push(
            self._image.repository,
            self._image.tag,
            stream=True,
            decode=True,
            auth_config=dict(login.for_engine()) if login else {},
        )

    def _follow(self, layers: "Layers", event: Mapping[str, Any]) -> None:
        held_up = layers.held_up
        if not layers.read(event):
            return
        if layers.held_up and not held_up:
            self._ask_why(self._address)
        self._seen, elapsed = str(layers), self._deadline.elapsed
        if self._watched is None or elapsed - self._watched >= _WATCH_INTERVAL:
            self._watched = elapsed
            self._watch(self._seen)

    def _failure(self, said: str) -> Exception:
        return refusal("push", self._address, said) or BrokenOff(shortened(said))

    def _rest(self, pause: timedelta | None, said: str) -> None:
        if pause is None:
            raise CallFailed(
                f"could not push {self._reference}: got {said}, {_TRIES_IN_VAIN} times in a row",
                hint=f"see that {self._address.host} can be reached from here, then run again: "
                "layers that it has are not sent again",
            )
        self._seen = f"{said}; trying again in {pause.total_seconds():g} s"
        self._watch(self._seen)
        self._clock.sleep(min(pause, self._left()))

    def _left(self) -> timedelta:
        left = self._deadline.left
        if left <= timedelta():
            raise self._too_late()
        return left

    def _too_late(self) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"the push of {self._reference}",
            after=self._deadline.within,
            last_seen=self._seen,
            hint="raise `build.push-timeout`; layers that were sent are not sent again",
        )


class Layers:
    """Counts layers and their bytes from the engine's events.

    Bytes are those of layers that are being sent or were; what the registry had costs none.
    """

    def __init__(self) -> None:
        self._bytes: dict[str, tuple[int, int]] = {}
        self._done: set[str] = set()
        self._trouble = ""

    def __str__(self) -> str:
        sent = sum(min(pair) for pair in self._bytes.values())
        total = sum(total for _, total in self._bytes.values())
        counted = f"{self.done} of {len(self._bytes)} layers, {_megabytes(sent, total)}"
        return f"{counted}: {self._trouble}" if self._trouble else counted

    @property
    def held_up(self) -> bool:
        """True while the engine waits to send a layer once more."""
        return bool(self._trouble)

    @property
    def done(self) -> int:
        """How many layers the registry has."""
        return len(self._done)

    def read(self, event: Mapping[str, Any]) -> bool:
        """Take one event in; True where it was about a layer."""
        layer, status = event.get("id"), event.get("status", "")
        if not layer:
            return False
        detail = event.get("progressDetail") or {}
        known = self._bytes.setdefault(layer, (0, 0))
        if "total" in detail:
            self._bytes[layer] = (int(detail["current"]), int(detail["total"]))
        if status.startswith(_DONE):
            self._done.add(layer)
            self._bytes[layer] = (known[1], known[1])
        self._trouble = status if status.startswith("Retrying") else ""
        return True


def _megabytes(sent: int, total: int) -> str:
    return f"{sent / 10**6:.1f} MB of {total / 10**6:.1f} MB"
