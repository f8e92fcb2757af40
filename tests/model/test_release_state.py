"""A release state survives the way onto a lease and back, and knows its own splits."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenrun.model.release_state import ReleaseState, Stage
from greenrun.model.revision import Readiness
from greenrun.model.service import Service
from greenrun.model.traffic import LATEST, Target, TrafficSplit

CUTS = st.lists(st.integers(0, 100), max_size=4).map(lambda cuts: pairwise((0, *sorted(cuts), 100)))
SHARES = CUTS.map(lambda pairs: [high - low for low, high in pairs])


@st.composite
def splits(draw: st.DrawFn) -> TrafficSplit:
    """Of shares that add to 100; some may be none."""
    return TrafficSplit(
        tuple(Target(draw(st.text()), share, draw(st.text())) for share in draw(SHARES))
    )


SPLITS = splits()
STATES = st.builds(
    ReleaseState,
    run=st.text(),
    baseline=st.text(),
    before=SPLITS,
    generation=st.integers(0),
    candidate=st.text(),
    image=st.text(),
    asked=st.lists(SPLITS, max_size=3).map(tuple),
    stage=st.sampled_from(Stage),
    contracted=st.booleans(),
    migrations=st.lists(st.text()).map(tuple),
)
TAGGED = TrafficSplit((Target("shop-a", 100), Target("shop-b", 0, "candidate")))
BEGUN = ReleaseState("the-run", "shop-a", TrafficSplit.all_to("shop-a"))


@given(STATES)
def test_what_was_written_is_what_is_read(release_state: ReleaseState) -> None:
    assert ReleaseState.from_json(release_state.as_json()) == release_state


@given(STATES)
def test_it_is_written_in_one_line(release_state: ReleaseState) -> None:
    assert len(release_state.as_json().splitlines()) == 1


def written(**changes: object) -> str:
    """A release state as a file has it, with other values under some keys."""
    return json.dumps({**json.loads(BEGUN.as_json()), **changes})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "state: got '', needs JSON"),
        ("not JSON", "state: got 'not JSON', needs JSON"),
        (BEGUN.as_json()[:-1], "needs JSON"),
        ("[" * 100_000, "needs JSON"),
        ("9" * 5_000, "needs JSON"),
        ("null", "state: got null, needs an object"),
        ("[]", "state: got [], needs an object"),
        ('"a text"', 'state: got "a text", needs an object'),
        ("{}", "state.run: got nothing, needs it there"),
        (
            BEGUN.as_json().replace('"baseline"', '"former"'),
            'state.former: got "shop-a", needs ',
        ),
        (
            written(added=1),
            "state.added: got 1, needs no field but run, baseline, before, ",
        ),
        (written(run=None), "state.run: got null, needs a text"),
        (
            written(stage="finished"),
            'state.stage: got "finished", needs one of: begun, deployed, ',
        ),
        (written(stage=["begun"]), 'state.stage: got ["begun"], needs a text'),
        (written(generation=-1), "state.generation: got -1, needs a whole number from 0"),
        (
            written(generation=True),
            "state.generation: got true, needs a whole number from 0",
        ),
        (written(generation=1.0), "state.generation: got 1.0, needs a whole number from 0"),
        (written(contracted="no"), 'state.contracted: got "no", needs true or false'),
        (written(migrations="one"), 'state.migrations: got "one", needs a list'),
        (written(migrations=["one", 2]), "state.migrations.1: got 2, needs a text"),
        (written(asked=7), "state.asked: got 7, needs a list"),
        (written(run="\ud800"), 'state.run: got "?", needs a text that UTF-8 can write'),
        (written(**{"\ud800": 1}), "state.?: got 1, needs no field but "),
        (written(before=[]), "state.before: got [], needs shares that add to 100"),
        (
            written(before=[["a", 90, ""], ["b", 0, "t"]]),
            'state.before: got [["a", 90, ""], ["b", 0, "t"]], needs shares that add to 100',
        ),
        (
            written(asked=[[["a", 100, ""], ["b", 1, ""]]]),
            'state.asked.0: got [["a", 100, ""], ["b", 1, ""]], needs shares that add to 100',
        ),
        (written(asked=[[["a", 100, ""]], {}]), "state.asked.1: got {}, needs a list"),
        (written(before={"a": 1}), 'state.before: got {"a": 1}, needs a list'),
        (
            written(before=[["a", 1, "", 1]]),
            'state.before.0: got ["a", 1, "", 1], needs a ',
        ),
        (
            written(before=["abc"]),
            'state.before.0: got "abc", needs a revision, its share and ',
        ),
        (
            written(before=[["a", "1", ""]]),
            'state.before.0.1: got "1", needs a whole number',
        ),
        (written(before=[["a", 101, ""]]), "state.before.0.1: got 101, needs 100 at most"),
        (written(before=[["a", 1, None]]), "state.before.0.2: got null, needs a text"),
    ],
)
def test_what_is_no_release_state_is_refused_with_its_key(text: str, told: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the message is compared below
        ReleaseState.from_json(text)
    assert told in str(refused.value)
    assert len(str(refused.value)) < 250


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 101) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([*json.loads(BEGUN.as_json()), "another"])


def read_or_refused(text: str) -> None:
    """What is read is all that stands there, and what is refused names its key."""
    try:
        release_state = ReleaseState.from_json(text)
    except ValueError as refused:
        key, got, rest = str(refused).partition(": got ")
        assert key.startswith("state")
        assert got
        assert ", needs " in rest
        return
    assert json.loads(release_state.as_json()) == json.loads(text)


@given(st.text())
def test_any_text_is_a_release_state_or_refused(text: str) -> None:
    read_or_refused(text)


@given(JSON)
def test_any_json_is_a_release_state_or_refused(found: object) -> None:
    read_or_refused(json.dumps(found))


@given(STATES, st.dictionaries(KEYS, JSON, max_size=2), st.sets(KEYS, max_size=1))
def test_any_damaged_release_state_is_read_or_refused(
    release_state: ReleaseState, changed: dict[str, object], gone: set[str]
) -> None:
    said = {**json.loads(release_state.as_json()), **changed}
    read_or_refused(json.dumps({key: value for key, value in said.items() if key not in gone}))


@given(STATES, st.integers(0), st.integers(0), st.text(max_size=2))
def test_any_torn_release_state_is_read_or_refused(
    release_state: ReleaseState, start: int, length: int, put: str
) -> None:
    text = release_state.as_json()
    start %= len(text)
    read_or_refused(text[:start] + put + text[start + length % 20 :])


def test_it_knows_what_it_found_and_what_it_asked_for_in_any_order() -> None:
    release_state = BEGUN.asking(TAGGED)
    assert release_state.asked == (TAGGED,)
    assert release_state.knows(TrafficSplit.all_to("shop-a"))
    assert release_state.knows(TrafficSplit(tuple(reversed(TAGGED.targets))))


@pytest.mark.parametrize(
    "split",
    [
        TrafficSplit.all_to("shop-b"),
        TrafficSplit.all_to(LATEST),
        TrafficSplit((Target("shop-a", 100, "mine"),)),
        TrafficSplit((Target("shop-a", 90), Target("shop-b", 10, "candidate"))),
    ],
)
def test_any_other_split_is_somebody_elses(split: TrafficSplit) -> None:
    assert not BEGUN.asking(TAGGED).knows(split)


def test_promoted_restored_and_left_are_ends() -> None:
    ends = {stage for stage in Stage if stage.ended}
    assert ends == {Stage.PROMOTED, Stage.RESTORED, Stage.LEFT}


@pytest.mark.parametrize(("contracted", "promise"), [(False, "roll back"), (True, "freeze")])
def test_a_contracted_schema_leaves_no_way_back(contracted: bool, promise: str) -> None:  # noqa: FBT001 - a row of the table
    release_state = ReleaseState("the-run", "shop-a", TAGGED, contracted=contracted)
    assert release_state.promise == promise


def service(actual: TrafficSplit, wanted: TrafficSplit | None = None) -> Service:
    ready = Readiness.READY
    return Service("shop", "http://shop", 7, ready, wanted or actual, actual, "shop-b", "shop-b")


LEFT = TrafficSplit(
    (
        *(Target("shop-a", 70), Target("shop-b", 30), Target("shop-b", 0, "candidate")),
        *(Target("shop-a", 0, "baseline"), Target("shop-old", 0, "of-alice")),
    )
)
OURS = {"candidate", "baseline"}


def test_what_a_release_has_left_of_itself_is_read_from_the_split() -> None:
    before = TrafficSplit((Target("shop-a", 100), Target("shop-old", 0, "of-alice")))
    assert ReleaseState.left_in(service(LEFT), "candidate", OURS) == ReleaseState(
        "",
        "shop-a",
        before,
        candidate="shop-b",
        asked=(LEFT.shared(LEFT.serving),) * 2,
        stage=Stage.MOVED,
    )


def test_a_wish_of_that_release_is_known_and_another_ones_is_not() -> None:
    for wanted, known in ((TrafficSplit.all_to("shop-b"), True), (TrafficSplit.all_to("x"), False)):
        left = ReleaseState.left_in(service(LEFT, wanted), "candidate", OURS)
        assert left is not None
        assert left.knows(wanted) is known
        assert ReleaseState.from_json(left.as_json()) == left


@pytest.mark.parametrize(
    "split",
    [
        TrafficSplit.all_to("shop-a"),
        TrafficSplit((Target("shop-a", 100), Target("shop-b", 0, "candidate"))),
        TrafficSplit((Target("shop-b", 100), Target("shop-b", 0, "candidate"))),
        TrafficSplit((Target("shop-a", 70), Target("shop-b", 30))),
        TrafficSplit(
            (Target("shop-a", 70), Target("shop-b", 30), Target("shop-c", 0, "candidate"))
        ),
        TrafficSplit((*LEFT.targets[1:], Target("shop-a", 50), Target("shop-c", 20))),
        TrafficSplit(),
    ],
)
def test_any_other_split_is_nothing_that_a_release_has_left(split: TrafficSplit) -> None:
    assert ReleaseState.left_in(service(split), "candidate", OURS) is None


@pytest.mark.parametrize("changes", [{"migrations": (7,)}, {"run": "\ud800"}, {"generation": -1}])
def test_what_nobody_could_read_again_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^state\.\w+.*: got .*, needs "):
        replace(BEGUN, **changes).as_json()
