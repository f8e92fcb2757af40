"""What anyone may see: pages, health, metrics and the WebSocket."""

import sqlite3
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response, WebSocket
from fastapi.responses import FileResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from app.metrics import Metrics
from app.service import Running

router = APIRouter()

STATIC = Path(__file__).parent / "static"


@router.get("/", include_in_schema=False)
@router.get("/memory", include_in_schema=False)
def page() -> FileResponse:
    return FileResponse(STATIC / "index.html")


@router.get("/api/health")
def health(service: Running, response: Response) -> dict[str, Any]:
    revision = service.settings.revision
    try:
        service.settings.database.rows("SELECT 1 FROM messages LIMIT 1")
    except sqlite3.Error as error:
        response.status_code = 503
        return {"status": "error", "revision": revision, "database": str(error)}
    return {"status": "ok", "revision": revision, "database": "ok"}


@router.get("/api/metrics", response_class=PlainTextResponse)
def metrics(service: Running) -> Response:
    silent = "silent" in service.settings.faults.at_start
    counted = Metrics() if silent else service.metrics
    return Response(generate_latest(counted.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


@router.websocket("/ws/{session}")
async def converse(socket: WebSocket, session: str, service: Running) -> None:
    await socket.accept()
    with service.metrics.sockets.track_inprogress():
        await socket.send_json({"type": "hello", "session": session})
        async for text in socket.iter_text():
            await socket.send_json({"type": "echo", "session": session, "message": text})
