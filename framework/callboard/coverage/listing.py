"""A cut as a shot list: an EDL that says which shots there should be, and when."""

from __future__ import annotations

from callboard.coverage.cut import Cut
from callboard.coverage.matching import shot_of
from callboard.coverage.shotlist import Listed, Shot


def listed_shots(cut: Cut) -> Listed:
    """Make a shot list of a cut; of a shot that stands in it several times, the first counts."""
    shots: dict[str, Shot] = {}
    for item in cut.items:
        name = item.shot or shot_of(item.name)
        if item.state != "gap" and name:
            shot = Shot(name=name[:256], frames=item.frames, start=cut.start + item.start, where=item.ref)
            shots.setdefault(name, shot)
    return Listed(path=cut.path, rate=cut.rate, shots=tuple(shots.values()), timed=True, notes=cut.notes)


__all__ = ["listed_shots"]
