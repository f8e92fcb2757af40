"""What people do by hand when a release has to be undone: stopping, starting, deleting."""

import httpx
import pytest
from google.cloud import run_v2
from google.protobuf.field_mask_pb2 import FieldMask

from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Timeout
from greenrun.model.plan import Location
from tests.adapters.cloud.candidates import reading, until
from tests.adapters.cloud.changes import ONE, TWO, deployed, replaced, serving

MANUAL = run_v2.ServiceScaling.ScalingMode.MANUAL
AUTOMATIC = run_v2.ServiceScaling.ScalingMode.AUTOMATIC


def raw(clients: GoogleClients, place: Location) -> run_v2.Service:
    return clients.services.get_service(name=f"{place.parent}/services/web")


def healthy(url: str) -> bool:
    return httpx.get(url).status_code == 200


def test_a_service_that_is_scaled_to_zero_answers_nobody_until_it_is_scaled_by_load(
    platform: CloudRun, clients: GoogleClients, place: Location, timeout: Timeout
) -> None:
    serving(platform)
    platform.let_all_invoke()
    before = reading(platform)
    assert healthy(before.url)
    stopped = platform.scale_to_zero(before, timeout)
    scaling = raw(clients, place).scaling
    assert (scaling.scaling_mode, scaling.manual_instance_count) == (MANUAL, 0)
    assert until(lambda: not healthy(before.url))
    assert stopped.actual == before.actual
    platform.scale_by_load(stopped, timeout)
    assert raw(clients, place).scaling.scaling_mode == AUTOMATIC
    assert "manual_instance_count" not in raw(clients, place).scaling
    assert until(lambda: healthy(before.url))


def test_scaling_touches_nothing_else(
    platform: CloudRun, clients: GoogleClients, place: Location, timeout: Timeout
) -> None:
    serving(platform)
    live = run_v2.Service(
        name=f"{place.parent}/services/web",
        scaling=run_v2.ServiceScaling(min_instance_count=1, max_instance_count=7),
    )
    clients.services.update_service(service=live, update_mask=FieldMask(paths=["scaling"])).result()  # type: ignore[no-untyped-call] # bare there
    before = raw(clients, place)
    platform.scale_by_load(platform.scale_to_zero(reading(platform), timeout), timeout)
    after = raw(clients, place)
    assert (after.template, after.traffic) == (before.template, before.traffic)
    scaling = after.scaling
    assert (scaling.min_instance_count, scaling.max_instance_count) == (1, 7)


def test_every_revision_is_listed_newest_first(platform: CloudRun) -> None:
    assert list(platform.revisions()) == []
    replaced(platform)
    assert [one.name for one in platform.revisions()] == ["web-three", TWO, ONE]
    assert platform.revisions()[1] == platform.revision(TWO)


def test_a_deleted_revision_is_gone_and_deleting_it_again_is_nothing(
    platform: CloudRun, timeout: Timeout
) -> None:
    replaced(platform)
    platform.remove_revision(TWO, timeout)
    assert platform.revision(TWO) is None
    platform.remove_revision(TWO, timeout)
    assert [one.name for one in platform.revisions()] == ["web-three", ONE]


@pytest.mark.parametrize("name", [ONE, TWO])
def test_a_revision_that_users_or_a_tag_can_reach_is_kept(
    platform: CloudRun, timeout: Timeout, name: str
) -> None:
    deployed(platform)
    with pytest.raises(CallFailed) as failed:
        platform.remove_revision(name, timeout)
    assert f"/revisions/{name} (DeleteRevision): got FAILED_PRECONDITION: " in failed.value.message
    assert "take its traffic and its revision tags away first" in failed.value.hint
    assert platform.revision(name) is not None
