"""Everything that is wrong with what people wrote, found without running anything."""

from collections.abc import Iterator
from pathlib import Path

from greenrun.config import load_plan
from greenrun.config.loading import RELEASE_FILE, environments
from greenrun.model.errors import SettingsError
from greenrun.model.plan import REHEARSAL
from greenrun.plugin import plugin

FEATURES = "features"


def complaints(folder: Path) -> list[str]:
    """Complain about the settings of every environment, then about sentences and tables.

    And about where they lead: a release that would promote nothing is none.
    """
    return [*_about_settings(folder), *_about_features(folder)]


def _about_settings(folder: Path) -> Iterator[str]:
    try:
        load_plan(folder, REHEARSAL)
    except SettingsError as error:
        yield from map(str, error.complaints)


def _about_features(folder: Path) -> Iterator[str]:
    if not (folder / RELEASE_FILE).is_file():
        return
    if not any((folder / FEATURES).glob("**/*.feature")):
        yield f"{FEATURES}/: got no feature, needs at least one; hint: greenrun init"
        return
    elsewhere = [name for name in environments(folder) if name != REHEARSAL]
    yield from plugin.complaints(folder, next(reversed(elsewhere), REHEARSAL))
