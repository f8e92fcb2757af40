"""What endpoints promise, as the rows of a feature's table say it."""

from greenrun.expectations.answers import Answers, percentile
from greenrun.expectations.expectation import Expectation
from greenrun.expectations.schema import Schema, read_schema
from greenrun.expectations.sending import Sending
from greenrun.expectations.table import COLUMNS, read_requests, read_table
from greenrun.expectations.values import Values

__all__ = [
    "COLUMNS",
    "Answers",
    "Expectation",
    "Schema",
    "Sending",
    "Values",
    "percentile",
    "read_requests",
    "read_schema",
    "read_table",
]
