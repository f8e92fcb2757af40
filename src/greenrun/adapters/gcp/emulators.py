"""The way to an emulator of Google's APIs, and whether there is still one at its end."""

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
from google.api_core.exceptions import FailedPrecondition

_CONNECTED_WITHIN = 1.0  # seconds

if TYPE_CHECKING:
    _Interceptor = grpc.UnaryUnaryClientInterceptor[Any, Any]
else:
    _Interceptor = grpc.UnaryUnaryClientInterceptor  # generic in its stubs alone


class EmulatorEnded(FailedPrecondition):
    """Nobody listens where an emulator was: what it held is lost, and no call of it can succeed."""


class Emulator(_Interceptor):
    """Lets an emulator be unavailable for a while, as Google may be; raises once it has ended.

    Whether it has, its port tells at once. Patience with it would only delay the bad news.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def intercept_unary_unary(
        self,
        continuation: Callable[..., Any],
        client_call_details: grpc.ClientCallDetails,
        request: Any,  # noqa: ANN401 - of any method
    ) -> Any:  # noqa: ANN401 - a call of grpc's own
        """The call as it went. Raises EmulatorEnded."""
        call = continuation(client_call_details, request)
        if call.code() is grpc.StatusCode.UNAVAILABLE and self._has_ended():
            raise EmulatorEnded(f"the emulator at {self._address} has ended")  # type: ignore[no-untyped-call] # bare there
        return call

    def _has_ended(self) -> bool:
        host, _, port = self._address.rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), _CONNECTED_WITHIN):
                return False
        except OSError as error:
            return isinstance(error, ConnectionRefusedError)
