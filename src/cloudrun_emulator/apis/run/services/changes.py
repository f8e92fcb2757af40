"""What an accepted request changes: the desired state of a service, and perhaps a new revision."""

from dataclasses import dataclass
from secrets import choice
from typing import Self
from uuid import uuid4

from google.cloud import run_v2
from grpc import StatusCode

from cloudrun_emulator.apis.run.services import conditions
from cloudrun_emulator.apis.run.services.conditions import State, condition
from cloudrun_emulator.apis.run.services.store import ServiceRecord, etag
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import ResourceName
from cloudrun_emulator.core.time import now
from cloudrun_emulator.server.caller import caller

_CONSONANTS = "bcdfghjklmnpqrstvwxz"


def new_record(name: ResourceName) -> ServiceRecord:
    """A service of which nothing is known yet but its name."""
    made = run_v2.Service(name=str(name), uid=str(uuid4()), create_time=now(), creator=caller())
    return ServiceRecord(made)


@dataclass(frozen=True, slots=True)
class Change:
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
    return "" if unchanged else named or _generated(record)


def _generated(record: ServiceRecord) -> str:
    suffix = "".join(choice(_CONSONANTS) for _ in range(3))
    return f"{record.name.id}-{record.service.generation + 1:05d}-{suffix}"


def _add_revision(record: ServiceRecord, name: str) -> None:
    template = record.service.template
    revision = _revision_of(template)
    revision.name = f"{record.service.name}/revisions/{name}"
    revision.service = record.name.id
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


def _revision_of(template: run_v2.RevisionTemplate) -> run_v2.Revision:
    """The two messages name their settings alike, so JSON carries one to the other."""
    settings = run_v2.RevisionTemplate.to_json(template)
    revision: run_v2.Revision = run_v2.Revision.from_json(settings, ignore_unknown_fields=True)
    return revision
