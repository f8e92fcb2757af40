"""The language of faults: what it says, and what it refuses."""

import re
from pathlib import Path

import pytest

from cloudrun_emulator.faults.language import CALLS, DATA, REVISIONS, TAGS, TRIGGERS, UnknownFault
from cloudrun_emulator.faults.registry import Faults

GUIDE = (Path(__file__).parents[3] / "docs" / "local-cloud.md").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "Services.UpdateService: UNAVAILABLE, twice",
        "Services.UpdateService of web: reply lost, once",
        "Services.* of projects/p/*: reply late by 1.5m",
        "*: INTERNAL, 3 times",
        "*.Update*: operation late by 200ms, the 2nd time",
        "Jobs.RunJob: operation never done",
        "Services.CreateService: operation never begun",
        "Services.GetService: stale, for 5s",
        "SecretManagerService.AccessSecretVersion: PERMISSION_DENIED",
        "LoggingServiceV2.ListLogEntries: RESOURCE_EXHAUSTED, for 2h",
        "revision web-two: never ready",
        "revision web-*: late by 3s, once",
        "revision *: HEALTH_CHECK_CONTAINER_ERROR",
        "revision *: PROGRESS_DEADLINE_EXCEEDED after 10s",
        "tag candidate: late by 20s",
        "tag candidate of web: late by 20s, once",
        "metrics: late by 180s",
        "logs: late by 30s",
    ],
)
def test_a_fault_reads_as_it_was_written(text: str) -> None:
    faults = Faults()
    assert str(faults.add(text)) == text
    assert repr(faults) == f"Faults({[text]})"


def test_blanks_do_not_matter() -> None:
    assert str(Faults().add("  metrics :late  by 1s ,once ")) == "metrics :late by 1s ,once"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "needs SUBJECT: EFFECT, or SUBJECT: EFFECT, TRIGGER"),
        ("Services.UpdateService", "needs SUBJECT: EFFECT, or"),
        ("Services.UpdateService: INTERNAL,", "needs SUBJECT: EFFECT, or"),
        ("the weather: INTERNAL", "unknown subject 'the weather'; known: API.RPC | "),
        (
            "Services.Updat: INTERNAL",
            "unknown RPC 'Services.Updat'; known: Services.CreateService, ",
        ),
        (
            "Servces.*: INTERNAL",
            "unknown RPC 'Servces.*'; known: AlertPolicyService.*, Executions.*, Jobs.*, ",
        ),
        ("Services.*: OK", "unknown effect 'OK'; known: CODE | reply lost | "),
        ("Services.*: BROKEN", "CODE: CANCELLED, UNKNOWN, "),
        ("Services.*: reply late by 5", "DURATION: as in 200ms, 180s, 1.5m"),
        ("Services.*: reply late by 9999999h", "unknown effect"),
        ("Services.*: INTERNAL, often", "unknown trigger 'often'; known: once | twice | "),
        ("Services.*: INTERNAL, 0 times", "unknown trigger '0 times'"),
        ("Services.UpdateService: stale", "only Services.GetService, Services.ListServices"),
        ("Services.GetService: operation never done", "only Services.CreateService, "),
        ("revision web: UNAVAILABLE", "known: never ready | late by DURATION | REASON | "),
        ("metrics: stale", "unknown effect 'stale'; known: late by DURATION; "),
    ],
)
def test_what_is_unknown_is_one_line_that_names_what_is_known(text: str, told: str) -> None:
    faults = Faults()
    with pytest.raises(UnknownFault) as refusal:
        faults.add(text)
    message = str(refusal.value)
    assert message.startswith(f"fault {text!r}: ")
    assert told in message
    assert "\n" not in message
    assert list(faults) == []


def test_the_guide_knows_every_form() -> None:
    forms = {f"`{form.shown}`" for form in (*CALLS, *REVISIONS, *TAGS, *DATA, *TRIGGERS)}
    assert {form for form in forms if form not in GUIDE} == set()


def test_the_faults_in_the_guide_are_understood() -> None:
    written = re.findall(r'(?:--fault |faults\.add\()"([^"]+)"', GUIDE)
    written += re.findall(r"`(\S+: \S[^`]*, \w+)`", GUIDE)
    assert len(written) >= 4
    for text in written:
        if "SUBJECT" not in text:
            Faults().add(text)
