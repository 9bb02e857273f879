"""Where times of media are on the timeline."""

from __future__ import annotations

from callboard_kdenlive.outcome import Work
from callboard_kdenlive.refs import is_bin, number_of
from callboard_kdenlive.uses import Placed, on_timeline


def targets(work: Work) -> list[Placed]:
    """Give the uses on the timeline that a command is for: the one it names, or all of a clip of the bin."""
    use = work.command.use
    if use is None:
        return []
    found = on_timeline(work.project)
    if is_bin(use.ref):
        number = number_of(work.project, use.ref)
        return [placed for placed in found if placed.item.clip == number]
    return [placed for placed in found if placed.use.ref == use.ref]


def mapped(work: Work, seconds: float) -> list[float]:
    """Give where a time of the media is shown; nowhere where it is cut away."""
    found = []
    for placed in targets(work):
        at = on_use(placed, seconds)
        if placed.use.start <= at < placed.use.start + placed.use.duration and not placed.frozen:
            found.append(at)
    return found


def on_use(placed: Placed, seconds: float) -> float:
    """Give the time on the timeline at which a use shows a time of its media, also beyond its ends."""
    return placed.use.start + (seconds - placed.use.source_in) / placed.use.speed


__all__ = ["mapped", "on_use", "targets"]
