"""Where both wires come in: a call is noted, meets the faults in force, and is carried out."""

from typing import Any

from grpc import StatusCode

from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.faults.effects import Incoming
from cloudrun_emulator.faults.registry import Faults
from cloudrun_emulator.server import dispatch
from cloudrun_emulator.server.call_log import Call, Calls
from cloudrun_emulator.server.methods import Method


class FaultInterceptor:
    """Answers every call of a cloud."""

    def __init__(self, calls: Calls, faults: Faults) -> None:
        self._calls = calls
        self._faults = faults

    def call(self, implementation: object, method: Method, request: Any) -> Any:  # noqa: ANN401 - any official message
        """As `dispatch.call`, but for faults."""
        call = Call.of(method, request)
        self._calls.add(call)

        def carry_out() -> Any:  # noqa: ANN401 - any official message
            answer = dispatch.call(implementation, method, request)
            call.carried_out = True
            return answer

        try:
            incoming = Incoming(implementation, method, request, call)
            answer = self._faults.around(incoming, carry_out)
        except CloudError as error:
            call.code = error.code
            raise
        call.code = StatusCode.OK
        return answer
