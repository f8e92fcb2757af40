"""A copy of this project to rehearse in: its reports, journal and images are its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

import docker

ROOT = Path(__file__).parents[1]
FILES = ("conftest.py", "pytest.ini", "release.yaml", "env.yaml", "Dockerfile", ".dockerignore")
FOLDERS = ("app", "features", "steps", "fixtures")
_COMMIT = (
    "-c",
    "user.name=benchmark",
    "-c",
    "user.email=benchmark@localhost",
    "commit",
    "-qm",
    "-",
)


@dataclass(frozen=True)
class Project:
    """A checkout of its own. Its images bear a repository of their own, and go with it."""

    folder: Path
    repository: str

    @property
    def rehearsal(self) -> list[str]:
        """The command of a rehearsal without drills."""
        return [*self.whole_rehearsal, "-m", "not drill"]

    @property
    def whole_rehearsal(self) -> list[str]:
        """The command of a rehearsal as people give it."""
        return [sys.executable, "-m", "pytest", "features/"]

    @property
    def surroundings(self) -> Mapping[str, str]:
        """Compiled modules are kept, as on a developer's machine; here, beside the copy."""
        kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode")}
        return os.environ | kept

    def rehearse(self, *options: str) -> None:
        """Perform one; raises SystemExit with its end when it does not go through."""
        done = subprocess.run(  # noqa: S603 - this Python, no shell
            [*self.rehearsal, *options],
            cwd=self.folder,
            env=self.surroundings,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"the rehearsal ended with {done.returncode}:\n{done.stdout[-3000:]}")


@contextmanager
def project() -> Iterator[Project]:
    """A copy that has rehearsed once: compiled, its image built, a baseline known."""
    with TemporaryDirectory(prefix="greenrun-benchmark-") as folder:
        copy = Project(Path(folder), f"greenrun-benchmark-{token_hex(4)}/emergence-app")
        try:
            _fill(copy)
            copy.rehearse()
            yield copy
        finally:
            _remove_images(copy.repository)


def _fill(copy: Project) -> None:
    folder = copy.folder
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    (folder / ".gitignore").write_text("*\n")
    release = folder / "release.yaml"
    release.write_text(
        re.sub(r"(?m)^( +repository:).*$", rf"\1 {copy.repository}", release.read_text())
    )
    for arguments in (["init", "-q"], ["add", "--force", *FILES, *FOLDERS], _COMMIT):
        subprocess.run(["git", *arguments], cwd=folder, check=True)  # noqa: S603, S607 - no shell, the git that the release uses


def _remove_images(repository: str) -> None:
    engine = docker.from_env()
    for image in engine.images.list(repository):
        for tag in image.tags:
            if tag.startswith(f"{repository}:"):
                engine.images.remove(tag)
    engine.close()
