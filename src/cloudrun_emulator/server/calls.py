"""A call over either wire: its caller, its entry in the log, its dispatch."""

import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import EnumDescriptor
from grpc import StatusCode

from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import Message, raw
from cloudrun_emulator.core.resource_names import invalid
from cloudrun_emulator.core.time import utc_now
from cloudrun_emulator.server.methods import Method

HEADER = "x-goog-authenticated-user-email"
"""Metadata of gRPC, a header of REST. A server that authenticates nobody believes what it says;
the name is that of the header by which Google's front ends tell services who calls."""

ANONYMOUS = "anonymous"

_caller: ContextVar[str] = ContextVar("caller", default=ANONYMOUS)


def caller() -> str:
    """The e-mail address that the call under way came with; `anonymous` where it had none."""
    return _caller.get()


@contextmanager
def as_caller(headers: Mapping[str, str]) -> Iterator[None]:
    """Let the caller, in here, be whom `headers` tell (names in lower case)."""
    token = _caller.set(headers.get(HEADER) or ANONYMOUS)
    try:
        yield
    finally:
        _caller.reset(token)


KEPT = 10_000

_READS = ("Access", "Get", "List", "Test", "Wait")


@dataclass(slots=True)
class RpcCall:
    """One call: `rpc` is `Services.UpdateService`, `resource` the full name of what it is about.

    `code` is what the caller was told, None until then. `carried_out` says whether the cloud did
    what was asked, whatever the caller was told.
    """

    rpc: str
    resource: str
    validate_only: bool = False
    code: StatusCode | None = None
    carried_out: bool = False
    time: datetime = field(default_factory=utc_now)

    @classmethod
    def of(cls, method: Method, request: Message) -> "RpcCall":
        """The call as it arrives."""
        pb = raw(request)
        return cls(method.rpc, _resource_of(pb), bool(getattr(pb, "validate_only", False)))

    @property
    def reads(self) -> bool:
        """Whether it could change nothing."""
        return self.validate_only or self.rpc.partition(".")[2].startswith(_READS)


class CallLog:
    """The calls of a cloud over either wire, in the order of their arrival; the last 10 000."""

    def __init__(self, kept: int = KEPT) -> None:
        self._lock = Lock()
        self._calls: deque[RpcCall] = deque(maxlen=kept)

    def __iter__(self) -> Iterator[RpcCall]:
        with self._lock:
            return iter(list(self._calls))

    def __len__(self) -> int:
        return len(self._calls)

    def __repr__(self) -> str:
        return f"CallLog({len(self)})"

    def add(self, call: RpcCall) -> None:
        with self._lock:
            self._calls.append(call)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()

    def changes(self) -> list[RpcCall]:
        """Return those that were carried out and were no reads."""
        return [call for call in self if call.carried_out and not call.reads]


def _resource_of(pb: Message) -> str:
    """Requests name their resource in one of five ways; the id of a new one stands beside it."""
    if hasattr(pb, "parent"):
        return f"{pb.parent}{_new_resource(pb)}"
    if hasattr(pb, "resource_names"):
        return str(next(iter(pb.resource_names), ""))
    for named in ("name", "resource"):
        if hasattr(pb, named):
            return str(getattr(pb, named))
    nested = (getattr(pb, one.name) for one in pb.DESCRIPTOR.fields if one.message_type)
    return next((str(one.name) for one in nested if hasattr(one, "name")), "")


def _new_resource(pb: Message) -> str:
    """`/services/web` where the request has a service_id."""
    for one in pb.DESCRIPTOR.fields:
        if one.name.endswith("_id"):
            return f"/{one.name.removesuffix('_id')}s/{getattr(pb, one.name)}"
    return ""


def _check_representable(request: Message) -> None:
    """Raise INVALID_ARGUMENT for what no JSON has: an unknown enum, a duration of a million years.

    What was stored can then be told over either wire.
    """
    pb = raw(request)
    try:
        json_format.MessageToDict(pb)
    except (ValueError, TypeError, json_format.SerializeToJsonError) as error:
        raise invalid(f"Invalid value in the request. {error}") from error
    for kind, number in _enums(pb):
        if number not in kind.values_by_number:
            raise invalid(f"Invalid value ({kind.full_name}), {number}")


def _enums(pb: Message) -> Iterator[tuple[EnumDescriptor, int]]:
    """Every value of an enum in a message, at any depth; maps hold none in these APIs."""
    for descriptor, value in pb.ListFields():
        values = value if descriptor.is_repeated else (value,)
        message = descriptor.message_type
        if descriptor.enum_type is not None:
            yield from ((descriptor.enum_type, number) for number in values)
        elif message is not None and not message.GetOptions().map_entry:
            for inner in values:
                yield from _enums(inner)


Dispatch = Callable[[object, Method, Any], Any]
"""The way of each call from a server on: `dispatch`, or an interceptor before it."""


def dispatch(implementation: object, method: Method, request: Any) -> Any:  # noqa: ANN401 - any official message
    """The answer to `request`; raises only CloudError.

    UNIMPLEMENTED where the implementation has no such method; INTERNAL, told on stderr too, for
    whatever it did not mean to raise.
    """
    _check_representable(request)
    answer = getattr(implementation, method.name, None)
    if answer is None:
        raise CloudError(StatusCode.UNIMPLEMENTED, f"{method.path} is not part of the local cloud.")
    try:
        return answer(request)
    except CloudError:
        raise
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        raise CloudError(StatusCode.INTERNAL, f"{method.path}: {error!r}") from error
