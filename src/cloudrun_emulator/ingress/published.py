"""What the ingress publishes of a service."""

from collections.abc import Mapping
from dataclasses import dataclass

from cloudrun_emulator.core.interfaces import Route

Address = tuple[str, int]
"""An IP address and a port."""


@dataclass(frozen=True, slots=True)
class Published:
    """The routes of one service, and where its revisions are."""

    routes: tuple[Route, ...]
    backends: Mapping[str, Address]


def merged(old: Mapping[str, Published], new: Mapping[str, Published]) -> dict[str, Published]:
    """What serves both during a change; where they differ on a backend, `new` is right."""
    nothing = Published((), {})
    return {
        service: Published(
            (*old.get(service, nothing).routes, *new.get(service, nothing).routes),
            {**old.get(service, nothing).backends, **new.get(service, nothing).backends},
        )
        for service in {**old, **new}
    }
