"""Filters, understood as a whole or refused."""

from collections.abc import Mapping

import pytest
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st

from cloudrun_emulator.apis.listing import Comparison, Predicate, compile_filter
from cloudrun_emulator.core.errors import CloudError

Record = Mapping[str, str]


def equality(comparison: Comparison) -> Predicate[Record]:
    return lambda record: record.get(comparison.field) == comparison.value


def holds(text: str, **record: str) -> bool:
    return compile_filter(text, equality)(record)


def test_an_empty_filter_holds_for_everything() -> None:
    assert holds("  \n ")


def test_comparisons_side_by_side_are_joined_by_and() -> None:
    assert holds('a="1"\nb="2"', a="1", b="2")
    assert not holds('a="1" b="2"', a="1", b="3")


def test_or_binds_closer_than_and() -> None:
    assert not holds("a=1 OR b=1 AND c=1", a="1")
    assert holds("a=1 OR b=1 AND c=1", a="1", c="1")


def test_not_binds_closest() -> None:
    assert holds("NOT a=1 OR b=1", a="1", b="1")
    assert not holds("NOT (a=1 OR b=1)", a="1")


def test_alternatives_in_parentheses() -> None:
    assert holds('a=("1" OR 2)', a="2")
    assert not holds('a=("1" OR 2)', a="3")


def test_a_segment_of_a_path_may_be_quoted() -> None:
    text = 'labels."run.googleapis.com/execution_name"="e"'
    assert holds(text, **{"labels.run.googleapis.com/execution_name": "e"})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a=", "the end"),
        ("a", "the end"),
        ('a="1', '"'),
        ('"just text"', '"just text"'),
        ("a=1)", ")"),
        ("(a=1", "the end"),
        ("a=1 AND", "the end"),
        ("AND a=1", "AND"),
        ("a=~1", "=~"),
        ("a=(1 AND 2)", "AND"),
        ("a=f(1)", "f"),
    ],
)
def test_what_is_not_understood_is_named(text: str, named: str) -> None:
    with pytest.raises(CloudError) as refusal:
        holds(text, a="1")
    assert refusal.value.code is StatusCode.INVALID_ARGUMENT
    assert f"Unparseable filter: {named} at" in refusal.value.message


@given(st.text())
def test_a_quoted_value_may_hold_anything(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert holds(f'a="{quoted}"', a=value)


@given(st.text(alphabet='ab=<>!:~()"\\ ANDORT.'))
def test_any_text_is_a_predicate_or_a_refusal(text: str) -> None:
    try:
        assert holds(text, a="b") in (True, False)
    except CloudError as refusal:
        assert refusal.code is StatusCode.INVALID_ARGUMENT  # noqa: PT017 - either outcome is right
