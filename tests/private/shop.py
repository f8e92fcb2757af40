"""A service with all that can be asked of one, which notes how it was asked."""

from dataclasses import dataclass, field
from threading import Thread

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import HTMLResponse

from cloudrun_emulator.runtime.programs import Process, Program
from tests.fakes.images import MANIFEST

REPOSITORY = "registry.test/shop"
IMAGE = f"{REPOSITORY}@{MANIFEST}"
PAGE = (
    '<!doctype html><title>Shop</title><link rel="icon" href="data:,"><h1>Shop</h1>'
    '<p id="health"></p><script>fetch("/api/health").then(async (answer) => '
    '{ document.getElementById("health").textContent = (await answer.json()).status })</script>'
)
METRICS = "# TYPE sales_total counter\nsales_total 7\n"


@dataclass
class Visitors:
    """What each request has shown, by path: its pass, and what it shows the shop itself."""

    shown: dict[str, set[tuple[str | None, str | None]]] = field(default_factory=dict)

    def note(self, asked: Request | WebSocket) -> None:
        names = ("x-serverless-authorization", "authorization")
        said = (asked.headers.get(names[0]), asked.headers.get(names[1]))
        self.shown.setdefault(asked.url.path, set()).add(said)


def shop(visitors: Visitors) -> Program:
    """Serves until it is terminated."""

    def program(process: Process) -> int:
        config = uvicorn.Config(_application(visitors), ws="websockets-sansio", log_config=None)
        server = uvicorn.Server(config)

        def end() -> None:
            process.terminated.wait()
            server.should_exit = True

        Thread(target=end, daemon=True).start()
        process.print("Application startup complete")
        server.run(sockets=[process.socket])
        return 0

    return program


def _application(visitors: Visitors) -> FastAPI:
    application = FastAPI()

    @application.get("/api/health")
    def health(request: Request) -> dict[str, str]:
        visitors.note(request)
        return {"status": "ok"}

    @application.get("/api/alive")
    def alive() -> dict[str, str]:
        return {"status": "ok"}

    @application.get("/metrics", include_in_schema=False)
    def metrics(request: Request) -> Response:
        visitors.note(request)
        return Response(METRICS, media_type="text/plain; version=0.0.4")

    @application.get("/", include_in_schema=False)
    def page(request: Request) -> HTMLResponse:
        visitors.note(request)
        return HTMLResponse(PAGE)

    @application.websocket("/ws")
    async def chat(socket: WebSocket) -> None:
        visitors.note(socket)
        await socket.accept()
        await socket.send_text(f"heard {await socket.receive_text()}")

    return application
