"""The reference service, in this process or as a process of its own."""

import os
import queue
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import httpx
import pytest
import uvicorn

from app.database import Database
from app.migrate import SHIPPED, apply
from app.settings import Settings
from app.web import application

ROOT = Path(__file__).parents[2]
SECRETS = {"API_TOKEN": "a-token", "ANALYSIS_API_KEY": "a-key", "DEV_BYPASS": "a-bypass"}
AUTHORISED = {"Authorization": "Bearer a-token"}
DEADLINE = 15.0


class Process:
    """`python -m MODULE`; its output, standard output and error together, by the line."""

    def __init__(self, environment: dict[str, str], *command: str) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PORT": "0", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._popen.stdout
        self._output = self._popen.stdout
        self.lines: list[str] = []
        self._unread: queue.Queue[str] = queue.Queue()
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._output:
            self._unread.put(line.strip())

    def line_with(self, text: str) -> str:
        while text not in (self.lines or [""])[-1]:
            self.lines.append(self._unread.get(timeout=DEADLINE))
        return self.lines[-1]

    def url(self) -> str:
        port = self.line_with("Uvicorn running on").split("0.0.0.0:")[1].split()[0]
        return f"http://127.0.0.1:{port}"

    def terminate(self) -> None:
        self._popen.terminate()

    def finished(self) -> int:
        status = self._popen.wait(DEADLINE)
        self._reader.join(DEADLINE)
        while not self._unread.empty():
            self.lines.append(self._unread.get())
        return status

    def alive(self) -> bool:
        return self._popen.poll() is None

    def close(self) -> None:
        self._popen.kill()
        self.finished()
        self._output.close()


Serve = Callable[..., httpx.Client]
Start = Callable[..., Process]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables with a database that does not exist yet."""
    return {"DATABASE_URL": f"sqlite:///{tmp_path}/emergence.db", **SECRETS}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "emergence.db"
    list(apply(Database(path), SHIPPED))
    return path


@pytest.fixture
def migrated(environment: dict[str, str], template: Path) -> dict[str, str]:
    """Variables with a migrated database of the test's own."""
    shutil.copy(template, Database.named_by(environment).path)
    return environment


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a module as a process."""
    started: list[Process] = []

    def starting(environment: dict[str, str], *command: str) -> Process:
        started.append(Process(environment, *command))
        return started[-1]

    yield starting
    for process in started:
        process.close()


@contextmanager
def listening(environment: dict[str, str]) -> Iterator[str]:
    """The service in a thread of this process; a request waits until it is up."""
    app = application(Settings.read(environment))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="websockets-sansio"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(DEADLINE)


@pytest.fixture
def serve(migrated: dict[str, str]) -> Iterator[Serve]:
    """Serve with more variables; answers an authorised client."""
    with ExitStack() as opened:

        def serving(**variables: str) -> httpx.Client:
            url = opened.enter_context(listening({**migrated, **variables}))
            client = httpx.Client(base_url=url, headers=AUTHORISED, timeout=DEADLINE)
            return opened.enter_context(client)

        yield serving


@pytest.fixture(scope="session")
def reader(template: Path) -> Iterator[httpx.Client]:
    """A client of one service for all tests that only read."""
    environment = {"DATABASE_URL": f"sqlite:///{template}", **SECRETS}
    with (
        listening(environment) as url,
        httpx.Client(base_url=url, headers=AUTHORISED, timeout=DEADLINE) as client,
    ):
        yield client


@pytest.fixture
def client(serve: Serve) -> httpx.Client:
    return serve()
