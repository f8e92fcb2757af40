"""Probes: what the service is asked, as whom, and what it answered."""

from greenrun.probing.prober import Prober

__all__ = ["Prober"]
