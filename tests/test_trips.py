"""How many files of greenrun one action passes through, from its sentence to the wire and back.

`pytest tests/test_trips.py -s` prints them.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from pytest_bdd.steps import step_function_context_registry

from greenrun.checks.drill import OBJECTIVES
from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.model.errors import GateClosed
from greenrun.release.release import Release
from tests.campaign.course import way
from tests.campaign.shop import Shop

pytest_plugins = ["greenrun.steps.endpoints", "greenrun.steps.traffic"]

GREENRUN = Path(__file__).parents[1] / "src" / "greenrun"


class Trip:
    """The files of greenrun that were entered, in their order.

    With `within`, a folder or file, only what that calls, and what threads do meanwhile.
    """

    def __init__(self, within: str = "") -> None:
        self.files: list[str] = []
        self._within = within
        self._depth = 0

    @contextmanager
    def traced(self) -> Iterator[None]:
        """All threads that begin meanwhile belong to it."""
        threading.setprofile(self._entered_by_thread)
        sys.setprofile(self._entered)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _entered(self, frame: FrameType, event: str, _: object) -> None:
        file = _ours(frame.f_code)
        if not file or event not in {"call", "return"}:
            return
        if file.startswith(self._within):
            self._depth += 1 if event == "call" else -1
        if event == "call" and self._depth:
            self._note(file)

    def _entered_by_thread(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (file := _ours(frame.f_code)):
            self._note(file)

    def _note(self, file: str) -> None:
        if file not in self.files:
            self.files.append(file)

    def __str__(self) -> str:
        return "\n  ".join((f"{len(self.files)} files", *self.files))


@cache
def _ours(code: CodeType) -> str:
    """A file of greenrun, from there; empty for any other, and for what an import runs."""
    if code.co_filename.startswith(str(GREENRUN)) and code.co_name != "<module>":
        return str(Path(code.co_filename).relative_to(GREENRUN))
    return ""


def sentence(words: str) -> Callable[..., Any]:
    """The function of greenrun behind a sentence."""
    steps = step_function_context_registry.values()
    (found,) = (
        step.step_func
        for step in steps
        if step.step_func.__module__.startswith("greenrun.") and step.parser.is_matching(words)
    )
    return found


@pytest.fixture(scope="module")
def release() -> Iterator[Release]:
    """One that has come as far as its canary."""
    titles = [title for title, _ in way()]
    with Shop.opened() as (_, shop), shop.releasing("one") as release:
        for _, step in way()[: titles.index("canary")]:
            step(release)
        yield release
        release.settle(passed=False)
        release.guard.lock.release()


def test_from_a_cell_to_the_wire_and_its_verdict(release: Release) -> None:
    table = [["request", "body"], ["GET /api/health", "status = ok"]]
    trip = Trip(within="checks/")
    with trip.traced():
        sentence("the candidate answers")(release=release, datatable=ENDPOINTS.read(table))
    print(f"\na table cell: {trip}")  # noqa: T201 - it is asked for
    assert len(trip.files) <= 15


def test_from_a_share_to_update_service(release: Release) -> None:
    trip = Trip()
    with trip.traced():
        release.raise_share(10)
    print(f"\na traffic change: {trip}")  # noqa: T201
    assert len(trip.files) <= 20


def test_a_canary_look(release: Release) -> None:
    objectives = sentence("these objectives of the canary")(
        datatable=OBJECTIVES.read([["measure", "at most"], ["error rate", "15 %"]])
    )
    brief = replace(release.plan.canary, steps=(30,), max_duration=timedelta(seconds=2))
    release.plan = replace(release.plan, canary=brief)
    trip = Trip(within="canary/analysis.py")
    with trip.traced(), suppress(GateClosed):
        sentence("the candidate's share rises by its steps")(release=release, objectives=objectives)
    print(f"\na canary look: {trip}")  # noqa: T201
    assert len(trip.files) <= 26
