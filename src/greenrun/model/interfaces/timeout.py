"""How long a wait may last, and who hears of it meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

Watch = Callable[[str], None]
"""Called with one line of what is going on, at most about once a second, while something waits."""


@dataclass(frozen=True, slots=True)
class Timeout:
    """How long a wait may last, and who hears of it meanwhile."""

    within: timedelta
    watch: Watch = field(default=lambda _: None, repr=False)
