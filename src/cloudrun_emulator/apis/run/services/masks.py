"""Updates: which fields of a service a request means to change."""

from google.cloud import run_v2
from google.protobuf import field_mask_pb2

from cloudrun_emulator.core.protobuf import clone, raw
from cloudrun_emulator.core.resource_names import invalid

MUTABLE = frozenset(
    {
        "annotations",
        "binary_authorization",
        "build_config",
        "client",
        "client_version",
        "custom_audiences",
        "default_uri_disabled",
        "description",
        "iap_enabled",
        "ingress",
        "invoker_iam_disabled",
        "labels",
        "launch_stage",
        "multi_region_settings",
        "scaling",
        "template",
        "traffic",
    }
)
"""The fields of a Service that are not output only. Source: comments in service.proto."""


def merged(
    current: run_v2.Service, wanted: run_v2.Service, mask: field_mask_pb2.FieldMask
) -> run_v2.Service:
    """`current` with the masked fields of `wanted`; an empty mask or `*` means all mutable ones.

    Output-only fields in the mask are passed over. Raises INVALID_ARGUMENT for a field that a
    service does not have.
    """
    result = clone(current)
    _effective(mask).MergeMessage(
        raw(wanted), raw(result), replace_message_field=True, replace_repeated_field=True
    )
    return result


def _effective(mask: field_mask_pb2.FieldMask) -> field_mask_pb2.FieldMask:
    if not mask.paths or "*" in mask.paths:
        return field_mask_pb2.FieldMask(paths=sorted(MUTABLE))
    if not mask.IsValidForDescriptor(run_v2.Service.pb().DESCRIPTOR):
        raise invalid(f"Invalid update mask '{','.join(mask.paths)}'.")
    kept = [path for path in mask.paths if path.partition(".")[0] in MUTABLE]
    return field_mask_pb2.FieldMask(paths=kept)
