"""Waiting for a condition."""

from datetime import timedelta

import pytest

from cloudrun_emulator.core.time import wait_until


def test_the_first_true_value_is_the_result() -> None:
    values = iter([0, "", None, "there"])
    assert wait_until(lambda: next(values), timedelta(seconds=20), "a value") == "there"


def test_a_deadline_says_how_long_what_for_and_what_was_seen() -> None:
    with pytest.raises(TimeoutError, match=r"^waited 0\.01 s for a value; last seen: 0$"):
        wait_until(lambda: 0, timedelta(milliseconds=10), "a value")
