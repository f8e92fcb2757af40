"""What an image may be made of: the files that .dockerignore leaves in."""

from collections.abc import Iterator
from pathlib import Path

from docker.utils import exclude_paths

_IGNORING = ".dockerignore"


def files_in(folder: Path) -> Iterator[Path]:
    """Every file that the engine is sent when an image is built from `folder`.

    Source: https://docs.docker.com/build/concepts/context/#dockerignore-files
    """
    for name in sorted(exclude_paths(str(folder), _patterns(folder / _IGNORING))):
        if (folder / name).is_file():
            yield folder / name


def _patterns(path: Path) -> list[str]:
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    stripped = (line.strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]
