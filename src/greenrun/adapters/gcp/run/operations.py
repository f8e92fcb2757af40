"""Long-running operations of Cloud Run."""

from typing import TypeAlias

from google.api_core.exceptions import GoogleAPICallError, from_grpc_status
from google.cloud.run_v2 import ServicesClient
from google.longrunning import operations_pb2

Operation: TypeAlias = operations_pb2.Operation


class Following:
    """What an operation says of its work: one witness of it, beside what the work has changed.

    It may stay silent for ever, or not be readable for us at all: neither is a failure.
    Any client of Cloud Run can ask for any operation of it. The polling of `google.api_core` starts
    at a second and grows to twenty, which is too slow for a rollback.
    """

    def __init__(self, client: ServicesClient, begun: Operation | None = None) -> None:
        self._client = client
        self._operation = begun

    def look(self, timeout: float) -> None:
        """Ask once; no answer changes nothing."""
        if self._operation is None or self._operation.done:
            return
        request = operations_pb2.GetOperationRequest(name=self._operation.name)
        try:
            self._operation = self._client.get_operation(request, retry=None, timeout=timeout)
        except GoogleAPICallError:
            return

    @property
    def succeeded(self) -> bool:
        """Whether it has ended with a response."""
        return self._operation is not None and self._operation.done and self.error is None

    @property
    def error(self) -> GoogleAPICallError | None:
        """What it has ended with, as that of a call would be."""
        if self._operation is None or not self._operation.HasField("error"):
            return None
        status = self._operation.error
        error: GoogleAPICallError = from_grpc_status(status.code, status.message)  # type: ignore[no-untyped-call] # bare there
        return error
