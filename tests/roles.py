"""All roles of a release, filled by fakes."""

from typing import Any

from greenrun.ports import Roles
from tests.fakes import (
    FakeAccess,
    FakeBrowser,
    FakeBuilder,
    FakeCharts,
    FakeClock,
    FakeCommands,
    FakeExaminer,
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
    clock = FakeClock()
    fakes = {
        "builder": FakeBuilder(),
        "registry": MemoryRegistry(),
        "platform": FakePlatform(service),
        "claims": MemoryClaims(),
        "access": FakeAccess(),
        "logs": FakeLogs(lambda: ()),
        "metrics": FakeMetrics(clock),
        "vault": FakeVault(),
        "web": FakeWeb(),
        "browser": FakeBrowser(),
        "examiner": FakeExaminer(),
        "source_control": FakeSourceControl(),
        "commands": FakeCommands(),
        "scanner": FakeScanner(),
        "clock": clock,
        "charts": FakeCharts(),
        "evidence": MemoryEvidence(),
        "progress": MemoryProgress(),
    }
    return Roles(**{**fakes, **chosen})
