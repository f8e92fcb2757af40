"""A green rehearsal stands for another one only of the very same, and not for long."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenrun.model.image import Checkout, Source
from greenrun.model.plan import Plan
from greenrun.release.rehearsal.attestation import Attestation, fingerprint

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SAME = "f" * 64
LAST = Attestation("shop-20261121-073000", "sha256:a", ("1_shop", "2_till"), SAME, NOW)
CLEAN = Checkout("c0ffee", "main", (), ("Add the shop",))
TEXT = {
    "image_tag": "shop-1",
    "image_id": "sha256:a",
    "migrations": [],
    "fingerprint": SAME,
    "at": "2026-11-21T08:00:00+00:00",
}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / ".git").mkdir()
    return Source(tmp_path, CLEAN.commit)


def test_what_was_kept_is_found(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "rehearsed.json"
    LAST.save(path)
    assert Attestation.load(path) == LAST


def test_the_last_one_replaces_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "rehearsed.json"
    LAST.save(path)
    replace(LAST, image_tag="later").save(path)
    assert Attestation.load(path) == replace(LAST, image_tag="later")


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        json.dumps({**TEXT, "at": "0001-01-01T00:00:00+23:59"}),
        json.dumps({**TEXT, "image_tag": 7}),
        json.dumps({**TEXT, "migrations": "abc"}),
        json.dumps({**TEXT, "image_id": "\ud800"}),
        json.dumps(TEXT).replace('"shop-1"', "9" * 5_000),
        " " * 1_000_001,
    ],
    ids=["deep", "time", "number", "text", "surrogate", "digits", "long"],
)
def test_what_was_damaged_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "rehearsed.json").write_text(content)
    assert Attestation.load(tmp_path / "rehearsed.json") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*TEXT, "x"]), inner)
    ),
    max_leaves=8,
)


@given(
    st.binary()
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(dict.fromkeys(TEXT, JSON)).map(lambda it: json.dumps(it).encode())
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_kept_is_one_or_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rehearsed.json"
    path.write_bytes(content)
    found = Attestation.load(path)
    if found is not None:
        found.save(path)
        assert Attestation.load(path) == found


def test_where_nothing_was_kept_there_is_none(tmp_path: Path) -> None:
    assert Attestation.load(tmp_path / "rehearsed.json") is None
    assert Attestation.load(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]",
        '"text"',
        json.dumps(TEXT)[:-1],
        json.dumps({**TEXT, "at": "yesterday"}),
        json.dumps({**TEXT, "at": 7}),
        json.dumps({**TEXT, "migrations": 7}),
        json.dumps({**TEXT, "added": 1}),
        json.dumps({key: value for key, value in TEXT.items() if key != "image_id"}),
    ],
)
def test_a_broken_file_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "rehearsed.json"
    path.write_text(content, "utf-8")
    assert Attestation.load(path) is None


def test_a_time_without_a_zone_can_be_told_from_ours(tmp_path: Path) -> None:
    path = tmp_path / "rehearsed.json"
    path.write_text(json.dumps({**TEXT, "at": "2026-11-20T00:00:00"}), "utf-8")
    found = Attestation.load(path)
    assert found is not None
    assert not found.counts(SAME, within=HOUR, now=NOW + timedelta(days=2))


def test_a_file_that_is_no_text_is_none(tmp_path: Path) -> None:
    path = tmp_path / "rehearsed.json"
    path.write_bytes(b"\xff\xfe\x00")
    assert Attestation.load(path) is None


@pytest.mark.parametrize(
    ("later", "within", "counts"),
    [
        (timedelta(), HOUR, True),
        (HOUR, HOUR, True),
        (HOUR + timedelta(microseconds=1), HOUR, False),
        (timedelta(), None, False),
        (timedelta(), timedelta(), True),
        (-timedelta(microseconds=1), HOUR, False),
    ],
)
def test_it_counts_for_a_time(later: timedelta, within: timedelta | None, *, counts: bool) -> None:
    assert LAST.counts(SAME, within=within, now=NOW + later) is counts


@pytest.mark.parametrize("other", ["", "e" * 64])
def test_it_counts_for_nothing_else(other: str) -> None:
    assert not LAST.counts(other, within=HOUR, now=NOW)
    assert not LAST.is_of(other)
    assert LAST.is_of(SAME)


def test_what_nobody_could_tell_apart_never_counts() -> None:
    assert not replace(LAST, fingerprint="").counts("", within=HOUR, now=NOW)


def test_the_same_has_the_same_fingerprint(plan: Plan, source: Source) -> None:
    one, other = (fingerprint(CLEAN, replace(plan), source) for _ in range(2))
    assert one == other
    assert len(one) == 64


def test_another_commit_or_plan_has_another_fingerprint(plan: Plan, source: Source) -> None:
    same = fingerprint(CLEAN, plan, source)
    settings = replace(plan.settings, variables={"LOG_LEVEL": "DEBUG"})
    others = {
        fingerprint(replace(CLEAN, commit="decaff"), plan, source),
        fingerprint(CLEAN, replace(plan, settings=settings), source),
        fingerprint(CLEAN, replace(plan, canary=replace(plan.canary, steps=(1,))), source),
    }
    assert len(others - {same, ""}) == 3


@pytest.mark.parametrize("changed", ["app/main.py", "release.yaml", "docs/guide.md"])
def test_a_changed_tree_has_none(plan: Plan, source: Source, changed: str) -> None:
    assert fingerprint(replace(CLEAN, changed=(changed,)), plan, source) == ""


@pytest.mark.parametrize("changed", ["build_tag.txt", "reports/a", "docs/deployments/README.md"])
def test_what_a_release_writes_changes_nothing(plan: Plan, source: Source, changed: str) -> None:
    tree = replace(CLEAN, changed=(changed,))
    assert fingerprint(tree, plan, source) == fingerprint(CLEAN, plan, source)
