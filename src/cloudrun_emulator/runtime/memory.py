"""What a container uses of its memory, by the engine's statistics."""

from collections.abc import Mapping
from typing import Any

_INACTIVE = ("total_inactive_file", "inactive_file")
"""Page cache that can be taken back: in control groups version 1, and version 2."""


def used_bytes(statistics: Mapping[str, Any]) -> int | None:
    """As `docker stats` shows it; None of a container that has ended.

    Source: https://docs.docker.com/reference/cli/docker/container/stats/
    """
    memory = statistics.get("memory_stats") or {}
    if "usage" not in memory:
        return None
    details = memory.get("stats") or {}
    inactive = next((details[name] for name in _INACTIVE if name in details), 0)
    return max(int(memory["usage"]) - int(inactive), 0)
