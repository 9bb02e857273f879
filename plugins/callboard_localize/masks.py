"""Masks: what must survive a translation is replaced by marks, and put back when each has come back once."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal

from msgspec import Struct

from callboard_localize.marks import Marks
from callboard_localize.numerals import NUMBER, written_in
from callboard_localize.terms import Terms

Kind = Literal["tag", "number", "term", "kept", "cut", "guard", "end"]
TAG: Final = re.compile(r"(</?[ibu]>)", re.IGNORECASE)
_SPACES: Final = re.compile(r"[ \t\n]+")
_WORDS: Final = re.compile(r"\w")
_LOOSE: Final = re.compile(r"(?<=\w) ([.,;:!?])(?=\s|$)")
_CJK: Final = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\u3040-\u30ff]")
_KEPT: Final = (
    r"<[^<>\n]{1,80}>|\$?\{[^{}\n]{0,80}\}"
    r"|(?i:https?|ftp)://[^\s<>]*[^\s<>.,;:!?)\]»”\"']|(?<!\w)(?i:www)\.[^\s<>]*[^\s<>.,;:!?)\]»”\"']"
    r"|(?<![\w.])[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<!\w)[@#]\w[\w.]*\w|(?<!\w)[@#]\w"
    r"|(?<![\d%])%(?:\(\w+\))?(?:\d+\$)?[-+0]*\d*(?:\.\d+)?[sdifgxX](?!\w)|(?<!\w)\$[A-Z_]{2,}"
    r"|[♪♫♬♩]+|(?<!\w)#(?!\w)|[\[\]]"
    r"|(?<!\w)[A-Z]+[\w-]*\d[\w-]*"
)
"""Markup, placeholders, addresses, handles, notes, brackets, and codes such as B-52."""


class Piece(Struct, frozen=True):
    """What a mark stands for."""

    kind: Kind
    text: str
    """As it stood in the source; nothing for the marks that keep lines and cues apart."""
    becomes: str
    """What is put in its place, escaped as its line is."""
    space_before: bool
    space_after: bool


class Masked(Struct, frozen=True):
    """A text with marks, and what they stand for."""

    text: str
    pieces: dict[int, Piece]
    """By the number of the mark."""


class MarksBroken(Exception):
    """The marks did not come back as they went out; the message says what is wrong."""


class Restored(Struct, frozen=True):
    """A translated text with its pieces back in their places."""

    texts: tuple[str, ...]
    """One, or one for each of the cues that were joined."""
    reordered: bool
    """Whether pieces came back in another order: often right, but for a person to see."""


class Masker:
    """Masks texts from one language to another, with one engine's marks."""

    def __init__(self, marks: Marks, terms: Terms) -> None:
        self.marks = marks
        self._terms = terms
        self._source, self.target = terms.source, terms.target
        self._seen: dict[tuple[str, bool], list[tuple[str, Piece | None]]] = {}
        alike = f"(?i:{marks.pattern.pattern})"  # what looks like a mark in the source is kept as it is
        self._pattern = re.compile(f"(?P<kept>{_KEPT}|{alike})|(?P<number>{NUMBER})")

    def mask(self, texts: Sequence[str], *, styled: bool = False, first: int = 0, guard: bool = False) -> Masked:
        """Mask what must survive in *texts*, which are joined by marks of their own where there are several.

        Args:
            texts: Of one cue, or of neighbours that share a sentence.
            styled: Whether they hold ``<i>``, ``<b>``, ``<u>`` and escaped characters.
            first: Number of the first mark; the others follow it without gaps.
            guard: Whether to enclose them in marks that stand for nothing, to know the answer by.
        """
        pieces: dict[int, Piece] = {}
        out: list[str] = []

        def put(piece: Piece) -> None:
            number = first + len(pieces)
            pieces[number] = piece
            out.append(self.marks(number))

        if guard:
            put(Piece("guard", "", "", False, True))
            out.append(" ")
        for at, text in enumerate(texts):
            if at:
                out.append(" ")
                put(Piece("cut", "", "", True, True))
                out.append(" ")
            if (text, styled) not in self._seen:
                self._seen[text, styled] = list(self._split(text, styled=styled))
            for plain, piece in self._seen[text, styled]:
                out.append(plain)
                if piece is not None:
                    put(piece)
        if guard:
            out.append(" ")
            put(Piece("end", "", "", True, False))
        return Masked("".join(out), pieces)

    def _split(self, text: str, *, styled: bool) -> Iterator[tuple[str, Piece | None]]:
        """Give plain stretches, each with the piece that follows it."""
        chunks = TAG.split(text) if styled else [text]
        for at, chunk in enumerate(chunks):
            if at % 2:
                before, after = chunks[at - 1][-1:], chunks[at + 1][:1]
                yield "", Piece("tag", chunk, chunk, before.isspace(), after.isspace())
            else:
                yield from self._pieces(unescape(chunk) if styled else chunk, styled=styled)

    def _pieces(self, text: str, *, styled: bool) -> Iterator[tuple[str, Piece | None]]:
        done = 0
        for start, end, kind, becomes in self._spans(text):
            kept = escape(becomes) if styled else becomes
            before, after = text[:start][-1:], text[end:][:1]
            yield text[done:start], Piece(kind, text[start:end], kept, before.isspace(), after.isspace())
            done = end
        yield text[done:], None

    def _spans(self, text: str) -> list[tuple[int, int, Kind, str]]:
        """Find what is masked in *text*, terms of the glossary first; none overlap."""
        spans: list[tuple[int, int, Kind, str]]
        spans = [(start, end, "term", becomes) for start, end, becomes in self._terms.spans(text)]
        for found in self._pattern.finditer(text):
            if found.end() == found.start() or _overlaps(spans, found.start(), found.end()):
                continue
            number = found["number"] is not None
            becomes = written_in(found[0], self._source, self.target) if number else found[0]
            spans.append((found.start(), found.end(), "number" if number else "kept", becomes))
        return sorted(spans)

    def restore(self, answer: str, masked: Masked, *, styled: bool = False) -> Restored:
        """Put the pieces back into what an engine wrote.

        Raises:
            MarksBroken: a mark is missing, doubled, foreign or in a place where it cannot be.
        """
        found = list(self.marks.find(answer))
        order = [number for _, _, number in found]
        _check_each_once(order, masked)
        out: list[list[str]] = [[]]
        done = 0
        for at, (start, end, number) in enumerate(found):
            piece = masked.pieces[number]
            plain = answer[done:start]
            if piece.kind == "guard" and (at or plain.strip()):
                raise MarksBroken("its own mark is not at its beginning")
            if piece.kind == "end" and (at + 1 < len(found) or _WORDS.search(answer[end:])):
                raise MarksBroken("something stands after the mark at its end")
            out[-1].append(escape(plain) if styled else plain)
            done = end
            if piece.kind == "cut":
                out.append([])
            elif piece.kind not in ("guard", "end"):
                self._place(out[-1], piece, answer[end:])
                done += _spaces_to_drop(piece, answer[end:])
        out[-1].append(escape(answer[done:]) if styled else answer[done:])
        _check_order(order, masked)
        if any(_hollow(a, b, answer, masked) for a, b in pairwise(found)):
            raise MarksBroken("its markup came back around nothing")
        return Restored(tuple(self._tidy("".join(parts)) for parts in out), order != sorted(order))

    def _tidy(self, text: str) -> str:
        """Mend the spaces that engines leave; French has its own before the taller signs."""
        text = _SPACES.sub(" ", text).strip()
        return text if self.target.lower().startswith("fr") else _LOOSE.sub(r"\1", text)

    def _place(self, out: list[str], piece: Piece, rest: str) -> None:
        before = out[-1] if out else ""
        if not piece.space_before and piece.kind == "tag" and piece.text.startswith("</"):
            out[-1:] = [before.rstrip()] if out else []
        elif piece.space_before and _touches(before):
            out.append(" ")
        out.append(piece.becomes)
        if piece.space_after and rest[:1].isalnum() and not _CJK.match(rest[:1]):
            out.append(" ")


def _touches(before: str) -> bool:
    """Say whether a space must come between what stands before and what is put there now."""
    last = before[-1:]
    opening = bool(TAG.fullmatch(before)) and not before.startswith("</")
    return bool(last) and not last.isspace() and last not in "([{«“‘¿¡" and not opening and not _CJK.match(last)


def _check_each_once(order: Sequence[int], masked: Masked) -> None:
    foreign = [number for number in order if number not in masked.pieces]
    if foreign:
        raise MarksBroken("a mark of another line is in it")
    if len(set(order)) != len(order):
        raise MarksBroken("a mark is in it twice")
    lost = [piece for number, piece in masked.pieces.items() if number not in set(order)]
    if lost:
        text = next((piece.text for piece in lost if piece.text), "")
        raise MarksBroken(f"{text!r} is lost" if text else "its own mark is lost")


def _check_order(order: Sequence[int], masked: Masked) -> None:
    """Tags must nest as they did, and no piece may pass from one cue into another."""
    tags = [number for number in order if masked.pieces[number].kind == "tag"]
    if tags != sorted(tags):
        raise MarksBroken("its markup came back in another order")
    cuts = [number for number, piece in masked.pieces.items() if piece.kind == "cut"]
    for cut in cuts:
        at = order.index(cut)
        if any(number > cut for number in order[:at]) or any(number < cut for number in order[at:]):
            raise MarksBroken("a piece went from one cue into another")


def _hollow(one: tuple[int, int, int], other: tuple[int, int, int], answer: str, masked: Masked) -> bool:
    """Say whether two tags have nothing between them where the source had something."""
    tags = (masked.pieces[one[2]], masked.pieces[other[2]])
    if any(tag.kind != "tag" for tag in tags) or tags[0].text.startswith("</") or not tags[1].text.startswith("</"):
        return False
    return not answer[one[1] : other[0]].strip()


def _spaces_to_drop(piece: Piece, rest: str) -> int:
    """Count the spaces after a mark that are the engine's own."""
    spaces = len(rest) - len(rest.lstrip(" "))
    if piece.space_after or not spaces:
        return 0
    following = rest[spaces : spaces + 1]
    opening = piece.kind == "tag" and not piece.text.startswith("</")
    return spaces if opening or following in ".,;:!?%)]}" else 0


def _overlaps(spans: Sequence[tuple[int, int, Kind, str]], start: int, end: int) -> bool:
    return any(start < b and end > a for a, b, _, _ in spans)


def escape(text: str) -> str:
    """Write the three characters that styled lines escape."""
    return html.escape(text, quote=False)


def shown(text: str, *, styled: bool) -> str:
    """Give *text* as it is read on the screen: without markup where it is styled."""
    return unescape(TAG.sub("", text)) if styled else text


def unescape(text: str) -> str:
    """Read the three characters that styled lines escape; anything else stays."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


__all__ = ["Kind", "MarksBroken", "Masked", "Masker", "Piece", "Restored", "escape", "shown", "unescape"]
