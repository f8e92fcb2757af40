"""All roles of a release, filled by fakes."""

from dataclasses import replace
from typing import Any

from greenrun.model.interfaces import Dependencies
from tests.conftest import World
from tests.fakes import FakePlatform


def fake_roles(service: str, **chosen: Any) -> Dependencies:  # noqa: ANN401 - roles by name, as Roles has them
    """Fakes of a service that nobody has made yet; `chosen` are the ones that a test brings."""
    return replace(World(FakePlatform(service)).dependencies, **chosen)
