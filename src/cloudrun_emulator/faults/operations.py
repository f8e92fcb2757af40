"""From a call to the work of the operation that it begins, on the same thread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cloudrun_emulator.apis.longrunning import Work

Hindrance = Callable[[Work], Work]

_hindrances: ContextVar[tuple[Hindrance, ...]] = ContextVar("hindrances", default=())


@contextmanager
def hindering(hindrance: Hindrance) -> Iterator[None]:
    """Operations that begin in here are hindered so, inside whatever hinders them already."""
    before = _hindrances.set((hindrance, *_hindrances.get()))
    try:
        yield
    finally:
        _hindrances.reset(before)


def hindered(work: Work) -> Work:
    """`work` as the call that begins it will have it."""
    for hindrance in _hindrances.get():
        work = hindrance(work)
    return work
