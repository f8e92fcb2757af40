from datetime import UTC, datetime, timedelta

from greenrun.adapters.machine import SystemClock


def test_the_present_is_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)


def test_sleeping_lets_that_much_time_pass() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(timedelta(milliseconds=20))
    assert clock.now() - before >= timedelta(milliseconds=19)


def test_time_that_was_slept_has_passed_by_both_clocks() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(timedelta(milliseconds=20))
    assert clock.monotonic() - before >= timedelta(milliseconds=19)
