"""The methods of an API: paths, types and http rules, read from its official client package."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, get_args, get_type_hints

from google.cloud.run_v2.services.services.transports.rest_base import _BaseServicesRestTransport
from google.longrunning import operations_pb2
from google.protobuf import message_factory

MessageType = Any  # the class of a proto-plus message or of a raw one


@dataclass(frozen=True, slots=True)
class HttpRule:
    """The form of a method over REST; `body` is a field's name, `*` or None."""

    verb: str
    template: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC: `path` is `/package.Service/Method`, `name` the method of the implementation."""

    path: str
    name: str
    request: MessageType
    response: MessageType
    rules: tuple[HttpRule, ...] = ()

    @property
    def rpc(self) -> str:
        """The path without its package: `Services.UpdateService`."""
        service, _, rpc = self.path[1:].partition("/")
        return f"{service.rpartition('.')[2]}.{rpc}"

    @property
    def begins_operation(self) -> bool:
        """Whether the answer is a new operation."""
        operation = self.response is operations_pb2.Operation
        return operation and not self.rpc.startswith("Operations.")


@dataclass(frozen=True, slots=True)
class Binding:
    """An implementation and the official transports that say how clients reach it."""

    implementation: object
    grpc_transport: type
    rest_base: type | None = None

    def methods(self) -> Iterator[Method]:
        """Every RPC of the service; source: the package's gapic_metadata.json and type hints."""
        package = self.grpc_transport.__module__.partition(".services.")[0]
        metadata = json.loads((files(package) / "gapic_metadata.json").read_text())
        service = self.grpc_transport.__name__.removesuffix("GrpcTransport")
        rpcs = metadata["services"][service]["clients"]["grpc"]["rpcs"]
        for rpc, names in rpcs.items():
            name = names["methods"][0]
            request, response = _types(self.grpc_transport, name)
            path = f"/{metadata['protoPackage']}.{service}/{rpc}"
            yield Method(path, name, request, response, _rules(self.rest_base, rpc))


@dataclass(frozen=True, slots=True)
class OperationsBinding:
    """`google.longrunning.Operations`, a mix-in of every API: rules as Cloud Run's package has."""

    implementation: object

    def methods(self) -> Iterator[Method]:
        for rpc in operations_pb2.DESCRIPTOR.services_by_name["Operations"].methods:
            yield Method(
                path=f"/{rpc.containing_service.full_name}/{rpc.name}",
                name=_snake(rpc.name),
                request=message_factory.GetMessageClass(rpc.input_type),
                response=message_factory.GetMessageClass(rpc.output_type),
                rules=_rules(_BaseServicesRestTransport, rpc.name),
            )


def _snake(rpc: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", rpc).lower()


def _types(transport: type, name: str) -> tuple[MessageType, MessageType]:
    """The property of the transport that gives the stub says what it takes and answers."""
    stub = getattr(transport, name).fget
    (request,), response = get_args(get_type_hints(stub)["return"])
    return request, response


def _rules(rest_base: type | None, rpc: str) -> tuple[HttpRule, ...]:
    official = getattr(rest_base, f"_Base{rpc}", None)
    if official is None:
        return ()
    return tuple(
        HttpRule(option["method"].upper(), option["uri"], option.get("body"))
        for option in official._get_http_options()  # noqa: SLF001 - the package's only copy of the rules
    )
