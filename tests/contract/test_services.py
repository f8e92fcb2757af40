"""Services: created, read, listed, changed, deleted."""

import re
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from tests.contract.caller import Caller, answering, latest, pinned, result, short

State = run_v2.Condition.State


def test_a_new_service_serves_its_first_revision(caller: Caller) -> None:
    service = caller.create(invoker_iam_disabled=True)
    assert re.fullmatch(rf"{caller.service_id}-00001-[a-z]{{3}}", answering(service.uri))


def test_a_new_service_is_told_with_full_names_and_its_traffic_with_short_ones(
    caller: Caller,
) -> None:
    service = caller.create(revision="one")
    full = f"{caller.service_name}/revisions/{caller.service_id}-one"
    assert service.name == caller.service_name
    assert service.latest_ready_revision == full
    assert service.latest_created_revision == full
    assert service.template.revision == f"{caller.service_id}-one"
    assert list(service.urls) == [service.uri]


def test_ready_stands_in_the_terminal_condition_alone(caller: Caller) -> None:
    service = caller.create()
    terminal = service.terminal_condition
    assert (terminal.type_, terminal.state) == ("Ready", State.CONDITION_SUCCEEDED)
    assert {(one.type_, one.state) for one in service.conditions} == {
        ("RoutesReady", State.CONDITION_SUCCEEDED),
        ("ConfigurationsReady", State.CONDITION_SUCCEEDED),
    }


def test_what_was_left_open_is_filled_in(caller: Caller) -> None:
    template = caller.create().template
    container = template.containers[0]
    assert [(port.name, port.container_port) for port in container.ports] == [("http1", 8080)]
    assert dict(container.resources.limits) == {"cpu": "1000m", "memory": "512Mi"}
    assert re.fullmatch(r"\d{12}-compute@developer\.gserviceaccount\.com", template.service_account)
    assert container.resources.cpu_idle
    assert template.max_instance_request_concurrency == 80
    assert template.scaling.max_instance_count == 100
    assert template.timeout.seconds == 300
    assert container.startup_probe == run_v2.Probe(
        timeout_seconds=240,
        period_seconds=240,
        failure_threshold=1,
        tcp_socket=run_v2.TCPSocketAction(port=8080),
    )


def test_resources_without_cpu_idle_mean_that_it_is_false(caller: Caller) -> None:
    template = caller.template()
    template.containers[0].resources.limits = {"cpu": "1000m"}
    service = run_v2.Service(template=template)
    operation = caller.services.create_service(
        parent=caller.parent, service=service, service_id=caller.service_id
    )
    resources = result(operation).template.containers[0].resources
    assert not resources.cpu_idle
    assert dict(resources.limits) == {"cpu": "1000m", "memory": "512Mi"}


def test_an_instance_knows_its_port_service_revision_and_configuration(caller: Caller) -> None:
    template = caller.template(COLOUR="blue")
    template.containers[0].ports = [run_v2.ContainerPort(container_port=9090)]
    caller.create(invoker_iam_disabled=True)
    service = caller.update("template", template=template)
    environment = httpx.get(service.uri).json()["env"]
    names = ("PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION", "COLOUR")
    assert [environment[name] for name in names] == [
        "9090",
        caller.service_id,
        short(service.latest_ready_revision),
        caller.service_id,
        "blue",
    ]


def test_each_change_is_a_generation_and_has_an_etag_of_its_own(caller: Caller) -> None:
    first = caller.create()
    second = caller.update("description", description="the second")
    assert (first.generation, first.observed_generation) == (1, 1)
    assert (second.generation, second.observed_generation) == (2, 2)
    assert second.etag != first.etag
    assert second.uid == first.uid


def test_an_update_that_changes_nothing_is_no_generation(caller: Caller) -> None:
    created = caller.create()
    updated = result(caller.services.update_service(service=created))
    assert (updated.generation, updated.etag) == (created.generation, created.etag)
    assert updated.latest_created_revision == created.latest_created_revision


def test_while_it_is_deployed_a_service_reconciles(caller: Caller) -> None:
    operation = caller.begin_create("slow-start")
    service = caller.get()
    assert service.reconciling
    assert service.terminal_condition.state == State.CONDITION_RECONCILING
    assert (service.generation, service.observed_generation) == (1, 0)
    assert not result(operation).reconciling


def test_a_mask_that_leaves_the_template_alone_makes_no_revision(caller: Caller) -> None:
    created = caller.create()
    template = caller.template(COLOUR="blue")
    updated = caller.update("labels", labels={"team": "a"}, template=template)
    assert dict(updated.labels) == {"team": "a"}
    assert updated.template == created.template
    assert updated.latest_created_revision == created.latest_created_revision


def test_a_mask_reaches_into_the_template(caller: Caller) -> None:
    caller.create()
    template = run_v2.RevisionTemplate(max_instance_request_concurrency=10)
    updated = caller.update("template.max_instance_request_concurrency", template=template)
    assert updated.template.max_instance_request_concurrency == 10
    assert updated.template.containers[0].image
    assert updated.latest_ready_revision.partition("-00002-")[1]


def test_no_mask_replaces_all_that_can_be_changed(caller: Caller) -> None:
    created = caller.create(labels={"team": "a"}, description="first")
    service = run_v2.Service(name=created.name, template=created.template, labels={"team": "b"})
    updated = result(caller.services.update_service(service=service))
    assert (dict(updated.labels), updated.description) == ({"team": "b"}, "")
    assert updated.uid == created.uid


def test_a_mask_of_an_unknown_field_is_refused(caller: Caller) -> None:
    caller.create()
    with pytest.raises(exceptions.BadRequest, match="Invalid update mask 'colour'"):
        caller.begin_update("colour")


def test_a_stale_etag_is_a_conflict(caller: Caller) -> None:
    stale = caller.create().etag
    caller.update("description", description="somebody else was quicker")
    with pytest.raises(exceptions.Conflict, match="is stale"):
        caller.begin_update("description", description="too late", etag=stale)


def test_the_present_etag_is_accepted(caller: Caller) -> None:
    etag = caller.create().etag
    assert caller.update("description", description="in time", etag=etag).description == "in time"


def test_update_makes_a_missing_service_when_it_may(caller: Caller) -> None:
    service = run_v2.Service(name=caller.service_name, template=caller.template())
    request = run_v2.UpdateServiceRequest(service=service, allow_missing=True)
    assert result(caller.services.update_service(request)).generation == 1


def test_a_missing_service_is_not_found(caller: Caller) -> None:
    project = caller.parent.split("/")[1]
    message = (
        f"Resource '{caller.service_id}' of kind 'SERVICE' in region 'europe-west1' "
        f"in project '{project}' does not exist."
    )
    with pytest.raises(exceptions.NotFound, match=message):
        caller.get()
    with pytest.raises(exceptions.NotFound, match=message):
        caller.begin_update("labels")


def test_a_name_is_taken_once(caller: Caller) -> None:
    caller.create()
    with pytest.raises(
        exceptions.Conflict, match=f"Resource '{caller.service_id}' already exists."
    ):
        caller.begin_create()


def test_validate_only_fills_in_and_makes_nothing(caller: Caller) -> None:
    request = run_v2.CreateServiceRequest(
        parent=caller.parent,
        service_id=caller.service_id,
        service=run_v2.Service(template=caller.template()),
        validate_only=True,
    )
    assert result(caller.services.create_service(request)).template.timeout.seconds == 300
    with pytest.raises(exceptions.NotFound):
        caller.get()


def test_validate_only_leaves_a_service_as_it_is(caller: Caller) -> None:
    created = caller.create()
    service = run_v2.Service(name=created.name, template=caller.template(COLOUR="blue"))
    request = run_v2.UpdateServiceRequest(service=service, validate_only=True)
    assert result(caller.services.update_service(request)).template != created.template
    assert caller.get() == created


def test_lists_go_from_the_newest_page_by_page(caller: Caller) -> None:
    names: list[str] = []
    for letter in "abc":
        service_id = f"{caller.service_id}-{letter}"
        operation = caller.services.create_service(
            parent=caller.parent,
            service=run_v2.Service(template=caller.template()),
            service_id=service_id,
        )
        names.insert(0, result(operation).name)
    request = run_v2.ListServicesRequest(parent=caller.parent, page_size=2)
    pages = list(caller.services.list_services(request).pages)
    assert [[one.name for one in page.services] for page in pages] == [names[:2], names[2:]]


def test_a_list_holds_the_services_of_its_location_only(caller: Caller) -> None:
    caller.create()
    elsewhere = caller.parent.replace("europe-west1", "us-central1")
    assert list(caller.services.list_services(parent=elsewhere)) == []


def test_a_page_token_that_no_page_gave_is_refused(caller: Caller) -> None:
    request = run_v2.ListServicesRequest(parent=caller.parent, page_token="bogus")
    with pytest.raises(exceptions.BadRequest, match="Invalid page token 'bogus'"):
        caller.services.list_services(request)


def test_a_deleted_service_is_gone_and_its_addresses_are_closed(caller: Caller) -> None:
    service = caller.create(invoker_iam_disabled=True)
    deleted = result(caller.services.delete_service(name=service.name))
    assert deleted.delete_time is not None
    with pytest.raises(exceptions.NotFound):
        caller.get()
    with pytest.raises(httpx.ConnectError):
        httpx.get(service.uri)
    assert caller.create().uid != service.uid


def test_a_service_can_be_deleted_while_it_starts(caller: Caller) -> None:
    creation = caller.begin_create("deaf")
    result(caller.services.delete_service(name=caller.service_name))
    with pytest.raises(exceptions.GoogleAPICallError):
        result(creation)
    with pytest.raises(exceptions.NotFound):
        caller.get()


def test_a_service_that_is_being_deleted_takes_no_more_changes(caller: Caller) -> None:
    caller.begin_create("deaf")
    operation = caller.services.delete_service(name=caller.service_name)
    with pytest.raises(exceptions.NotFound):
        caller.begin_update("description", description="too late")
    result(operation)


def test_a_disabled_default_url_takes_the_tag_urls_with_it(caller: Caller) -> None:
    service = caller.create(invoker_iam_disabled=True, traffic=[latest(100, "next")])
    tagged = service.traffic_statuses[0].uri
    assert answering(tagged) == short(service.latest_ready_revision)
    disabled = caller.update("default_uri_disabled", default_uri_disabled=True)
    assert (disabled.uri, list(disabled.urls)) == ("", [])
    with pytest.raises(httpx.NetworkError):  # refused, or reset as the port closes
        httpx.get(tagged)


@pytest.mark.parametrize(
    ("service_id", "why"),
    [
        ("", "Invalid service name"),
        ("Web", "Invalid service name"),
        ("1web", "Invalid service name"),
        ("web-", "Invalid service name"),
        ("w" * 50, "Invalid service name"),
    ],
)
def test_a_bad_service_name_is_refused(caller: Caller, service_id: str, why: str) -> None:
    with pytest.raises(exceptions.BadRequest, match=why):
        caller.services.create_service(
            parent=caller.parent,
            service=run_v2.Service(template=caller.template()),
            service_id=service_id,
        )


@pytest.mark.parametrize("place", ["labels", "annotations"])
@pytest.mark.parametrize(
    "key",
    [
        "run.googleapis.com/ingress",
        "cloud.googleapis.com/location",
        "serving.knative.dev/creator",
        "autoscaling.knative.dev/maxScale",
    ],
)
def test_labels_and_annotations_of_the_system_are_refused(
    caller: Caller, place: str, key: str
) -> None:
    settings: dict[str, Any] = {place: {key: "x"}}
    with pytest.raises(exceptions.BadRequest, match=re.escape(f"'{key}'")):
        caller.begin_create(**settings)


def test_a_pinned_split_survives_later_deploys(caller: Caller) -> None:
    caller.create(revision="one", invoker_iam_disabled=True)
    caller.route(pinned(f"{caller.service_id}-one", 100))
    service = caller.update("template", template=caller.template(revision="two"))
    assert short(service.latest_ready_revision) == f"{caller.service_id}-two"
    assert answering(service.uri) == f"{caller.service_id}-one"
    assert answering(caller.route(latest(100)).uri) == f"{caller.service_id}-two"
