"""Times as Google's messages carry them."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp


def now() -> Timestamp:
    return stamp(datetime.now(UTC))


def stamp(time: datetime) -> Timestamp:
    """`time` must be aware; microseconds are kept."""
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
