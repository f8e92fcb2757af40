"""A tree is what its commit says, or it is told where it is not."""

from pathlib import PurePosixPath

import pytest

from greenrun.model.image import Checkout


def checkout(*changed: str) -> Checkout:
    return Checkout("c0ffee", "main", changed, ("Add the shop",))


def test_a_tree_without_changes_is_clean() -> None:
    assert checkout().clean
    assert not checkout("README.md").clean


@pytest.mark.parametrize(
    ("places", "left"),
    [
        ((), ("docs/deployments/a.md", "docs/guide.md", "docs2/b.md", "reports")),
        (("docs",), ("docs2/b.md", "reports")),
        (("docs/deployments", "reports"), ("docs/guide.md", "docs2/b.md")),
        (("docs/guide.md",), ("docs/deployments/a.md", "docs2/b.md", "reports")),
        ((".",), ()),
    ],
)
def test_changes_are_told_outside_of_places_that_are_ours(
    places: tuple[str, ...], left: tuple[str, ...]
) -> None:
    tree = checkout("docs/deployments/a.md", "docs/guide.md", "docs2/b.md", "reports")
    assert tree.changed_beside(PurePosixPath(place) for place in places) == left
