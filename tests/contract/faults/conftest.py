"""The fault catalogue of the cloud that tests share."""

from collections.abc import Iterator

import pytest

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.faults.registry import Faults


@pytest.fixture
def faults(cloud: LocalCloud) -> Iterator[Faults]:
    """None is in force before, and none after; the calls are those of the test."""
    cloud.calls.clear()
    yield cloud.faults
    cloud.faults.clear()
