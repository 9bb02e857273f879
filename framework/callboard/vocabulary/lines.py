"""Where things stand in a ``vocabulary.toml``: tomllib gives values, people need lines."""

from __future__ import annotations

import re

from msgspec import Struct

_HEADER = re.compile(r"^\s*\[\[\s*concepts\s*\]\]")
_TABLE = re.compile(r"^\s*\[")
_QUOTES = ('"""', "'''")


class Block(Struct, frozen=True):
    """One ``[[concepts]]`` table: indices of its header, of the end of its own keys, and of its end with sub-tables."""

    start: int
    keys_end: int
    end: int


class Lines:
    """The lines of a file and the blocks in them, numbered from 0."""

    def __init__(self, text: str) -> None:
        self.lines = text.replace("\r\n", "\n").split("\n")
        self.blocks = _blocks(self.lines)

    def header(self, number: int) -> int:
        """Give the line, from 1, on which the concept *number* begins; 0 where it is not known."""
        return self.blocks[number].start + 1 if number < len(self.blocks) else 0

    def word(self, number: int, text: str) -> int:
        """Give the line, from 1, on which the concept *number* says *text*; else that on which it begins."""
        if number >= len(self.blocks):
            return 0
        block = self.blocks[number]
        for index in range(block.start, block.end):
            if f'"{text}"' in self.lines[index] or f"'{text}'" in self.lines[index]:
                return index + 1
        return block.start + 1


def _blocks(lines: list[str]) -> list[Block]:
    """Find the ``[[concepts]]`` tables; text in multi-line strings and arrays is no header."""
    headers: list[tuple[int, bool]] = []
    quote, depth = "", 0
    for index, line in enumerate(lines):
        if quote:
            quote = "" if quote in line else quote
            continue
        if depth == 0 and _TABLE.match(line):
            headers.append((index, bool(_HEADER.match(line))))
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
        own = re.compile(r"^\s*\[\s*concepts\s*\.")
        end = next((i for i, _ in headers[at + 1 :] if not own.match(lines[i])), len(lines))
        blocks.append(Block(index, keys_end, end))
    return blocks


def _code(line: str) -> str:
    """Leave out one-line strings and comments, so that brackets in them do not count."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"(?!")|\'[^\']*\'(?!\')', "", line) if not any(q in line for q in _QUOTES) else line
    return bare.split("#", 1)[0]


__all__ = ["Block", "Lines"]
