"""The gRPC side of the wire: generic method handlers, no generated stubs."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc import StatusCode

from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.server.calls import Dispatch, as_caller, dispatch
from cloudrun_emulator.server.methods import Binding, MessageType, Method, OperationsBinding

THREADS = 64  # a client that waits for an operation holds one

_OPTIONS = (("grpc.http2.min_ping_interval_without_data_ms", 20_000),)
"""gRPC takes more than one ping in five minutes for an attack; Google does not."""


_LONGEST_MESSAGE = 2000


class GrpcServer:
    """Serves the bindings on a loopback port that the system picks."""

    def __init__(
        self, bindings: Iterable[Binding | OperationsBinding], dispatch_call: Dispatch = dispatch
    ) -> None:
        self._dispatch_call = dispatch_call
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="grpc")
        self._server = grpc.server(self._threads, options=_OPTIONS)
        for binding in bindings:
            self._serve(binding)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(grace=None).wait()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _serve(self, binding: Binding | OperationsBinding) -> None:
        for method in binding.methods():
            service, _, rpc = method.path[1:].partition("/")
            behaviour = _unary(self._dispatch_call, binding.implementation, method)
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, {rpc: behaviour}),)
            )


def _unary(
    dispatch_call: Dispatch, implementation: object, method: Method
) -> "grpc.RpcMethodHandler[Any, Any]":
    def answer(request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401 - any official message
        if isinstance(request, DecodeError):
            return context.abort(StatusCode.INVALID_ARGUMENT, f"Unreadable request: {request}")
        try:
            with as_caller(_headers(context)):
                return dispatch_call(implementation, method, request)
        except CloudError as error:
            return context.abort(error.code, _header(error.message))

    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=_deserializer(method.request),
        response_serializer=_serializer(method.response),
    )


def _header(message: str) -> str:
    """Cut a message to what clients take: 8 KiB of headers, in which a byte may take three."""
    return message.encode()[:_LONGEST_MESSAGE].decode(errors="ignore")


def _headers(context: grpc.ServicerContext) -> dict[str, str]:
    """The metadata that is text; names in lower case, as HTTP/2 has them."""
    metadata = context.invocation_metadata()
    return {name: value for name, value in metadata if isinstance(value, str)}


def _deserializer(kind: MessageType) -> Callable[[bytes], Any]:
    """Return a reader of a request, which gives the error where there is no request to be read.

    Proto-plus and raw classes name it differently.
    """
    read: Callable[[bytes], Any] = getattr(kind, "deserialize", None) or kind.FromString

    def deserializer(content: bytes) -> Any:  # noqa: ANN401 - any official message
        try:
            return read(content)
        except DecodeError as error:
            return error

    return deserializer


def _serializer(kind: MessageType) -> Callable[[Any], bytes]:
    serializer: Callable[[Any], bytes] = getattr(kind, "serialize", None) or kind.SerializeToString
    return serializer
