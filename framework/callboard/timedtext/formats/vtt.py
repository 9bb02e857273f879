"""WebVTT, as https://www.w3.org/TR/webvtt1/ has it; read more leniently than it asks, with a note of each lenience."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Final

from callboard_schemas import Cue

from callboard.timedtext import plain
from callboard.timedtext.formats.blocks import Block, Scanner
from callboard.timedtext.formats.clock import clock
from callboard.timedtext.formats.decoding import lines_of
from callboard.timedtext.formats.position import align_of, known_settings, settings_of
from callboard.timedtext.formats.reading import LANGUAGE, Raw, Reading
from callboard.timedtext.formats.srt import guarded, span, spoken, unguarded
from callboard.timedtext.markup import LETTERS, Run, escape, style, tagged, tidy

_TAG: Final = re.compile(r"<((?:/|[A-Za-z.]|\d{2,}:)[^<>]*)>")
_NAME: Final = re.compile(r"(/?)([a-zA-Z]+)?((?:\.[^\s.]+)*)(?:\s+([\s\S]*))?")
_STAMP: Final = re.compile(r"(?:\d{2,}:)?\d{2}:\d{2}\.\d{3}")
_HEADER: Final = re.compile(r"\s*([A-Za-z][\w-]*)\s*[:=]\s*(.*)")
_KEPT: Final = 1000
"""Characters of a comment that its note repeats."""
_ARROW: Final = re.compile(r"\d[.,]\d{1,3}\s{0,9}-->")
_SKIPPED: Final = re.compile(r"(NOTE|STYLE|REGION)(?:\s.*)?")


def read_vtt(text: str, reading: Reading) -> None:
    """Read WebVTT into *reading*.

    Raises:
        SubtitleError: times that cannot be read.
    """
    lines = _without_others(lines_of(text, reading), reading)
    for block in Scanner(lines, reading, point=".", labels=True).scan():
        settings, odd = known_settings(block.times.rest)
        if odd:
            reading.note(block.line, f"{odd[:60]!r} is no cue setting: left out")
        if block.label:
            reading.note(block.line - 1, f"the cue is called {block.label[:60]!r}: the name is left out")
        text_ = _Text(block, reading)
        text_.read()
        reading.add(
            Raw(
                line=block.line,
                start=block.times.start,
                end=block.times.end,
                lines=unguarded(tidy(text_.runs)),
                number=block.number,
                speaker=text_.speaker,
                align=align_of(settings),
                settings=settings if settings != settings_of(align_of(settings)) else "",
                language=text_.language,
            )
        )


def _without_others(lines: list[str], reading: Reading) -> list[str]:
    """Make blank what is no cue: the header, comments, styles and regions. Each is noted."""
    out = list(lines)
    at = 0
    if out and re.fullmatch(r"WEBVTT(?:[ \t].*)?", out[0].strip("\ufeff")):
        reading.title = plain.one_line(out[0].strip("\ufeff")[6:]).removeprefix("- ")
        at = _header(out, reading)
    else:
        reading.note(1, "does not begin with WEBVTT: read as if it did")
    blank = True
    while at < len(out):
        found = _SKIPPED.fullmatch(out[at].strip()) if blank else None
        timed = at + 1 < len(out) and "-->" in out[at + 1]
        if found and not timed and not _ARROW.search(out[at]):
            words = {"NOTE": "a comment", "STYLE": "a style sheet", "REGION": "a region"}
            first, said = at, []
            while at < len(out) and out[at].strip() and not _ARROW.search(out[at]):
                said.append(out[at].strip())
                at += 1
            if at < len(out) and out[at].strip() and said[-1].isdigit():
                said.pop()  # the number of a cue that begins without a blank line
                at -= 1
            out[first:at] = [""] * (at - first)
            reading.note(first + 1, f"{words[found[1]]}: left out: {' '.join(said)[:_KEPT]}")
        else:
            blank = not out[at].strip()
            at += 1
    return out


def _header(out: list[str], reading: Reading) -> int:
    at = 0
    while at < len(out) and out[at].strip():
        if at and "-->" in out[at]:
            reading.note(at + 1, "no blank line after the header: read as a cue")
            break
        found = _HEADER.fullmatch(out[at]) if at else None
        if found and found[1].lower() == "language" and LANGUAGE.fullmatch(found[2].strip()):
            reading.language = found[2].strip()
        elif found and found[1].lower() == "kind":
            pass
        elif at:
            reading.note(at + 1, f"{out[at].strip()[:60]!r} in the header: left out")
        out[at] = ""
        at += 1
    return at


class _Text:
    """The text of one cue."""

    def __init__(self, block: Block, reading: Reading) -> None:
        self.block, self.reading = block, reading
        self.runs: list[Run] = []
        self.depth = dict.fromkeys(LETTERS, 0)
        self.voices: list[str] = []
        self.spans: list[str] = []
        self.tongues: list[str] = []
        self.opened = 0
        self.mixed = False
        self.unvoiced = False
        self.text = "\n".join(block.text)

    @property
    def speaker(self) -> str:
        """Who speaks, where it is one for the whole cue."""
        return self.voices[0] if len(set(self.voices)) == 1 and not self.unvoiced else ""

    @property
    def language(self) -> str:
        """Which language the whole cue is in, where it says one."""
        return self.tongues[0] if len(set(self.tongues)) == 1 and not self.mixed else ""

    def read(self) -> None:
        """Read the text into runs, and find out who speaks."""
        many = len({plain.one_line(html.unescape(name)) for name in _voices(self.text)}) > 1
        at, line = 0, self.block.first
        for tag in _TAG.finditer(self.text):
            self._put(self.text[at : tag.start()])
            line += self.text.count("\n", at, tag.start())
            self._tag(tag[1], line, many=many)
            line += tag[0].count("\n")
            at = tag.end()
        self._put(self.text[at:])
        if self.unvoiced and self.voices and not many:
            self.reading.note(
                self.block.line, f"only a part is said by {self.voices[0]!r}: read as said by nobody known"
            )

        if self.tongues and not self.language:
            self.reading.note(self.block.line, f"only a part is in {self.tongues[0]!r}: read as in the file's language")

    def _put(self, text: str) -> None:
        if text.strip():
            self.unvoiced = self.unvoiced or not self.spans
            self.mixed = self.mixed or not self.opened
        self.runs.append(Run(html.unescape(text), style(letter for letter in LETTERS if self.depth[letter])))

    def _tag(self, inside: str, line: int, *, many: bool) -> None:
        if _STAMP.fullmatch(inside.strip()):
            self.reading.note(line, f"<{inside}>, the time of a word: left out")
            return
        found = _NAME.fullmatch(inside)
        slash, name, classes, rest = found.groups() if found else ("", "?", "", "")
        if name in ("i", "b", "u"):
            self.depth[name] = max(self.depth[name] + (-1 if slash else 1), 0)
        elif name == "v":
            self._voice("" if slash else rest or "", slash, line, many=many)
        elif name == "lang" and (slash or LANGUAGE.fullmatch((rest or "").strip())):
            self.opened += -1 if slash else 1
            self.tongues += [] if slash else [(rest or "").strip()]
        elif slash:
            return
        else:
            self.reading.note(line, f"<{inside[:60]}>: the tag is left out, its text is kept")
        if classes and not slash and name in ("i", "b", "u", "v", "lang"):
            self.reading.note(line, f"the class {classes[1:61]!r}: left out")

    def _voice(self, rest: str, slash: str, line: int, *, many: bool) -> None:
        if slash:
            self.spans = self.spans[:-1]
            return
        name = plain.one_line(html.unescape(rest))
        self.spans.append(name)
        self.voices.append(name)
        if many and name:
            self.reading.note(line, f"several voices in a cue: {name!r} is written before its words")
            self.runs.append(Run(f"{name}: "))


def _voices(text: str) -> list[str]:
    return [
        found[4] or ""
        for tag in _TAG.finditer(text)
        if (found := _NAME.fullmatch(tag[1])) and found[2] == "v" and not found[1]
    ]


def escape_vtt(text: str) -> str:
    """Make one line of text safe for WebVTT."""
    return escape(text)


def vtt(cues: Sequence[Cue], language: str = "", title: str = "") -> bytes:
    """Write WebVTT, as ``srt`` does, with positions, and a voice span where the speaker is known.

    Args:
        cues: what to write.
        language: of the document; cues in another one say theirs.
        title: stands behind ``WEBVTT``.
    """
    head = plain.one_line(title).replace("-->", "--\u2060>")
    blocks = [f"WEBVTT - {head}\n" if head else "WEBVTT\n"]
    for cue, lines in spoken(cues):
        start, end = span(cue)
        body = "\n".join(tagged(guarded(lines), escape_vtt))
        speaker = plain.one_line(cue.speaker or "")
        foreign = cue.language if cue.language and cue.language != language else ""
        body = f"<lang {foreign}>{body}</lang>" if foreign else body
        voice = f"<v {escape_vtt(speaker)}>" if speaker else ""
        where = " ".join(filter(None, (f"{clock(start, '.')} --> {clock(end, '.')}", _settings(cue))))
        blocks.append(f"{len(blocks)}\n{where}\n{voice}{body}\n")
    return "\n".join(blocks).encode("utf-8")


def _settings(cue: Cue) -> str:
    """Write the settings that were read, unless the cue was moved since; a region is gone, and so is its name."""
    known, _ = known_settings(cue.settings)
    kept = " ".join(word for word in known.split() if not word.startswith("region:"))
    moved = cue.align is not None and align_of(kept) != (None if cue.align == 2 else cue.align)
    return settings_of(cue.align) if moved or not kept else kept


__all__ = ["escape_vtt", "read_vtt", "vtt"]
