"""All roles of a release, filled by fakes."""

from typing import Any

from greenrun.ports import Roles
from tests.fakes import (
    FakeAccess,
    FakeBuilder,
    FakeClock,
    FakeCommands,
    FakeLogs,
    FakeMetrics,
    FakePlatform,
    FakeScanner,
    FakeSourceControl,
    FakeVault,
    FakeWeb,
    MemoryClaims,
    MemoryEvidence,
    MemoryProgress,
    MemoryRegistry,
)


def fake_roles(service: str, **chosen: Any) -> Roles:  # noqa: ANN401 - roles by name, as Roles has them
    """Fakes of a service that nobody has made yet; `chosen` are the ones that a test brings."""
    fakes = {
        "builder": FakeBuilder(),
        "registry": MemoryRegistry(),
        "platform": FakePlatform(service),
        "claims": MemoryClaims(),
        "access": FakeAccess(),
        "logs": FakeLogs(lambda: ()),
        "metrics": FakeMetrics(),
        "vault": FakeVault(),
        "web": FakeWeb(),
        "source_control": FakeSourceControl(),
        "commands": FakeCommands(),
        "scanner": FakeScanner(),
        "clock": FakeClock(),
        "evidence": MemoryEvidence(),
        "progress": MemoryProgress(),
    }
    return Roles(**{**fakes, **chosen})
