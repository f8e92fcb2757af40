"""`google.cloud.run.v2.Revisions`."""

from collections.abc import Iterator

from google.cloud import run_v2
from google.longrunning import operations_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.listing import paginate
from cloudrun_emulator.apis.longrunning import Operations
from cloudrun_emulator.apis.run.services.store import ServiceRecord, Store
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import clone, raw
from cloudrun_emulator.core.resource_names import ResourceName, short
from cloudrun_emulator.core.time import now

EVERY_SERVICE = "-"


class Revisions:
    """Reads what deploys have made, and deletes what has retired."""

    def __init__(self, store: Store, operations: Operations) -> None:
        self._store = store
        self._operations = operations

    def get_revision(self, request: run_v2.GetRevisionRequest) -> run_v2.Revision:
        name = ResourceName.parse(request.name, "services", "revisions")
        with self._store.lock:
            return clone(self._find(name)[1])

    def list_revisions(self, request: run_v2.ListRevisionsRequest) -> run_v2.ListRevisionsResponse:
        """Newest first, of one service or (`-`) of all in the location."""
        parent = ResourceName.parse(request.parent, "services")
        with self._store.lock:
            found = sorted(self._under(parent), key=_age)
            revisions, token = paginate(found, request.page_size, request.page_token)
            return run_v2.ListRevisionsResponse(
                revisions=[clone(one) for one in revisions], next_page_token=token
            )

    def delete_revision(self, request: run_v2.DeleteRevisionRequest) -> operations_pb2.Operation:
        """Raise FAILED_PRECONDITION for one that traffic or a tag can reach, and for the latest.

        Source: Cloud Run, managing revisions.
        """
        name = ResourceName.parse(request.name, "services", "revisions")
        parent = str(name.location)
        with self._store.lock:
            record, revision = self._find(name)
            self._store.check_etag(name, request.etag, revision.etag)
            _check_retired(record, name.id)
            if request.validate_only:
                return self._operations.completed(parent, revision, revision)
            revision.delete_time = now()
            return self._operations.begin(parent, revision, lambda: self._delete(record, name.id))

    def _find(self, name: ResourceName) -> tuple[ServiceRecord, run_v2.Revision]:
        service = ResourceName(name.location, name.path[:1])
        record = self._store.find(service)
        revision = record.revisions.get(name.id)
        if revision is None or "delete_time" in revision:
            raise name.missing()
        return record, revision

    def _under(self, parent: ResourceName) -> Iterator[run_v2.Revision]:
        for record in self._store:
            here = record.name.location == parent.location
            if here and parent.id in (EVERY_SERVICE, record.name.id):
                yield from reversed(record.revisions.values())

    def _delete(self, record: ServiceRecord, revision: str) -> run_v2.Revision:
        with self._store.lock:
            deleted = record.revisions.pop(revision)
            record.templates.pop(revision)
            instance = record.instances.pop(revision, None)
        if instance is not None:
            instance.stop()
        return deleted


def _age(revision: run_v2.Revision) -> int:
    return -int(raw(revision).create_time.ToNanoseconds())


def _check_retired(record: ServiceRecord, revision: str) -> None:
    service = record.service
    reachable = {target.revision for target in service.traffic}
    reachable |= {status.revision for status in service.traffic_statuses}
    reachable |= {short(service.latest_ready_revision), short(service.latest_created_revision)}
    if revision in reachable or record.revisions[revision].reconciling:
        raise CloudError(
            StatusCode.FAILED_PRECONDITION,
            f'Revision "{revision}" cannot be directly deleted because it is actively serving.',
        )
