"""Every form of a secret in every channel; and what a candidate says never steers a terminal."""

import base64
import gzip
import html
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from allure_commons.model2 import TestResult as Result

from greenrun.plugin.allure.results import ResultsFolder
from greenrun.plugin.redaction import LARGEST, NOT_KEPT, STARS, Secrets, inert
from greenrun.plugin.terminal.screen import Screen
from tests.plugin.conftest import Suite

SECRET = "pä/s\"s+<w>&'rd\\?\nits second line"


def within_base64(before: str) -> Callable[[str], str]:
    return lambda value: base64.b64encode(f"{before}{value}|".encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "upper case": str.upper,
    "repr": repr,
    "JSON": json.dumps,
    "JSON in JSON": lambda value: json.dumps(json.dumps(value)),
    "URL": lambda value: quote(value, safe=""),
    "URL path": quote,
    "form": quote_plus,
    "HTML": html.escape,
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "base64": within_base64(""),
    "base64 after one": within_base64("1"),
    "base64 after two": within_base64("12"),
    "URL-safe base64": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "line by line": lambda value: "\n".join(f"> {line} <" for line in value.splitlines()),
}


@pytest.fixture
def secrets() -> Secrets:
    secrets = Secrets()
    secrets.keep(SECRET)
    return secrets


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", content)
    return file.getvalue()


def unzipped(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("inner")


def through_text(secrets: Secrets, said: str, _: Path) -> str:
    return secrets.redact(said)


def through_bytes(secrets: Secrets, said: str, _: Path) -> str:
    return secrets.redact_bytes(said.encode()).decode()


def through_gzip(secrets: Secrets, said: str, _: Path) -> str:
    return gzip.decompress(secrets.redact_bytes(gzip.compress(said.encode()))).decode()


def through_zip(secrets: Secrets, said: str, _: Path) -> str:
    return unzipped(secrets.redact_bytes(zipped(said.encode()))).decode()


def through_gzip_in_zip(secrets: Secrets, said: str, _: Path) -> str:
    packed = secrets.redact_bytes(zipped(gzip.compress(said.encode())))
    return gzip.decompress(unzipped(packed)).decode()


def through_the_terminal(secrets: Secrets, said: str, _: Path) -> str:
    written: list[str] = []
    screen = Screen(written.append, secrets.redact, width=10_000, rewrites=True)
    screen.line(said)
    screen.live(said)
    return "".join(written)


def through_results(secrets: Secrets, said: str, folder: Path) -> str:
    results = ResultsFolder(folder, secrets, lambda _: None, clean=True)
    results.report_result(Result(uuid="one", name=said, description=said))
    results.report_attached_data(said, "attached")
    return "".join(path.read_text() for path in folder.iterdir())


CHANNELS = (
    *(through_text, through_bytes, through_gzip, through_zip, through_gzip_in_zip),
    *(through_the_terminal, through_results),
)


@pytest.mark.parametrize(
    ("form", "channel"),
    [pytest.param(f, c, id=f"{f} {c.__name__}") for f, c in product(FORMS, CHANNELS)],
)
def test_no_form_of_a_secret_passes_any_channel(
    secrets: Secrets, tmp_path: Path, form: str, channel: Callable[[Secrets, str, Path], str]
) -> None:
    said = FORMS[form](SECRET)
    told = channel(secrets, f"before {said} after", tmp_path / "results")
    assert STARS in told
    assert not [part for part in pieces(said) if part in told]


def pieces(said: str) -> Iterator[str]:
    """Any twelve letters in a row that only the secret has."""
    return (said[at : at + 12] for at in range(len(said) - 11))


def test_an_archive_without_secrets_is_kept_byte_by_byte(secrets: Secrets) -> None:
    for content in (gzip.compress(b"nothing"), zipped(b"nothing"), b"\x00\xff"):
        assert secrets.redact_bytes(content) == content


def test_an_archive_that_cannot_be_searched_is_not_kept(secrets: Secrets) -> None:
    for content in (b"\x1f\x8bbroken", b"PK\x03\x04broken", gzip.compress(bytes(LARGEST + 1))):
        assert secrets.redact_bytes(content) == NOT_KEPT


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J\x1b[31mred", "\\x1b[2J\\x1b[31mred"),
        ("over\rwritten", "over\\rwritten"),
        ("back\x08space", "back\\x08space"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202ereversed", "\\u202ereversed"),
        ("\ttabs and\nlines, é and ✓ stay", "\ttabs and\nlines, é and ✓ stay"),
    ],
)
def test_control_sequences_are_shown_and_not_obeyed(said: str, shown: str) -> None:
    assert inert(said) == shown


def test_what_a_candidate_says_never_steers_the_terminal(suite: Suite) -> None:
    suite.steps(
        """
        import warnings


        @then("it says what steers terminals")
        def _(progress):
            evil = "\\x1b]0;owned\\x07\\x1b[2J"
            progress.report(evil)
            progress.present(evil)
            print(evil)
            warnings.warn(evil)
            raise GateClosed(f"got {evil}", hint=evil)
        """
    )
    suite.feature(
        "01",
        "Feature: F\n  Scenario: S\n    Then it says what steers terminals\n"
        "    And all gates hold\n",
    )
    result = suite.run("features", "-rA", "-W", "default")
    assert result.ret == 1
    told = result.stdout.str() + result.stderr.str()
    assert "\\x1b]0;owned\\x07" in told
    assert "\x1b" not in told
    assert "\x07" not in told
