"""Update masks."""

import pytest
from google.cloud import run_v2
from google.protobuf.field_mask_pb2 import FieldMask

from cloudrun_emulator.apis.run.services.changes import MUTABLE, apply_mask
from cloudrun_emulator.core.errors import CloudError

CURRENT = run_v2.Service(
    name="web",
    uid="u",
    generation=3,
    description="before",
    labels={"a": "1"},
    traffic=[run_v2.TrafficTarget(type_=1, percent=100)],
)
WANTED = run_v2.Service(name="other", uid="v", generation=9, labels={"b": "2"})


def test_every_mutable_field_is_a_field_of_a_service() -> None:
    assert set(run_v2.Service.pb().DESCRIPTOR.fields_by_name) >= MUTABLE


def test_a_mask_changes_what_it_names_alone() -> None:
    expected = run_v2.Service(CURRENT)
    expected.labels = {"b": "2"}
    assert apply_mask(CURRENT, WANTED, FieldMask(paths=["labels"])) == expected


@pytest.mark.parametrize("paths", [[], ["*"]])
def test_no_mask_changes_all_but_what_the_server_owns(paths: list[str]) -> None:
    expected = run_v2.Service(name="web", uid="u", generation=3, labels={"b": "2"})
    assert apply_mask(CURRENT, WANTED, FieldMask(paths=paths)) == expected


def test_repeated_fields_are_replaced_and_not_added_to() -> None:
    wanted = run_v2.Service(traffic=[run_v2.TrafficTarget(type_=1, percent=100, tag="t")])
    result = apply_mask(CURRENT, wanted, FieldMask(paths=["traffic"]))
    assert result.traffic == wanted.traffic


def test_fields_that_the_server_owns_are_passed_over() -> None:
    assert apply_mask(CURRENT, WANTED, FieldMask(paths=["uid", "generation", "name"])) == CURRENT


def test_a_field_that_is_none_is_refused() -> None:
    with pytest.raises(CloudError, match="Invalid update mask 'labels,colour'"):
        apply_mask(CURRENT, WANTED, FieldMask(paths=["labels", "colour"]))
