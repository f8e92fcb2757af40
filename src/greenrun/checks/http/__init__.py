"""What endpoints promise, as the rows of a feature's table say it."""

from greenrun.checks.http.expectation import Expectation
from greenrun.checks.http.json_schema import Schema, read_schema
from greenrun.checks.http.request_body import RequestBody
from greenrun.checks.http.responses import Responses, percentile
from greenrun.checks.http.table import COLUMNS, read_requests, read_table
from greenrun.checks.http.variables import Values

__all__ = [
    "COLUMNS",
    "Expectation",
    "RequestBody",
    "Responses",
    "Schema",
    "Values",
    "percentile",
    "read_requests",
    "read_schema",
    "read_table",
]
