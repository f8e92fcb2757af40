"""Our own requests reach both revisions alike, and are judged as users would judge them."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from itertools import count
from threading import Event, Lock
from threading import enumerate as threads
from time import monotonic, sleep

import pytest

from cloudrun_emulator.core.time import wait_until
from greenrun.adapters.machine import SystemClock
from greenrun.canary.sources.probes import WARM_UP, Probes, named_after, sustained_rate
from greenrun.canary.sources.source import Measurement
from greenrun.model.errors import CallFailed, ReleaseError
from greenrun.model.interfaces import HttpRequest, HttpResponse
from greenrun.model.plan import CanaryPlan, Probe
from greenrun.model.stats import Counts

ONE, OTHER = "http://candidate.test", "http://baseline.test"
PLAN = CanaryPlan(probes_per_second=500, probes=(Probe(), Probe(path="/costs")), alone=True)
FAST = timedelta(milliseconds=7)
SOON = timedelta(seconds=10)


class Answering:
    """Answers each probe as a test says."""

    def __init__(self, answer: Callable[[HttpRequest], int]) -> None:
        self.asked: list[HttpRequest] = []
        self._answer = answer

    def send(self, probe: HttpRequest) -> HttpResponse:
        self.asked.append(probe)
        return HttpResponse(self._answer(probe), {}, "", FAST)

    def converse(self, url: str, message: str, headers: Mapping[str, str]) -> list[str]:
        raise AssertionError(f"{url} {message} {headers}")


def speaking(token: str) -> Mapping[str, str]:
    return named_after("the-run", lambda _: {"Authorization": token})("a user")


def reading(web: Answering, probes: int, plan: CanaryPlan = PLAN) -> Measurement:
    """What is known once so many probes were answered."""
    deadline = monotonic() + 10
    with Probes(plan, (ONE, OTHER), lambda _: speaking("x"), web, SystemClock()) as sent:
        sent.start_step(20)
        while True:
            found = sent.read()
            if found.candidate.counts.total + found.baseline.counts.total >= probes:
                return found
            assert monotonic() < deadline, f"got {found}, needs {probes} probes"
            sleep(0.005)


@pytest.mark.parametrize(("alone", "least", "most"), [(True, 0.35, 0.65), (False, 0.1, 0.35)])
def test_chance_gives_each_as_many_as_of_the_users(
    *, alone: bool, least: float, most: float
) -> None:
    web = Answering(lambda _: 200)
    reading(web, 400, replace(PLAN, alone=alone))
    to_one = sum(probe.url.startswith(ONE) for probe in web.asked)
    assert least < to_one / len(web.asked) < most
    assert {probe.url for probe in web.asked} == {
        f"{base}{probe.path}" for base in (ONE, OTHER) for probe in PLAN.probes
    }


def test_each_says_anew_who_we_are() -> None:
    web, tokens = Answering(lambda _: 200), count()
    with Probes(PLAN, (ONE, OTHER), lambda _: speaking(str(next(tokens))), web, SystemClock()):
        wait_until(lambda: len(web.asked) >= 5, SOON, "five probes")
    assert len({probe.headers["Authorization"] for probe in web.asked}) == len(web.asked)


@pytest.mark.parametrize("kind", [CallFailed, ReleaseError, ValueError])
def test_whoever_cannot_say_it_any_more_blames_neither_revision(kind: type[Exception]) -> None:
    def lapsed(_: str) -> dict[str, str]:
        raise kind("could not get an identity token")

    with (
        Probes(PLAN, (ONE, OTHER), lapsed, Answering(lambda _: 200), SystemClock()) as sent,
        pytest.raises(kind, match="identity token"),
    ):
        wait_until(lambda: sent.read().candidate.counts.total, SOON, "a probe")


def test_what_keeps_a_probe_from_being_counted_is_told_to_who_reads() -> None:
    def broken(_: HttpRequest) -> int:
        raise ValueError("a fault of our own")

    with (
        Probes(
            PLAN, (ONE, OTHER), lambda _: speaking("x"), Answering(broken), SystemClock()
        ) as sent,
        pytest.raises(ValueError, match="a fault of our own"),
    ):
        wait_until(lambda: sent.read().candidate.counts.total, SOON, "a probe")


def test_the_way_back_does_not_wait_for_who_we_are() -> None:
    """The thread goes on when all is over; an error that it left unhandled would fail the test."""
    asked, over = Event(), Event()

    def minting(_: str) -> Mapping[str, str]:
        asked.set()
        over.wait(20)
        return speaking("late")

    try:
        with Probes(PLAN, (ONE, OTHER), minting, Answering(lambda _: 200), SystemClock()) as sent:
            assert asked.wait(10)
            begun = monotonic()
        assert monotonic() - begun < 5
    finally:
        over.set()
    wait_until(
        lambda: not any(each.name == "probes" for each in threads()), SOON, "the thread's end"
    )
    assert sent.read().candidate.counts == sent.read().baseline.counts == Counts()


def test_they_can_be_told_from_users() -> None:
    web = Answering(lambda _: 200)
    reading(web, 1)
    assert {probe.headers["User-Agent"] for probe in web.asked} == {"greenrun-canary/the-run"}


@pytest.mark.parametrize(
    ("status", "good"),
    [(200, True), (204, True), (302, True), (401, False), (404, False), (429, False), (503, False)],
)
def test_an_answer_is_good_where_users_get_what_they_asked_for(status: int, *, good: bool) -> None:
    found = reading(Answering(lambda _: status), 20)
    counts = found.candidate.counts + found.baseline.counts
    assert (counts.bad == 0, counts.good == 0) == (good, not good)


def test_no_answer_is_bad_and_took_no_time() -> None:
    def silent(probe: HttpRequest) -> int:
        if probe.url.startswith(ONE):
            raise CallFailed("got no answer")
        return 200

    found = reading(Answering(silent), 100)
    assert found.candidate.counts.good == found.candidate.latencies.total == 0
    assert found.candidate.counts.bad > 0
    assert found.baseline.counts.bad == 0
    assert found.baseline.latencies.total == found.baseline.counts.total
    assert found.baseline.latencies.quantile(0.5) == pytest.approx(
        FAST / timedelta(milliseconds=1), rel=0.1
    )


def test_counts_are_known_by_probe() -> None:
    found = reading(Answering(lambda probe: 500 if probe.url == f"{ONE}/costs" else 200), 200)
    (one, other), (one_costs, other_costs) = found.probes["GET /"], found.probes["GET /costs"]
    assert one.bad == other.bad == other_costs.bad == one_costs.good == 0
    assert one + one_costs == found.candidate.counts
    assert other + other_costs == found.baseline.counts


def test_the_first_of_each_probe_are_a_warm_up() -> None:
    cold: dict[str, int] = {}

    def warming(probe: HttpRequest) -> int:
        cold[probe.url] = cold.get(probe.url, 0) + 1
        return 500 if cold[probe.url] <= WARM_UP else 200

    web = Answering(warming)
    found = reading(web, 60, replace(PLAN, probes=(Probe(),)))
    assert found.candidate.counts.bad + found.baseline.counts.bad == 0
    assert len(web.asked) >= 60 + 2 * WARM_UP


def test_one_that_hangs_starves_nobody_and_is_left_behind() -> None:
    """Half of all probes are its own: more than may be under way, before the other has enough."""
    over = Event()

    def hanging(probe: HttpRequest) -> int:
        if probe.url.startswith(ONE):
            over.wait(20)
        return 200

    begun = monotonic()
    try:
        found = reading(Answering(hanging), 150)
        assert found.candidate.counts == Counts()
        assert monotonic() - begun < 5
    finally:
        over.set()


PUSH = Probe("POST", "/push", "a robot", {"Ce-Type": "test"}, {"message": {}}, (204,))


def test_a_probe_is_sent_as_it_is_said_and_good_by_its_own_statuses() -> None:
    def receiver(probe: HttpRequest) -> int:
        return 204 if probe.method == "POST" and probe.json == {"message": {}} else 405

    web, plan = Answering(receiver), replace(PLAN, probes=(PUSH, Probe(path="/push")))
    found = reading(web, 60, plan)
    pushed, asked = found.probes["POST /push"], found.probes["GET /push"]
    assert [sum(counts.bad for counts in pushed), sum(counts.good for counts in asked)] == [0, 0]
    assert min(sum(each.total for each in both) for both in (pushed, asked)) > 0
    (headers,) = {tuple(sorted(it.headers.items())) for it in web.asked if it.method == "POST"}
    assert dict(headers) == {
        "Authorization": "x",
        "Ce-Type": "test",
        "User-Agent": "greenrun-canary/the-run",
    }


def test_requests_of_the_same_name_are_counted_apart() -> None:
    other = replace(PUSH, json={"message": None})
    plan = replace(PLAN, probes=(PUSH, other))
    found = reading(Answering(lambda probe: 500 if probe.json == other.json else 204), 60, plan)
    (one, _), (two, _) = found.probes["POST /push"], found.probes["POST /push (2)"]
    assert (one.bad, two.good) == (0, 0)


class Worker:
    """Answers one request at a time, or all of them at once; either takes as long."""

    def __init__(self, takes: timedelta, *, alone: bool) -> None:
        self._takes = takes.total_seconds()
        self._turn = Lock() if alone else nullcontext()

    def send(self, _: HttpRequest) -> HttpResponse:
        begun = monotonic()
        with self._turn:
            sleep(self._takes)
        return HttpResponse(200, {}, "", timedelta(seconds=monotonic() - begun))

    def converse(self, url: str, message: str, headers: Mapping[str, str]) -> list[str]:
        raise AssertionError(f"{url} {message} {headers}")


@pytest.mark.parametrize(
    ("milliseconds", "alone", "least", "most"),
    [
        (2, True, 100, 100),  # one worker is busy for a tenth of its time
        (80, False, 100, 100),  # it waits for others, and answers many at once
        (80, True, 6, 25),  # both revisions are this worker: 12 in a second is all it can do
    ],
)
def test_a_rate_is_what_both_revisions_sustain(
    milliseconds: int, *, alone: bool, least: float, most: float
) -> None:
    worker = Worker(timedelta(milliseconds=milliseconds), alone=alone)
    plan = CanaryPlan(probes_per_second=100, alone=True)
    found = sustained_rate(plan, (ONE, OTHER), lambda _: {}, worker, SystemClock())
    assert least <= found <= most


def test_where_nothing_is_answered_the_rate_stays_for_the_canary_to_judge() -> None:
    def silent(_: HttpRequest) -> int:
        raise CallFailed("got no answer")

    plan = CanaryPlan(probes_per_second=100, alone=True)
    asked = Answering(silent), SystemClock()
    assert sustained_rate(plan, (ONE, OTHER), lambda _: {}, *asked) == 100
