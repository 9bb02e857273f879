"""A draft of a vocabulary: concepts out of somebody else's list, mended where they must be, and each mending told."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from callboard.vocabulary.concepts import Concept, Vocabulary, Words, words_of
from callboard.vocabulary.words import fold, slug

_LONGEST = 200


class Drafted(Struct, frozen=True):
    """What came of a list: concepts that stand beside each other, and in words what was changed or left out."""

    vocabulary: Vocabulary
    notes: tuple[str, ...] = ()


class Draft:
    """Takes concepts one by one; ``finish`` gives those that can stand together."""

    def __init__(self) -> None:
        self._concepts: dict[str, Concept] = {}
        self._lines: dict[str, int] = {}
        self._children: dict[tuple[str, str], str] = {}
        self._labels: dict[str, str] = {}
        self.notes: list[str] = []

    def __contains__(self, ident: object) -> bool:
        return ident in self._concepts

    def note(self, line: int, text: str) -> None:
        """Remember what was changed or left out."""
        self.notes.append(f"line {line}: {text}" if line else text)

    def new_id(self, label: str, parent: str = "") -> str:
        """Make an id that is free: of the label, else of parent and label, else with a number."""
        plain = slug(label)[:_LONGEST]
        tries = (plain, f"{parent}-{plain}"[:_LONGEST]) if parent else (plain,)
        free = next((one for one in tries if one not in self._concepts), "")
        number = 2
        while not free:
            one = f"{plain[: _LONGEST - 6]}-{number}"
            free, number = ("" if one in self._concepts else one), number + 1
        return free

    def add(self, concept: Concept, line: int = 0) -> str:
        """Take a concept; one whose id is there already adds its words to it. Returns the id."""
        before = self._concepts.get(concept.id)
        if before is None:
            self._concepts[concept.id], self._lines[concept.id] = concept, line
            self._children.setdefault((concept.parent, fold(concept.label)), concept.id)
            self._labels.setdefault(fold(concept.label), concept.id)
        else:
            self.note(line, f"{concept.id!r} was there before; its words are added")
            synonyms = (*before.synonyms, *concept.synonyms)
            if fold(concept.label) != fold(before.label):
                synonyms = (concept.label, *synonyms)
            self._concepts[concept.id] = replace(before, synonyms=synonyms, languages=_joined(before, concept))
        return concept.id

    def synonym(self, ident: str, word: str) -> None:
        """Give a concept one more synonym."""
        concept = self._concepts[ident]
        self._concepts[ident] = replace(concept, synonyms=(*concept.synonyms, word))

    def child(self, label: str, parent: str) -> str:
        """Find the concept with this label directly below *parent*; empty when there is none."""
        return self._children.get((parent, fold(label)), "")

    def named(self, word: str) -> str:
        """Find a concept by id or label; empty when there is none."""
        if word in self._concepts:
            return word
        return self._labels.get(fold(word), "")

    def parents(self) -> None:
        """Turn parents that are given by label into ids; drop those that are not there or lead in a circle."""
        for ident, concept in list(self._concepts.items()):
            if not concept.parent:
                continue
            above = self.named(concept.parent)
            if not above or above == ident:
                self.note(self._lines[ident], f"{ident!r}: no concept {concept.parent!r}; it stands at the top now")
            self._concepts[ident] = replace(concept, parent="" if above == ident else above)
        for ident in self._concepts:
            way = [ident]
            while (above := self._concepts[way[-1]].parent) and above not in way:
                way.append(above)
            if above:
                self.note(self._lines[way[-1]], f"{way[-1]!r} was above itself; it stands at the top now")
                self._concepts[way[-1]] = replace(self._concepts[way[-1]], parent="")

    def finish(self) -> Drafted:
        """Give the concepts with each word meaning one of them only."""
        self._unique_labels()
        owners = {fold(concept.label): ident for ident, concept in self._concepts.items()}
        for ident, concept in self._concepts.items():
            seen = {fold(concept.label)}
            synonyms = self._free(ident, concept.synonyms, owners, seen)
            languages = {
                tongue: Words(
                    label=next(iter(self._free(ident, (words.label,), owners, set())), None) if words.label else None,
                    synonyms=self._free(ident, words.synonyms, owners, set()),
                )
                for tongue, words in concept.languages.items()
            }
            languages = {tongue: words for tongue, words in languages.items() if words != Words()}
            self._concepts[ident] = replace(concept, synonyms=synonyms, languages=languages)
        return Drafted(Vocabulary(concepts=tuple(self._concepts.values())), tuple(self.notes))

    def _unique_labels(self) -> None:
        """Let labels that stand under several parents say which is meant, as in ``Turkey (Birds)``."""
        taken: dict[str, str] = {}
        for ident, concept in self._concepts.items():
            label = concept.label
            above = self._concepts[concept.parent].label if concept.parent else ident
            number = 2
            while fold(label) in taken:
                label = f"{concept.label[:90]} ({above[:90]})" if number == 2 else f"{concept.label[:180]} ({number})"
                number += 1
            if label != concept.label:
                other = taken[fold(concept.label)]
                text = f"{concept.label!r} is the label of {other!r} too; this one is {label!r} now"
                self.note(self._lines[ident], text)
                self._concepts[ident] = replace(concept, label=label)
            taken[fold(label)] = ident

    def _free(self, ident: str, words: Iterable[str | None], owners: dict[str, str], seen: set[str]) -> tuple[str, ...]:
        """Keep the words that mean this concept alone, each once."""
        kept: list[str] = []
        for word in words:
            key = fold(word or "")
            if not word or not key or key in seen:
                continue
            seen.add(key)
            owner = owners.setdefault(key, ident)
            if owner == ident:
                kept.append(word)
            else:
                self.note(self._lines[ident], f"{ident!r}: {word!r} already means {owner!r}; left out")
        return tuple(kept)


def _joined(one: Concept, other: Concept) -> dict[str, Words]:
    languages = dict(one.languages)
    for tongue, words in other.languages.items():
        before = languages.get(tongue, Words())
        extra = (words.label,) if words.label and before.label and fold(words.label) != fold(before.label) else ()
        synonyms = (*before.synonyms, *extra, *words.synonyms)
        languages[tongue] = Words(label=before.label or words.label, synonyms=synonyms)
    return languages


def merged(vocabulary: Vocabulary, new: Vocabulary) -> Drafted:
    """Add to *vocabulary* the concepts of *new* that it lacks, and new words to those that it has.

    What it says of a concept (label, place, thresholds) stays.
    """
    draft = Draft()
    for concept in vocabulary.concepts:
        draft.add(concept)
    same: dict[str, str] = {}
    for concept in new.concepts:
        known = vocabulary.get(concept.id) or vocabulary.find(concept.label)
        same[concept.id] = known.id if known else concept.id
    notes = len(draft.notes)
    for concept in new.concepts:
        draft.add(replace(concept, id=same[concept.id], parent=same.get(concept.parent, concept.parent)))
    del draft.notes[notes:]  # that concepts meet is what merging means
    done = draft.finish()
    return Drafted(replace(vocabulary, concepts=done.vocabulary.concepts), done.notes)


__all__ = ["Draft", "Drafted", "merged", "words_of"]
