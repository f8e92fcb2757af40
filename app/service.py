"""The parts of the running service, and who may call them."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, HTTPException
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from app.memory import Memory
from app.metrics import Metrics
from app.settings import Settings
from app.tasks import MemoryTaskQueue


@dataclass(frozen=True)
class Service:
    settings: Settings
    metrics: Metrics
    memory: Memory
    queue: MemoryTaskQueue

    @classmethod
    def of(cls, settings: Settings) -> "Service":
        metrics = Metrics()
        memory = Memory(settings.database, metrics, settings.analysis_api_key)
        return cls(settings, metrics, memory, MemoryTaskQueue(2, metrics.queued))


def running(connection: HTTPConnection) -> Service:
    service: Service = connection.app.state.service
    return service


Running = Annotated[Service, Depends(running)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]
Session = Annotated[str | None, Header(alias="X-Session-Id")]


def authorised(
    service: Running, bearer: Bearer, x_dev_bypass: Annotated[str, Header()] = ""
) -> None:
    """Want the bearer token, or the bypass header where one is configured."""
    token, settings = bearer.credentials if bearer else "", service.settings
    if not (_same(token, settings.api_token) or _same(x_dev_bypass, settings.dev_bypass)):
        raise HTTPException(401, "needs a bearer token", {"WWW-Authenticate": "Bearer"})


def _same(given: str, secret: SecretStr) -> bool:
    expected = secret.get_secret_value().encode()
    return bool(expected) and secrets.compare_digest(given.encode(), expected)
