"""The official Google clients, over gRPC: to Google, or to emulators that variables name."""

import socket
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import google.auth
import grpc
from google.api_core import grpc_helpers
from google.api_core.exceptions import FailedPrecondition
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import (
    LoggingServiceV2GrpcTransport,
)
from google.cloud.monitoring_v3 import AlertPolicyServiceClient, MetricServiceClient
from google.cloud.monitoring_v3.services.alert_policy_service.transports import (
    AlertPolicyServiceGrpcTransport,
)
from google.cloud.monitoring_v3.services.metric_service.transports import (
    MetricServiceGrpcTransport,
)
from google.cloud.resourcemanager_v3 import ProjectsClient
from google.cloud.resourcemanager_v3.services.projects.transports import ProjectsGrpcTransport
from google.cloud.run_v2 import ExecutionsClient, JobsClient, RevisionsClient, ServicesClient
from google.cloud.run_v2.services.executions.transports import ExecutionsGrpcTransport
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)

from greenrun.model.errors import CallFailed

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
LOG_IN = "gcloud auth application-default login"
"""The remedy without credentials, or with ones that are no good any more."""

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
)
"""Messages of any length; and a connection that a sleep, or another network, has ended without a
word is found out and replaced. Google's own clients ping every 30 s, too."""

_OPTIONAL = "RESOURCE_MANAGER_EMULATOR_HOST"
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError)
_CONNECTED_WITHIN = 1.0  # seconds
_Transport = TypeVar("_Transport")

if TYPE_CHECKING:
    _Interceptor = grpc.UnaryUnaryClientInterceptor[Any, Any]
else:
    _Interceptor = grpc.UnaryUnaryClientInterceptor  # generic in its stubs alone


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses `HOST:PORT` of emulators, spoken to without encryption; empty is Google's own.

    `resource_manager` is where Cloud Run is when it is left out.
    """

    cloud_run: str = ""
    logging: str = ""
    monitoring: str = ""
    secret_manager: str = ""
    resource_manager: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "resource_manager", self.resource_manager or self.cloud_run)

    @classmethod
    def all_at(cls, address: str) -> "Endpoints":
        """One server for every API, as the local cloud is."""
        return cls(address, address, address, address, address)

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> "Endpoints":
        """CLOUD_RUN_EMULATOR_HOST and its siblings, as the official emulators have them.

        Raises CallFailed where some are set and others are not: half of the calls would reach
        Google. RESOURCE_MANAGER_EMULATOR_HOST alone may be left out.
        """
        names = {item.name: f"{item.name.upper()}_EMULATOR_HOST" for item in fields(cls)}
        present = [name for name in names.values() if variables.get(name)]
        absent = [name for name in names.values() if name not in {*present, _OPTIONAL}]
        if present and absent:
            raise CallFailed(
                f"could not tell whether Google or an emulator is meant: got {', '.join(present)} "
                f"without {', '.join(absent)}, needs all of them or none",
                hint="export every line that `greenrun cloud` prints, or unset what is set",
            )
        return cls(**{field: variables.get(name, "") for field, name in names.items()})

    @property
    def emulated(self) -> bool:
        """True where nothing reaches Google."""
        return bool(self.cloud_run)


class GoogleClients:
    """Clients as they are first asked for, over one channel per address until it is closed.

    Raises CallFailed on first use of Google itself when this machine has no credentials.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self.emulated = endpoints.emulated
        self._endpoints = endpoints
        self._channels: dict[str, grpc.Channel] = {}
        self._closing = ExitStack()

    def close(self) -> None:
        """Close all channels; calls under way end as cancelled."""
        self._closing.close()
        self._channels.clear()

    @cached_property
    def services(self) -> ServicesClient:
        return ServicesClient(transport=self._run(ServicesGrpcTransport))

    @cached_property
    def revisions(self) -> RevisionsClient:
        return RevisionsClient(transport=self._run(RevisionsGrpcTransport))

    @cached_property
    def jobs(self) -> JobsClient:
        return JobsClient(transport=self._run(JobsGrpcTransport))

    @cached_property
    def executions(self) -> ExecutionsClient:
        return ExecutionsClient(transport=self._run(ExecutionsGrpcTransport))

    @cached_property
    def log(self) -> LoggingServiceV2Client:
        channel = self._channel(self._endpoints.logging, "logging.googleapis.com")
        return LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))

    @cached_property
    def metrics(self) -> MetricServiceClient:
        channel = self._channel(self._endpoints.monitoring, "monitoring.googleapis.com")
        return MetricServiceClient(transport=MetricServiceGrpcTransport(channel=channel))

    @cached_property
    def alerts(self) -> AlertPolicyServiceClient:
        channel = self._channel(self._endpoints.monitoring, "monitoring.googleapis.com")
        transport = AlertPolicyServiceGrpcTransport(channel=channel)
        return AlertPolicyServiceClient(transport=transport)

    @cached_property
    def secrets(self) -> SecretManagerServiceClient:
        channel = self._channel(self._endpoints.secret_manager, "secretmanager.googleapis.com")
        transport = SecretManagerServiceGrpcTransport(channel=channel)
        return SecretManagerServiceClient(transport=transport)

    @cached_property
    def projects(self) -> ProjectsClient:
        google = "cloudresourcemanager.googleapis.com"
        channel = self._channel(self._endpoints.resource_manager, google)
        return ProjectsClient(transport=ProjectsGrpcTransport(channel=channel))

    def _run(self, transport: Callable[..., _Transport]) -> _Transport:
        return transport(channel=self._channel(self._endpoints.cloud_run, "run.googleapis.com"))

    def _channel(self, emulator: str, google: str) -> grpc.Channel:
        address = emulator or f"{google}:443"
        if address not in self._channels:
            channel = _insecure(emulator) if emulator else _secure(address)
            self._channels[address] = channel
            self._closing.callback(channel.close)
        return self._channels[address]


def _insecure(address: str) -> grpc.Channel:
    channel = grpc.insecure_channel(address, options=_OPTIONS)
    return grpc.intercept_channel(channel, Emulator(address))


def _secure(address: str) -> grpc.Channel:
    credentials = application_default(f"call {address}")
    channel: grpc.Channel = grpc_helpers.create_channel(
        address, credentials=credentials, options=_OPTIONS
    )
    return channel


def application_default(what: str) -> Credentials:
    """The credentials; `what` completes `could not ...`. Raises CallFailed where there are none."""
    with warnings.catch_warnings():  # that a person's credentials have no quota project
        warnings.simplefilter("ignore", UserWarning)
        try:
            credentials, _ = google.auth.default(scopes=SCOPES)
        except DefaultCredentialsError as error:
            raise CallFailed(
                f"could not {what}: got no Google credentials on this machine", hint=LOG_IN
            ) from error
        except _MALFORMED as error:  # quoted by nobody: it may be half a key
            raise CallFailed(
                f"could not {what}: got Google credentials that cannot be read "
                f"({type(error).__name__}), needs what gcloud writes",
                hint=LOG_IN,
            ) from None
    return credentials


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
