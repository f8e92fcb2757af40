"""Whatever stands in the files, the answer is a plan or complaints."""

import os
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.config import load_plan
from greenrun.model import forms
from greenrun.model.errors import SettingsError
from greenrun.model.plan import Plan

RELEASE = (Path(__file__).parents[2] / "release.yaml").read_text()
VARIABLES = 'LOG_LEVEL: "INFO"\n'
SCRAPS = st.sampled_from(
    [
        *"{}[]:,&*!|>'\"%@`#?-\n\t \0\x85\ufeff",
        *("~", "yes", "010", "1e999", ".nan", "0x1F", "1:30", "<<: *a", "---\n", "...\n"),
        *("!!int ", "&a ", "*a", "{}", "[]", "null", "-1", "9" * 5000, '"\\U00110000"', "🦄"),
    ]
)
FILES = st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))


@st.composite
def mutations(draw: st.DrawFn, text: str) -> bytes:
    """A valid file with some stretches replaced by scraps."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 12))
        text = text[:start] + draw(SCRAPS) + text[end:]
    return text.encode()


def outcome(release: bytes, variables: bytes) -> Plan | SettingsError:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "release.yaml").write_bytes(release)
        (directory / "env.yaml").write_bytes(variables)
        try:
            return load_plan(directory, "local")
        except SettingsError as error:
            return error


def holds(result: Plan | SettingsError) -> bool:
    """A plan, or complaints of one printable line each that say all that they should."""
    if isinstance(result, Plan):
        return result.environment == "local"
    lines = str(result).encode().decode().splitlines()
    return 0 < len(lines) == len(result.complaints) and all(
        complaint.key and complaint.got and complaint.needs and complaint.line >= 0
        for complaint in result.complaints
    )


@given(release=FILES, variables=FILES)
@settings(deadline=None)
def test_arbitrary_bytes(release: bytes, variables: bytes) -> None:
    assert holds(outcome(release, variables))


@given(release=mutations(RELEASE))
@settings(deadline=None, max_examples=200)
def test_a_damaged_release(release: bytes) -> None:
    assert holds(outcome(release, VARIABLES.encode()))


@given(variables=mutations(VARIABLES))
@settings(deadline=None)
def test_damaged_variables(variables: bytes) -> None:
    assert holds(outcome(RELEASE.encode(), variables))


@pytest.mark.parametrize(
    ("contents", "got"),
    [
        (b"k: 1\n" * 20_001, "more than 100,000 bytes"),
        (b"service: \xff", "bytes that are not text"),
        (b"service: \xed\xa0\x80", "bytes that are not text"),
        (b"service: shop\0", "text that is not YAML"),
        (b"a: " + b"[" * 50_000, "values nested too deep"),
        (b"a: " + b"- " * 40_000, "text that is not YAML"),
        (b"a: {b: " * 12_000, "text that is not YAML"),
        (b"a: &x [*x]", "the alias *x"),
        (b"%YAML " + b"1" * 5_000 + b"\n---\n{}", "text that is not YAML"),
        (b"service: " + b"9" * 50_000, "9" * 40),
        (b"service: 1e" + b"9" * 50_000, "1e9"),
    ],
    ids=lambda value: value[:16] if isinstance(value, bytes) else None,
)
def test_what_would_take_for_ever_is_refused(contents: bytes, got: str) -> None:
    result = outcome(contents, VARIABLES.encode())

    assert holds(result)
    assert isinstance(result, SettingsError)
    assert any(got in complaint.got for complaint in result.complaints)


def test_a_file_that_is_none_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "release.yaml")
    (tmp_path / "env.yaml").mkdir()

    with pytest.raises(SettingsError) as caught:
        load_plan(tmp_path, "local")

    assert [str(complaint) for complaint in caught.value.complaints] == [
        "release.yaml: whole file: got a folder or a device, needs a file",
        "env.yaml: whole file: got a folder or a device, needs a file",
    ]


LINES = RELEASE.splitlines(keepends=True)


@given(gone=st.sets(st.sampled_from(range(len(LINES)))))
@settings(deadline=None)
def test_lines_that_are_gone(gone: set[int]) -> None:
    kept = "".join(line for number, line in enumerate(LINES) if number not in gone)

    assert holds(outcome(kept.encode(), VARIABLES.encode()))


@given(seconds=st.integers(1, 86400))
def test_a_duration_reads_as_it_is_spelled(seconds: int) -> None:
    duration = timedelta(seconds=seconds)

    assert forms.parse_duration(forms.spell_duration(duration)) == duration
