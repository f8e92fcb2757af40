"""What may happen to a call: refused, its reply lost or delayed, its operation held up."""

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
from cloudrun_emulator.server.calls import Call
from cloudrun_emulator.server.methods import Method

Proceed = Callable[[], Any]
"""Carries the call out, past whatever other faults there are; gives an official message."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call on its way to who answers it."""

    implementation: Any
    method: Method
    request: Any
    call: Call


class CallEffect(ABC):
    """Stands between a call and its answer."""

    def suits(self, method: Method) -> bool:  # noqa: ARG002 - most suit any
        """Whether it can befall this RPC at all."""
        return True

    def around(self, fault: "Fault[CallEffect]", incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        """The answer, struck or not; raises only CloudError."""
        call = incoming.call
        if self.suits(incoming.method) and fault.strikes(call.rpc, call.resource):
            return self.strike(fault, incoming, proceed)
        return proceed()

    @abstractmethod
    def strike(self, fault: "Fault[CallEffect]", incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        """The answer of a call that is struck."""


@dataclass(frozen=True)
class Refused(CallEffect):
    """Nothing is carried out."""

    code: StatusCode

    def strike(self, fault: Fault[CallEffect], _incoming: Incoming, _proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        raise CloudError(self.code, f"Fault: {fault}")


@dataclass(frozen=True)
class ReplyLost(CallEffect):
    """All is carried out, and the caller told UNAVAILABLE."""

    def strike(self, fault: Fault[CallEffect], _incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        proceed()
        raise CloudError(StatusCode.UNAVAILABLE, f"Fault: {fault}")


@dataclass(frozen=True)
class ReplyLate(CallEffect):
    """All is carried out at once, and the caller told later, of a refusal too."""

    delay: timedelta

    def strike(self, fault: Fault[CallEffect], _incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        try:
            return proceed()
        finally:
            fault.hold(self.delay)


class OperationEffect(CallEffect):
    """Befalls the operation that a call begins; the call itself is answered at once."""

    def suits(self, method: Method) -> bool:
        return method.begins_operation

    def strike(self, fault: Fault[CallEffect], _incoming: Incoming, proceed: Proceed) -> Any:  # noqa: ANN401 - any official message
        with hindering(lambda work: lambda: self.run(fault, work)):
            return proceed()

    @abstractmethod
    def run(self, fault: Fault[CallEffect], work: Work) -> Any:  # noqa: ANN401 - any official message
        """What the operation comes to, when it does."""


@dataclass(frozen=True)
class OperationLate(OperationEffect):
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


Hindrance = Callable[[Work], Work]

_hindrances: ContextVar[tuple[Hindrance, ...]] = ContextVar("hindrances", default=())


@contextmanager
def hindering(hindrance: Hindrance) -> Iterator[None]:
    """Operations that begin in here are hindered so, inside whatever hinders them already."""
    before = _hindrances.set((hindrance, *_hindrances.get()))
    try:
        yield
    finally:
        _hindrances.reset(before)


def hindered(work: Work) -> Work:
    """`work` as the call that begins it will have it."""
    for hindrance in _hindrances.get():
        work = hindrance(work)
    return work
