"""Where things stand in a TOML file of many tables: tomllib gives values, people need lines."""

from __future__ import annotations

import re

from msgspec import Struct

_TABLE = re.compile(r"^\s*\[")
_QUOTES = ('"""', "'''")


class Block(Struct, frozen=True):
    """One table of an array: indices of its header, of the end of its own keys, and of its end with sub-tables."""

    start: int
    keys_end: int
    end: int


class Lines:
    """The lines of a file and the blocks in them, numbered from 0.

    Args:
        text: The file's.
        name: Of the array of tables whose entries are the blocks: a bare key.
    """

    def __init__(self, text: str, name: str = "concepts") -> None:
        self.lines = text.replace("\r\n", "\n").split("\n")
        self.blocks = _blocks(self.lines, name)

    def header(self, number: int) -> int:
        """Give the line, from 1, on which the entry *number* begins; 0 where it is not known."""
        return self.blocks[number].start + 1 if number < len(self.blocks) else 0

    def word(self, number: int, text: str) -> int:
        """Give the line, from 1, on which the entry *number* says *text*; else that on which it begins."""
        if number >= len(self.blocks):
            return 0
        block = self.blocks[number]
        return self.find(text, block.start, block.end) or block.start + 1

    def find(self, text: str, start: int = 0, end: int | None = None) -> int:
        """Give the line, from 1, that says *text* first; 0 where none does."""
        for index, line in enumerate(self.lines[start:end], start + 1):
            if f'"{text}"' in line or f"'{text}'" in line:
                return index
        return 0


def _blocks(lines: list[str], name: str) -> list[Block]:
    """Find the ``[[name]]`` tables; text in multi-line strings and arrays is no header."""
    header = re.compile(rf"^\s*\[\[\s*{name}\s*\]\]")
    own = re.compile(rf"^\s*\[\s*{name}\s*\.")
    headers: list[tuple[int, bool]] = []
    quote, depth = "", 0
    for index, line in enumerate(lines):
        if quote:
            quote = "" if quote in line else quote
            continue
        if depth == 0 and _TABLE.match(line):
            headers.append((index, bool(header.match(line))))
            continue
        if not any(mark in line for mark in ("[", "]", *_QUOTES)):
            continue
        code = _code(line)
        quote = next((mark for mark in _QUOTES if code.count(mark) % 2), "")
        depth = max(depth + code.count("[") - code.count("]"), 0)
    blocks: list[Block] = []
    for at, (index, is_concept) in enumerate(headers):
        if not is_concept:
            continue
        keys_end = headers[at + 1][0] if at + 1 < len(headers) else len(lines)
        end = next((i for i, _ in headers[at + 1 :] if not own.match(lines[i])), len(lines))
        blocks.append(Block(index, keys_end, end))
    return blocks


def _code(line: str) -> str:
    """Leave out one-line strings and comments, so that brackets in them do not count."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"(?!")|\'[^\']*\'(?!\')', "", line) if not any(q in line for q in _QUOTES) else line
    return bare.split("#", 1)[0]


__all__ = ["Block", "Lines"]
