"""Answers as http.client reads them, and what it is too lenient in."""

import time
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from socket import socket
from typing import Any

_CHUNK = 65536
_NO_HEADERS = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)


class FinalResponse(HTTPResponse):
    """Passes over 102 and 103 as http.client does over 100: the answer is still to come.

    Every read ends in time, however the server doles out its answer; and it must be clear where
    an answer ends, or the next one on the connection would be another's.
    """

    def __init__(self, sock: socket, *args: Any, ends: float, **more: Any) -> None:  # noqa: ANN401 - as HTTPResponse has them
        """As HTTPResponse; it `ends` at that second of the monotonic clock."""
        super().__init__(sock, *args, **more)
        self.fp = BufferedReader(_Timed(self.fp.detach(), sock, ends))

    def begin(self) -> None:
        """Read the head. Raises HTTPException, and TimeoutError."""
        super().begin()
        while HTTPStatus.SWITCHING_PROTOCOLS < self.status < HTTPStatus.OK:
            self.headers = None  # type: ignore[assignment] # as before the first one
            super().begin()
        self._check_head()
        if self.length == 0:  # as after HEAD: not even an empty chunk follows
            self.chunked = False

    def _check_head(self) -> None:
        if any(isinstance(defect, _NO_HEADERS) for defect in self.headers.defects):
            raise HTTPException("the head has a line that is no header")
        lengths = {text.strip() for text in self.headers.get_all("content-length", ())}
        if len(lengths) > 1 or not all(map(str.isdecimal, lengths)):
            raise HTTPException(f"content-length: got {', '.join(sorted(lengths))}, needs a number")
        coding = self.headers.get("transfer-encoding")
        if coding is not None and not self.chunked:
            raise HTTPException(f"transfer-encoding: got {coding}, needs chunked")


class _Timed(RawIOBase):
    """What comes over a socket up to a moment; from then on it raises TimeoutError."""

    def __init__(self, raw: RawIOBase, sock: socket, ends: float) -> None:
        self._raw = raw
        self._sock = sock
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any buffer
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        super().close()
        self._raw.close()


def whole(answer: HTTPResponse) -> bytes:
    """The body as it was sent. Raises HTTPException where it ends early, and TimeoutError."""
    body = b"".join(iter(lambda: answer.read1(_CHUNK), b""))
    if answer.length:
        raise HTTPException(f"the body ended {answer.length} bytes early")
    return body
