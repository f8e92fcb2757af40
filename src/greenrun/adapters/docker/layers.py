"""How far the layers of a push are."""

from collections.abc import Mapping
from typing import Any

_DONE = ("Pushed", "Layer already exists", "Mounted from")


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
