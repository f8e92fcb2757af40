"""What a service promises of its requests in an OpenAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OpenApiTest:
    """Whose GET requests are tried, and how far that may go.

    `examples` are requests of each operation, at most; `within` bounds them all together,
    `each_within` one answer. `aside` are operations (`GET /path/{id}`) that are left alone.
    """

    document: str = field(repr=False)
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    aside: frozenset[str] = frozenset()
    examples: int = 10
    within: timedelta = timedelta(seconds=60)
    each_within: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Deviation:
    """What the document does not allow; `request`, if any, is a curl line without secrets."""

    operation: str
    request: str
    got: str
    needs: str

    def __str__(self) -> str:
        line = f"{self.operation}: got {self.got}, needs {self.needs}"
        return f"{line}\n  {self.request}" if self.request else line


@dataclass(frozen=True, slots=True)
class OpenApiTestResult:
    """How many requests each operation has answered, and each kind of deviation once."""

    answered: Mapping[str, int]
    deviations: tuple[Deviation, ...] = ()


class OpenApiTester(Protocol):
    """Tries the GET operations of an OpenAPI document."""

    def examine(self, examination: OpenApiTest) -> OpenApiTestResult:
        """Send the same requests whenever the document is the same, to its URL alone.

        Raises GateClosed where the text is no OpenAPI document that stands by itself, ReleaseError
        for an operation aside that it does not have.
        """
