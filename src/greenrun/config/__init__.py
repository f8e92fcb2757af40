"""release.yaml and env.yaml, read into a Plan."""

from greenrun.config.loading import load_plan

__all__ = ["load_plan"]
