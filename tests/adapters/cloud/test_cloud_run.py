import re
import socket
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from google.cloud import run_v2
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import field_mask_pb2
from google.type import expr_pb2

from cloudrun_emulator.emulator import LocalCloud
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.machine import SystemClock
from greenrun.model.errors import CallFailed, DeadlineExceeded, GateClosed
from greenrun.model.interfaces import Timeout
from greenrun.model.interfaces.platform import ALL_TO_LATEST
from greenrun.model.plan import Location
from greenrun.model.revision import (
    ContainerProbe,
    Readiness,
    RevisionSettings,
    SecretReference,
    Volume,
)
from greenrun.model.service import Service, baseline_of
from greenrun.model.traffic import LATEST, Target, TrafficSplit
from tests.adapters.cloud.candidates import QUICK, Watcher, reading, revision

ONE, TWO = "web-one", "web-two"
WITHOUT_TRAFFIC = TrafficSplit((Target(ONE, 100), Target(TWO, 0, "candidate")))


def raw(clients: GoogleClients, place: Location) -> run_v2.Service:
    return clients.services.get_service(name=f"{place.parent}/services/web")


def answering(url: str, times: int = 1) -> set[str]:
    """The revisions that answer that many requests."""
    with httpx.Client() as client:
        answers = [client.get(url).raise_for_status() for _ in range(times)]
    return {answer.json()["revision"] for answer in answers}


@pytest.fixture
def serving(platform: CloudRun, timeout: Timeout) -> CloudRun:
    """A public service whose first revision has all traffic, pinned by name."""
    platform.create(revision("one"), timeout)
    platform.let_all_invoke()
    platform.split_traffic(TrafficSplit.all_to(ONE), reading(platform), timeout)
    return platform


def test_nothing_is_there_at_first(platform: CloudRun) -> None:
    assert platform.service() is None
    assert platform.revision(ONE) is None


def test_a_created_service_gives_its_first_revision_all_traffic(
    platform: CloudRun, timeout: Timeout
) -> None:
    platform.create(revision("one"), timeout)
    service = reading(platform)
    assert service == Service(
        name="web",
        url=service.url,
        generation=1,
        readiness=Readiness.READY,
        wanted=TrafficSplit.all_to(LATEST),
        actual=TrafficSplit.all_to(LATEST),
        latest_ready=ONE,
        latest_created=ONE,
        etag=service.etag,
        changed_by="anonymous",
        changed_at=service.changed_at,
        ingress="all",
    )
    assert service.etag
    made = datetime.fromisoformat(service.changed_at)
    assert timedelta() <= datetime.now(UTC) - made < timedelta(minutes=1)
    assert baseline_of(service) == ONE


def test_a_service_that_is_there_cannot_be_created(serving: CloudRun, timeout: Timeout) -> None:
    with pytest.raises(
        CallFailed, match=r"could not create .*/web \(CreateService\): got ALREADY_EXISTS"
    ):
        serving.create(revision("two"), timeout)


def test_a_deploy_without_traffic_serves_under_its_tag_alone(
    serving: CloudRun, timeout: Timeout
) -> None:
    serving.deploy(revision("two"), WITHOUT_TRAFFIC, reading(serving), timeout)
    service = reading(serving)
    assert (service.wanted, service.actual) == (WITHOUT_TRAFFIC, WITHOUT_TRAFFIC)
    assert answering(service.url) == {ONE}
    assert answering(service.tag_urls["candidate"]) == {TWO}
    assert baseline_of(service) == ONE
    candidate = serving.revision(TWO)
    assert candidate is not None
    assert (candidate.readiness, candidate.image) == (Readiness.READY, "in-process/echo")


def test_all_settings_are_read_back_as_they_were_meant(serving: CloudRun, timeout: Timeout) -> None:
    wanted = RevisionSettings(
        variables={"MODE": "full", "EMPTY": ""},
        timeout=timedelta(seconds=600),
        cpu="2",
        memory="1Gi",
        port=9090,
        concurrency=7,
        min_instances=1,
        max_instances=3,
        startup_probe=ContainerProbe(
            path="/status/200", period=timedelta(seconds=1), failure_threshold=30
        ),
        volumes={
            "data": Volume(source="nfs:10.0.0.2:/data", path="/data"),
            "b": Volume(source="gcs:bucket", path="/b", readonly=True),
        },
        service_account="runner@project.iam.gserviceaccount.com",
        session_affinity=True,
        cpu_boost=True,
    )
    serving.deploy(
        replace(revision("two"), settings=wanted), WITHOUT_TRAFFIC, reading(serving), timeout
    )
    candidate = serving.revision(TWO)
    assert candidate is not None
    assert wanted.differences(candidate.settings) == ()
    url = reading(serving).tag_urls["candidate"]
    assert httpx.get(url).json()["env"]["MODE"] == "full"


def test_settings_that_are_not_ours_survive_a_deploy(
    serving: CloudRun, clients: GoogleClients, place: Location, timeout: Timeout
) -> None:
    live = raw(clients, place)
    live.template.revision = "web-by-hand"
    live.template.labels["team"] = "blue"
    live.template.containers[0].resources.cpu_idle = False
    live.labels["cost-centre"] = "42"
    live.description = "by hand"
    clients.services.update_service(service=live).result()  # type: ignore[no-untyped-call] # bare there
    like = replace(revision("two"), baseline="web-by-hand")
    serving.deploy(like, WITHOUT_TRAFFIC, reading(serving), timeout)
    after = raw(clients, place)
    assert (dict(after.template.labels), dict(after.labels)) == (
        {"team": "blue"},
        {"cost-centre": "42"},
    )
    assert after.description == "by hand"
    assert not after.template.containers[0].resources.cpu_idle


def test_an_experiment_without_traffic_does_not_come_in(
    serving: CloudRun, clients: GoogleClients, place: Location, timeout: Timeout
) -> None:
    live = raw(clients, place)
    live.template.revision = "web-experiment"
    live.template.containers[0].env.append(run_v2.EnvVar(name="TRY", value="1"))
    live.traffic = [run_v2.TrafficTarget(type_=2, revision=ONE, percent=100)]
    clients.services.update_service(service=live).result()  # type: ignore[no-untyped-call] # bare there
    unsaid = replace(revision("two"), settings=RevisionSettings(), baseline=ONE)
    serving.deploy(unsaid, WITHOUT_TRAFFIC, reading(serving), timeout)
    first, second = serving.revision(ONE), serving.revision(TWO)
    assert first is not None
    assert second is not None
    assert second.settings == first.settings


def test_a_new_service_has_its_cpu_during_requests(
    serving: CloudRun, clients: GoogleClients, place: Location
) -> None:
    assert serving.revision(ONE) is not None
    assert raw(clients, place).template.containers[0].resources.cpu_idle


@pytest.mark.parametrize(
    ("program", "reason"),
    [("deaf", "HEALTH_CHECK_CONTAINER_ERROR"), ("missing", "CONTAINER_MISSING")],
)
def test_a_revision_that_cannot_start_closes_the_gate_and_moves_nothing(
    serving: CloudRun, timeout: Timeout, program: str, reason: str
) -> None:
    hopeless = revision("two", program, startup_probe=ContainerProbe(period=timedelta(seconds=1)))
    with pytest.raises(
        GateClosed, match=f"revision web-two cannot start: got {reason}: "
    ) as closed:
        serving.deploy(hopeless, WITHOUT_TRAFFIC, reading(serving), timeout)
    assert closed.value.hint
    service = reading(serving)
    assert service.readiness is Readiness.FAILED
    assert service.wanted == WITHOUT_TRAFFIC
    assert service.actual == TrafficSplit.all_to(ONE)
    assert (service.latest_ready, service.latest_created) == (ONE, TWO)
    assert answering(service.url) == {ONE}
    failed = serving.revision(TWO)
    assert failed is not None
    assert (failed.readiness, failed.reason) == (Readiness.FAILED, reason)
    serving.split_traffic(TrafficSplit.all_to(ONE), reading(serving), timeout)
    assert baseline_of(reading(serving)) == ONE


def test_a_secret_that_is_missing_closes_the_gate(serving: CloudRun, timeout: Timeout) -> None:
    without = revision("two", secrets={"TOKEN": SecretReference("token", "1")})
    with pytest.raises(GateClosed, match="SECRETS_ACCESS_CHECK_FAILED"):
        serving.deploy(without, WITHOUT_TRAFFIC, reading(serving), timeout)


def test_a_revision_that_takes_too_long_is_left_with_what_was_last_seen(
    serving: CloudRun,
) -> None:
    counted_by = Watcher(seconds=2.5)
    late = revision("two", "slow-start", variables={"START_SECONDS": "30"})
    with pytest.raises(DeadlineExceeded) as exceeded:
        serving.deploy(late, WITHOUT_TRAFFIC, reading(serving), counted_by.timeout)
    name = "projects/[^/]+/locations/europe-west1/services/web"
    assert re.match(
        rf"waited 2.5 s for revision web-two of {name} to be ready \(UpdateService\), "
        "last saw: generation 3 with 100 % web-one; Ready pending",
        exceeded.value.message,
    )
    assert "gcloud run services describe web" in exceeded.value.hint
    assert counted_by.shown
    assert all(" for revision web-two" in line for line in counted_by.shown)


def test_a_revision_name_is_used_once(serving: CloudRun, timeout: Timeout) -> None:
    changed = revision("one", variables={"CHANGED": "yes"})
    with pytest.raises(CallFailed, match="'web-one' with different configuration already exists"):
        serving.deploy(changed, TrafficSplit.all_to(ONE), reading(serving), timeout)


def test_deploying_where_nothing_is_any_more_fails(serving: CloudRun, timeout: Timeout) -> None:
    before = reading(serving)
    serving.remove_service(timeout)
    with pytest.raises(CallFailed, match=r"could not deploy web-two to .*: got NOT_FOUND"):
        serving.deploy(revision("two"), WITHOUT_TRAFFIC, before, timeout)


def test_a_split_is_the_actual_one_when_the_call_returns(
    serving: CloudRun, timeout: Timeout
) -> None:
    serving.deploy(revision("two"), WITHOUT_TRAFFIC, reading(serving), timeout)
    split = WITHOUT_TRAFFIC.shared({ONE: 50, TWO: 50})
    serving.split_traffic(split, reading(serving), timeout)
    service = reading(serving)
    assert service.resolved.serving == {ONE: 50, TWO: 50}
    assert answering(service.url, times=40) == {ONE, TWO}
    serving.split_traffic(WITHOUT_TRAFFIC.shared({TWO: 100}), reading(serving), timeout)
    assert answering(service.url, times=10) == {TWO}


def test_a_split_keeps_the_tags_of_other_people_to_the_byte(
    serving: CloudRun, clients: GoogleClients, place: Location, timeout: Timeout
) -> None:
    theirs = (Target(ONE, 0, "pinned-by-ada"), Target(LATEST, 0, "edge"))
    serving.split_traffic(TrafficSplit((*theirs, Target(ONE, 100))), reading(serving), timeout)
    before = {
        target.tag: bytes(run_v2.TrafficTarget.serialize(target))
        for target in raw(clients, place).traffic
    }
    urls = reading(serving).tag_urls
    serving.deploy(
        revision("two"),
        reading(serving).wanted.tagged(TWO, "candidate"),
        reading(serving),
        timeout,
    )
    serving.split_traffic(
        reading(serving).wanted.shared({ONE: 90, TWO: 10}), reading(serving), timeout
    )
    after = {
        target.tag: bytes(run_v2.TrafficTarget.serialize(target))
        for target in raw(clients, place).traffic
    }
    assert {tag: after[tag] for tag in ("pinned-by-ada", "edge")} == {
        tag: before[tag] for tag in ("pinned-by-ada", "edge")
    }
    assert reading(serving).tag_urls == {
        **urls,
        "candidate": reading(serving).tag_urls["candidate"],
    }
    assert answering(urls["pinned-by-ada"]) == {ONE}


def test_a_split_touches_nothing_but_the_traffic(
    serving: CloudRun, clients: GoogleClients, place: Location, timeout: Timeout
) -> None:
    before = raw(clients, place)
    serving.split_traffic(
        TrafficSplit((Target(ONE, 100), Target(ONE, 0, "again"))), reading(serving), timeout
    )
    after = raw(clients, place)
    assert after.template == before.template
    assert after.latest_created_revision == before.latest_created_revision


def test_a_split_to_a_revision_that_is_not_there_fails(serving: CloudRun, timeout: Timeout) -> None:
    with pytest.raises(CallFailed, match="Revision 'web-nine' does not exist"):
        serving.split_traffic(TrafficSplit.all_to("web-nine"), reading(serving), timeout)


def test_percents_that_do_not_add_up_fail(serving: CloudRun, timeout: Timeout) -> None:
    with pytest.raises(CallFailed, match="INVALID_ARGUMENT"):
        serving.split_traffic(TrafficSplit((Target(ONE, 99),)), reading(serving), timeout)


def test_a_service_is_private_until_everybody_is_let_in(
    platform: CloudRun, timeout: Timeout
) -> None:
    platform.create(revision("one"), timeout)
    url = reading(platform).url
    assert not platform.invokable_by_all()
    assert httpx.get(url).status_code == 403
    platform.let_all_invoke()
    platform.let_all_invoke()
    assert platform.invokable_by_all()
    assert answering(url) == {ONE}


def test_a_service_is_created_with_the_revision_tags_that_it_is_proven_by(
    platform: CloudRun, timeout: Timeout
) -> None:
    split = ALL_TO_LATEST.tagged(LATEST, "candidate").tagged(LATEST, "greenrun-first")
    platform.create(revision("one"), timeout, split)
    created = reading(platform)
    assert created.wanted == split
    assert created.tag_urls.keys() == {"candidate", "greenrun-first"}
    pinned = created.resolved.without_tag("greenrun-first")
    after = platform.split_traffic(pinned, created, timeout)
    assert after.actual == TrafficSplit((Target(ONE, 100), Target(ONE, 0, "candidate")))


def test_an_organization_that_lets_nobody_in_is_told_of(
    platform: CloudRun, timeout: Timeout, cloud: LocalCloud
) -> None:
    platform.create(revision("one"), timeout)
    with (
        cloud.faults.add("Services.SetIamPolicy: FAILED_PRECONDITION"),
        pytest.raises(CallFailed) as refused,
    ):
        platform.let_all_invoke()
    assert refused.value.hint == (
        "see whether a policy of the organization forbids allUsers "
        "(constraints/iam.allowedPolicyMemberDomains)"
    )


def test_letting_everybody_in_keeps_all_other_bindings(
    serving: CloudRun, clients: GoogleClients, place: Location
) -> None:
    conditional = policy_pb2.Binding(
        role="roles/run.invoker",
        members=["user:ada@example.org"],
        condition=expr_pb2.Expr(title="weekdays", expression="true"),
    )
    plain = policy_pb2.Binding(role="roles/run.invoker", members=["user:bob@example.org"])
    viewer = policy_pb2.Binding(role="roles/run.viewer", members=["user:eve@example.org"])
    resource = f"{place.parent}/services/web"
    policy = policy_pb2.Policy(version=3, bindings=[conditional, plain, viewer])
    clients.services.set_iam_policy(
        iam_policy_pb2.SetIamPolicyRequest(resource=resource, policy=policy)
    )
    assert not serving.invokable_by_all()
    serving.let_all_invoke()
    after = clients.services.get_iam_policy({"resource": resource})
    plain.members.append("allUsers")
    assert list(after.bindings) == [conditional, plain, viewer]


def test_an_invoker_check_that_is_off_lets_everybody_in(
    serving: CloudRun, clients: GoogleClients, place: Location
) -> None:
    resource = f"{place.parent}/services/web"
    clients.services.set_iam_policy({"resource": resource, "policy": policy_pb2.Policy()})
    assert not serving.invokable_by_all()
    off = run_v2.Service(name=resource, invoker_iam_disabled=True)
    mask = field_mask_pb2.FieldMask(paths=["invoker_iam_disabled"])
    clients.services.update_service(service=off, update_mask=mask).result()  # type: ignore[no-untyped-call] # bare there
    assert serving.invokable_by_all()


def test_a_removed_service_is_gone_and_removing_it_again_is_nothing(
    serving: CloudRun, timeout: Timeout
) -> None:
    serving.remove_service(timeout)
    assert serving.service() is None
    serving.remove_service(timeout)


def test_a_cloud_that_is_not_there_is_told_with_a_hint(place: Location) -> None:
    with closing(GoogleClients(Endpoints.all_at("127.0.0.1:1"))) as nowhere:
        platform = CloudRun(nowhere, place, "web", SystemClock())
        with pytest.raises(CallFailed, match=r"CreateService.*127\.0\.0\.1:1 has ended") as refused:
            platform.create(revision("one"), Watcher(seconds=1).timeout)
    assert refused.value.hint == "start it again; what it held is lost"


def test_a_cloud_that_never_answers_is_told_with_a_hint(place: Location) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with closing(GoogleClients(Endpoints.all_at(address))) as clients:
            platform = CloudRun(clients, place, "web", SystemClock())
            with pytest.raises(DeadlineExceeded, match=r"CreateService.*DEADLINE") as exceeded:
                platform.create(revision("one"), Watcher(seconds=1).timeout)
    assert exceeded.value.hint == "see that the address can be reached from here, then try again"


def test_a_probe_of_the_settings_reaches_the_platform(serving: CloudRun) -> None:
    first = serving.revision(ONE)
    assert first is not None
    assert first.settings.startup_probe == replace(QUICK, type="tcp")
