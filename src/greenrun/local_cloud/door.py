"""Where both wires come in: a call is noted, meets the faults in force, and is carried out."""

from typing import Any

from grpc import StatusCode

from greenrun.local_cloud.calls import Call, Calls
from greenrun.local_cloud.errors import CloudError
from greenrun.local_cloud.faults.catalogue import Faults
from greenrun.local_cloud.faults.effects import Incoming
from greenrun.local_cloud.wire import dispatch
from greenrun.local_cloud.wire.methods import Method


class Door:
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
