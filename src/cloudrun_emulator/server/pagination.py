"""Lists, a page at a time."""

from collections.abc import Sequence
from typing import TypeVar

from cloudrun_emulator.core.resource_names import invalid

Item = TypeVar("Item")

LARGEST_PAGE = 1000


def page(items: Sequence[Item], size: int, token: str) -> tuple[Sequence[Item], str]:
    """One page of `items` and the token of the next one (empty: the last).

    `size` 0 asks for the largest page. Raises INVALID_ARGUMENT for a negative size, and for
    a token that no page gave.
    """
    if size < 0:
        raise invalid(f"Page size must not be negative, got {size}.")
    if token and not token.isdecimal():
        raise invalid(f"Invalid page token '{token}'.")
    start = int(token or 0)
    end = start + min(size or LARGEST_PAGE, LARGEST_PAGE)
    return items[start:end], str(end) if end < len(items) else ""
