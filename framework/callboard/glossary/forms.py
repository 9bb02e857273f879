"""The ways in which a glossary's terms sound, and how alike each is to what was heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from rapidfuzz import fuzz, process

from callboard.glossary.sounds import alike, rough, sounds
from callboard.glossary.terms import Term
from callboard.glossary.words import bare, possessive

_NEAR = 65.0
"""Likeness of rough sounds, 0 to 100, under which two are not compared: none over ``LEAST`` was seen below 67."""
_BY_LETTERS = 0.15
"""How much of the likeness is that of letters; the rest is that of sounds."""
_MORE = 3
"""Words that a name may be heard as beyond its own."""


class Form(Struct, frozen=True):
    """One way in which a term sounds."""

    term: Term
    sound: str
    rough: str
    letters: str
    words: int


def forms_of(terms: Sequence[Term], language: str) -> tuple[Form, ...]:
    """Give how each term sounds: as it is written, in each variant, and by each hint."""

    def made(term: Term, text: str) -> Form:
        sound = sounds(text.replace("-", "") if text in term.sounds_like else text, language)
        return Form(term, sound, rough(sound), bare(text), len(text.split()))

    given = ((term, text) for term in terms for text in dict.fromkeys((term.text, *term.variants, *term.sounds_like)))
    return tuple(form for form in (made(term, text) for term, text in given) if form.sound)


def near(core: Sequence[str], forms: Sequence[Form], rough_forms: Sequence[str], language: str) -> list[Form]:
    """Leave out at little cost the forms that are nothing like what was heard."""
    heard = rough(sounds(" ".join(core), language))
    close = process.extract(heard, rough_forms, scorer=fuzz.ratio, score_cutoff=_NEAR, limit=None)
    return [forms[at] for _, _, at in close if len(core) <= forms[at].words + _MORE]


def score_of(sound: str, letters: str, form: Form, least: float) -> float:
    """Say how alike they are: by sound, and a little by letters, which tell two names of one sound apart.

    What is sure to be under *least* may be told to be less than it is.
    """
    spelled = _BY_LETTERS * fuzz.ratio(letters, form.letters) / 100
    return (1 - _BY_LETTERS) * alike(sound, form.sound, (least - spelled) / (1 - _BY_LETTERS)) + spelled


def bodies(core: Sequence[str]) -> Iterator[str]:
    """Give what is compared: without a possessive, and also without what may be a plural."""
    last, _ = possessive(core[-1])
    yield " ".join([*core[:-1], last])
    if last == core[-1] and last[-1:] == "s" and len(last) > 3:
        yield " ".join([*core[:-1], last[:-1]])


__all__ = ["Form", "bodies", "forms_of", "near", "score_of"]
