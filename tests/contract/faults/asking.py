"""What tests of faults ask again and again."""

from datetime import timedelta

from google.api_core.operation import Operation
from google.cloud import run_v2
from grpc import StatusCode

from cloudrun_emulator.emulator import LocalCloud
from tests.contract.caller import Caller

SOON = timedelta(seconds=10)


def codes(cloud: LocalCloud, rpc: str) -> list[StatusCode | None]:
    """What callers of `rpc` were told, call by call."""
    return [call.code for call in cloud.calls if call.rpc == rpc]


def describe(caller: Caller, description: str) -> run_v2.Service:
    """A change that makes no revision."""
    return caller.update("description", description=description)


def listed(caller: Caller) -> list[run_v2.Service]:
    return list(caller.services.list_services(parent=caller.parent))


def is_done(caller: Caller, operation: Operation) -> bool:
    return bool(caller.services.get_operation({"name": operation.operation.name}).done)
