"""Text that may stand in a file: no terminal sequences, control characters or halves of characters."""

from __future__ import annotations

import re

# CSI and OSC sequences whole (ECMA-48), so that no "[31m" stays behind when ESC goes.
_TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x9b[0-?]*[ -/]*[@-~]")
_BREAK = re.compile(r"\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Not allowed in XML 1.0, or not characters at all.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def lines(text: str) -> list[str]:
    """Split *text* into cleaned lines that are not blank."""
    return [line for line in (part.strip() for part in parts(text)) if line]


def parts(text: str) -> list[str]:
    """Split *text* into cleaned lines, blank ones and blanks at their edges kept."""
    return [_clean(part) for part in _BREAK.split(_TERMINAL.sub("", text))]


def one_line(text: str) -> str:
    """Clean *text* and put it on one line."""
    return " ".join(lines(text))


def _clean(text: str) -> str:
    text = _FORBIDDEN.sub("", text.replace("\t", " "))
    return _SURROGATE.sub("\ufffd", text)


__all__ = ["lines", "one_line", "parts"]
