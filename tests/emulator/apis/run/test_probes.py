"""The window of a start-up probe."""

from datetime import timedelta

import pytest
from google.cloud import run_v2

from cloudrun_emulator.apis.run.probes import window


@pytest.mark.parametrize(
    ("probe", "seconds"),
    [
        (run_v2.Probe(), 30),
        (run_v2.Probe(failure_threshold=1, period_seconds=240), 240),
        (run_v2.Probe(failure_threshold=4, period_seconds=5), 20),
        (run_v2.Probe(failure_threshold=100, period_seconds=10), 240),
        (run_v2.Probe(failure_threshold=1, period_seconds=10, initial_delay_seconds=5), 15),
    ],
)
def test_the_window_is_threshold_times_period_after_the_delay(
    probe: run_v2.Probe, seconds: int
) -> None:
    assert window(probe) == timedelta(seconds=seconds)
