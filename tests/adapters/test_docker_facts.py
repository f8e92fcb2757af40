from typing import Any

import pytest

from greenrun.adapters.docker.inspection import image_of, instruction
from greenrun.model.image import Digest, Image, Layer

ID = "sha256:" + "1" * 64
PUSHED = "sha256:" + "2" * 64
HISTORY = [
    {"CreatedBy": '/bin/sh -c #(nop)  CMD ["serve"]', "Size": 0},
    {"CreatedBy": "/bin/sh -c pip install fastapi", "Size": 30},
    {"CreatedBy": "", "Comment": "Imported from -", "Size": 100},
]
LAYERS = (
    Layer("Imported from -", 100),
    Layer("RUN pip install fastapi", 30),
    Layer('CMD ["serve"]', 0),
)


def facts(**changed: object) -> dict[str, Any]:
    return {
        "Id": ID,
        "RepoTags": ["here/app:one", "here/app:two", "there/app:one"],
        "RepoDigests": [],
        "Size": 130,
        "Architecture": "amd64",
        "Config": {
            "Entrypoint": ["tini", "--"],
            "Cmd": ["serve", "8080"],
            "Env": ["PATH=/bin", "FLAGS=a=b"],
        },
        **changed,
    }


def test_an_image_that_was_never_pushed_goes_by_its_id() -> None:
    assert image_of("here/app:two", facts(), HISTORY) == Image(
        repository="here/app",
        tag="two",
        digest=Digest(ID),
        size_bytes=130,
        architecture="amd64",
        layers=LAYERS,
        command=("tini", "--", "serve", "8080"),
        variables={"PATH": "/bin", "FLAGS": "a=b"},
    )


def test_a_pushed_image_goes_by_the_manifest_in_its_own_repository() -> None:
    digests = [f"there/app@{ID}", f"here/app@{PUSHED}"]
    image = image_of("here/app:one", facts(RepoDigests=digests), HISTORY)
    assert (image.digest, image.manifest) == (Digest(ID), Digest(PUSHED))
    assert image.reference == f"here/app@{PUSHED}"


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("here/app:two", ("here/app", "two")),
        ("here/app", ("here/app", "latest")),
        ("localhost:5000/app:one", ("localhost:5000/app", "one")),
        (ID, ("here/app", "one")),
        (f"there/app@{PUSHED}", ("there/app", "one")),
        (f"elsewhere/app@{PUSHED}", ("elsewhere/app", "")),
    ],
)
def test_an_image_keeps_the_name_that_it_was_asked_by(
    reference: str, name: tuple[str, str]
) -> None:
    image = image_of(reference, facts(), HISTORY)
    assert (image.repository, image.tag) == name


def test_an_image_without_names_a_command_or_variables_is_an_image() -> None:
    bare = facts(RepoTags=[], Config={"Entrypoint": None, "Cmd": None, "Env": None})
    image = image_of(ID, bare, [])
    assert (image.repository, image.command, image.variables) == ("", (), {})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('/bin/sh -c #(nop)  CMD ["serve"]', 'CMD ["serve"]'),
        (f"/bin/sh -c #(nop) COPY file:{'a' * 64} in /app ", "COPY file in /app"),
        ("/bin/sh -c pip   install\tx", "RUN pip install x"),
        ("RUN /bin/sh -c pip install x # buildkit", "RUN pip install x"),
        ("COPY app /app # buildkit", "COPY app /app"),
        ("WORKDIR /app", "WORKDIR /app"),
        ("/bin/sh -c " + "x" * 200, "RUN " + "x" * 200),
    ],
)
def test_instructions_read_as_in_the_dockerfile(written: str, read: str) -> None:
    assert instruction(written) == read
