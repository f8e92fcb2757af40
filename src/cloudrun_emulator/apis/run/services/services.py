"""`google.cloud.run.v2.Services`."""

from collections.abc import Callable
from uuid import uuid4

from google.cloud import run_v2
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.longrunning import operations_pb2
from google.protobuf import field_mask_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.listing import paginate
from cloudrun_emulator.apis.longrunning import Operations
from cloudrun_emulator.apis.run.defaults import fill_defaults
from cloudrun_emulator.apis.run.services import validation
from cloudrun_emulator.apis.run.services.changes import (
    ServiceChange,
    apply_mask,
    new_record,
    tell_no_effect,
)
from cloudrun_emulator.apis.run.services.reconciler import Reconciler
from cloudrun_emulator.apis.run.services.store import ServiceRecord, Store
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import Location, ResourceName
from cloudrun_emulator.core.time import now


class ServicePolicies:
    """The IAM methods that `google.cloud.run.v2.Services` has among its own."""

    def __init__(self, store: Store, reconciler: Reconciler) -> None:
        self._store = store
        self._reconciler = reconciler

    def get_iam_policy(self, request: iam_policy_pb2.GetIamPolicyRequest) -> policy_pb2.Policy:
        with self._store.lock:
            return clone(self._policed(request.resource).policy)

    def set_iam_policy(self, request: iam_policy_pb2.SetIamPolicyRequest) -> policy_pb2.Policy:
        """Replace the policy; takes effect at the ingress before it answers.

        Raises ABORTED when the policy carries an etag that is not the present one.
        """
        with self._store.lock:
            record = self._policed(request.resource)
            sent = request.policy.etag
            if sent and sent != record.policy.etag:
                raise CloudError(
                    StatusCode.ABORTED,
                    "There were concurrent policy changes. "
                    "Please retry the whole read-modify-write with exponential backoff.",
                )
            record.policy = clone(request.policy)
            record.policy.etag = uuid4().bytes[:8]
            answer = clone(record.policy)
        self._reconciler.refresh(record)
        return answer

    def test_iam_permissions(
        self, request: iam_policy_pb2.TestIamPermissionsRequest
    ) -> iam_policy_pb2.TestIamPermissionsResponse:
        """Grant all that was asked about: whoever reaches the local cloud owns it."""
        with self._store.lock:
            self._policed(request.resource)
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=request.permissions)

    def _policed(self, resource: str) -> ServiceRecord:
        return self._store.find(ResourceName.parse(resource, "services"))


class Services(ServicePolicies):
    """Accepts requests at once and lets the reconciler bring about what they ask."""

    def __init__(self, store: Store, operations: Operations, reconciler: Reconciler) -> None:
        super().__init__(store, reconciler)
        self._operations = operations

    def create_service(self, request: run_v2.CreateServiceRequest) -> operations_pb2.Operation:
        location = Location.parse(request.parent)
        name = ResourceName(location, (("services", request.service_id),))
        return self._create(name, request.service, validate_only=request.validate_only)

    def get_service(self, request: run_v2.GetServiceRequest) -> run_v2.Service:
        name = ResourceName.parse(request.name, "services")
        with self._store.lock:
            return clone(self._store.find(name).service)

    def list_services(self, request: run_v2.ListServicesRequest) -> run_v2.ListServicesResponse:
        """Newest first."""
        location = Location.parse(request.parent)
        with self._store.lock:
            found = [record.service for record in self._store if record.name.location == location]
            services, token = paginate(found[::-1], request.page_size, request.page_token)
            return run_v2.ListServicesResponse(
                services=[clone(one) for one in services], next_page_token=token
            )

    def update_service(self, request: run_v2.UpdateServiceRequest) -> operations_pb2.Operation:
        name = ResourceName.parse(request.service.name, "services")
        with self._store.lock:
            if request.allow_missing and not self._store.knows(name):
                return self._create(name, request.service, validate_only=request.validate_only)
            record = self._store.open(name)
            self._store.check_etag(name, request.service.etag, record.service.etag)
            change = self._change(record, request.service, request.update_mask)
            if request.validate_only:
                return self._validated(record, change)
            return self._begin(record, change)

    def delete_service(self, request: run_v2.DeleteServiceRequest) -> operations_pb2.Operation:
        name = ResourceName.parse(request.name, "services")
        parent = str(name.location)
        with self._store.lock:
            record = self._store.open(name)
            self._store.check_etag(name, request.etag, record.service.etag)
            if request.validate_only:
                return self._operations.completed(parent, record.service, record.service)
            record.service.delete_time = now()
            record.service.reconciling = True
            return self._operations.begin(parent, record.service, lambda: self._delete(record))

    def _create(
        self, name: ResourceName, wanted: run_v2.Service, *, validate_only: bool
    ) -> operations_pb2.Operation:
        validation.check_service_id(name.id)
        record = new_record(name)
        change = self._change(record, wanted, field_mask_pb2.FieldMask())
        with self._store.lock:
            self._store.check_free(name)
            if validate_only:
                return self._validated(record, change)
            self._store.add(record)
            return self._begin(record, change)

    def _change(
        self, record: ServiceRecord, wanted: run_v2.Service, mask: field_mask_pb2.FieldMask
    ) -> ServiceChange:
        """The desired state that `wanted` makes, valid and with everything filled in."""
        service = apply_mask(record.service, wanted, mask)
        validation.check_scaling(service)
        fill_defaults(service)
        validation.check_service(record.name.id, service)
        tell_no_effect(service)
        return ServiceChange.between(record, service)

    def _validated(self, record: ServiceRecord, change: ServiceChange) -> operations_pb2.Operation:
        parent = str(record.name.location)
        return self._operations.completed(parent, change.service, change.service)

    def _begin(self, record: ServiceRecord, change: ServiceChange) -> operations_pb2.Operation:
        change.apply(record)
        parent = str(record.name.location)
        return self._operations.begin(parent, record.service, self._work(record, change.revision))

    def _work(self, record: ServiceRecord, revision: str) -> Callable[[], run_v2.Service]:
        generation = record.service.generation
        if revision:
            return lambda: self._reconciler.deploy(record, revision, generation)
        return lambda: self._reconciler.route(record, generation)

    def _delete(self, record: ServiceRecord) -> run_v2.Service:
        self._reconciler.remove(record)
        with self._store.lock:
            self._store.remove(record)
            record.service.reconciling = False
            return clone(record.service)
