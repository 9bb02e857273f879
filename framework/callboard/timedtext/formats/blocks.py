"""Finds the cues among the lines of SRT and WebVTT, also where blank lines or numbers are missing."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from callboard.errors import SubtitleError
from callboard.timedtext.formats.clock import Times, times
from callboard.timedtext.formats.reading import Reading


class Block(Struct):
    """A cue's lines before its text is read."""

    line: int
    """Of its times."""
    times: Times
    number: int | None
    text: list[str]
    first: int = 0
    """Line of the first line of text; 0 while there is none."""
    label: str = ""
    """What stands above the times and is no number."""


class Scanner:
    """Goes through the lines of a file once.

    Args:
        lines: of the whole file; what is no cue in WebVTT was made blank before.
        reading: takes the notes.
        point: what stands before milliseconds.
        labels: whether text above the times names the cue, as in WebVTT; there text after a blank line is of no cue.
    """

    def __init__(self, lines: Sequence[str], reading: Reading, *, point: str, labels: bool) -> None:
        self.lines, self.reading, self.point, self.labels = lines, reading, point, labels
        self.blocks: list[Block] = []
        self.pending: tuple[int, str] | None = None
        self.blank = True

    def scan(self) -> list[Block]:
        """Give the cues.

        Raises:
            SubtitleError: times that cannot be read; the error names their line.
        """
        for number, line in enumerate(self.lines, start=1):
            if not line.strip("\ufeff \t\xa0"):
                if self.pending is not None and not self._far_times(self.pending[0]):
                    self._keep_pending()
                self.blank = True
                continue
            found = times(line.strip("\ufeff"), number, self.reading, point=self.point)
            if found is not None:
                self._begin(number, found)
            elif self._heads(number, line):
                self._keep_pending()
                self.pending = (number, line.strip("\ufeff \t\xa0"))
            else:
                self._keep_pending()
                self._text(number, line)
        self._keep_pending()
        return self.blocks

    def _heads(self, number: int, line: str) -> bool:
        """Tell whether a line is what stands above the times: a number, or a name where there may be one."""
        plain = line.strip("\ufeff \t\xa0")
        digits = plain.isascii() and plain.isdigit() and len(plain) < 16
        if not (digits or (self.labels and self.blank)):
            return False
        following = self.lines[number] if number < len(self.lines) else ""
        if following.strip():
            return self._is_times(following)
        return digits and self.blank and int(plain) == len(self.blocks) + 1 and self._far_times(number)

    def _is_times(self, line: str) -> bool:
        try:
            return times(line, 0, Reading("", self.reading.rate), point=self.point) is not None
        except SubtitleError:
            return True

    def _far_times(self, number: int) -> bool:
        """Look past blank lines between a cue's number and its times."""
        for line in self.lines[number : number + 3]:
            if line.strip():
                return self._is_times(line)
        return False

    def _begin(self, number: int, found: Times) -> None:
        head = self.pending
        self.pending = None
        count = int(head[1]) if head and head[1].isascii() and head[1].isdigit() and len(head[1]) < 16 else None
        label = head[1] if head and count is None else ""
        if head is None and not self.labels:
            self.reading.note(number, "a cue without a number: counted")
        if not self.blank and self.blocks and (head is None or head[0] == number - 1):
            self.reading.note(head[0] if head else number, "no blank line before a cue: read as a new cue")
        self.blocks.append(Block(number, found, count, [], label=label))
        self.blank = False

    def _keep_pending(self) -> None:
        """Take a line that looked like a cue's number, and was none, for text."""
        if self.pending is not None:
            (number, line), self.pending = self.pending, None
            self._text(number, line)

    def _text(self, number: int, line: str) -> None:
        if not self.blocks:
            self.reading.note(number, f"text before the first cue: left out: {line.strip()[:80]!r}")
            self.blank = False
            return
        block = self.blocks[-1]
        if self.blank and (block.text or self.labels):
            if self.labels:
                self.reading.note(number, f"text after a blank line is of no cue: left out: {line.strip()[:80]!r}")
                return
            self.reading.note(number, "text after a blank line: read as of the cue above it")
        elif self.blank:
            self.reading.note(number, "a blank line between times and text: left out")
        block.text.append(line)
        block.first = block.first or number
        self.blank = False


__all__ = ["Block", "Scanner"]
