"""Faults of a call: refused, its reply lost or delayed, its operation delayed or held."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from grpc import StatusCode

from cloudrun_emulator.apis.longrunning import Work
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.faults.fault import Fault
from cloudrun_emulator.server.calls import RpcCall
from cloudrun_emulator.server.methods import Method

Proceed = Callable[[], Any]
"""Carries the call out, past whatever other faults there are; gives an official message."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call on its way to the implementation."""

    implementation: Any
    method: Method
    request: Any
    call: RpcCall


class CallEffect(ABC):
    """Stands between a call and its answer."""

    def applies_to(self, method: Method) -> bool:  # noqa: ARG002 - most apply to any
        """Whether this RPC can meet it at all."""
        return True

    def intercept(self, fault: "Fault[CallEffect]", incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        """The answer, struck or not; raises only CloudError."""
        call = incoming.call
        if self.applies_to(incoming.method) and fault.strikes(call.rpc, call.resource):
            return self.strike(fault, incoming, proceed)
        return proceed()

    @abstractmethod
    def strike(self, fault: "Fault[CallEffect]", incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        """The answer of a call that is struck."""


@dataclass(frozen=True)
class CallRefused(CallEffect):
    """Nothing is carried out."""

    code: StatusCode

    def strike(self, fault: Fault[CallEffect], _incoming: Incoming, _proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        raise CloudError(self.code, f"Fault: {fault}")


@dataclass(frozen=True)
class ReplyLost(CallEffect):
    """Carries the call out, and tells the caller UNAVAILABLE."""

    def strike(self, fault: Fault[CallEffect], _incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        proceed()
        raise CloudError(StatusCode.UNAVAILABLE, f"Fault: {fault}")


@dataclass(frozen=True)
class ReplyDelayed(CallEffect):
    """Carries the call out at once, and answers later, with a refusal too."""

    delay: timedelta

    def strike(self, fault: Fault[CallEffect], _incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        try:
            return proceed()
        finally:
            fault.hold(self.delay)


class OperationEffect(CallEffect):
    """Meets the operation that a call begins; the call itself is answered at once."""

    def applies_to(self, method: Method) -> bool:
        return method.begins_operation

    def strike(self, fault: Fault[CallEffect], _incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        with wrapping_operations(lambda work: lambda: self.run(fault, work)):
            return proceed()

    @abstractmethod
    def run(self, fault: Fault[CallEffect], work: Work) -> Any:  # noqa: ANN401 - any official message
        """Return what the operation comes to, or raise what it fails with."""


@dataclass(frozen=True)
class OperationDelayed(OperationEffect):
    """The work begins later."""

    delay: timedelta

    def run(self, fault: Fault[CallEffect], work: Work) -> Any:  # noqa: ANN401 - any official message
        fault.hold(self.delay)
        return work()


@dataclass(frozen=True)
class OperationNeverBegun(OperationEffect):
    """The work is done once the fault is lifted."""

    def run(self, fault: Fault[CallEffect], work: Work) -> Any:  # noqa: ANN401 - any official message
        fault.hold()
        return work()


@dataclass(frozen=True)
class OperationNeverDone(OperationEffect):
    """The work is done, well or not; the operation says so once the fault is lifted."""

    def run(self, fault: Fault[CallEffect], work: Work) -> Any:  # noqa: ANN401 - any official message
        try:
            return work()
        finally:
            fault.hold()


WorkWrapper = Callable[[Work], Work]

_wrappers: ContextVar[tuple[WorkWrapper, ...]] = ContextVar("wrappers", default=())


@contextmanager
def wrapping_operations(wrapper: WorkWrapper) -> Iterator[None]:
    """Wrap the work of operations that begin in here, inside whatever wraps it already."""
    before = _wrappers.set((wrapper, *_wrappers.get()))
    try:
        yield
    finally:
        _wrappers.reset(before)


def wrapped_operation(work: Work) -> Work:
    """`work` as the call that begins it will have it."""
    for wrapper in _wrappers.get():
        work = wrapper(work)
    return work
