"""Whom a fault strikes, and for how long it holds them."""

from datetime import timedelta

import pytest

from cloudrun_emulator.faults.fault import Fault, Trigger, always, first

WEB = "projects/p/locations/r/services/web"


def fault(*subject: str) -> Fault[None]:
    return Fault("as written", subject, None, Trigger(always()))


@pytest.mark.parametrize(
    ("pattern", "struck"),
    [("web", True), ("w?b", True), (WEB, True), ("projects/p/*", True), ("we", False)],
)
def test_a_pattern_is_of_a_whole_name_or_of_its_last_part(pattern: str, *, struck: bool) -> None:
    assert fault(pattern).strikes(WEB) is struck


def test_every_name_has_to_be_meant() -> None:
    narrow = fault("Services.*", "web")
    assert narrow.strikes("Services.GetService", WEB)
    assert not narrow.strikes("Jobs.GetJob", WEB)
    assert not narrow.strikes("Services.GetService", f"{WEB}-2")
    assert narrow.struck == 1


def test_what_it_does_not_concern_is_not_counted() -> None:
    once = Fault("as written", ("web",), None, Trigger(first(1)))
    assert [once.strikes(name) for name in ("other", "web", "web")] == [False, True, False]
    assert repr(once) == "Fault('as written', struck=1)"


def test_one_that_is_lifted_neither_strikes_nor_holds() -> None:
    with fault("web") as lifted:
        assert not lifted.hold(timedelta())
    assert lifted.lifted
    assert not lifted.strikes(WEB)
    assert lifted.hold()
