"""What endpoints promise, as the rows of a feature's table say it."""

from greenrun.expectations.answers import Answers, percentile
from greenrun.expectations.expectation import Expectation
from greenrun.expectations.schema import Schema, read_schema
from greenrun.expectations.table import COLUMNS, read_table

__all__ = [
    "COLUMNS",
    "Answers",
    "Expectation",
    "Schema",
    "percentile",
    "read_schema",
    "read_table",
]
