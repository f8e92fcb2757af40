"""Images of next to nothing: one file on no base."""

import io
import struct
import tarfile

_BASE = 0x400000


def tiny_layer(content: bytes) -> bytes:
    """A tar with one executable, `/file`, that can be imported as an image."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        entry = tarfile.TarInfo("file")
        entry.size, entry.mode = len(content), 0o755
        archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def exiting(status: int) -> bytes:
    """A whole program for Linux on amd64 that needs nothing, and ends at once with this status."""
    code = b"\xbf" + struct.pack("<I", status) + b"\xb8" + struct.pack("<I", 60) + b"\x0f\x05"
    start, size = 64 + 56, 64 + 56 + len(code)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, _BASE + start, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return header + segment + code
