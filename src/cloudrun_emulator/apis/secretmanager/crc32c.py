"""The checksum that Secret Manager keeps beside a payload: CRC-32C (Castagnoli, RFC 3720)."""

from functools import reduce

_POLYNOMIAL = 0x82F63B78
_MASK = 0xFFFFFFFF


def crc32c(payload: bytes) -> int:
    """The checksum of `payload`, as the field `data_crc32c` holds it."""
    return (
        reduce(
            lambda checksum, byte: _TABLE[(checksum ^ byte) & 0xFF] ^ (checksum >> 8),
            payload,
            _MASK,
        )
        ^ _MASK
    )


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(_entry(byte) for byte in range(256))
