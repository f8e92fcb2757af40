"""What the Docker engine says while it builds."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from greenrun.model.errors import GateClosed
from greenrun.model.interfaces import Watch

_END = 30
_PULLS_SHOWN_EVERY_SECONDS = 1.0


class Transcript:
    """Reads the events of one build, shows each instruction as it starts, and keeps the log."""

    def __init__(self, reference: str, watch: Watch) -> None:
        self.instruction = "the Dockerfile"
        self._reference = reference
        self._watch = watch
        self._written: list[str] = []
        self._shown = 0.0

    @property
    def text(self) -> str:
        """The log so far."""
        return "".join(self._written)

    @property
    def end(self) -> str:
        """The last lines of the log."""
        return "\n".join(self.text.splitlines()[-_END:])

    def read(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Follow a build to its end. Raises GateClosed when an instruction fails."""
        for event in events:
            if "error" in event:
                raise self.failure(event["error"])
            if "stream" in event:
                self._output(event["stream"])
            elif "status" in event:
                self._pull(event)

    def failure(self, reason: str) -> GateClosed:
        """The error of a build that the engine gave up, with the end of the log."""
        pulled = " FROM " in f"{self.instruction} "
        return GateClosed(
            f"could not build {self._reference}: {self.instruction} failed: got {reason.strip()}, "
            f"needs a Dockerfile that builds\n{self.end}".rstrip(),
            hint="pull the base image, or name one that can be reached" if pulled else "",
        )

    def _output(self, text: str) -> None:
        self._written.append(text)
        if text.startswith("Step "):
            self.instruction = text.strip()
            self._watch(self.instruction)

    def _pull(self, event: Mapping[str, Any]) -> None:
        words = (event.get("id"), event["status"], event.get("progress"))
        line = " ".join(word for word in words if word)
        if not event.get("progress"):
            self._written.append(f"{line}\n")
        now = time.monotonic()
        if now - self._shown >= _PULLS_SHOWN_EVERY_SECONDS:
            self._shown = now
            self._watch(line)
