"""What a person changed in captions: their version with the evidence that still holds, and the words that differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import count

from callboard_schemas import Captions, Cue, Word
from msgspec import Struct
from msgspec.structs import replace

from callboard.glossary.matching import UNLIKE, resemblance
from callboard.glossary.reading import spelling
from callboard.glossary.words import piece
from callboard.timedtext.document import Document, Result
from callboard.timedtext.markup import text_lines

_SAME = 0.3
"""Share of two cues' time that must be in both for one to be the other, corrected."""
_CLOSE = 0.006
"""Seconds by which a format rounds a time: it is taken for the time that it was."""
_LONGEST = 4
"""Words of a change; longer ones are another sentence, not another spelling."""


class Change(Struct, frozen=True, kw_only=True):
    """Words that a person wrote otherwise."""

    old: str
    new: str
    cue: int
    start: float
    """Seconds: where the cue is."""


class Suggestion(Struct, frozen=True, kw_only=True):
    """A change that was made once or more often, and may belong in the glossary."""

    old: str
    new: str
    language: str
    count: int
    where: tuple[str, ...]
    """Media and times, the first ones."""
    alike: float
    """How alike the two sound and look, 0 to 1: what is far from 1 was rather reworded than misheard."""
    rewording: str = ""
    """Why it was reworded and not misheard; empty for what was misheard. Written wherever it is heard, it would spoil
    what is right."""


def corrected(before: Result, document: Document) -> Result:
    """Give a result as a person's file has it.

    Cues keep the ids of those they correct, and what the file's format cannot hold. A cue whose words are as they were
    keeps its evidence; another has none but the person's word for it. Flags go: a person has looked.
    """
    left = {cue.id: cue for cue in before.cues}
    fresh = count(max(left, default=0) + 1)
    cues: list[Cue] = []
    for cue in document.cues:
        was = _counterpart(cue, left.values())
        if was is not None:
            del left[was.id]
        cues.append(_taken(cue, was, next(fresh) if was is None else was.id))
    now = replace(before, cues=tuple(cues), confidence=1.0)
    return replace(now, language_confidence=1.0) if isinstance(now, Captions) else replace(now, method="person")


def _counterpart(cue: Cue, before: Iterable[Cue]) -> Cue | None:
    """Find the cue whose time is nearly the same; of several, the one that shares most of it."""
    best, share = None, _SAME
    for other in before:
        both = min(cue.end, other.end) - max(cue.start, other.start)
        either = max(cue.end, other.end) - min(cue.start, other.start)
        if either > 0 and both / either > share:
            best, share = other, both / either
    return best


def _taken(cue: Cue, was: Cue | None, ident: int) -> Cue:
    plain = replace(cue, id=ident, confidence=1.0, flags=(), failed=(), risk=None)
    if was is None:
        return plain
    same = text_lines(cue) == text_lines(was)
    settings = cue.settings or ("" if cue.align is not None else was.settings)
    return replace(
        plain,
        start=was.start if abs(cue.start - was.start) <= _CLOSE else cue.start,
        end=was.end if abs(cue.end - was.end) <= _CLOSE else cue.end,
        confidence=was.confidence if same else 1.0,
        no_speech=was.no_speech if same else 0.0,
        words=was.words if same else _words(cue, was),
        repairs=was.repairs if same else (),
        heard=was.heard if same else None,
        speaker=cue.speaker or was.speaker,
        kind=cue.kind if cue.kind == "sound" else was.kind,
        language=cue.language or was.language,
        align=cue.align or was.align,
        settings=settings,
    )


def _words(cue: Cue, was: Cue) -> tuple[Word, ...]:
    """Give the new words the times of the old, where there are as many; else none."""
    texts = " ".join(text_lines(cue)).split()
    if len(texts) != len(was.words):
        return ()
    return tuple(replace(word, text=text, confidence=1.0) for text, word in zip(texts, was.words, strict=True))


class _Token(Struct, frozen=True):
    text: str
    key: str
    begins: bool
    """Stands at the start of a sentence, where a capital says nothing."""
    cue: Cue


def changes(before: Sequence[Cue], after: Sequence[Cue]) -> tuple[Change, ...]:
    """Say which words of *before* stand otherwise in *after*: up to four for up to four, in the order of *after*.

    Words that were put in or left out, and sentences that were written anew, are no changes of a spelling.
    """
    texts = {cue.id: text_lines(cue) for cue in before}
    same = {cue.id for cue in after if texts.get(cue.id) == text_lines(cue)}
    old = list(_tokens(cue for cue in before if cue.id not in same))
    new = list(_tokens(cue for cue in after if cue.id not in same))
    matcher = SequenceMatcher(None, [token.key for token in old], [token.key for token in new], autojunk=False)
    found: list[Change] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "replace":
            parts = _by_cue(old[a:b], new[c:d])
            found += [_change(*part) for part in parts if max(map(len, part)) <= _LONGEST]
        elif tag == "equal":
            found += [
                _change([one], [other])
                for one, other in zip(old[a:b], new[c:d], strict=True)
                if one.text != other.text and not other.begins
            ]
    return tuple(found)


def _by_cue(old: Sequence[_Token], new: Sequence[_Token]) -> list[tuple[Sequence[_Token], Sequence[_Token]]]:
    """Part what was rewritten over several cues; what only went into one cue belongs together."""
    idents = dict.fromkeys(token.cue.id for token in new)
    if len(idents) == 1:
        return [(old, new)]
    parts = (
        ([one for one in old if one.cue.id == ident], [one for one in new if one.cue.id == ident]) for ident in idents
    )
    return [part for part in parts if part[0]]


def _change(old: Sequence[_Token], new: Sequence[_Token]) -> Change:
    return Change(
        old=" ".join(token.text for token in old),
        new=" ".join(token.text for token in new),
        cue=new[0].cue.id,
        start=new[0].cue.start,
    )


def _tokens(cues: Iterable[Cue]) -> Iterator[_Token]:
    begins = True
    for cue in cues:
        for text in " ".join(text_lines(cue)).split():
            one = piece(text)
            if one.core:
                yield _Token(one.core, spelling(one.core), begins, cue)
            begins = text[-1] in ".?!…" if text else begins


def suggestions(found: Iterable[tuple[str, str, Change]], ordinary: frozenset[str] = frozenset()) -> list[Suggestion]:
    """Sum up changes: what was misheard before what was reworded, and those made most often first.

    Args:
        found: Changes, each with the name of its media and its language.
        ordinary: Words, folded by ``spelling``, that stand in captions as they should be.
    """
    grouped: dict[tuple[str, str, str], list[tuple[str, Change]]] = {}
    for media, language, change in found:
        grouped.setdefault((spelling(change.old), change.new, language), []).append((media, change))
    told = [_suggestion(new, language, made, ordinary) for (_, new, language), made in grouped.items()]
    return sorted(told, key=lambda one: (bool(one.rewording), -one.count, one.new, one.old))


def _suggestion(new: str, language: str, made: Sequence[tuple[str, Change]], ordinary: frozenset[str]) -> Suggestion:
    old = made[0][1].old
    likeness = 1.0 if spelling(old) == spelling(new) else resemblance(old, new, language)
    rewording = ""
    if likeness < UNLIKE:
        rewording = "the two neither sound nor look alike"
    elif spelling(old) != spelling(new) and len(old.split()) == 1 and spelling(old) in ordinary:
        rewording = f"{old!r} is a word of accepted captions"
    return Suggestion(
        old=old,
        new=new,
        language=language,
        count=len(made),
        where=tuple(f"{media} at {_clock(change.start)}" for media, change in made[:3]),
        alike=round(likeness, 2),
        rewording=rewording,
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"


__all__ = ["Change", "Suggestion", "changes", "corrected", "suggestions"]
