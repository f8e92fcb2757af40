"""What lags: services and addresses of tags as they were; metrics and logs that come late."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from google.cloud import run_v2

from cloudrun_emulator.apis.listing import paginate
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import ResourceName
from cloudrun_emulator.faults.effects import CallEffect, Incoming, Proceed
from cloudrun_emulator.faults.fault import Fault
from cloudrun_emulator.server.methods import Method

_READS = ("Services.GetService", "Services.ListServices")
_CHANGES = ("Services.CreateService", "Services.UpdateService", "Services.DeleteService")


class StaleReads(CallEffect):
    """Answers with the state before the last change that was made while it was in force.

    A service that was not there is NOT_FOUND, one that was deleted since still stands.
    """

    def __init__(self) -> None:
        self._before: dict[str, run_v2.Service | None] = {}

    def applies_to(self, method: Method) -> bool:
        return method.rpc in _READS

    def intercept(self, fault: Fault[CallEffect], incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        if incoming.call.rpc in _CHANGES:
            return self._remember(incoming, proceed)
        if any(_about(incoming.call.resource, name) for name in tuple(self._before)):
            return super().intercept(fault, incoming, proceed)
        return proceed()

    def strike(self, _fault: Fault[CallEffect], incoming: Incoming, _proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        if incoming.call.rpc == "Services.GetService":
            return self._service(incoming.request.name)
        return self._services(incoming)

    def _remember(self, incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        name = incoming.call.resource
        before = _current(incoming.implementation, name)
        try:
            return proceed()
        finally:
            if incoming.call.carried_out and not incoming.call.validate_only:
                self._before[name] = before

    def _service(self, name: str) -> run_v2.Service:
        before = self._before[name]
        if before is None:
            raise ResourceName.parse(name, "services").missing()
        return clone(before)

    def _services(self, incoming: Incoming) -> run_v2.ListServicesResponse:
        request = incoming.request
        every = run_v2.ListServicesRequest(parent=request.parent)
        listed = incoming.implementation.list_services(every)
        services = {one.name: one for one in listed.services}
        services |= {name: one for name, one in self._before.items() if _about(every.parent, name)}
        told = [one for one in services.values() if one is not None]
        told.sort(key=lambda one: one.create_time, reverse=True)
        some, token = paginate(told, request.page_size, request.page_token)
        return run_v2.ListServicesResponse(services=some, next_page_token=token)


def _current(services: Any, name: str) -> run_v2.Service | None:  # noqa: ANN401 - whatever serves the API
    """Return None for one that is not there, or whose name is none."""
    try:
        current: run_v2.Service = services.get_service(run_v2.GetServiceRequest(name=name))
    except CloudError:
        return None
    return current


def _about(resource: str, service: str) -> bool:
    """Whether `resource` is this service, or the location that it is in."""
    return service == resource or service.startswith(f"{resource}/")


@dataclass(frozen=True)
class DataDelayed:
    """Metrics or logs younger than this are withheld."""

    delay: timedelta


@dataclass(frozen=True)
class TagDelayed:
    """The address of a revision tag that has moved goes on to the earlier revision so long."""

    delay: timedelta
