"""Where the pictures of a file stand in time, by what the file says of itself."""

from __future__ import annotations

import contextlib

from callboard.media import MediaFacts
from callboard.timedtext.rate import Rate, rate_of


def first_frame(facts: MediaFacts, rate: Rate) -> int | None:
    """Give the frame of the first picture as the file's timecode counts, at *rate*; nothing where it has none."""
    said = next((stream.timecode for stream in facts.video if stream.timecode), "")
    said = said or facts.metadata.get("timecode", "")
    if not said:
        return None
    own = facts.video[0].frame_rate if facts.video else 0.0
    with contextlib.suppress(ValueError):
        counted = rate_of(own, drop=";" in said) if own else Rate(rate.numerator, rate.denominator, ";" in said)
        return rate.frame_at(counted.seconds(counted.frame_of(said)))
    return None


__all__ = ["first_frame"]
