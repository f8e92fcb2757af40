import pytest

from greenrun.adapters.docker.builder import Transcript
from greenrun.model.errors import GateClosed


def test_instructions_are_shown_as_they_start_and_all_output_is_kept() -> None:
    shown: list[str] = []
    transcript = Transcript("app:1", shown.append)
    transcript.read(
        [
            {"stream": "Step 1/2 : FROM python:3.11-slim"},
            {"stream": "\n"},
            {"stream": " ---> e0c9d2de0ecb\n"},
            {"stream": "Step 2/2 : RUN true"},
            {"stream": "\n"},
            {"aux": {"ID": "sha256:0"}},
        ]
    )
    assert shown == ["Step 1/2 : FROM python:3.11-slim", "Step 2/2 : RUN true"]
    assert transcript.text == (
        "Step 1/2 : FROM python:3.11-slim\n ---> e0c9d2de0ecb\nStep 2/2 : RUN true\n"
    )


def test_pulls_are_shown_once_a_second_and_logged_without_their_bars() -> None:
    shown: list[str] = []
    transcript = Transcript("app:1", shown.append)
    layer = {"id": "e0c9", "status": "Downloading"}
    bars = [{**layer, "progress": f"[{'=' * count}>]"} for count in range(50)]
    transcript.read([{"status": "Pulling from library/python", "id": "3.11"}, *bars])
    assert shown == ["3.11 Pulling from library/python"]
    assert transcript.text == "3.11 Pulling from library/python\n"


def test_a_failure_names_the_instruction_and_ends_with_the_log() -> None:
    transcript = Transcript("app:1", lambda _: None)
    output = [{"stream": f"line {number}\n"} for number in range(100)]
    events = [{"stream": "Step 7/9 : RUN make"}, {"stream": "\n"}, *output, {"error": "code 2\n"}]
    with pytest.raises(GateClosed) as failure:
        transcript.read(events)
    assert failure.value.message == (
        "could not build app:1: Step 7/9 : RUN make failed: got code 2, "
        "needs a Dockerfile that builds\n"
        + "\n".join(f"line {number}" for number in range(70, 100))
    )
    assert failure.value.hint == ""


def test_a_base_image_that_cannot_be_had_comes_with_a_hint() -> None:
    transcript = Transcript("app:1", lambda _: None)
    with pytest.raises(GateClosed, match="hint: pull the base image"):
        transcript.read([{"stream": "Step 1/9 : FROM nowhere"}, {"error": "no such host"}])
