"""Names that a recogniser spelled its own way, found among the words that it was not sure of.

A repair is a proposal with its evidence: what was heard, what is written instead, and how alike the two are. Words that
the recogniser is sure of are never touched, but for the spellings that a glossary itself lists as variants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callboard_schemas import Cue, Repair, Word
from msgspec import Struct
from msgspec.structs import replace

from callboard.glossary.forms import Form, bodies, forms_of, near, score_of
from callboard.glossary.reading import spelling
from callboard.glossary.sounds import alike, sounds
from callboard.glossary.terms import Glossary, Term
from callboard.glossary.words import Piece, bare, piece, possessive

SURE = 0.9
"""Confidence of a word that is not touched, whatever it sounds like."""
LEAST = 0.62
"""How alike a name of eight sounds and what was heard must be; shorter ones more."""
UNLIKE = 0.35
"""Resemblance under which two words are not one that was misheard: what people reworded stays under 0.3."""
DOUBTFUL = 0.85
"""Repairs under this score must be looked at by a person before they ship."""
_SHORT = 0.03
"""What each sound under eight asks more of the likeness: short names are like many words."""
_KNOWN = 0.12
"""What is asked more where all words of the span are ordinary ones."""
FLAG = "spelled by the glossary"
"""Stands among the flags of a cue that has a repair."""
_LONGEST = 5
"""Words that one name may be heard as."""
_PAUSE = 0.7
"""Seconds of silence that no name goes across."""


class Repaired(Struct, frozen=True, kw_only=True):
    """Words with the glossary's spellings, and what was changed."""

    words: tuple[Word, ...]
    repairs: tuple[Repair, ...] = ()
    """Each with the index, in ``words``, of the first word that it wrote."""


class _Match(Struct, frozen=True):
    """A span of words that sounds like a term."""

    start: int
    end: int
    term: Term
    score: float


def repair(
    words: Sequence[Word],
    glossary: Glossary | None,
    language: str,
    *,
    below: float,
    known: frozenset[str] = frozenset(),
) -> Repaired:
    """Write the glossary's terms where a recogniser was not sure of what it heard.

    A span of one to five words becomes a term when it holds a word under *below* and none that is sure, and sounds
    like it. What is written keeps possessive, plural, punctuation and brackets of what was heard.

    Args:
        words: In spoken order.
        glossary: ``None`` changes nothing.
        language: Of the words, BCP 47.
        below: Confidence under which a word is doubted, 0 to 1.
        known: Ordinary words of the language, folded by ``spelling``: a span of nothing else must sound more alike.

    Returns:
        The words, those of a repaired span made one for each word of the term; and the repairs.
    """
    if glossary is None or not glossary.of(language):
        return Repaired(words=tuple(words))
    pieces = [piece(word.text) for word in words]
    matches = list(_listed(words, pieces, glossary, language))
    taken = {at for match in matches for at in range(match.start, match.end)}
    sure = _sure_words(words, pieces) | known
    found = sorted(
        _heard(words, pieces, glossary, language, below, sure, taken),
        key=lambda match: (-match.score, match.end - match.start, match.start),
    )
    for match in found:
        span = range(match.start, match.end)
        if not taken.intersection(span):
            matches.append(match)
            taken.update(span)
    return _written(words, pieces, sorted(matches, key=lambda match: match.start), language)


def resemblance(heard: str, text: str, language: str) -> float:
    """Say how alike what was heard and *text* sound and look, 0 to 1, whatever the context."""
    sound, letters = sounds(heard, language), bare(heard)
    forms = forms_of((Term(text=text),), language)
    return max((score_of(sound, letters, form, 0.0) for form in forms), default=0.0)


def _listed(words: Sequence[Word], pieces: Sequence[Piece], glossary: Glossary, language: str) -> Iterator[_Match]:
    """Find spellings that the glossary lists, in words of any confidence."""
    by_spelling: dict[tuple[str, ...], tuple[Term, bool]] = {}
    for term in glossary.of(language):
        for variant in term.variants:
            by_spelling[_key(variant, term.case)] = term, term.case
        if not term.case:
            by_spelling.setdefault(_key(term.text, False), (term, False))
    longest = max(map(len, by_spelling), default=0)
    at = 0
    while at < len(words):
        for length in range(min(longest, len(words) - at), 0, -1):
            span = pieces[at : at + length]
            if any(one.after for one in span[:-1]):
                continue
            core = [*(one.core for one in span[:-1]), possessive(span[-1].core)[0]]
            known = by_spelling.get(_key(" ".join(core), False)) or by_spelling.get(_key(" ".join(core), True))
            if known is not None and not _as_written(core, known[0]):
                yield _Match(at, at + length, known[0], 1.0)
                at += length - 1
                break
        at += 1


def _key(text: str, case: bool) -> tuple[str, ...]:
    return tuple(text.split()) if case else ("", *spelling(text).split())


def _as_written(core: Sequence[str], term: Term) -> bool:
    """Say whether what was heard is the term already, maybe with a capital at the start of a sentence."""
    return " ".join(core) in (term.text, _begun(term.text))


def _begun(text: str) -> str:
    """Give a term as it begins a sentence: ``iPhone`` keeps its small letter, ``de Silva`` does not."""
    return text if any(map(str.isupper, text.split()[0])) else text[:1].upper() + text[1:]


def _sure_words(words: Sequence[Word], pieces: Sequence[Piece]) -> frozenset[str]:
    """Give the words that the recogniser was sure of somewhere: those it knows how to spell."""
    return frozenset(spelling(one.core) for word, one in zip(words, pieces, strict=True) if word.confidence >= SURE)


def _heard(
    words: Sequence[Word],
    pieces: Sequence[Piece],
    glossary: Glossary,
    language: str,
    below: float,
    sure: frozenset[str],
    taken: set[int],
) -> Iterator[_Match]:
    """Find spans that sound like a term, in words that the recogniser was not sure of."""
    forms = forms_of(glossary.of(language), language)
    rough_forms = [form.rough for form in forms]
    for start in range(len(words)):
        for end in range(start + 1, min(start + _LONGEST, len(words)) + 1):
            if end - 1 in taken or words[end - 1].confidence >= SURE or not bare(pieces[end - 1].core):
                break
            if any(word.confidence < below for word in words[start:end]):
                core = [one.core for one in pieces[start:end]]
                ordinary = all(spelling(possessive(one)[0]) in sure for one in core)
                close = near(core, forms, rough_forms, language)
                yield from _named(start, core, close, language, ordinary=ordinary)
            if pieces[end - 1].after or (end < len(words) and words[end].start - words[end - 1].end > _PAUSE):
                break


def _named(
    start: int, core: Sequence[str], forms: Sequence[Form], language: str, *, ordinary: bool
) -> Iterator[_Match]:
    best: dict[str, _Match] = {}
    for told in bodies(core):
        sound, letters = sounds(told, language), bare(told)
        for form in forms:
            least = LEAST + _SHORT * max(8 - len(form.sound), 0) + (_KNOWN if ordinary else 0.0)
            score = score_of(sound, letters, form, least)
            if form.term.case and f" {spelling(form.term.text)} " in f" {spelling(told)} ":
                continue  # the ordinary word, or the term as it should be: its capital is all that tells
            if score >= least and (form.term.id not in best or best[form.term.id].score < score):
                best[form.term.id] = _Match(start, start + len(core), form.term, round(min(score, 0.99), 4))
    yield from best.values()


def _written(words: Sequence[Word], pieces: Sequence[Piece], matches: Sequence[_Match], language: str) -> Repaired:
    """Put the terms where they were found."""
    after: list[Word] = []
    repairs: list[Repair] = []
    at = 0
    for match in matches:
        after.extend(words[at : match.start])
        span = pieces[match.start : match.end]
        heard = " ".join(one.core for one in span)
        body = _spelled(match, pieces, language)
        if body != heard:
            repairs.append(Repair(word=len(after), heard=heard, written=body, term=match.term.id, score=match.score))
            after.extend(_spread(f"{span[0].before}{body}{span[-1].after}".split(), words[match.start : match.end]))
        else:
            after.extend(words[match.start : match.end])
        at = match.end
    return Repaired(words=(*after, *words[at:]), repairs=tuple(repairs))


def _spelled(match: _Match, pieces: Sequence[Piece], language: str) -> str:
    """Give the term with the ending and the capitals of what was heard."""
    span = pieces[match.start : match.end]
    text, last = match.term.text, span[-1].core
    ending = possessive(last)[1]
    if not ending and last[-1:] == "s" and text[-1:] != "s" and _plural(span, match.term, language):
        ending = "s"
    begins = match.start == 0 or pieces[match.start - 1].after[:1] in tuple(".?!…")
    if begins and span[0].core[:1].isupper():
        text = _begun(text)
    if len(span[0].core) > 1 and all(one.core.isupper() for one in span):
        text = text.upper()
    return text + ending


def _plural(span: Sequence[Piece], term: Term, language: str) -> bool:
    """Say whether the last word sounds much like the term, and more so once its ``s`` is gone."""
    forms = forms_of((term,), language)
    with_s, *without = [
        max(alike(sounds(body, language), form.sound) for form in forms) for body in bodies([one.core for one in span])
    ]
    return bool(without) and without[0] > max(with_s, DOUBTFUL)


def _spread(texts: Sequence[str], heard: Sequence[Word]) -> Iterator[Word]:
    """Share the time of what was heard among the words written instead, by their letters; no word is surer than was."""
    start, end = heard[0].start, max(word.end for word in heard)
    least = min(word.confidence for word in heard)
    total, done = sum(map(len, texts)), 0
    for text in texts:
        begins = start + (end - start) * done / total
        done += len(text)
        ends = start + (end - start) * done / total
        yield Word(text=text, start=round(begins, 3), end=round(ends, 3), confidence=least)


def attach(cues: Sequence[Cue], repairs: Sequence[Repair]) -> list[Cue]:
    """Tell each cue which of its words the glossary spelled, once repaired words were laid out as cues.

    A cue with a repair is flagged; one whose repair is in doubt fails, so that it does not ship unseen.

    Args:
        cues: In order, with the words that ``repair`` gave: every word in one cue.
        repairs: Their ``word`` counts over all the words.
    """
    told: list[Cue] = []
    first = 0
    for cue in cues:
        own = [one for one in repairs if first <= one.word < first + len(cue.words)]
        if own:
            doubts = tuple(f"heard as {one.heard!r}: is it {one.written!r}?" for one in own if one.score < DOUBTFUL)
            cue = replace(
                cue,
                repairs=(*cue.repairs, *(replace(one, word=one.word - first) for one in own)),
                flags=tuple(dict.fromkeys((*cue.flags, FLAG))),
                failed=tuple(dict.fromkeys((*cue.failed, *doubts))),
            )
        told.append(cue)
        first += len(cue.words)
    return told


__all__ = ["DOUBTFUL", "FLAG", "LEAST", "SURE", "UNLIKE", "Repaired", "attach", "repair", "resemblance"]
