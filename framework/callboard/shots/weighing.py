"""What a person should know before the real shot takes a placeholder's place: questions, and never guesses.

Another length, rate, size or pixel aspect, a lower version than one that was there before, two that came for one
shot, a damaged file: each is a question. What goes without saying is none: the right length, or a longer shot of
which the timecode, the project's own handles, or the clip whose very file came back, say where it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from callboard.shots.facts import Facts, Need

_NOT_ALONE = "it is not the only one that came for this shot: "


class Weighed(NamedTuple):
    """A shot, held against the place that it is for."""

    questions: tuple[str, ...]
    handles: tuple[int, int] | None
    """Its own frames before and behind what is shown; nothing where its length is not known, or too short."""


class History(NamedTuple):
    """What took the place before."""

    former: int | None = None
    """Its version; nothing where its name says none."""
    has_former: bool = False


def weigh(need: Need, facts: Facts, version: int | None, history: History, *, handles: int = 0) -> Weighed:
    """Hold a shot against the place that it is for.

    Args:
        need: What the place asks.
        facts: Of the shot.
        version: What its name says.
        history: What took the place before.
        handles: Frames that the project's shots have at each end.
    """
    questions = list(facts.problems)
    questions += _pictures(need, facts)
    length, kept = _length(need, facts, handles)
    questions += length
    questions += _versions(version, history)
    return Weighed(tuple(dict.fromkeys(questions)), kept)


def beside(questions: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Give the questions of a shot beside which others wait for the same place, by their names, or none any more."""
    own = tuple(one for one in questions if not one.startswith(_NOT_ALONE))
    return (*own, f"{_NOT_ALONE}{', '.join(sorted(others)[:3])} waits, too") if others else own


def _pictures(need: Need, facts: Facts) -> list[str]:
    found = []
    if need.rate is not None and facts.rate is not None and need.rate.fps != facts.rate.fps:
        found.append(f"it runs at {_fps(facts.rate.fps)} frames a second, and the timeline at {_fps(need.rate.fps)}")
    if need.width and facts.width and (need.width, need.height) != (facts.width, facts.height):
        found.append(f"it is {facts.width} x {facts.height}, and {need.width} x {need.height} was asked for")
    if facts.width and abs(facts.aspect / need.aspect - 1) > Fraction(1, 200):
        found.append(f"its pixels are {_ratio(facts.aspect)}, and {_ratio(need.aspect)} was asked for")
    return found


def _fps(fps: Fraction) -> str:
    return f"{float(fps):.3f}".rstrip("0").rstrip(".")


def _ratio(aspect: Fraction) -> str:
    return "square" if aspect == 1 else f"{aspect.numerator}:{aspect.denominator}"


def _length(need: Need, facts: Facts, handles: int) -> tuple[list[str], tuple[int, int] | None]:
    """Compare lengths, in the shot's own frames, and say which of them are handles."""
    if not need.frames:
        return ["how long it should be is not known"], None
    if not facts.frames:
        return ["how long it is is not known"], None
    wanted = need.frames
    if need.rate is not None and facts.rate is not None and need.rate.fps != facts.rate.fps:
        wanted = round(need.frames / need.rate.fps * facts.rate.fps)
    more = facts.frames - wanted
    if more < 0:
        return [f"it has {facts.frames} frames, and {wanted} are needed: it is {-more} shorter"], None
    fits = bool(need.lost) and need.begin <= more
    if fits and facts.name.casefold() == need.lost.casefold():
        return [], (need.begin, more - need.begin)
    head = _head(need, facts, more)
    if head is not None:
        return [], (head, more - head)
    if more == 0:
        return [], (0, 0)
    if handles and more == 2 * handles:
        return [], (handles, handles)
    told = f"it is {more} frames longer than the {wanted} that are shown, and nothing says where it begins: "
    if fits and need.begin:
        return [f"{told}after {need.begin} of them, as in {need.lost}, would be"], (need.begin, more - need.begin)
    if more % 2:
        return [f"{told}its first frame would be"], (0, more)
    return [f"{told}after {more // 2} of them would be"], (more // 2, more // 2)


def _head(need: Need, facts: Facts, more: int) -> int | None:
    """Say by timecode how many frames come before what is shown; nothing where it says nothing of that."""
    begins = facts.start
    if begins is None or need.rate is None or facts.rate is None or need.rate.fps != facts.rate.fps:
        return None
    for timecode, certain in ((need.source, True), (need.start, False)):
        wanted = need.at(timecode)
        head = None if wanted is None else wanted - begins
        # a shot that begins where the timeline counts may only carry the usual 01:00:00:00: that says nothing
        if head is not None and (1 - int(certain)) <= head <= more:
            return head
    return None


def _versions(version: int | None, history: History) -> list[str]:
    if not history.has_former:
        return []
    if version is None or history.former is None:
        return ["another took this place before, and the names do not say which is newer"]
    if version == history.former:
        return [f"version {version} took this place before, with other content"]
    if version < history.former:
        return [f"it is version {version}, and version {history.former} took this place before"]
    return []


__all__ = ["History", "Weighed", "beside", "weigh"]
