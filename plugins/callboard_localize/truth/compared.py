"""A translation beside the cues that it was made of and beside one that is known to be good. Pure.

chrF and BLEU are sacrebleu's (https://github.com/mjpost/sacrebleu), as shares of 1; cues are paired by their ids.
"""

from __future__ import annotations

from collections.abc import Sequence

import sacrebleu
from callboard.glossary import Glossary
from callboard.glossary.finding import find, obeyed
from callboard_schemas import Cue
from msgspec import Struct


class Counted(Struct, frozen=True):
    """What was counted for one translation; those of several are added."""

    given: tuple[str, ...] = ()
    """Translated texts that have a reference."""
    wanted: tuple[str, ...] = ()
    cues: int = 0
    shifted: int = 0
    """Cues that are gone, new, in another order, or begin at another time."""
    left: int = 0
    """Cues left in the source language."""
    terms: int = 0
    obeyed: int = 0

    def __add__(self, other: Counted) -> Counted:
        names = self.__struct_fields__
        return Counted(*(getattr(self, name) + getattr(other, name) for name in names))

    def measures(self) -> dict[str, float]:
        """Give chrF and BLEU (0 to 1), the share of terms obeyed, and shares of cues shifted and left."""
        if not self.given:
            return {"chrf": 0.0, "bleu": 0.0, "glossary": 1.0, "structure-error": self._share(self.shifted)}
        return {
            "chrf": sacrebleu.corpus_chrf(self.given, [self.wanted]).score / 100,
            "bleu": sacrebleu.corpus_bleu(self.given, [self.wanted]).score / 100,
            "glossary": self.obeyed / self.terms if self.terms else 1.0,
            "structure-error": self._share(self.shifted),
            "left-error": self._share(self.left),
        }

    def _share(self, number: int) -> float:
        return number / self.cues if self.cues else float(number > 0)


def compare(
    source: Sequence[Cue],
    found: Sequence[Cue],
    wanted: Sequence[Cue],
    glossary: Glossary,
    source_language: str,
    language: str,
) -> Counted:
    """Compare the cues *found* with those that they translate, and with a good translation.

    Args:
        source: The cues that were translated.
        found: What a plugin made of them.
        wanted: A translation by a person; cues that it lacks are not scored.
        glossary: Whose terms should have been used.
        source_language: BCP 47.
        language: BCP 47, of *found* and *wanted*.
    """
    good = {cue.id: _text(cue) for cue in wanted}
    here = {cue.id: cue for cue in found}
    kept = [(cue.id, cue.start) for cue in found] == [(cue.id, cue.start) for cue in source]
    shifted = sum(here.get(cue.id) is None or here[cue.id].start != cue.start for cue in source)
    both = [(cue, here[cue.id]) for cue in source if cue.id in here]
    scored = [(_text(new), good[new.id]) for _, new in both if new.id in good]
    wishes = [_wishes(_text(old), glossary, source_language, language) for old, _ in both]
    missed = [
        sum(breach.missing for breach in obeyed(_text(old), _text(new), glossary, source_language, language))
        for old, new in both
    ]
    return Counted(
        given=tuple(new for new, _ in scored),
        wanted=tuple(reference for _, reference in scored),
        cues=len(source),
        shifted=shifted or int(not kept),
        left=sum(_text(old) == _text(new) and any(map(str.isalpha, _text(old))) for old, new in both),
        terms=sum(wishes),
        obeyed=sum(wishes) - sum(missed),
    )


def _wishes(text: str, glossary: Glossary, source: str, target: str) -> int:
    """Count the terms in *text* that the glossary has a word for in *target*."""
    terms = (glossary.get(one.term) for one in find(text, glossary, source))
    return sum(term is not None and term.called(target) is not None for term in terms)


def _text(cue: Cue) -> str:
    return " ".join(cue.lines)


__all__ = ["Counted", "compare"]
