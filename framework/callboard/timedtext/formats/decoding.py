"""Bytes to lines of text: byte order marks, UTF-16 without one, and Windows-1252, which old files are written in."""

from __future__ import annotations

import codecs
import re
from typing import Final

from callboard.timedtext.formats.reading import LARGEST, LONGEST_LINE, Reading

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ENDS: Final = re.compile(r"\r\n|\r|\n")
_SAMPLE: Final = 4096


def text_of(data: bytes, reading: Reading, encoding: str | None = None) -> str:
    """Decode a file.

    Args:
        data: the whole file.
        reading: takes a note where the encoding is a guess.
        encoding: used in place of any guess.

    Raises:
        SubtitleError: it is too large, or not text in any encoding that is tried.
    """
    check_size(data, reading)
    if encoding:
        return _given(data, encoding, reading)
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], name, reading)
    guessed = _wide(data)
    if guessed:
        reading.note(0, f"no byte order mark: read as {guessed.upper()}")
        return _strict(data, guessed, reading)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _windows(data, error.start, reading)
    return _without_nul(text, reading)


def lines_of(text: str, reading: Reading) -> list[str]:
    """Split text into lines at CR, LF or CR LF; CR CR LF, which broken programs write, ends one line too.

    Raises:
        SubtitleError: a line is longer than any that a person reads.
    """
    if "\r\r\n" in text:
        reading.note(text[: text.index("\r\r\n")].count("\n") + 1, "lines end in CR CR LF: read as one line end")
        text = text.replace("\r\r\n", "\n")
    lines = _ENDS.split(text)
    for number, line in enumerate(lines, start=1):
        if len(line) > LONGEST_LINE:
            raise reading.refuse(number, f"a line of {len(line)} characters; {LONGEST_LINE} is the most")
    return lines


def check_size(data: bytes, reading: Reading) -> None:
    """Refuse a file that is larger than subtitles ever are.

    Raises:
        SubtitleError: it is.
    """
    if len(data) > LARGEST:
        raise reading.refuse(0, f"larger than {LARGEST // 2**20} MiB, which no subtitle file is")


def _given(data: bytes, encoding: str, reading: Reading) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise reading.refuse(0, f"no encoding is called {encoding!r}") from None
    except UnicodeDecodeError as error:
        raise reading.refuse(_line_at(data, error.start), f"is not {encoding}: {error.reason}") from None


def _strict(data: bytes, encoding: str, reading: Reading) -> str:
    try:
        return _without_nul(data.decode(encoding), reading)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "replace")
        raise reading.refuse(before.count("\n") + 1, f"damaged: not {encoding.upper()} here") from None


def _windows(data: bytes, at: int, reading: Reading) -> str:
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise reading.refuse(
            _line_at(data, error.start),
            "neither UTF-8 nor Windows-1252",
            "Say its encoding: --encoding cp1251, or what it is.",
        ) from None
    reading.note(_line_at(data, at), "not UTF-8: read as Windows-1252; if letters are wrong, say --encoding")
    return _without_nul(text, reading)


def _wide(data: bytes) -> str:
    """Guess UTF-16 from the zero bytes that Latin letters, digits and line ends have in it."""
    sample = data[:_SAMPLE]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 5 < len(sample) or min(even, odd) * 4 > max(even, odd) or len(sample) < 8:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _without_nul(text: str, reading: Reading) -> str:
    count = text.rstrip("\0").count("\0")
    if count > 4 and count * 100 > len(text):
        raise reading.refuse(text[: text.index("\0")].count("\n") + 1, "is not text")
    if "\0" in text:
        reading.note(text[: text.index("\0")].count("\n") + 1, "zero bytes: left out")
    return text.replace("\0", "")


def _line_at(data: bytes, at: int) -> int:
    head = data[:at].replace(b"\r\n", b"\n")
    return head.count(b"\n") + head.count(b"\r") + 1


__all__ = ["check_size", "lines_of", "text_of"]
