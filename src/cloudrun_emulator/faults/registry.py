"""Every fault of a cloud that is in force, and the interceptor by which calls meet them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any

from grpc import StatusCode

from cloudrun_emulator.apis.registry import methods
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.resource_names import short
from cloudrun_emulator.faults.effects import CallEffect, Incoming, Proceed
from cloudrun_emulator.faults.fault import Clock, Fault
from cloudrun_emulator.faults.language import parse_fault
from cloudrun_emulator.faults.revisions import RevisionEffect
from cloudrun_emulator.faults.staleness import DataDelayed, TagDelayed
from cloudrun_emulator.server.calls import CallLog, RpcCall, dispatch
from cloudrun_emulator.server.methods import Method


class Faults:
    """The faults of a cloud: none, until one is added."""

    def __init__(self, clock: Clock = monotonic) -> None:
        self._methods = tuple(methods())
        self._clock = clock
        self._lock = Lock()
        self._added: tuple[Fault[Any], ...] = ()

    def __iter__(self) -> Iterator[Fault[Any]]:
        """Those in force, the oldest first."""
        return (fault for fault in self._added if not fault.lifted)

    def __repr__(self) -> str:
        return f"Faults({[str(fault) for fault in self]})"

    def add(self, text: str) -> Fault[Any]:
        """Let this go wrong from now on: `Services.UpdateService: UNAVAILABLE, twice`.

        The fault that it gives is in force until it is lifted, which it is at the end of a `with`.
        Of several faults that before_start one call the first added is the outermost. Raises
        UnknownFault. The language: docs/local-cloud.md, "Faults".
        """
        fault = parse_fault(text, self._methods, self._clock)
        with self._lock:
            self._added = (*self, fault)
        return fault

    def clear(self) -> None:
        """Lift every fault."""
        with self._lock:
            for fault in self:
                fault.lift()
            self._added = ()

    def intercept(self, incoming: Incoming, carry_out: Proceed) -> Any:  # noqa: ANN401 - any official message
        """The answer to a call as its caller gets it; raises CloudError."""
        proceed = carry_out
        for fault in reversed(tuple(self)):
            if isinstance(fault.effect, CallEffect):
                proceed = partial(fault.effect.intercept, fault, incoming, proceed)
        return proceed()

    def before_start(self, revision: str, abandoned: Callable[[], bool]) -> None:
        """Return when an instance of `revision` may start; raise LaunchFailed where none will."""
        for fault in self:
            if isinstance(fault.effect, RevisionEffect) and fault.strikes(revision):
                fault.effect.before_start(fault, short(revision), abandoned)

    def hold_tag(self, service: str, tag: str) -> Callable[[], object] | None:
        """Return what lasts as long as the address of a tag that has moved is to stay behind.

        None where it follows at once.
        """
        for fault in self:
            if isinstance(fault.effect, TagDelayed) and fault.strikes(tag, service):
                return partial(fault.hold, fault.effect.delay)
        return None

    def data_delay(self, data: str) -> timedelta:
        """Return the time by which `metrics` or `logs` are late."""
        delays = [
            fault.effect.delay
            for fault in self
            if isinstance(fault.effect, DataDelayed) and fault.strikes(data)
        ]
        return max(delays, default=timedelta())


class FaultInterceptor:
    """Answers every call of a cloud."""

    def __init__(self, calls: CallLog, faults: Faults) -> None:
        self._calls = calls
        self._faults = faults

    def call(self, implementation: object, method: Method, request: Any) -> Any:  # noqa: ANN401 - any official message
        """Note the call, then dispatch it past the faults in force."""
        call = RpcCall.of(method, request)
        self._calls.add(call)

        def carry_out() -> Any:  # noqa: ANN401 - any official message
            answer = dispatch(implementation, method, request)
            call.carried_out = True
            return answer

        try:
            incoming = Incoming(implementation, method, request, call)
            answer = self._faults.intercept(incoming, carry_out)
        except CloudError as error:
            call.code = error.code
            raise
        call.code = StatusCode.OK
        return answer
