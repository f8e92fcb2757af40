"""The ASGI application: routes, and what happens around each request."""

import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import dashboard, front, texts
from app.metrics import Metrics
from app.service import Service
from app.settings import Settings

log = logging.getLogger(__name__)


def application(settings: Settings) -> ASGIApp:
    api = FastAPI(title="emergence-app", lifespan=working)
    api.state.service = service = Service.of(settings)
    for module in (dashboard, texts, front):
        api.include_router(module.router)
    api.mount("/static", StaticFiles(directory=front.STATIC))
    api.add_exception_handler(sqlite3.Error, sql_error)
    app = settings.faults.before(api)
    if "silent" not in settings.faults.at_start:
        app = observed(app, service.metrics)
    return stamped(app, settings.revision) if settings.revision else app


@asynccontextmanager
async def working(api: FastAPI) -> AsyncIterator[None]:
    queue = api.state.service.queue
    queue.start()
    yield
    queue.drain()


async def sql_error(request: Request, error: Exception) -> JSONResponse:
    log.error("SQL error: %s (%s %s)", error, request.method, request.url.path)
    return JSONResponse({"detail": f"SQL error: {error}"}, status_code=500)


def observed(app: ASGIApp, metrics: Metrics) -> ASGIApp:
    """Count, time and log every answer, by the route's template."""

    async def observe(scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = getattr(scope.get("route"), "path", "other")
                metrics.requests.labels(scope["method"], path, message["status"]).inc()
                metrics.request_seconds.observe(time.perf_counter() - started)
                log.info("%s %s %d", scope["method"], scope["path"], message["status"])
            await send(message)

        started = time.perf_counter()
        await app(scope, receive, note)

    return observe


def stamped(app: ASGIApp, revision: str) -> ASGIApp:
    """Say in every answer which revision gave it."""
    header = (b"x-revision", revision.encode())

    async def stamp(scope: Scope, receive: Receive, send: Send) -> None:
        async def sign(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        await app(scope, receive, sign)

    return stamp
