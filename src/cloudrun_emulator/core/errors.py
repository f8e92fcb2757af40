"""Refusals of the local cloud, with the canonical codes."""

from grpc import StatusCode


class CloudError(Exception):
    """A refusal with its canonical code, as gRPC and REST both tell it."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def number(self) -> int:
        """The code as google.rpc.Code numbers it (5 is NOT_FOUND)."""
        number: int = self.code.value[0]
        return number
