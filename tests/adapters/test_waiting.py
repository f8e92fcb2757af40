from collections.abc import Callable
from datetime import timedelta

import pytest

from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.interfaces import Timeout
from greenrun.model.polling import Wait
from tests.fakes import FakeClock


def after(clock: FakeClock, seconds: float) -> Callable[[], str | None]:
    """Something that is there once that time has passed."""
    ready = clock.now() + timedelta(seconds=seconds)
    return lambda: "there" if clock.now() >= ready else None


def test_what_is_there_at_once_takes_no_time() -> None:
    clock = FakeClock()
    began = clock.now()
    assert Wait("it", Timeout(timedelta()), clock).until(lambda: "there", str) == "there"
    assert clock.now() == began


def test_what_comes_soon_is_noticed_soon_and_what_comes_late_within_a_second() -> None:
    clock = FakeClock()
    for seconds, allowed in ((0.1, 0.1), (1.0, 0.5), (60.0, 1.0)):
        began = clock.now()
        wait = Wait("it", Timeout(timedelta(minutes=2)), clock)
        wait.until(after(clock, seconds), str)
        assert clock.now() - began <= timedelta(seconds=seconds + allowed)


def test_whoever_watches_hears_of_it_about_once_a_second() -> None:
    clock = FakeClock()
    told: list[str] = []
    wait = Wait("the bus", Timeout(timedelta(minutes=2), told.append), clock)
    wait.until(after(clock, 30), lambda: "an empty road")
    assert told[0] == "1 s of 120 s for the bus: an empty road"
    assert all(line.endswith(" s of 120 s for the bus: an empty road") for line in told)
    assert 15 <= len(told) <= 30


def test_the_deadline_is_kept_and_says_what_was_last_seen() -> None:
    clock = FakeClock()
    began = clock.now()
    wait = Wait("the bus", Timeout(timedelta(seconds=10)), clock)
    with pytest.raises(DeadlineExceeded) as exceeded:
        wait.until(lambda: None, lambda: f"nothing at {clock.now() - began}")
    assert clock.now() - began == timedelta(seconds=10)
    assert exceeded.value.message == ("waited 10 s for the bus, last saw: nothing at 0:00:10")


def test_one_deadline_holds_for_all_that_is_awaited_one_after_the_other() -> None:
    clock = FakeClock()
    wait = Wait("both", Timeout(timedelta(seconds=10)), clock)
    wait.until(after(clock, 8), str)
    with pytest.raises(DeadlineExceeded, match="waited 10 s for both"):
        wait.until(after(clock, 8), str)


def test_a_look_that_fails_ends_no_wait() -> None:
    clock = FakeClock()

    def broken() -> str:
        raise CallFailed("could not look")

    wait = Wait("it", Timeout(timedelta(seconds=10)), clock)
    assert wait.until(after(clock, 5), broken) == "there"
    with pytest.raises(DeadlineExceeded, match="last saw: could not look"):
        wait.until(lambda: None, broken)


def test_what_to_do_is_told_with_the_deadline() -> None:
    wait = Wait("the bus", Timeout(timedelta(seconds=10)), FakeClock())
    with pytest.raises(DeadlineExceeded) as exceeded:
        wait.until(lambda: None, str, lambda: "walk")
    assert exceeded.value.hint == "walk"


def test_another_thing_is_awaited_under_the_same_deadline() -> None:
    clock = FakeClock()
    wait = Wait("the bus", Timeout(timedelta(seconds=10)), clock)
    wait.until(after(clock, 8), str)
    assert timedelta() < wait.left <= timedelta(seconds=2)
    wait.awaited = "the driver"
    with pytest.raises(DeadlineExceeded, match="waited 10 s for the driver"):
        wait.until(after(clock, 8), str)
    assert wait.left == timedelta()
