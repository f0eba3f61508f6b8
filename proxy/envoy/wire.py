"""Protobuf's wire format, as far as messages are put together from serialised parts."""

from __future__ import annotations

_SMALL = [bytes((value,)) for value in range(0x80)]


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field (string, bytes or message)."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """A base-128 varint of a non-negative number."""
    if value < 0x80:
        return _SMALL[value]
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
