"""What is talked about: the words and phrases that stand out in what was recognised, with where they are said.

Phrases are runs of words between stop words, punctuation and pauses, as in RAKE (Rose, Engel, Cramer and Cowley, 2010),
weighed by the C-value (Frantzi, Ananiadou and Mima, 2000): longer and more frequent is better, what comes inside
something longer only is not. A sentence model, where one is there, says how near a phrase is to the whole, and keeps
like phrases apart (maximal marginal relevance; Carbonell and Goldstein, 1998).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from callboard_schemas import Captions, Cue, Evidence, Tag, Tags, Word
from msgspec import Struct

from callboard_caption.doubt import MAYBE_NOT_SPEECH, REPETITION

if TYPE_CHECKING:
    from callboard.context import Context

Embed = Callable[[Sequence[str]], Any]
"""Gives float32 vectors of length one, texts x length."""

METHOD = "transcript-keywords"
SENTENCES = "minilm-l6-v2"
"""Model pack of the sentence model."""
GROUP = ("speech", "keywords")
LEAST = 0.3
"""Score below which a phrase is no keyword."""
_SURE = 0.5
"""Confidence below which a word ends a phrase: it may be another one."""
_LONGEST = 3
"""Words in a phrase; longer ones are sentences."""
_PAUSE = 0.7
"""Seconds of silence that end a phrase; a breath is about half a second."""
_MOST = 12
_CANDIDATES = 60
"""Phrases that the sentence model compares."""
_SHOWN = 5
"""Places given as evidence for one phrase."""
_NEAR = 0.6
"""Similarity to the whole at which a phrase is as much to the point as can be; MiniLM gives keywords 0.2 to 0.6."""
_TWINS = 0.8
"""Similarity of two phrases from which the lesser one says nothing new."""
_EDGES = re.compile(r"^[^\w]+|[^\w]+$")
_BREAKS = re.compile(r"[.,;:?!…\"»)\]]$")


class Said(Struct, frozen=True):
    """One place where a phrase is said."""

    text: str
    start: float
    end: float
    sure: float
    """Mean confidence of its words."""
    inside: bool
    """It does not begin a sentence, so that a capital means a name."""


class Phrase(Struct):
    """A phrase and every place where it is said."""

    words: tuple[str, ...]
    said: list[Said]
    weight: float = 0.0

    @property
    def text(self) -> str:
        """How it is written most often; the first of those that tie."""
        spellings = [one.text for one in self.said]
        return max(dict.fromkeys(spellings), key=spellings.count)

    @property
    def name(self) -> bool:
        """Whether it is written with capitals inside of sentences."""
        inside = [one.text for one in self.said if one.inside]
        return bool(inside) and all(part[:1].isupper() for text in inside for part in text.split())

    @property
    def sure(self) -> float:
        """How sure it is that it was said: where it was heard best."""
        return max(one.sure for one in self.said)


def keywords_of(captions: Captions, context: Context) -> Tags | None:
    """Find what is talked about, with the sentence model where the job was made with it.

    Raises:
        ModelMissing: the sentence model went away meanwhile.
        RuntimeGone: the runtime died; the job is tried again.
    """
    if SENTENCES not in context.models or not captions.cues:
        return keywords(captions)
    from callboard.embed import TextEmbedder
    from callboard.packs import find_packs

    embedder = TextEmbedder(context.runtime, find_packs()[SENTENCES])
    return keywords(captions, embedder.embed, context.models[SENTENCES])


def keywords(captions: Captions, embed: Embed | None = None, model: str = "") -> Tags | None:
    """Find what is talked about.

    Args:
        captions: Cues with word times. Cues that may be no speech, or loops of the recogniser, are left out.
        embed: A sentence model: gives each text a vector of length one.
        model: Digest of its pack.

    Returns:
        Keywords, best first; ``None`` where there are none, or no stop words are known for the language.

    Raises:
        ModelMissing: the sentence model is not here or not intact.
    """
    from stopwordsiso import has_lang, stopwords

    language = captions.language.split("-")[0].lower()
    if not has_lang(language):
        return None
    cues = [cue for cue in captions.cues if cue.words and not {MAYBE_NOT_SPEECH, REPETITION} & set(cue.flags)]
    found = _weighed(_phrases(_runs(cues, frozenset(stopwords(language)))))
    ranked = sorted(found, key=lambda phrase: (-phrase.weight, phrase.said[0].start, phrase.words))[:_CANDIDATES]
    relevance = [phrase.weight / (phrase.weight + 1.0) for phrase in ranked]
    order = list(range(len(ranked)))
    if embed is not None and ranked:
        order, relevance = _by_meaning(ranked, relevance, cues, embed)
    tags = [_tag(ranked[at], relevance[at], model) for at in order if ranked[at].sure * relevance[at] >= LEAST][:_MOST]
    if not tags:
        return None
    surest = {phrase.text: phrase.sure for phrase in ranked}
    confidence = sum(surest[tag.label] for tag in tags) / len(tags)
    return Tags(items=tuple(tags), confidence=round(confidence, 4))


def _tag(phrase: Phrase, relevance: float, model: str) -> Tag:
    evidence = [
        Evidence(start=one.start, end=max(one.end, one.start), text=one.text, value=round(one.sure, 4))
        for one in phrase.said[:_SHOWN]
    ]
    return Tag(
        label=phrase.text[:200],
        score=round(min(phrase.sure * relevance, 1.0), 4),
        method=METHOD,
        group=GROUP,
        evidence=tuple(evidence),
        threshold=LEAST,
        model=model,
    )


class _Token(Struct, frozen=True):
    """A word that may be part of a phrase."""

    text: str
    key: str
    word: Word
    first: bool
    """It begins a sentence."""


def _runs(cues: Iterable[Cue], stop: frozenset[str]) -> Iterator[list[_Token]]:
    """Give the longest runs of words that no stop word, doubt, punctuation or pause divides."""
    run: list[_Token] = []
    last, first = -math.inf, True
    for word in (word for cue in cues for word in cue.words):
        token = _Token(_EDGES.sub("", word.text), "", word, first)
        key = token.text.lower().replace("\u2019", "'")
        if run and (word.start - last > _PAUSE or _EDGES.match(word.text)):
            yield run
            run = []
        if _carries(key, word, stop):
            run.append(_Token(token.text, key, word, first))
        elif run:
            yield run
            run = []
        if run and _BREAKS.search(word.text):
            yield run
            run = []
        first = bool(re.search(r"[.?!…]$", word.text))
        last = word.end
    if run:
        yield run


def _carries(key: str, word: Word, stop: frozenset[str]) -> bool:
    """Say whether a word means something by itself and was heard well."""
    plain = key.split("'")[0]
    letters = sum(char.isalpha() for char in key)
    return letters > 1 and key not in stop and plain not in stop and word.confidence >= _SURE


def _phrases(runs: Iterable[list[_Token]]) -> list[Phrase]:
    """Gather every phrase of up to three words, with each place where it is said."""
    found: dict[tuple[str, ...], Phrase] = {}
    for run in runs:
        for size in range(1, _LONGEST + 1):
            for at in range(len(run) - size + 1):
                part = run[at : at + size]
                words = tuple(_singular(token.key) for token in part)
                sure = sum(token.word.confidence for token in part) / size
                text = " ".join(token.text for token in part)
                place = Said(text, part[0].word.start, part[-1].word.end, sure, not part[0].first)
                found.setdefault(words, Phrase(words, [])).said.append(place)
    return list(found.values())


def _singular(key: str) -> str:
    """Make one key of a word and its plainest plural, so that ``lighthouse`` and ``lighthouses`` count together."""
    return key[:-1] if len(key) > 3 and key.endswith("s") and not key.endswith(("ss", "us", "is")) else key


def _weighed(phrases: Sequence[Phrase]) -> list[Phrase]:
    """Weigh phrases by their C-value; what is said once and is no name does not stand out."""
    kept = [phrase for phrase in phrases if len(phrase.said) > 1 or phrase.name]
    longer: dict[tuple[str, ...], list[int]] = {}
    for words, number in ((phrase.words, len(phrase.said)) for phrase in kept):
        parts = {words[a:b] for a in range(len(words)) for b in range(a + 1, len(words) + 1)} - {words}
        for part in parts:
            longer.setdefault(part, []).append(number)
    for phrase in kept:
        around = longer.get(phrase.words, [])
        alone = len(phrase.said) - (sum(around) / len(around) if around else 0.0)
        phrase.weight = math.log2(len(phrase.words) + 1) * alone
    return [phrase for phrase in kept if phrase.weight > 0]


def _by_meaning(
    phrases: Sequence[Phrase], relevance: Sequence[float], cues: Sequence[Cue], embed: Embed
) -> tuple[list[int], list[float]]:
    """Order phrases by how near they are to what is said around them, like ones left out.

    Returns:
        Indices into *phrases*, best first, and the relevance of each phrase, 0 to 1.
    """
    vectors: Any = embed([*(phrase.text for phrase in phrases), *_passages(cues)])
    whole: Any = vectors[len(phrases) :].mean(axis=0)
    length = float((whole @ whole) ** 0.5) or 1.0
    near = (vectors[: len(phrases)] @ whole) / length
    meant = [0.5 * old + 0.5 * min(max(float(one) / _NEAR, 0.0), 1.0) for old, one in zip(relevance, near, strict=True)]
    order: list[int] = []
    for at in sorted(range(len(phrases)), key=lambda index: (-meant[index] * phrases[index].sure, index)):
        if all(float(vectors[at] @ vectors[other]) < _TWINS for other in order):
            order.append(at)
    return order, meant


def _passages(cues: Sequence[Cue], size: int = 6) -> list[str]:
    """Give what is said in pieces that a sentence model reads whole: some six cues of ten words."""
    lines = [" ".join(cue.lines) for cue in cues]
    return [" ".join(lines[at : at + size]) for at in range(0, len(lines), size)]


__all__ = ["GROUP", "LEAST", "METHOD", "keywords", "keywords_of"]
