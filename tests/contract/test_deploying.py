"""Deploys: new revisions, their names, their start-up, and what is left when they fail."""

import re

import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from tests.contract.caller import Caller, answering, latest, pinned, result, short

State = run_v2.Condition.State
Reason = run_v2.Condition.RevisionReason
Common = run_v2.Condition.CommonReason

SILENT = (
    "The user-provided container failed to start and listen on the port defined provided by "
    "the PORT=8080 environment variable within the allocated timeout."
)


def brief(probe: run_v2.Probe, template: run_v2.RevisionTemplate) -> run_v2.RevisionTemplate:
    template.containers[0].startup_probe = probe
    return template


def tcp(seconds: int) -> run_v2.Probe:
    return run_v2.Probe(
        period_seconds=seconds, failure_threshold=1, tcp_socket=run_v2.TCPSocketAction()
    )


def ready(revision: run_v2.Revision) -> run_v2.Condition:
    return next(one for one in revision.conditions if one.type_ == "Ready")


def container_healthy(revision: run_v2.Revision) -> run_v2.Condition:
    return next(one for one in revision.conditions if one.type_ == "ContainerHealthy")


def test_a_new_template_is_a_new_revision_and_takes_the_traffic(caller: Caller) -> None:
    caller.create(invoker_iam_disabled=True, revision="one")
    service = caller.update("template", template=caller.template(revision="two"))
    assert answering(service.uri) == f"{caller.service_id}-two"


def test_another_template_under_the_name_of_a_revision_is_a_conflict(caller: Caller) -> None:
    created = caller.create(revision="one")
    with pytest.raises(
        exceptions.Conflict,
        match=f"Revision named '{caller.service_id}-one' with different configuration "
        "already exists.",
    ):
        caller.begin_update("template", template=caller.template(revision="one", COLOUR="blue"))
    assert caller.get() == created


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("other-1", "must be prefixed"),
        ("{}-A", "Invalid revision name"),
        ("{}-" + "x" * 64, "Invalid revision name"),
    ],
)
def test_a_bad_revision_name_is_refused(caller: Caller, name: str, why: str) -> None:
    template = caller.template()
    template.revision = name.format(caller.service_id)
    caller.create()
    with pytest.raises(exceptions.BadRequest, match=why):
        caller.begin_update("template", template=template)


def test_a_template_without_an_image_is_refused(caller: Caller) -> None:
    caller.create()
    template = run_v2.RevisionTemplate(containers=[run_v2.Container()])
    with pytest.raises(exceptions.BadRequest, match="image"):
        caller.begin_update("template", template=template)


def test_a_quantity_that_is_none_is_refused(caller: Caller) -> None:
    caller.create()
    template = caller.template()
    template.containers[0].resources.limits = {"memory": "plenty"}
    with pytest.raises(exceptions.BadRequest, match="Invalid quantity 'plenty'"):
        caller.begin_update("template", template=template)


def test_a_mount_of_no_volume_is_refused(caller: Caller) -> None:
    caller.create()
    template = caller.template()
    mount = run_v2.VolumeMount(name="data", mount_path="/data")
    template.containers[0].volume_mounts = [mount]
    with pytest.raises(exceptions.BadRequest, match="'data' refers to a volume that does not"):
        caller.begin_update("template", template=template)


@pytest.mark.parametrize("program", ["crash", "deaf"])
def test_a_container_that_does_not_listen_fails_the_deploy(caller: Caller, program: str) -> None:
    caller.create(revision="one")
    template = brief(tcp(1), caller.template(program, revision="two"))
    operation = caller.begin_update("template", template=template)
    message = re.escape(
        f"Revision '{caller.service_id}-two' is not ready and cannot serve traffic. {SILENT}"
    )
    with pytest.raises(exceptions.GoogleAPICallError, match=message):
        result(operation)
    assert operation.operation.error.code == 9
    told = ready(caller.revision(f"{caller.service_id}-two"))
    assert told.state == State.CONDITION_FAILED
    assert told.revision_reason == Reason.HEALTH_CHECK_CONTAINER_ERROR


def test_a_failed_deploy_keeps_what_serves(caller: Caller) -> None:
    before = caller.create(revision="one", invoker_iam_disabled=True)
    traffic = [pinned(f"{caller.service_id}-one", 90), pinned(f"{caller.service_id}-two", 10)]
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.update("template,traffic", template=caller.template("crash", "two"), traffic=traffic)
    after = caller.get()
    assert after.terminal_condition.state == State.CONDITION_FAILED
    assert not after.reconciling
    assert list(after.traffic) == traffic
    assert after.traffic_statuses == before.traffic_statuses
    assert (after.generation, after.observed_generation) == (2, 1)
    assert after.latest_ready_revision == before.latest_ready_revision
    assert short(after.latest_created_revision) == f"{caller.service_id}-two"
    assert after.uri == before.uri
    assert answering(after.uri) == f"{caller.service_id}-one"


def test_a_first_deploy_that_fails_serves_nothing(caller: Caller) -> None:
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.create("crash")
    service = caller.get()
    assert (service.uri, service.latest_ready_revision, service.observed_generation) == ("", "", 0)
    assert list(service.traffic_statuses) == []


def test_a_service_recovers_from_a_failed_deploy(caller: Caller) -> None:
    caller.create(revision="one", invoker_iam_disabled=True)
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.update("template", template=caller.template("crash", "two"))
    service = caller.update("template", template=caller.template(revision="three"))
    assert service.terminal_condition.state == State.CONDITION_SUCCEEDED
    assert answering(service.uri) == f"{caller.service_id}-three"


def test_traffic_can_be_set_after_a_failed_deploy(caller: Caller) -> None:
    caller.create(revision="one")
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.update("template", template=caller.template("crash", "two"))
    service = caller.route(pinned(f"{caller.service_id}-one", 100))
    assert service.terminal_condition.state == State.CONDITION_SUCCEEDED


def test_a_revision_that_failed_reads_ready_once_its_tag_is_gone(caller: Caller) -> None:
    """Source: BasedHardware/omi issue 9654, and a note on an untagged candidate, 2026 [REP]."""
    caller.create(revision="one")
    one, two = f"{caller.service_id}-one", f"{caller.service_id}-two"
    tagged = [pinned(one, 100), pinned(two, 0, "candidate")]
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.update("template,traffic", template=caller.template("crash", "two"), traffic=tagged)
    assert ready(caller.revision(two)).state == State.CONDITION_FAILED

    service = caller.route(pinned(one, 100))
    told = ready(caller.revision(two))
    assert (told.state, told.revision_reason) == (State.CONDITION_SUCCEEDED, Reason.RETIRED)
    assert container_healthy(caller.revision(two)).state == State.CONDITION_FAILED
    assert short(service.latest_ready_revision) == one


def test_a_revision_that_failed_takes_no_traffic_though_it_reads_ready(caller: Caller) -> None:
    caller.create(revision="one", invoker_iam_disabled=True)
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.update("template", template=caller.template("crash", "two"))
    uri = caller.route(pinned(f"{caller.service_id}-one", 100)).uri
    for share, tag in ((100, ""), (0, "again")):
        rest = pinned(f"{caller.service_id}-one", 100 - share)
        with pytest.raises(exceptions.GoogleAPICallError, match="failed to start and listen"):
            caller.route(pinned(f"{caller.service_id}-two", share, tag), rest)
    assert answering(uri) == f"{caller.service_id}-one"


def test_an_image_that_is_not_there_is_missing(caller: Caller) -> None:
    caller.create()
    template = caller.template(revision="two")
    template.containers[0].image = "127.0.0.1:1/no/such-image:1"
    missing = re.escape("Image '127.0.0.1:1/no/such-image:1' not found")
    with pytest.raises(exceptions.GoogleAPICallError, match=missing):
        caller.update("template", template=template)
    told = ready(caller.revision(f"{caller.service_id}-two"))
    assert told.reason == Common.CONTAINER_MISSING


def test_a_secret_that_is_not_there_fails_the_access_check(caller: Caller) -> None:
    caller.create()
    template = caller.template(revision="two")
    selector = run_v2.SecretKeySelector(secret="absent", version="1")
    source = run_v2.EnvVarSource(secret_key_ref=selector)
    template.containers[0].env = [run_v2.EnvVar(name="KEY", value_source=source)]
    with pytest.raises(exceptions.GoogleAPICallError, match="absent"):
        caller.update("template", template=template)
    told = ready(caller.revision(f"{caller.service_id}-two"))
    assert told.reason == Common.SECRETS_ACCESS_CHECK_FAILED


def test_start_up_may_take_the_whole_window(caller: Caller) -> None:
    template = brief(tcp(20), caller.template("slow-start", START_SECONDS="0.3"))
    caller.create()
    service = caller.update("template", template=template)
    assert service.latest_ready_revision == service.latest_created_revision


@pytest.mark.parametrize(("path", "passes"), [("/status/200", True), ("/status/503", False)])
def test_an_http_probe_wants_an_answer_below_400(caller: Caller, path: str, passes: bool) -> None:  # noqa: FBT001 - a column of the table above
    caller.create()
    probe = run_v2.Probe(
        period_seconds=5 if passes else 1,
        failure_threshold=1,
        http_get=run_v2.HTTPGetAction(path=path),
    )
    operation = caller.begin_update("template", template=brief(probe, caller.template()))
    if passes:
        assert result(operation).observed_generation == 2
    else:
        with pytest.raises(
            exceptions.GoogleAPICallError, match="failed the configured startup probe checks"
        ):
            result(operation)


def test_a_deploy_that_is_overtaken_leaves_the_verdict_to_the_later_one(caller: Caller) -> None:
    caller.create(revision="one", invoker_iam_disabled=True)
    slow = caller.begin_update("template", template=brief(tcp(2), caller.template("deaf", "two")))
    later = caller.update("template", template=caller.template(revision="three"))
    with pytest.raises(exceptions.GoogleAPICallError):
        result(slow)
    service = caller.get()
    assert service == later
    assert service.terminal_condition.state == State.CONDITION_SUCCEEDED
    assert answering(service.uri) == f"{caller.service_id}-three"


def test_traffic_waits_for_a_revision_that_is_starting(caller: Caller) -> None:
    caller.create(revision="one", invoker_iam_disabled=True)
    caller.route(pinned(f"{caller.service_id}-one", 100))
    slow = caller.template("slow-start", "two", START_SECONDS="0.3")
    caller.begin_update("template", template=slow)
    service = caller.route(pinned(f"{caller.service_id}-two", 100))
    assert answering(service.uri) == f"{caller.service_id}-two"


def test_a_deploy_without_traffic_is_retired_and_answers_under_its_tag(caller: Caller) -> None:
    caller.create(revision="one", invoker_iam_disabled=True)
    one, two = f"{caller.service_id}-one", f"{caller.service_id}-two"
    service = caller.update(
        "template,traffic",
        template=caller.template(revision="two"),
        traffic=[pinned(one, 100), pinned(two, 0, "candidate")],
    )
    tagged = service.traffic_statuses[1]
    assert (tagged.revision, tagged.percent, tagged.tag) == (two, 0, "candidate")
    assert (answering(service.uri), answering(tagged.uri)) == (one, two)
    told = ready(caller.revision(two))
    assert (told.state, told.revision_reason) == (State.CONDITION_SUCCEEDED, Reason.RETIRED)
    assert ready(caller.revision(one)).revision_reason == Reason.REVISION_REASON_UNDEFINED


def test_a_tag_that_is_the_first_entry_takes_no_traffic(caller: Caller) -> None:
    caller.create(revision="one", invoker_iam_disabled=True)
    service = caller.update(
        "template,traffic",
        template=caller.template(revision="two"),
        traffic=[latest(0, "next"), pinned(f"{caller.service_id}-one", 100)],
    )
    assert answering(service.uri) == f"{caller.service_id}-one"
    assert answering(service.traffic_statuses[0].uri) == f"{caller.service_id}-two"
