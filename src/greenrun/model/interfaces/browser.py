"""Pages as people see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Element:
    """Something to be seen: by its ARIA role or a CSS selector, with a text, or by a text alone."""

    written: str
    role: str = field(default="", repr=False)
    selector: str = field(default="", repr=False)
    text: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.written


@dataclass(frozen=True, slots=True)
class Visit:
    """A page to open, and what to look for there. The headers are for its own origin alone."""

    url: str
    elements: tuple[Element, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    within: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page showed and said, redacted; `screenshot` is a PNG, and cannot be.

    `status` is None where no answer came. `failed` are requests that were refused or broke off,
    `pending` those that kept the page from having loaded when its time was over. Addresses within
    the page's own origin are told as paths.
    """

    status: int | None
    title: str = ""
    missing: tuple[Element, ...] = ()
    console: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    screenshot: bytes = field(default=b"", repr=False)


class Browser(Protocol):
    """Opens pages as people do, each as if it were their first. Raises CallFailed without one."""

    def unreadable(self, elements: Sequence[Element]) -> Sequence[str]:
        """What is wrong with those whose selector is no CSS, a line each."""

    def open(self, visit: Visit) -> Seen:
        """Open a page, and wait until all that is looked for is seen and the network is quiet.

        Raises CallFailed where the browser dies, DeadlineExceeded where it does not come back.
        """
