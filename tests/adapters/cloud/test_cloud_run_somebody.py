"""Other people's changes of the service: noticed, told, and never overwritten without a word."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from google.cloud import run_v2

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.faults.effects import Incoming, Proceed
from cloudrun_emulator.faults.registry import Faults
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.model.errors import ConcurrentChange
from greenrun.model.plan import Location
from greenrun.model.service import Service
from greenrun.model.traffic import Target, TrafficSplit
from tests.adapters.cloud.candidates import Watcher, reading, revision
from tests.adapters.cloud.changes import CHANGES, JOB, ONE, TWO, WITHOUT_TRAFFIC, deployed, serving

ADA = "ada@example.org"
HALF = WITHOUT_TRAFFIC.shared({ONE: 50, TWO: 50})


class Interrupted(Faults):
    """Lets somebody act right before, or after, the next update of a service, or run of a job."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[], None] | None = None
        self.after: Callable[[], None] | None = None

    @property
    def is_pending(self) -> bool:
        """Whether what shall be done before has not been done yet."""
        return self.before is not None

    def intercept(self, incoming: Incoming, carry_out: Proceed) -> Any:  # noqa: ANN401 - as Faults has it
        if incoming.call.rpc not in {"Services.UpdateService", "Jobs.RunJob"}:
            return super().intercept(incoming, carry_out)
        before, self.before, after, self.after = self.before, None, self.after, None
        if before:
            before()
        answer = super().intercept(incoming, carry_out)
        if after:
            after()
        return answer


@pytest.fixture(scope="module")
def faults() -> Interrupted:
    return Interrupted()


@pytest.fixture(scope="module", params=["strict", "lax"])
def cloud(request: pytest.FixtureRequest, faults: Interrupted) -> Iterator[LocalCloud]:
    strict = request.param == "strict"
    ingress = EnvoyIngress()
    with LocalCloud(InProcessRuntime(), ingress, strict_etags=strict, faults=faults) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def clients(cloud: LocalCloud) -> Iterator[GoogleClients]:
    with closing(GoogleClients(Endpoints.all_at(cloud.grpc))) as clients:
        yield clients


@pytest.fixture(autouse=True)
def _faults_end(faults: Interrupted, platform: CloudRun) -> Iterator[None]:
    assert platform
    yield
    faults.clear()
    faults.before = faults.after = None


class Ada:
    """Changes the service by hand, through the plain client, also just while we change it."""

    def __init__(self, clients: GoogleClients, place: Location, faults: Interrupted) -> None:
        self.faults = faults
        self._client = clients.services
        self._jobs = clients.jobs
        self._name = f"{place.parent}/services/web"
        self._job = f"{place.parent}/jobs/{JOB.name}"

    def describes(self) -> None:
        """Touches neither template nor traffic."""
        self._update("description", description="by Ada")

    def splits(self) -> None:
        """Moves traffic: everything to the first revision, under a revision tag of hers too."""
        kind = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
        first = run_v2.TrafficTarget(type_=kind, revision=ONE, percent=100, tag="by-ada")
        self._update("traffic", traffic=[first])

    def runs_the_job(self) -> None:
        """With arguments of hers."""
        container = run_v2.RunJobRequest.Overrides.ContainerOverride(args=["--other"])
        overrides = run_v2.RunJobRequest.Overrides(container_overrides=[container])
        self._jobs.run_job(run_v2.RunJobRequest(name=self._job, overrides=overrides))

    def _update(self, field: str, **changes: object) -> None:
        self._client.update_service(
            run_v2.UpdateServiceRequest(
                service=run_v2.Service(name=self._name, **changes), update_mask={"paths": [field]}
            ),
            metadata=[("x-goog-authenticated-user-email", ADA)],
        )


@pytest.fixture
def ada(clients: GoogleClients, place: Location, faults: Interrupted) -> Ada:
    return Ada(clients, place, faults)


ACTS = {"describes": Ada.describes, "splits": Ada.splits}
acts = pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)


def deploys(platform: CloudRun, before: Service) -> Service:
    return platform.deploy(revision("two"), WITHOUT_TRAFFIC, before, Watcher(seconds=5).timeout)


def splits(platform: CloudRun, before: Service) -> Service:
    return platform.split_traffic(HALF, before, Watcher(seconds=5).timeout)


def stops(platform: CloudRun, before: Service) -> Service:
    return platform.scale_to_zero(before, Watcher(seconds=5).timeout)


@dataclass(frozen=True)
class Ours:
    """A change of ours, and what it starts from."""

    prepare: Callable[[CloudRun], None]
    make: Callable[[CloudRun, Service], Service]


OURS = {
    "deploy": Ours(serving, deploys),
    "split": Ours(deployed, splits),
    "stop": Ours(serving, stops),
}
each = pytest.mark.parametrize("ours", OURS.values(), ids=OURS)


@each
@acts
def test_what_was_changed_since_the_reading_is_left_as_it_is(
    platform: CloudRun, ada: Ada, act: Callable[[Ada], None], ours: Ours
) -> None:
    ours.prepare(platform)
    before = reading(platform)
    act(ada)
    hers = reading(platform)
    with pytest.raises(ConcurrentChange) as changed:
        ours.make(platform, before)
    after = reading(platform)
    assert (after.generation, after.wanted) == (hers.generation, hers.wanted)
    assert changed.value.message.endswith(
        f"got generation {hers.generation} with {hers.wanted}, last changed by {ADA} "
        f"at {hers.changed_at}, needs generation {before.generation} with {before.wanted}, "
        "and no change since but this one"
    )
    assert changed.value.hint.startswith(f"ask {ADA}")


@each
@acts
def test_a_change_between_our_reading_and_our_request_is_told(
    platform: CloudRun,
    ada: Ada,
    act: Callable[[Ada], None],
    ours: Ours,
) -> None:
    ours.prepare(platform)
    before = reading(platform)
    ada.faults.before = lambda: act(ada)
    with pytest.raises(ConcurrentChange, match="somebody else changes it"):
        ours.make(platform, before)
    assert not ada.faults.is_pending
    assert reading(platform).generation > before.generation


@each
@acts
def test_a_change_right_after_ours_is_told_and_left_as_it_is(
    platform: CloudRun,
    ada: Ada,
    act: Callable[[Ada], None],
    ours: Ours,
) -> None:
    ours.prepare(platform)
    before = reading(platform)
    ada.faults.after = lambda: act(ada)
    with pytest.raises(ConcurrentChange, match=f"last changed by {ADA}"):
        ours.make(platform, before)
    after = reading(platform)
    assert (after.generation, after.changed_by) == (before.generation + 2, ADA)


@each
@acts
@pytest.mark.parametrize("fault", ["UNAVAILABLE", "reply lost", "ABORTED"])
def test_a_refusal_hides_nobody_s_change(
    platform: CloudRun,
    ada: Ada,
    act: Callable[[Ada], None],
    ours: Ours,
    fault: str,
) -> None:
    ours.prepare(platform)
    before = reading(platform)
    ada.faults.before = lambda: act(ada)
    ada.faults.add(f"Services.UpdateService: {fault}, the 2nd time")  # the 1st is Ada's
    with pytest.raises(ConcurrentChange):
        ours.make(platform, before)


def test_a_stale_reading_hides_nobody_s_change(
    platform: CloudRun, cloud: LocalCloud, ada: Ada
) -> None:
    deployed(platform)
    before = reading(platform)
    with cloud.faults.add("Services.GetService: stale, twice"):
        ada.describes()
        with pytest.raises(ConcurrentChange):
            splits(platform, before)


@pytest.mark.parametrize("name", ["deploy", "split", "scale to zero"])
@pytest.mark.parametrize("fault", ["UNAVAILABLE", "ABORTED", "reply lost", "operation never done"])
def test_our_own_repetition_is_not_taken_for_somebody_s(
    platform: CloudRun, cloud: LocalCloud, name: str, fault: str
) -> None:
    CHANGES[name].prepare(platform)
    with cloud.faults.add(f"Services.UpdateService: {fault}, once"):
        assert CHANGES[name].make(platform, Watcher(seconds=10).timeout)


def test_a_lost_answer_and_stale_readings_at_once_are_no_change_of_somebody_s(
    platform: CloudRun, cloud: LocalCloud
) -> None:
    deployed(platform)
    cloud.faults.add("Services.UpdateService: reply lost, once")
    cloud.faults.add("Services.GetService: stale, 4 times")
    assert CHANGES["split"].make(platform, Watcher(seconds=10).timeout)


def test_a_split_that_stands_already_is_sent_for_its_effect(platform: CloudRun) -> None:
    serving(platform)
    before = reading(platform)
    after = platform.split_traffic(before.wanted, before, Watcher(seconds=5).timeout)
    assert after.actual == before.actual


def test_tags_of_other_people_are_no_difference_in_what_is_asked(platform: CloudRun) -> None:
    serving(platform)
    tagged = TrafficSplit((Target(ONE, 0, "by-ada"), Target(ONE, 100)))
    after = platform.split_traffic(tagged, reading(platform), Watcher(seconds=5).timeout)
    assert after.actual.matches(tagged)
    assert set(after.tag_urls) == {"by-ada"}


def test_somebody_s_execution_of_the_job_is_not_taken_for_ours(
    platform: CloudRun, clients: GoogleClients, place: Location, ada: Ada
) -> None:
    ada.faults.before = ada.runs_the_job
    ada.faults.add("Jobs.RunJob: UNAVAILABLE, the 2nd time")  # the 1st is Ada's
    ours = platform.run(JOB, Watcher(seconds=10).timeout)
    parent = f"{place.parent}/jobs/{JOB.name}"
    args = {
        execution.name.rpartition("/")[2]: list(execution.template.containers[0].args)
        for execution in clients.executions.list_executions(parent=parent)
    }
    assert args.pop(ours.name) == []
    assert list(args.values()) == [["--other"]]
