"""What a delivery allows: line length, reading speed, durations, gaps. One TOML file each, in ``profiles``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Frames = Annotated[int, Meta(ge=0, le=240)]
Positive = Annotated[float, Meta(gt=0)]


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits for one language of a delivery. A field at 0 sets no limit."""

    name: str = "web"
    language: str = ""
    """BCP 47; empty holds for any."""
    source: str = ""
    """Where the numbers are published."""
    lines: Annotated[int, Meta(ge=1, le=4)] = 2
    line_length: Annotated[int, Meta(ge=8, le=80)] = 42
    """Characters of a line at most, counted as *width* says."""
    width: Literal["characters", "half"] = "characters"
    """``half`` counts a full-width character as 1 and a half-width one as 0.5, as for Chinese, Japanese and Korean."""
    reading_speed: Positive = 17.0
    """Characters a second at most, spaces included."""
    count_spaces: bool = True
    """Whether spaces count for the reading speed and the line length."""
    shortest: Positive = 5 / 6
    """Seconds."""
    longest: Positive = 7.0
    """Seconds."""
    gap: Frames = 2
    """Frames between two cues at least."""
    close_gaps: Frames = 11
    """Gaps of up to so many frames are closed to *gap*; 0 leaves them."""
    shot_snap: Frames = 12
    """A cue that starts or ends within so many frames of a shot change is moved to it; 0 leaves it."""
    linger: Annotated[float, Meta(ge=0)] = 0.5
    """Seconds that a cue may stay after its last word."""
    early: Frames = 3
    """Frames that a cue may start before or after its first word."""
    dash: str = "-"
    """What begins each line when two people speak in one cue; with a space where the language wants one."""
    ellipsis: Literal["", "…", "..."] = ""
    """How three dots are written; empty allows both."""
    italics: bool = True
    """Whether italics are allowed."""
    sound_brackets: Annotated[str, Meta(min_length=2, max_length=2)] = "[]"
    """What encloses a sound description."""


__all__ = ["Frames", "Profile"]
