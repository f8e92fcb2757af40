"""Fakes with memory: they hold what they were told, and answer by it."""

from tests.fakes.images import IMAGE_ID, MANIFEST, FakeBuilder, MemoryRegistry
from tests.fakes.openings import FakeBrowser, FakeExaminer
from tests.fakes.platform import FakeAccess, FakePlatform, FakeVault, MemoryLeases
from tests.fakes.telling import (
    URL,
    FakeCharts,
    FakeClock,
    FakeLogs,
    FakeMetrics,
    FakeWeb,
    MemoryEvidence,
    MemoryProgress,
)
from tests.fakes.workplace import FakeCommands, FakeScanner, FakeSourceControl

__all__ = [
    "IMAGE_ID",
    "MANIFEST",
    "URL",
    "FakeAccess",
    "FakeBrowser",
    "FakeBuilder",
    "FakeCharts",
    "FakeClock",
    "FakeCommands",
    "FakeExaminer",
    "FakeLogs",
    "FakeMetrics",
    "FakePlatform",
    "FakeScanner",
    "FakeSourceControl",
    "FakeVault",
    "FakeWeb",
    "MemoryEvidence",
    "MemoryLeases",
    "MemoryProgress",
    "MemoryRegistry",
]
