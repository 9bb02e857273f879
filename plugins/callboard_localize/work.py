"""What is given to an engine: stretches of cues, and sentences that run over several cues joined into one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from callboard_schemas import Cue
from msgspec import Struct

from callboard_localize.masks import TAG, shown
from callboard_localize.parts import Part, Turn

MOST_JOINED: Final = 4
"""Cues of one sentence that are joined; longer ones lose marks and are cut anew where they are."""
_BREATH: Final = 1.0
"""Seconds between two cues from which the second is taken to begin anew."""
_ENDED: Final = re.compile(r"[.?!…:;。？！⋯]['\"”’»)\]]*$")
_GOES_ON: Final = re.compile(r"^['\"“‘«(]?[^\W\d_]")

Place = tuple[int, int, int]
"""Of a part: which cue, which of its turns, which part of that."""


class Unit(Struct, frozen=True):
    """One line for an engine: a part, or the parts of neighbouring cues that make a sentence."""

    places: tuple[Place, ...]
    texts: tuple[str, ...]
    styled: bool
    speaker: str = ""

    def alone(self) -> list[Unit]:
        """Give each of its parts as a unit of its own."""
        parts = zip(self.places, self.texts, strict=True)
        return [Unit((place,), (text,), self.styled, self.speaker) for place, text in parts]


def units(cues: Sequence[Cue], taken: Sequence[Sequence[Turn]], *, join: bool) -> list[Unit]:
    """List what there is to translate in *cues*, in order.

    Args:
        cues: In order.
        taken: The turns of each.
        join: Whether sentences that run over several cues become one unit.
    """
    found: list[Unit] = []
    for at, (cue, turns) in enumerate(zip(cues, taken, strict=True)):
        single = _single(turns)
        if join and single is not None and found and _continues(found[-1], cues, taken, at, single):
            last = found.pop()
            found.append(Unit((*last.places, (at, 0, 0)), (*last.texts, single.text), cue.styled, last.speaker))
            continue
        found += [
            Unit(((at, number, place),), (part.text,), cue.styled, cue.speaker or "")
            for number, turn in enumerate(turns)
            for place, part in enumerate(turn)
            if part.spoken
        ]
    return found


def _single(turns: Sequence[Turn]) -> Part | None:
    if len(turns) != 1 or len(turns[0]) != 1 or not turns[0][0].spoken:
        return None
    return turns[0][0]


def _continues(unit: Unit, cues: Sequence[Cue], taken: Sequence[Sequence[Turn]], at: int, part: Part) -> bool:
    """Say whether *part* goes on with the sentence that *unit* begins."""
    last_at = unit.places[-1][0]
    before = _single(taken[last_at])
    cue, last = cues[at], cues[last_at]
    if before is None or last_at != at - 1 or len(unit.places) >= MOST_JOINED:
        return False
    same = (cue.speaker, cue.kind, cue.styled, cue.language) == (last.speaker, last.kind, last.styled, last.language)
    if not same or not -_BREATH < cue.start - last.end < _BREATH:
        return False
    if TAG.sub("", before.before + before.after + part.before + part.after).strip():
        return False
    begins = _GOES_ON.match(shown(part.text, styled=cue.styled))
    ended = _ENDED.search(shown(before.text, styled=cue.styled))
    return begins is not None and begins[0][-1].islower() and not ended


__all__ = ["MOST_JOINED", "Place", "Unit", "units"]
