"""The lock: engines are given lines and never cues, and what they answer is verified line by line.

Ids, times, order and number of the cues never leave this process. A line whose answer does not prove to be its own
is tried again alone, with its context and then without; where that fails too, its cue stays in its own language
and says why. No answer is ever put into another cue than the one that asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from callboard.errors import Blocked, JobError
from callboard.glossary.terms import primary
from callboard_schemas import Cue
from msgspec import Struct

from callboard_localize.engines import Engine, Hints, Line
from callboard_localize.masks import Masked, Masker, shown
from callboard_localize.parts import Turn, put_together, taken_apart
from callboard_localize.verify import Answer, Refused, alike, holds, read_answer
from callboard_localize.work import Place, Unit, units

REORDERED: Final = "kept pieces in another order"
UNKNOWN: Final = "a word that the engine does not know"
LEFT: Final = "left in its own language"
_GIVE_UP: Final = 10
"""Calls after which an engine that has answered none of them is not asked again."""

Progress = Callable[[float], None]


class Locked(Struct, frozen=True):
    """What became of one cue."""

    turns: tuple[str, ...]
    """Its text in the target language, one for each turn: to be broken into lines; as it was where it is not."""
    flags: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    doubt: float = 0.0
    """What its engine doubts of it, 0 to 1, on a scale of the engine's own."""

    @property
    def kept(self) -> bool:
        """Whether it stays in its own language because no answer proved to be its own."""
        return any(reason.startswith(LEFT) for reason in self.failed)


class Lock:
    """Translates cues with one engine."""

    def __init__(self, engine: Engine, masker: Masker, hints: Hints | None = None, context_lines: int = 3) -> None:
        self._engine, self._masker = engine, masker
        self._hints = hints or Hints()
        self._context = context_lines
        self._begin()

    def translate(
        self, cues: Sequence[Cue], language: str, *, join: bool = True, progress: Progress = lambda _: None
    ) -> list[Locked]:
        """Translate *cues*: as many come back, each with its own text or with why it has none.

        Args:
            cues: In order.
            language: BCP 47, of the cues.
            join: Whether to translate sentences that run over several cues as one.
            progress: Told the share that is done, 0 to 1.

        Raises:
            Blocked: the engine cannot be reached.
            JobError: the engine answered nothing at all.
        """
        self._begin()
        taken = [() if _foreign(cue, language) else taken_apart(cue, language) for cue in cues]
        plain = [shown(" ".join(cue.lines), styled=cue.styled) for cue in cues]
        waiting = units(cues, taken, join=join)
        total = max(len(waiting), 1)
        broken = self._batches(waiting, plain, lambda done: progress(0.9 * done / total))
        again = [unit for one in broken if len(one.places) > 1 for unit in one.alone()]
        alone = [one for one in broken if len(one.places) == 1]
        alone += self._batches(again, plain, lambda _: None)
        self._one_by_one(alone, waiting, plain)
        if waiting and not self._answers and self._trouble is not None:
            raise self._nothing() from self._trouble
        progress(1.0)
        return [self._outcome(at, cue, turns) for at, (cue, turns) in enumerate(zip(cues, taken, strict=True))]

    def _begin(self) -> None:
        self._done: dict[Place, str] = {}
        self._words: dict[Place, tuple[str, str]] = {}
        self._told: dict[Place, Answer] = {}
        self._why: dict[Place, str] = {}
        self._asked = self._answers = 0
        self._trouble: Exception | None = None

    def _batches(self, waiting: Sequence[Unit], plain: Sequence[str], progress: Progress) -> list[Unit]:
        """Translate units in batches; give those whose answers were refused."""
        size = max(self._engine.batch, 1)
        refused: list[Unit] = []
        for start in range(0, len(waiting), size):
            batch = waiting[start : start + size]
            refused += self._batch(batch, plain, guard=not self._engine.separate)
            progress(start + len(batch))
        return refused

    def _batch(self, batch: Sequence[Unit], plain: Sequence[str], *, guard: bool) -> list[Unit]:
        masked: list[Masked] = []
        first = 0
        for unit in batch:
            masked.append(self._masker.mask(unit.texts, styled=unit.styled, first=first, guard=guard))
            first += len(masked[-1].pieces)
        lines = [self._line(unit, one, plain, self._context) for unit, one in zip(batch, masked, strict=True)]
        try:
            answers = self._ask(lines)
        except Refused as refused:
            return [self._refuse(unit, str(refused)) for unit in batch]
        read = [self._read(*each) for each in zip(batch, masked, answers, strict=True)]
        doubled = _doubled(batch, read)
        failed: list[Unit] = []
        for at, (unit, answer) in enumerate(zip(batch, read, strict=True)):
            if isinstance(answer, Refused):
                failed.append(self._refuse(unit, str(answer)))
            elif at in doubled:
                failed.append(self._refuse(unit, "the same answer came for different lines"))
            else:
                self._accept(unit, answer)
        return failed

    def _one_by_one(self, refused: Sequence[Unit], every: Sequence[Unit], plain: Sequence[str]) -> None:
        """Try parts alone with their context, then without it what was refused or may hold a neighbour's text."""
        parts = [part for unit in every for part in unit.alone()]
        bare = [unit for unit in sorted(refused, key=_place) if not self._alone(unit, plain, self._context)]
        lost = {unit.places[0][0] for unit in bare}
        doubted = {unit.places[0] for unit in bare}
        proved: set[Place] = set()
        if not self._engine.separate:
            # what leaked out of a neighbour that has no text of its own could not be seen
            reach = max(self._context, 1)
            near = {cue + step for cue in lost for step in range(-reach, reach + 1)}
            doubted |= {part.places[0] for part in parts if part.places[0][0] in near}
        while True:
            if not self._engine.separate:
                doubted |= set(self._overlapping(parts))
            doubted |= {place for unit in every if doubted & set(unit.places) for place in unit.places}
            if doubted <= proved:
                return
            for part in parts:
                if part.places[0] in doubted - proved:
                    self._forget(part.places[0])
                    self._alone(part, plain, 0)
            proved |= doubted

    def _forget(self, place: Place) -> None:
        self._done.pop(place, None)
        self._words.pop(place, None)
        self._told.pop(place, None)

    def _alone(self, unit: Unit, plain: Sequence[str], context: int) -> bool:
        """Try one part alone, with so many neighbours as context; say whether its answer was taken."""
        masked = self._masker.mask(unit.texts, styled=unit.styled, guard=not self._engine.separate)
        try:
            read = self._read(unit, masked, self._ask([self._line(unit, masked, plain, context)])[0])
        except Refused as refused:
            read = refused
        if isinstance(read, Refused):
            self._refuse(unit, str(read))
            return False
        self._accept(unit, read)
        return True

    def _overlapping(self, parts: Sequence[Unit]) -> Iterator[Place]:
        """Give the places of parts of which one says what its neighbour says, where their sources do not."""
        for at, unit in enumerate(parts):
            for other in parts[at + 1 : at + 2 + self._context]:
                one, two = unit.places[0], other.places[0]
                if one in self._words and two in self._words:
                    (said, asked), (came, wanted) = self._words[one], self._words[two]
                    if (holds(said, came) or holds(came, said)) and not _related(asked, wanted):
                        yield from (one, two)

    def _ask(self, lines: Sequence[Line]) -> Sequence[str]:
        if self._trouble is not None and not self._answers and self._asked >= _GIVE_UP:
            raise self._nothing()
        self._asked += 1
        try:
            answers = list(self._engine.translate(lines, self._hints))
        except Blocked:
            raise
        except Exception as error:
            self._trouble = error
            raise Refused(f"the engine refused it: {str(error).partition(chr(10))[0]}") from error
        self._answers += 1
        if len(answers) != len(lines):
            raise Refused(f"{len(answers)} answers came for {len(lines)} lines")
        return answers

    def _nothing(self) -> JobError:
        return JobError(
            f"{self._engine.name} translates nothing: {self._trouble}",
            "Choose another engine, or see why this one refuses.",
        )

    def _read(self, unit: Unit, masked: Masked, answer: object) -> Answer | Refused:
        try:
            return read_answer(self._masker, unit, masked, answer)
        except Refused as refused:
            return refused

    def _line(self, unit: Unit, masked: Masked, plain: Sequence[str], context: int) -> Line:
        first, last = unit.places[0][0], unit.places[-1][0]
        return Line(
            text=masked.text,
            before=tuple(text for text in plain[max(first - context, 0) : first] if text) if context else (),
            after=tuple(text for text in plain[last + 1 : last + 1 + context] if text) if context else (),
            speaker=unit.speaker,
        )

    def _accept(self, unit: Unit, read: Answer) -> None:
        for place, text, said, asked in zip(unit.places, read.texts, read.said, read.asked, strict=True):
            self._done[place] = text
            self._words[place] = (said, asked)
            self._why.pop(place, None)
            self._told[place] = read

    def _refuse(self, unit: Unit, why: str) -> Unit:
        self._why.update(dict.fromkeys(unit.places, why))
        return unit

    def _outcome(self, at: int, cue: Cue, turns: Sequence[Turn]) -> Locked:
        if not turns and cue.language is not None and cue.lines:
            return Locked(cue.lines, failed=(f"{LEFT}: it is in {cue.language}, and was not translated",))
        places = [(at, number, place) for number, turn in enumerate(turns) for place in range(len(turn))]
        lost = [self._why[place] for place in places if place in self._why]
        texts = [
            [part.text if lost else self._done.get((at, number, place), part.text) for place, part in enumerate(turn)]
            for number, turn in enumerate(turns)
        ]
        together = tuple(put_together(turn, said) for turn, said in zip(turns, texts, strict=True))
        if lost:
            return Locked(together, failed=(f"{LEFT}: {lost[0]}",))
        told = [self._told[place] for place in places if place in self._told]
        flags = [REORDERED] if any(answer.reordered for answer in told) else []
        # an unknown word with a capital is mostly a name, and names stay
        unknown = dict.fromkeys(
            word for answer in told for word in answer.unknown if word[:1].islower() and len(word) > 2
        )
        flags += [f"{UNKNOWN}: {word!r}" for word in unknown]
        sure = [answer.confidence for answer in told if answer.confidence is not None]
        return Locked(together, flags=tuple(flags), doubt=1.0 - min(max(min(sure), 0.0), 1.0) if sure else 0.0)


def _place(unit: Unit) -> tuple[Place, ...]:
    return unit.places


def _foreign(cue: Cue, language: str) -> bool:
    return cue.language is not None and primary(cue.language) != primary(language)


def _related(one: str, other: str) -> bool:
    return alike(one, other) or holds(one, other) or holds(other, one)


def _doubled(batch: Sequence[Unit], read: Sequence[Answer | Refused]) -> set[int]:
    """Give the places in a batch whose answer is that of another line which says something else."""
    first: dict[tuple[str, ...], list[int]] = {}
    for at, answer in enumerate(read):
        if not isinstance(answer, Refused):
            first.setdefault(tuple(text.casefold() for text in answer.texts), []).append(at)
    return {
        at
        for same in first.values()
        for at in same
        if any(not alike(" ".join(batch[at].texts), " ".join(batch[other].texts)) for other in same)
    }


__all__ = ["LEFT", "REORDERED", "UNKNOWN", "Lock", "Locked"]
