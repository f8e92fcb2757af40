"""An image of the Dockerfile listens where requests arrive."""

from pathlib import Path

import pytest

from greenrun.release.preflight import dockerfile
from tests.release.preflight.conftest import DOCKERFILE, Told

HINT = "; hint: correct Dockerfile"


@pytest.mark.parametrize(
    "change",
    [
        ("", ""),
        ("EXPOSE 8080", ""),
        ("EXPOSE 8080", "EXPOSE 9090 8080/tcp"),
        ("EXPOSE 8080", "ARG PORT\nEXPOSE $PORT"),
        ("COPY app app", 'COPY ["app/main.py", "app/"]'),
        ("COPY app app", "COPY --chown=1 ap* /x/"),
        ("COPY app app", "COPY --from=builder /nowhere /x"),
        ("COPY app app", "ADD https://example.org/shop.tar /x/"),
        ("CMD python -m app", 'ENTRYPOINT ["python", "-m", "app"]'),
    ],
)
def test_no_doubt(told: Told, directory: Path, change: tuple[str, str]) -> None:
    (directory / "Dockerfile").write_text(DOCKERFILE.replace(*change) if change[0] else DOCKERFILE)
    assert told(dockerfile.listens) == []


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (("EXPOSE 8080", "EXPOSE 80"), "EXPOSE: got 80, needs 8080"),
        (
            ("CMD python -m app", ""),
            "got neither CMD nor ENTRYPOINT, needs the command that starts the server",
        ),
        (
            ("COPY app app", "COPY --chown=1 ap* lib /x/"),
            "COPY lib: got no such file, needs it in the build context",
        ),
        (
            ("COPY app app", 'COPY ["lib", "/x/"]'),
            "COPY lib: got no such file, needs it in the build context",
        ),
    ],
)
def test_doubts(told: Told, directory: Path, change: tuple[str, str], doubt: str) -> None:
    (directory / "Dockerfile").write_text(DOCKERFILE.replace(*change))
    assert told(dockerfile.listens) == [f"Dockerfile: {doubt}{HINT}"]


def test_a_dockerfile_that_is_not_there(told: Told, directory: Path) -> None:
    (directory / "Dockerfile").unlink()
    assert told(dockerfile.listens) == [
        "Dockerfile: got no such file, needs what the image is built by"
    ]
