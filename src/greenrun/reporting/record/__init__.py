"""The record of a release: what it did, in words for people and in JSON for machines."""

from greenrun.reporting.record.record import Record
from greenrun.reporting.record.writing import discard, finish, is_kept, save, sum_up, write

__all__ = ["Record", "discard", "finish", "is_kept", "save", "sum_up", "write"]
