"""A traffic split keeps what it was not asked to change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenrun.model.traffic import LATEST, Target, TrafficSplit

REVISIONS = st.sampled_from(["shop-a", "shop-b", "shop-c", LATEST])
TAGS = st.sampled_from(["candidate", "next", "blue"])


@st.composite
def shares_of_100(draw: st.DrawFn) -> dict[str, int]:
    revisions = draw(st.lists(REVISIONS, min_size=1, max_size=4, unique=True))
    cuts = sorted(draw(st.integers(0, 100)) for _ in revisions[1:])
    edges = zip([0, *cuts], [*cuts, 100], strict=True)
    return dict(zip(revisions, [high - low for low, high in edges], strict=True))


@st.composite
def splits(draw: st.DrawFn) -> TrafficSplit:
    """Shares, some of them tagged, and targets that only have a tag, in any order."""
    tags = draw(st.lists(TAGS, unique=True))
    shares = draw(shares_of_100())
    tagged = draw(st.lists(st.booleans(), min_size=len(shares), max_size=len(shares)))
    named = [
        Target(revision, percent, tags.pop() if tags and has_tag else "")
        for (revision, percent), has_tag in zip(shares.items(), tagged, strict=True)
    ]
    tag_only = [Target(draw(REVISIONS), 0, tag) for tag in tags]
    return TrafficSplit(tuple(draw(st.permutations(named + tag_only))))


def tags_of(split: TrafficSplit) -> dict[str, str]:
    return {target.tag: target.revision for target in split if target.tag}


@given(splits(), shares_of_100())
def test_new_shares_keep_every_revision_tag(split: TrafficSplit, shares: dict[str, int]) -> None:
    changed = split.shared(shares)

    assert tags_of(changed) == tags_of(split)
    assert changed.serving == {name: percent for name, percent in shares.items() if percent}
    assert sum(target.percent for target in changed) == 100


@given(splits(), st.dictionaries(REVISIONS, st.integers(-100, 200)))
def test_shares_are_parts_of_100(split: TrafficSplit, shares: dict[str, int]) -> None:
    if sum(shares.values()) == 100 and min(shares.values()) >= 0:
        assert sum(split.shared(shares).serving.values()) == 100
    else:
        with pytest.raises(ValueError, match="needs"):
            split.shared(shares)


@given(splits())
def test_shares_below_nothing_are_refused_even_when_all_add_up(split: TrafficSplit) -> None:
    with pytest.raises(ValueError, match="needs none below 0 %"):
        split.shared({"shop-a": 110, "shop-b": -10})


@given(splits(), REVISIONS, TAGS)
def test_a_revision_tag_moves_no_traffic(split: TrafficSplit, revision: str, tag: str) -> None:
    tagged = split.tagged(revision, tag)

    assert tagged.agrees_with(split)
    assert tags_of(tagged) == {**tags_of(split), tag: revision}
    assert [target.tag for target in tagged].count(tag) == 1


@given(splits(), REVISIONS, TAGS)
def test_tagging_twice_is_tagging_once(split: TrafficSplit, revision: str, tag: str) -> None:
    tagged = split.tagged(revision, tag)

    assert tagged.tagged(revision, tag) == tagged


@given(splits(), splits())
def test_agreement_looks_at_shares_alone(one: TrafficSplit, other: TrafficSplit) -> None:
    assert one.agrees_with(one.shared(one.serving))
    assert one.agrees_with(other) == other.agrees_with(one) == (one.serving == other.serving)


@given(st.lists(st.builds(Target, REVISIONS, st.integers(0, 50), st.just("") | TAGS)))
def test_a_share_counts_every_target_of_a_revision(targets: list[Target]) -> None:
    split = TrafficSplit(tuple(targets))

    assert split.serving == {
        target.revision: sum(t.percent for t in targets if t.revision == target.revision)
        for target in targets
        if target.percent
    }


def test_a_split_reads_as_people_speak_of_it() -> None:
    split = TrafficSplit((Target("shop-a", 90), Target(LATEST, 10, "next")))

    assert str(split) == "90 % shop-a, 10 % LATEST (revision tag next)"
    assert str(TrafficSplit()) == "no traffic"
