"""A standing survives the way onto a claim and back, and knows its own splits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenrun.domain.standing import Stage, Standing
from greenrun.domain.traffic import LATEST, Target, TrafficSplit

SPLITS = st.lists(st.builds(Target, st.text(), st.integers(0, 100), st.text())).map(
    lambda targets: TrafficSplit(tuple(targets))
)
STANDINGS = st.builds(
    Standing,
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
BEGUN = Standing("the-run", "shop-a", TrafficSplit.all_to("shop-a"))


@given(STANDINGS)
def test_what_was_written_is_what_is_read(standing: Standing) -> None:
    assert Standing.from_json(standing.as_json()) == standing


@given(STANDINGS)
def test_it_is_written_in_one_line(standing: Standing) -> None:
    assert len(standing.as_json().splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "not JSON",
        '"a text"',
        BEGUN.as_json()[:-1],
        BEGUN.as_json().replace('"begun"', '"finished"'),
        BEGUN.as_json().replace('"baseline"', '"former"'),
        BEGUN.as_json().replace('"run":', '"added":1,"run":'),
        BEGUN.as_json().replace('"asked":[]', '"asked":7'),
        BEGUN.as_json().replace('"before":[[', '"before":[["a",1,"",1],['),
    ],
)
def test_what_is_no_standing_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - as json has its own words, too
        Standing.from_json(text)
    assert str(refused.value)


def test_it_knows_what_it_found_and_what_it_asked_for_in_any_order() -> None:
    standing = BEGUN.ask(TAGGED)
    assert standing.asked == (TAGGED,)
    assert standing.knows(TrafficSplit.all_to("shop-a"))
    assert standing.knows(TrafficSplit(tuple(reversed(TAGGED.targets))))


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
    assert not BEGUN.ask(TAGGED).knows(split)


def test_promoted_restored_and_left_are_ends() -> None:
    ends = {stage for stage in Stage if stage.ended}
    assert ends == {Stage.PROMOTED, Stage.RESTORED, Stage.LEFT}


@pytest.mark.parametrize(("contracted", "promise"), [(False, "roll back"), (True, "freeze")])
def test_a_contracted_schema_leaves_no_way_back(contracted: bool, promise: str) -> None:  # noqa: FBT001 - a row of the table
    standing = Standing("the-run", "shop-a", TAGGED, contracted=contracted)
    assert standing.promise == promise
