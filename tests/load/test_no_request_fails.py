"""Users of a service under a steady load see nothing of its release, nor of its rollback."""

from collections.abc import Iterator
from contextlib import closing
from time import monotonic

import pytest

from benchmarks.shop import BASELINE, CANDIDATE, Shop, local_cloud
from benchmarks.steady_load import Asked, SteadyLoad
from tests.contract.programs import program

RATE = 200
BAKE = 100
"""Requests between two changes."""


@pytest.fixture(params=["in-process", pytest.param("docker", marks=pytest.mark.docker)])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    container = program(request.param, "echo")
    with local_cloud(request.param) as address, closing(Shop(address, container)) as shop:
        yield shop


def answered_by(asked: list[Asked]) -> set[str]:
    return {one.revision for one in asked}


def test_no_request_fails_while_a_service_is_released_and_rolled_back(shop: Shop) -> None:
    with SteadyLoad(shop.open(), RATE) as load:
        load.go_on(BAKE)
        shop.deploy()
        load.go_on(BAKE)
        before = list(load.asked)
        for percent in (10, 50, 100):
            shop.share(percent)
            promoted = monotonic()
            load.go_on(BAKE)
        during = list(load.asked)[len(before) :]
        shop.share(0)
        rolled_back = monotonic()
        shop.retire()
        load.go_on(BAKE)
    assert load.failures == []
    assert answered_by(before) == {BASELINE}
    assert answered_by(during) == {BASELINE, CANDIDATE}
    assert answered_by([one for one in during if one.due > promoted]) == {CANDIDATE}
    assert answered_by([one for one in load.asked if one.due > rolled_back]) == {BASELINE}


def test_the_load_tells_of_a_service_that_is_gone(shop: Shop) -> None:
    """So that a silence is no success."""
    with SteadyLoad(shop.open(), RATE) as load:
        load.go_on(BAKE)
        shop.halt()
        load.go_on(BAKE)
    assert {one.status for one in load.failures} == {503}
    assert len(load.failures) < len(load.asked)
