"""release.yaml and env.yaml, read into a Plan."""

from greenrun.settings.loading import load_plan

__all__ = ["load_plan"]
