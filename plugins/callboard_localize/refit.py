"""Fitting translated cues to a delivery: lines broken anew, then time borrowed from the gap after a cue, then a flag.

A cue's start and its neighbours never move. Its end may move later, into a gap that is free, on the frame grid.
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

from callboard.timedtext import Profile, Rate
from callboard.timedtext.breaking import break_lines, lines_fit, starts_turn
from callboard.timedtext.checktime import reading
from callboard.timedtext.direction import embedded, is_right_to_left
from callboard.timedtext.found import SLACK
from callboard.timedtext.widths import width
from callboard_schemas import Cue
from msgspec import Struct
from msgspec.structs import replace

from callboard_localize.masks import shown

_STRONG: Final = ("R", "AL")
_NO_PICTURE: Final = Rate(25, 1)
"""Counts the gap where the document has no frame rate."""
_DASH: Final = re.compile(r"^((?:<[ibu]>)*)[-‐‑–—−](?:[ \u00a0]+|(?=[^\s\d‐‑–—−-]))")
_TINY: Final = 1e-6


class Fitted(Struct, frozen=True):
    """Lines and end of a cue, and what does not fit."""

    lines: tuple[str, ...]
    end: float
    problems: tuple[str, ...] = ()


class Fitting(Struct, frozen=True, kw_only=True):
    """What a document is fitted to."""

    profile: Profile
    language: str
    rate: Rate | None = None
    borrow: float = 1.0
    """Seconds that a cue may stay longer at most."""
    duration: float = 0.0
    """Of the media, in seconds, where it is known: no cue is made to outlast it."""


def laid_out(turns: Sequence[str], fitting: Fitting, *, styled: bool) -> tuple[str, ...]:
    """Break the turns of one cue into lines; each turn begins one."""
    profile, language = fitting.profile, fitting.language
    spoken = [turn for turn in turns if turn.strip()]
    together = break_lines("\n".join(spoken), profile, language, styled=styled)
    if len(spoken) > 1:
        room = max(profile.lines - len(spoken) + 1, 1)
        each = [break_lines(turn, replace(profile, lines=room), language, styled=styled) for turn in spoken]
        apart = tuple(line for lines in each for line in lines)
        if lines_fit(apart, profile, styled=styled) or not lines_fit(together, profile, styled=styled):
            together = apart
    if all(starts_turn(shown(turn, styled=styled)) for turn in spoken):
        together = tuple(_with_dash(line, profile) for line in together)
    if is_right_to_left(language):
        together = tuple(_directed(line, styled=styled) for line in together)
    return together


def _with_dash(line: str, profile: Profile) -> str:
    """Write the dash of a turn as the target's profile does, with a space or without."""
    return _DASH.sub(lambda found: found[1] + profile.dash, line)


def _directed(line: str, *, styled: bool) -> str:
    """Mark the direction of a line whose ends do not show it: a player would put its full stop on the wrong side."""
    text = shown(line, styled=styled).strip()
    edges = {unicodedata.bidirectional(char) for char in (text[:1], text[-1:]) if char}
    return line if not text or edges <= set(_STRONG) else embedded(line)


def refit(cues: Sequence[Cue], texts: Sequence[Sequence[str]], fitting: Fitting) -> list[Fitted]:
    """Fit the texts of cues to their places.

    Args:
        cues: Of the source, in any order.
        texts: For each of them its turns in the other language.
        fitting: The limits.
    """
    starts = sorted(cue.start for cue in cues)
    fitted: list[Fitted] = []
    for cue, turns in zip(cues, texts, strict=True):
        at = bisect_right(starts, cue.start)
        shared = at - bisect_left(starts, cue.start) > 1
        following = cue.start if shared else starts[at] if at < len(starts) else math.inf
        fitted.append(_fit(cue, turns, following, fitting))
    return fitted


def _fit(cue: Cue, turns: Sequence[str], following: float, fitting: Fitting) -> Fitted:
    profile = fitting.profile
    lines = laid_out(turns, fitting, styled=cue.styled)
    problems: list[str] = []
    if not lines_fit(lines, profile, styled=cue.styled):
        problems.append(_too_long(lines, profile, styled=cue.styled))
    amount, limit, unit = reading(replace(cue, lines=lines), profile)
    wanted = amount / limit
    end = _borrowed(cue, wanted, following, fitting) if cue.end - cue.start < wanted else cue.end
    shown_for = end - cue.start
    if amount > limit * (shown_for + SLACK):
        over = math.ceil(amount - limit * shown_for - _TINY)
        speed = amount / max(shown_for, 0.001)
        problems.append(f"{speed:.1f} {unit}, {limit:g} at most: shorten it by {over}")
    return Fitted(lines, end, tuple(problems))


def _borrowed(cue: Cue, wanted: float, following: float, fitting: Fitting) -> float:
    """Give the end at which the cue could be read, or as near to it as its gap and the profile allow."""
    profile = fitting.profile
    rate = fitting.rate or _NO_PICTURE
    gap = profile.gap * rate.frame
    free_until = following - gap
    limit = min(free_until, cue.start + profile.longest, cue.end + fitting.borrow, fitting.duration or math.inf)
    end = min(cue.start + wanted, limit)
    closed = profile.closed_within(rate) * rate.frame
    if math.isfinite(following) and gap <= following - end <= closed + _TINY:
        end = limit if limit == free_until else end  # a short flash of empty screen disturbs more than a long cue
    end = _on_grid(end, fitting.rate, up=end < limit - rate.frame)
    return max(cue.end, end)


def _on_grid(seconds: float, rate: Rate | None, *, up: bool) -> float:
    """Move a time to a frame, or to a millisecond; later where there is room for it."""
    if rate is None:
        return (math.ceil(seconds * 1000 - _TINY) if up else math.floor(seconds * 1000 + _TINY)) / 1000
    frame = rate.frame_at(seconds)
    if up and rate.seconds(frame) < seconds - _TINY:
        frame += 1
    if not up and rate.seconds(frame) > seconds + _TINY:
        frame -= 1
    return rate.seconds(frame)


def _too_long(lines: Sequence[str], profile: Profile, *, styled: bool) -> str:
    widest = max((width(line, profile, styled=styled) for line in lines), default=0.0)
    if len(lines) > profile.lines:
        return f"{len(lines)} lines, {profile.lines} at most: shorten it"
    return f"a line of {widest:g}, {profile.line_length} at most: shorten it"


__all__ = ["Fitted", "Fitting", "laid_out", "refit"]
