"""Lists, a page at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudrun_emulator.apis.listing import paginate
from cloudrun_emulator.core.errors import CloudError


@given(st.lists(st.integers(), max_size=50), st.integers(1, 60))
def test_the_pages_of_a_list_are_the_list(items: list[int], size: int) -> None:
    seen: list[int] = []
    part, token = paginate(items, size, "")
    seen.extend(part)
    while token:
        part, token = paginate(items, size, token)
        assert 0 < len(part) <= size
        seen.extend(part)
    assert seen == items


def test_no_size_asks_for_the_largest_page() -> None:
    items, token = paginate(range(1001), 0, "")
    assert (len(items), token) == (1000, "1000")


@pytest.mark.parametrize(("size", "token"), [(-1, ""), (1, "bogus"), (1, "-1")])
def test_what_no_page_gave_is_refused(size: int, token: str) -> None:
    with pytest.raises(CloudError):
        paginate([1, 2], size, token)
