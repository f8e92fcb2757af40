"""When a fault strikes."""

from datetime import timedelta

import pytest

from cloudrun_emulator.faults.fault import Rule, Trigger, always, during, first, only


class Turned:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("rule", "struck"),
    [
        (always(), [True, True, True, True]),
        (first(2), [True, True, False, False]),
        (only(3), [False, False, True, False]),
    ],
)
def test_times_are_counted(rule: Rule, struck: list[bool]) -> None:
    trigger = Trigger(rule)
    assert [trigger.fires() for _ in struck] == struck


def test_a_window_opens_with_the_first_time() -> None:
    clock = Turned()
    trigger = Trigger(during(timedelta(seconds=5)), clock)
    clock.seconds += 60
    struck = []
    for _ in range(3):
        struck.append(trigger.fires())
        clock.seconds += 4
    assert struck == [True, True, False]
