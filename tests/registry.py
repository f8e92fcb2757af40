"""A real registry for tests: Debian's docker-registry, on a loopback port that the system picks."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from cloudrun_emulator.core.time import wait_until

SOON = timedelta(seconds=20)

_BROUGHT = Path(__file__).parents[1] / ".setup/docker-registry/usr/bin/docker-registry"
_LISTENING = re.compile(r"listening on ([\d.]+:\d+)")
_CONFIGURATION = """\
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {folder}/storage}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:0", secret: tests}}
"""
_CLOSED = "auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}\n"
USER, PASSWORD = "ada", "lovelace"
_KNOWN = f"{USER}:$2b$05$X10yODn9ngfhwIay5eQZmO28J5bdH1ducAwX8Dju3WfyqkcRMR9vW\n"
"""By bcrypt, as the registry wants it."""


@contextmanager
def registry(*, closed: bool = False) -> Iterator[str]:
    """Its `HOST:PORT`; whatever it holds goes with it. A closed one lets in USER alone."""
    with tempfile.TemporaryDirectory(prefix="greenrun-registry.") as folder:
        configuration, log = Path(folder, "registry.yml"), Path(folder, "log")
        Path(folder, "htpasswd").write_text(_KNOWN)
        written_out = _CONFIGURATION + (_CLOSED if closed else "")
        configuration.write_text(written_out.format(folder=folder))
        with log.open("w") as written:
            process = subprocess.Popen(
                [_program(), "serve", str(configuration)],
                stdout=subprocess.DEVNULL,
                stderr=written,
            )
        try:
            yield wait_until(lambda: _address(process, log), SOON, "the registry's port")
        finally:
            process.terminate()
            process.wait(timeout=20)


def _program() -> str:
    found = shutil.which("docker-registry") or (str(_BROUGHT) if _BROUGHT.exists() else None)
    assert found, "there is no docker-registry on this machine; setup/registry brings it"
    return found


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """As its log tells; empty until it does."""
    said = log.read_text()
    assert process.poll() is None, f"the registry did not start: {said}"
    found = _LISTENING.search(said)
    return found[1] if found else ""
