"""Looking again at what arrives late, ever more slowly."""

from collections.abc import Iterator
from datetime import timedelta

from greenrun.model.interfaces import Clock

_FIRST_PAUSE = timedelta(milliseconds=100)
_LONGEST_PAUSE = timedelta(seconds=2)
"""Between two looks; they double. Cloud Logging allows 60 reads a minute in a project.

Source: https://cloud.google.com/logging/quotas
"""


def looks(clock: Clock, within: timedelta) -> Iterator[None]:
    """Yield for each look: one at once, more while there is time, and the last when it is up."""
    deadline, pause = clock.now() + within, _FIRST_PAUSE
    yield
    while (left := deadline - clock.now()) > timedelta():
        clock.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)
        yield
