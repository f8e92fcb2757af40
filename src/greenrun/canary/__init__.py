"""The canary: the candidate's share rises by steps, each watched until evidence decides."""

from greenrun.canary.analysis import Canary

__all__ = ["Canary"]
