"""Paths on the bus: relative to a named root, any bytes, written as text that survives JSON.

Bytes that are not UTF-8, control characters and ``%`` itself are percent-encoded; everything else stays
readable, so ``takes/Zoë 01.mov`` is written as it is.
"""

from __future__ import annotations

import re
import unicodedata

_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")


def encode_path(path: bytes) -> str:
    """Write *path* as text; ``decode_path`` gives the same bytes back."""
    out: list[str] = []
    for char in path.decode("utf-8", "surrogateescape"):
        code = ord(char)
        if 0xDC80 <= code <= 0xDCFF:
            out.append(f"%{code - 0xDC00:02X}")
        elif char == "%" or unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp"):
            out.append("".join(f"%{byte:02X}" for byte in char.encode("utf-8")))
        else:
            out.append(char)
    return "".join(out)


def decode_path(text: str) -> bytes:
    """Give back the bytes that ``encode_path`` wrote.

    Raises:
        ValueError: *text* holds a lone surrogate, which no encoded path does.
    """
    out = bytearray()
    last = 0
    for found in _ESCAPED.finditer(text):
        out += text[last : found.start()].encode("utf-8")
        out.append(int(found.group(1), 16))
        last = found.end()
    out += text[last:].encode("utf-8")
    return bytes(out)
