"""Revisions: read, listed, deleted once they have retired; and alive as long as they are not."""

from datetime import timedelta

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from cloudrun_emulator.core.time import wait_until
from tests.contract.caller import Caller, latest, pinned, result, short


def names(revisions: object) -> list[str]:
    return [short(one.name) for one in revisions]  # type: ignore[attr-defined] # any pager


def deploy(caller: Caller, *revisions: str) -> list[str]:
    caller.create(revision=revisions[0])
    for name in revisions[1:]:
        caller.update("template", template=caller.template(revision=name))
    return [f"{caller.service_id}-{name}" for name in revisions]


def test_a_revision_has_the_settings_of_its_template(caller: Caller) -> None:
    template = caller.template(COLOUR="blue")
    template.max_instance_request_concurrency = 7
    template.labels = {"team": "a"}
    caller.create()
    service = caller.update("template", template=template)
    revision = caller.revision(service.latest_ready_revision)
    assert short(revision.service) == caller.service_id
    assert revision.max_instance_request_concurrency == 7
    assert dict(revision.labels) == {"team": "a"}
    (container,) = revision.containers
    assert container.name == f"{caller.service_id}-1"  # as Google names one without a name
    container.name = ""
    assert [container] == list(service.template.containers)
    assert revision.timeout.seconds == 300


def test_revisions_are_listed_from_the_newest_page_by_page(caller: Caller) -> None:
    one, two, three = deploy(caller, "one", "two", "three")
    request = run_v2.ListRevisionsRequest(parent=caller.service_name, page_size=2)
    pages = caller.revisions.list_revisions(request).pages
    assert [names(page.revisions) for page in pages] == [[three, two], [one]]


def test_revisions_of_every_service_of_a_location_can_be_listed(caller: Caller) -> None:
    (one,) = deploy(caller, "one")
    other = caller.services.create_service(
        parent=caller.parent,
        service=run_v2.Service(template=caller.template()),
        service_id=f"{caller.service_id}-b",
    )
    newest = short(result(other).latest_ready_revision)
    listed = caller.revisions.list_revisions(parent=f"{caller.parent}/services/-")
    assert names(listed) == [newest, one]


def test_a_missing_revision_is_not_found(caller: Caller) -> None:
    caller.create()
    with pytest.raises(exceptions.NotFound, match="'nope' of kind 'REVISION'"):
        caller.revision("nope")


def test_a_retired_revision_can_be_deleted(caller: Caller) -> None:
    one, two = deploy(caller, "one", "two")
    full = f"{caller.service_name}/revisions/{one}"
    assert result(caller.revisions.delete_revision(name=full)).name == full
    assert names(caller.revisions.list_revisions(parent=caller.service_name)) == [two]


@pytest.mark.parametrize("reach", ["traffic", "tag", "latest"])
def test_a_revision_that_can_be_reached_cannot_be_deleted(caller: Caller, reach: str) -> None:
    one, two = deploy(caller, "one", "two")
    targets = {
        "traffic": [pinned(one, 10), latest(90)],
        "tag": [pinned(one, 0, "before"), latest(100)],
        "latest": [latest(100)],
    }
    caller.route(*targets[reach])
    name = two if reach == "latest" else one
    with pytest.raises(
        exceptions.BadRequest,
        match=f'Revision "{name}" cannot be directly deleted because it is actively serving.',
    ):
        caller.revisions.delete_revision(name=f"{caller.service_name}/revisions/{name}")


def test_traffic_cannot_name_a_deleted_revision(caller: Caller) -> None:
    one, two = deploy(caller, "one", "two")
    result(caller.revisions.delete_revision(name=f"{caller.service_name}/revisions/{one}"))
    with pytest.raises(
        exceptions.GoogleAPICallError, match=f"Revision '{one}' does not exist or is deleted"
    ):
        caller.route(pinned(one, 10), pinned(two, 90))


def test_a_deleted_revision_is_gone_for_good(caller: Caller) -> None:
    one, _ = deploy(caller, "one", "two")
    full = f"{caller.service_name}/revisions/{one}"
    result(caller.revisions.delete_revision(name=full))
    with pytest.raises(exceptions.NotFound, match=f"'{one}' of kind 'REVISION'"):
        caller.revisions.delete_revision(name=full)


def test_deletion_can_be_asked_about_alone(caller: Caller) -> None:
    one, two = deploy(caller, "one", "two")
    full = f"{caller.service_name}/revisions/{one}"
    caller.revisions.delete_revision({"name": full, "validate_only": True})
    assert names(caller.revisions.list_revisions(parent=caller.service_name)) == [two, one]


def test_an_instance_that_dies_is_started_again(caller: Caller) -> None:
    service = caller.create(invoker_iam_disabled=True)
    httpx.get(f"{service.uri}/die")
    wait_until(
        lambda: httpx.get(service.uri).status_code == 200, timedelta(seconds=20), "an instance"
    )
