"""What users have asked, told by an ingress that serves nobody any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cloudrun_emulator.core.interfaces import ServedRequest


@dataclass
class AnsweredIngress:
    """An ingress that has answered all that it will."""

    answered: Sequence[ServedRequest]

    def requests(self) -> Sequence[ServedRequest]:
        return self.answered

    def trust(self, keys: str) -> None:
        raise NotImplementedError(keys)

    def apply(self, *_: Any) -> dict[str, str]:  # noqa: ANN401 - as the protocol has it
        raise NotImplementedError

    def remove(self, service: str) -> None:
        raise NotImplementedError(service)

    def close(self) -> None: ...
