"""From an accepted request to the desired state of a service, and perhaps a new revision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from secrets import choice
from typing import Self
from uuid import uuid4

from google.cloud import run_v2
from google.protobuf import field_mask_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.run import conditions
from cloudrun_emulator.apis.run.conditions import State, condition
from cloudrun_emulator.apis.run.defaults import CONCURRENCY, MOST_INSTANCES, account_of
from cloudrun_emulator.apis.run.resources import GPU
from cloudrun_emulator.apis.run.services.store import ServiceRecord, etag
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import clone, raw
from cloudrun_emulator.core.resource_names import ResourceName, invalid
from cloudrun_emulator.core.time import now
from cloudrun_emulator.server.calls import caller

_CONSONANTS = "bcdfghjklmnpqrstvwxz"


def new_record(name: ResourceName) -> ServiceRecord:
    """Make a service of which only the name is known yet."""
    made = run_v2.Service(name=str(name), uid=str(uuid4()), create_time=now(), creator=caller())
    return ServiceRecord(made)


NO_EFFECT = "greenrun.dev/no-effect"
"""An annotation of ours: the flags of gcloud that a service has and that do nothing here."""

_Predicate = Callable[[run_v2.Service, run_v2.RevisionTemplate], bool]
_WITHOUT_EFFECT: Mapping[str, _Predicate] = {
    "add-cloudsql-instances": lambda _, it: any("cloud_sql_instance" in v for v in it.volumes),
    "base-image": lambda _, it: any(one.base_image_uri for one in it.containers),
    "binary-authorization": lambda service, _: "binary_authorization" in service,
    "concurrency": lambda _, it: it.max_instance_request_concurrency not in {0, CONCURRENCY},
    "cpu-boost": lambda _, it: any(one.resources.startup_cpu_boost for one in it.containers),
    "execution-environment": lambda _, it: bool(it.execution_environment),
    "gpu": lambda _, it: any(GPU in one.resources.limits for one in it.containers),
    "iap": lambda service, _: service.iap_enabled,
    "key": lambda _, it: bool(it.encryption_key),
    "max": lambda service, _: bool(service.scaling.max_instance_count),
    "max-instances": lambda _, it: it.scaling.max_instance_count not in {0, MOST_INSTANCES},
    "mesh": lambda _, it: bool(it.service_mesh.mesh),
    "min": lambda service, _: bool(service.scaling.min_instance_count),
    "min-instances": lambda _, it: bool(it.scaling.min_instance_count),
    "network": lambda _, it: bool(it.vpc_access.network_interfaces),
    "readiness-probe": lambda _, it: any("readiness_probe" in one for one in it.containers),
    "regions": lambda service, _: bool(service.multi_region_settings.regions),
    "service-account": lambda service, it: it.service_account != account_of(service.name),
    "session-affinity": lambda _, it: it.session_affinity,
    "vpc-connector": lambda _, it: bool(it.vpc_access.connector),
    "vpc-egress": lambda _, it: bool(it.vpc_access.egress),
}


def tell_no_effect(service: run_v2.Service) -> None:
    """Say in an annotation which of its settings are kept here, and do nothing.

    Those that do what they say, and those at the value that Cloud Run fills in, are not told.
    """
    service.annotations.pop(NO_EFFECT, None)
    told = [flag for flag, is_set in _WITHOUT_EFFECT.items() if is_set(service, service.template)]
    if told:
        service.annotations[NO_EFFECT] = ",".join(told)


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """The next state of a service; `revision` is the short name of the one to be made, if any."""

    service: run_v2.Service
    revision: str
    differs: bool

    @classmethod
    def between(cls, record: ServiceRecord, wanted: run_v2.Service) -> Self:
        """Raise ALREADY_EXISTS when another template comes under the name of a revision."""
        return cls(wanted, _new_revision(record, wanted), wanted != record.service)

    def apply(self, record: ServiceRecord) -> None:
        """Make it the desired state; each change is a generation."""
        if not self.differs:
            return
        service = clone(self.service)
        service.generation += 1
        service.update_time = now()
        service.last_modifier = caller()
        service.etag = etag(service.uid, service.generation)
        service.reconciling = True
        service.terminal_condition = condition("Ready", State.CONDITION_RECONCILING)
        record.service = service
        if self.revision:
            _add_revision(record, self.revision)


def _new_revision(record: ServiceRecord, wanted: run_v2.Service) -> str:
    """The name of the revision that the template asks for; empty when it is there already."""
    named = wanted.template.revision
    if named in record.templates:
        if record.templates[named] != wanted.template:
            raise CloudError(
                StatusCode.ALREADY_EXISTS,
                f"Revision named '{named}' with different configuration already exists.",
            )
        return ""
    unchanged = bool(record.templates) and wanted.template == record.service.template
    return "" if unchanged else named or _generated_name(record)


def _generated_name(record: ServiceRecord) -> str:
    suffix = "".join(choice(_CONSONANTS) for _ in range(3))
    return f"{record.name.id}-{record.service.generation + 1:05d}-{suffix}"


def _add_revision(record: ServiceRecord, name: str) -> None:
    template = record.service.template
    revision = _revision_of(template)
    revision.name = f"{record.service.name}/revisions/{name}"
    revision.service = record.name.id
    _name_containers(revision)
    revision.uid = str(uuid4())
    revision.creator = caller()
    revision.generation = 1
    revision.create_time = revision.update_time = now()
    revision.etag = etag(revision.uid, 1)
    revision.reconciling = True
    revision.conditions = conditions.revision_pending()
    record.revisions[name] = revision
    record.templates[name] = clone(template)
    record.service.latest_created_revision = revision.name


def _name_containers(revision: run_v2.Revision) -> None:
    """Call the one without a name SERVICE-1, as an audit log of Google's shows it [PASTE]."""
    taken = {container.name for container in revision.containers}
    free = (name for n in count(1) if (name := f"{revision.service}-{n}") not in taken)
    for container in revision.containers:
        container.name = container.name or next(free)


def _revision_of(template: run_v2.RevisionTemplate) -> run_v2.Revision:
    """The two messages name their settings alike, so JSON carries one to the other."""
    settings = run_v2.RevisionTemplate.to_json(template)
    revision: run_v2.Revision = run_v2.Revision.from_json(settings, ignore_unknown_fields=True)
    return revision


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


def apply_mask(
    current: run_v2.Service, wanted: run_v2.Service, mask: field_mask_pb2.FieldMask
) -> run_v2.Service:
    """`current` with the masked fields of `wanted`; an empty mask or `*` means all mutable ones.

    Output-only fields in the mask are passed over. Raises INVALID_ARGUMENT for a field that a
    service does not have.
    """
    result = clone(current)
    _effective_mask(mask).MergeMessage(
        raw(wanted), raw(result), replace_message_field=True, replace_repeated_field=True
    )
    return result


def _effective_mask(mask: field_mask_pb2.FieldMask) -> field_mask_pb2.FieldMask:
    if not mask.paths or "*" in mask.paths:
        return field_mask_pb2.FieldMask(paths=sorted(MUTABLE))
    if not mask.IsValidForDescriptor(run_v2.Service.pb().DESCRIPTOR):
        raise invalid(f"Invalid update mask '{','.join(mask.paths)}'.")
    kept = [path for path in mask.paths if path.partition(".")[0] in MUTABLE]
    return field_mask_pb2.FieldMask(paths=kept)
