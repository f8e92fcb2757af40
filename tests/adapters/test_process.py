"""Whether the process that releases is gone is told only where it is certain."""

import subprocess
import sys
from dataclasses import replace

import pytest

from greenrun.adapters.machine import is_gone, this_process


def test_we_are_not_gone() -> None:
    assert not is_gone(this_process("me"))


def test_a_process_that_has_ended_is_gone() -> None:
    script = (
        "from greenrun.adapters.machine import this_process as us; "
        "print(us('').process, us('').lifetime)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    process, lifetime = ended.stdout.decode().split()
    assert is_gone(replace(this_process("me"), process=int(process), lifetime=lifetime))


def test_a_later_process_of_the_same_number_is_another() -> None:
    us = this_process("me")
    scope, _, started = us.lifetime.rpartition("/")
    assert is_gone(replace(us, lifetime=f"{scope}/{int(started) - 1}"))


@pytest.mark.parametrize("lifetime", ["", "another-boot/4026531836/17", "nonsense"])
def test_of_another_machine_nothing_is_said(lifetime: str) -> None:
    assert not is_gone(replace(this_process("me"), process=1, lifetime=lifetime))
