"""The engine is recent enough; an image of the Dockerfile listens where requests arrive."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenrun.release.preflight import dockerfile
from tests.conftest import World
from tests.release.preflight.conftest import DOCKERFILE, Told

SCRAPS = st.sampled_from(
    [
        *(
            "FROM ",
            "COPY ",
            "ADD ",
            "CMD ",
            "EXPOSE ",
            "ENV ",
            "RUN ",
            "ARG ",
            "ONBUILD ",
            "LABEL ",
        ),
        *(
            "\n",
            "\\\n",
            "# escape=`\n",
            "<<E\n",
            "[",
            '["a"',
            "]",
            '"',
            "'",
            "$",
            "${",
            "\0",
            "\r",
            "=",
            "\ufeff",
        ),
        *("a", "--from=", "--x", "9" * 400, "*", "../" * 40, "\u2028", "\x85"),
    ]
)
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
def test_no_problem(told: Told, directory: Path, change: tuple[str, str]) -> None:
    (directory / "Dockerfile").write_text(DOCKERFILE.replace(*change) if change[0] else DOCKERFILE)
    assert told(dockerfile.listens) == []


@pytest.mark.parametrize(
    ("change", "problem"),
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
def test_problems(told: Told, directory: Path, change: tuple[str, str], problem: str) -> None:
    (directory / "Dockerfile").write_text(DOCKERFILE.replace(*change))
    assert told(dockerfile.listens) == [f"Dockerfile: {problem}{HINT}"]


def test_a_dockerfile_that_is_not_there(told: Told, directory: Path) -> None:
    (directory / "Dockerfile").unlink()
    assert told(dockerfile.listens) == [
        "Dockerfile: got no such file, needs what the image is built by"
    ]


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        (b"FROM a\nCMD x\nCOPY \xff /x\n", "got bytes that are not text, needs text in UTF-8"),
        (b"#" * 100_001, "got more than 100,000 bytes, needs fewer"),
    ],
)
def test_a_dockerfile_that_cannot_be_read(
    told: Told, directory: Path, contents: bytes, problem: str
) -> None:
    (directory / "Dockerfile").write_bytes(contents)
    assert told(dockerfile.listens) == [f"Dockerfile: {problem}"]


@pytest.mark.parametrize(
    "sources", ["", '["app", 1, "/x/"]', "[", "[" * 9999, '{"a": 1}', "[]", '["a", "b"']
)
def test_sources_that_cannot_be_read(told: Told, directory: Path, sources: str) -> None:
    (directory / "Dockerfile").write_text(DOCKERFILE.replace("app app", sources))
    assert len(told(dockerfile.listens)) == 1


@given(st.binary() | st.lists(SCRAPS, max_size=12).map(lambda parts: "".join(parts).encode()))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_dockerfile_holds_the_answer_is_problems(
    told: Told, directory: Path, contents: bytes
) -> None:
    (directory / "Dockerfile").write_bytes(contents)
    assert all(line.startswith("Dockerfile: ") for line in told(dockerfile.listens))


@pytest.mark.parametrize("number", ["20.10.24", "20.10", "28.2.2"])
def test_recent_engines(told: Told, world: World, number: str) -> None:
    world.builder.number = number
    assert told(dockerfile.engine_is_recent) == []


@pytest.mark.parametrize("number", ["20.9", "19.03.1", ""])
def test_old_engines(told: Told, world: World, number: str) -> None:
    world.builder.number = number
    assert told(dockerfile.engine_is_recent) == [
        f"container engine: got {number}, needs 20.10 or later; hint: upgrade the engine"
    ]
