"""Resource names."""

import pytest
from grpc import StatusCode

from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.resource_names import Location, ResourceName, short

NAME = "projects/p/locations/r/services/web/revisions/web-1"


def test_a_name_has_a_location_a_parent_an_id_and_a_kind() -> None:
    name = ResourceName.parse(NAME, "services", "revisions")
    assert (name.location, name.id, name.kind) == (Location("p", "r"), "web-1", "REVISION")
    assert name.parent == "projects/p/locations/r/services/web"
    assert str(name) == NAME


@pytest.mark.parametrize(
    "name",
    [
        "",
        "web",
        "projects/p/services/web",
        "projects/p/locations/r/services/",
        "projects/p/locations/r/jobs/web",
        "projects/p/locations/r/services/web/revisions",
        NAME,
    ],
)
def test_a_name_of_another_shape_is_an_invalid_argument(name: str) -> None:
    with pytest.raises(CloudError, match=r"Expected projects/\*/locations/\*/services/\*") as error:
        ResourceName.parse(name, "services")
    assert error.value.code is StatusCode.INVALID_ARGUMENT


def test_what_is_missing_is_named_as_cloud_run_names_it() -> None:
    missing = ResourceName.parse("projects/p/locations/r/services/web", "services").missing()
    assert (missing.code, missing.message) == (
        StatusCode.NOT_FOUND,
        "Resource 'web' of kind 'SERVICE' in region 'r' in project 'p' does not exist.",
    )


def test_a_short_name_is_itself() -> None:
    assert [short(NAME), short("web-1"), short("")] == ["web-1", "web-1", ""]
