"""The canary: the candidate's share rises by steps, each analysed until evidence decides."""

from greenrun.canary.analysis import Canary

__all__ = ["Canary"]
