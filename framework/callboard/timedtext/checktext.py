"""Rules about what a cue says and how it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from callboard_schemas import Cue

from callboard.timedtext.breaking import turn_starts
from callboard.timedtext.found import Found
from callboard.timedtext.phrases import phrases
from callboard.timedtext.profile import Profile
from callboard.timedtext.styled import balanced, bare, plain, tags
from callboard.timedtext.widths import width

_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|\{\\[^{}]*\}")
_STRAY = re.compile(r"[<>]|&(?!(?:amp|lt|gt);)", re.IGNORECASE)
_UNEVEN = re.compile(r"[ \t]{2,}|\t")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|（[^（）]*）|［[^［］]*］|\{[^{}]*\}")
_EDGES = "\"'“”‘’«»()[]¿¡"
_PUNCTUATED = (".", ",", ";", ":", "?", "!", "…", "—", "–", "-", '"', "”", "»", ")", "]", "'", "’")


def alone(index: int, cue: Cue, profile: Profile, language: str) -> Iterator[Found]:
    """Check the text of one cue."""
    lines = [plain(line, styled=cue.styled) for line in cue.lines]
    if not any(visible(line) for line in lines):
        yield Found(index, "empty", "holds no text")
        return
    yield from _shape(index, cue, lines, profile)
    yield from _breaks(index, lines, language)
    yield from _written(index, lines, profile)
    yield from _marked(index, cue, profile)
    yield from _dashes(index, lines, profile)
    yield from _brackets(index, cue, lines, profile)


def visible(text: str) -> bool:
    """Say whether anything of *text* can be seen."""
    if text.isascii() and text.isprintable():
        return not text.isspace() and bool(text)
    return any(unicodedata.category(char)[0] not in "CZ" for char in text)


def said(cue: Cue) -> str:
    """Give what a cue says, however it is broken, spaced, dotted and dashed."""
    lines = (plain(line, styled=cue.styled).strip().lstrip("-‐‑–—−") for line in cue.lines)
    text = "".join(lines).replace("…", "...")
    if text.isascii() and text.isprintable():
        return text.replace(" ", "")
    return "".join(char for char in text if unicodedata.category(char)[0] not in "CZ")


def _shape(index: int, cue: Cue, lines: Sequence[str], profile: Profile) -> Iterator[Found]:
    if len(lines) > profile.lines:
        yield Found(
            index, "lines", f"{len(lines)} lines, at most {profile.lines}", float(len(lines)), float(profile.lines)
        )
    for number, line in enumerate(lines):
        if not visible(line):
            yield Found(index, "blank-line", f"line {number + 1} is blank", line=number)
        wide = width(line, profile)
        if wide > profile.line_length + 1e-9:
            told = f"line {number + 1} is {wide:g} wide, at most {profile.line_length}"
            yield Found(index, "line-length", told, wide, float(profile.line_length), number)
        if number and line.strip() and line.strip() == lines[number - 1].strip() and not turn_starts(lines):
            yield Found(index, "repeated", f"line {number + 1} is line {number} again", line=number)


def _breaks(index: int, lines: Sequence[str], language: str) -> Iterator[Found]:
    """Find lines that end in a word that leans on the first one of the next."""
    words = phrases(language)
    turns = turn_starts(lines)
    for number, line in enumerate(lines[:-1]):
        last = (line.split() or [""])[-1]
        core = last.strip(_EDGES).replace("’", "'").casefold()
        title = core.endswith(".") and core[:-1] in words.titles
        leaning = core in words.leans or core in words.opens or core in words.titles
        if number + 1 not in turns and (title or (leaning and not last.endswith(_PUNCTUATED))):
            yield Found(index, "line-break", f"line {number + 1} ends in {last!r}", line=number)


def _written(index: int, lines: Sequence[str], profile: Profile) -> Iterator[Found]:
    for number, line in enumerate(lines):
        if line != line.strip(" \t") or _UNEVEN.search(line):
            yield Found(index, "spaces", f"line {number + 1} has blanks too many", line=number)
        wrong = [] if line.isascii() and line.isprintable() else sorted({char for char in line if forbidden(char)})
        if wrong:
            named = ", ".join(f"U+{ord(char):04X}" for char in wrong)
            yield Found(index, "characters", f"line {number + 1} holds {named}", float(len(wrong)), 0.0, number)
    other = {"…": "...", "...": "…"}.get(profile.ellipsis, "")
    if other and any(other in line for line in lines):
        yield Found(index, "ellipsis", f"has '{other}' for '{profile.ellipsis}'")


def forbidden(char: str) -> bool:
    """Say whether a character has no place in a subtitle: controls, halves of characters, private ones, U+FFFD."""
    code = ord(char)
    if code == 0xFFFD or code == 0xFEFF or 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE:
        return True
    return char != "\t" and unicodedata.category(char) in ("Cc", "Cs", "Co")


def _marked(index: int, cue: Cue, profile: Profile) -> Iterator[Found]:
    text = "\n".join(cue.lines)
    if not cue.styled:
        if found := _MARKUP.search(text):
            yield Found(index, "tags", f"{found[0]!r} would be shown as it is", severity="warning")
        return
    if not balanced(text):
        yield Found(index, "tags", "a tag is not closed where it should be")
    if found := _STRAY.search(bare(text)):
        yield Found(index, "tags", f"{found[0]!r} is no part of a tag or entity that is known", line=1)
    if not profile.italics and any(tag == "i" for tag, _ in tags(text)):
        yield Found(
            index, "italics", f"{profile.name} allows no italics{f' in {profile.language}' if profile.language else ''}"
        )


def _dashes(index: int, lines: Sequence[str], profile: Profile) -> Iterator[Found]:
    """Check the dashes of a dialogue: a cue of which a later line begins another speaker's turn."""
    turns = turn_starts(lines)
    if not turns or turns[-1] == 0:
        return
    for number in turns:
        rest = lines[number].removeprefix(profile.dash)
        if rest == lines[number] or rest[:1].isspace():
            told = f"line {number + 1} begins with {lines[number][:2]!r}, not with {profile.dash!r}"
            yield Found(index, "dash", told, line=number)
    if profile.dashes == "second" and turns[0] == 0:
        yield Found(index, "dash", "the first speaker's line has a dash", line=len(lines))
    if profile.dashes == "both" and turns[0] != 0 and not _BRACKETS.fullmatch(lines[0].strip()):
        yield Found(index, "dash", "the first speaker's line has no dash", line=len(lines))


def _brackets(index: int, cue: Cue, lines: Sequence[str], profile: Profile) -> Iterator[Found]:
    left, right = profile.sound_brackets[0], profile.sound_brackets[1]
    whole = " ".join(line.strip() for line in lines if line.strip())
    if cue.kind == "sound":
        if not (whole.startswith(left) and whole.endswith(right)):
            yield Found(index, "brackets", f"a sound is written {left}so{right}")
    elif _BRACKETS.fullmatch(whole) and not whole.startswith(left):
        yield Found(index, "brackets", f"what is not spoken is written {left}so{right}")


__all__ = ["alone", "forbidden", "said", "visible"]
