import pytest

from greenrun.adapters.docker.buildkit import follow
from greenrun.adapters.docker.classic import base_images, read_events
from greenrun.adapters.docker.transcript import Transcript
from greenrun.model.errors import GateClosed

PLAIN = """\
#0 building with "default" instance using docker driver

#1 [internal] load build definition from Dockerfile
#1 sha256:%s
#1 transferring dockerfile: 199B done
#1 DONE 0.0s

#5 [stage-0 2/3] RUN make
#5 0.211 made
#6 [stage-0 3/3] RUN other
#5 ERROR: executor failed running [/bin/sh -c make]: exit code: 2

#6 CANCELED
------
 > [stage-0 2/3] RUN make:
------
""" % ("0" * 64)


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def transcript(shown: list[str]) -> Transcript:
    return Transcript("app:1", "the builder", shown.append)


def test_instructions_are_shown_as_they_start_and_all_output_is_kept(
    transcript: Transcript, shown: list[str]
) -> None:
    read_events(
        [
            {"stream": "Step 1/2 : FROM python:3.11-slim"},
            {"stream": "\n"},
            {"stream": " ---> e0c9d2de0ecb\n"},
            {"stream": "Step 2/2 : RUN true"},
            {"stream": "\n"},
            {"aux": {"ID": "sha256:0"}},
        ],
        transcript,
    )
    assert shown == ["Step 1/2 : FROM python:3.11-slim", "Step 2/2 : RUN true"]
    assert transcript.text == (
        "Step 1/2 : FROM python:3.11-slim\n ---> e0c9d2de0ecb\nStep 2/2 : RUN true\n"
    )


def test_pulls_are_shown_once_a_second_and_logged_without_their_bars(
    transcript: Transcript, shown: list[str]
) -> None:
    layer = {"id": "e0c9", "status": "Downloading"}
    bars = [{**layer, "progress": f"[{'=' * count}>]"} for count in range(50)]
    read_events([{"status": "Pulling from library/python", "id": "3.11"}, *bars], transcript)
    assert shown == ["3.11 Pulling from library/python"]
    assert transcript.text == "3.11 Pulling from library/python\n"


def test_a_failure_names_instruction_and_builder_and_ends_with_the_log(
    transcript: Transcript,
) -> None:
    output = [{"stream": f"line {number}\n"} for number in range(100)]
    events = [{"stream": "Step 7/9 : RUN make"}, {"stream": "\n"}, *output, {"error": "code 2\n"}]
    with pytest.raises(GateClosed) as failure:
        read_events(events, transcript)
    assert failure.value.message == (
        "could not build app:1: Step 7/9 : RUN make failed: got code 2, "
        "needs a Dockerfile that the builder builds\n"
        + "\n".join(f"line {number}" for number in range(70, 100))
    )
    assert failure.value.hint == ""


@pytest.mark.parametrize(
    ("instruction", "reason", "hint"),
    [
        ("FROM nowhere", "no such host", "pull the base image, or name one that can be reached"),
        (
            "[internal] load metadata for registry.test/nowhere",
            "no such host",
            "pull the base image, or name one that can be reached",
        ),
        (
            "COPY .git /x",
            '"/.git": not found',
            ".git and reports/ are left out of every build; hand in what it needs of them",
        ),
        (
            "COPY reports /x",
            "COPY failed: file not found in build context: stat reports: file does not exist",
            ".git and reports/ are left out of every build; hand in what it needs of them",
        ),
        ("RUN make", "code 2 of .github", ""),
    ],
)
def test_what_can_be_done_about_a_failure_is_a_hint(
    transcript: Transcript, instruction: str, reason: str, hint: str
) -> None:
    transcript.begin(instruction)
    assert transcript.failure(reason).hint == hint


def test_steps_of_buildkit_are_shown_as_they_start_and_the_one_that_failed_is_the_last(
    transcript: Transcript, shown: list[str]
) -> None:
    follow(PLAIN.splitlines(keepends=True), transcript)
    assert shown == [
        'building with "default" instance using docker driver',
        "[stage-0 2/3] RUN make",
        "[stage-0 3/3] RUN other",
    ]
    assert transcript.instruction == "[stage-0 2/3] RUN make"
    assert transcript.text == PLAIN.replace(f"#1 sha256:{'0' * 64}\n", "")


def test_images_that_a_dockerfile_starts_from_or_copies_from() -> None:
    dockerfile = b"""\
# FROM nothing
ARG REGISTRY=registry.test
ARG BASE="$REGISTRY/base:1"
FROM --platform=$BUILDPLATFORM ${REGISTRY}/base:${NUMBER:-2} AS Build
COPY --from=build /a /b
COPY --chown=1 --from=ghcr.io/other/tool@sha256:0 /a /b
COPY --from=0 /a /b
from scratch
FROM ${OTHER}
FROM $UNKNOWN
from build as last
"""
    assert base_images(dockerfile, {"OTHER": "alpine"}) == (
        "registry.test/base:2",
        "alpine",
        "$UNKNOWN",
        "ghcr.io/other/tool@sha256:0",
    )
