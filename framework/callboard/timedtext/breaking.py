"""Lines of a cue: as few as hold it, within the limit wherever that can be, broken where the syntax allows.

Among the divisions into the fewest lines that fit, the best one is found by dynamic programming: each break costs what
``syntax.break_cost`` says, each line what it is off from an even share, the lower lines wished a little longer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from callboard.timedtext.direction import ENDS, MARKS
from callboard.timedtext.phrases import Phrases, phrases
from callboard.timedtext.pieces import Piece, pieces
from callboard.timedtext.profile import Profile
from callboard.timedtext.styled import Rich, rich, written
from callboard.timedtext.syntax import SENTENCE, break_cost
from callboard.timedtext.widths import width

_SHAPE: Final = 1.4
"""What it costs a line to be off by its whole length from an even share."""
_LEAN: Final = 0.04
"""How much longer each line is wished than the one above: a short upper line hides less of the picture."""
_MANY: Final = 300
"""Pieces past which a text is divided into two lines at most: it cannot fit, and three cost their square."""
_DASH = re.compile(r"[-‐‑–—−](?![-‐‑–—−])\s?(?=\S)")
_BLANK: Final = (
    " \t\r\f\v\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u202f\u205f\u3000"
)
_UNEVEN = re.compile(r"\s\s|[\t\r\f\v]")
_INLINE = re.compile(r"(?<=[.!?…\"”»)\]])[ \t]+(?=[-‐–—][ \t]?[^\s\d\-‐–—])")


class Division(NamedTuple):
    """A turn divided into lines, to be compared with others: what is over the limit, how many lines, how they read."""

    over: float
    lines: int
    cost: float
    breaks: tuple[int, ...] = ()
    """Index of the piece that begins each line but the first."""


def break_lines(text: str, profile: Profile, language: str = "", *, styled: bool = False) -> tuple[str, ...]:
    r"""Break the text of a cue into lines.

    Words, and the order they are in, stay as they are; white space between them becomes one space or a line's end.
    Lines that begin with a dialogue dash stay lines of their own, and markup is closed and opened again at line ends.
    A mark of direction that begins the text begins every line.

    Args:
        text: The text, with ``\n`` where it is broken now; ``"\n".join(cue.lines)``.
        profile: Limits: ``lines``, ``line_length`` and how width counts.
        language: BCP 47; empty takes the profile's.
        styled: As the cue says: whether *text* holds markup and entities, or ``<`` and ``&`` are themselves.

    Returns:
        Lines without blanks at their ends; none of blank text. They can be more than the profile allows, where more
        people speak, and longer, where a word alone is; ``fits`` says so.
    """
    language = language or profile.language
    shown = [line for raw in _split(rich(text, styled=styled)) if (line := _trimmed(raw)).text]
    if not shown:
        return ()
    mark, end = _marks(shown)
    if mark:
        shown = [line for raw in shown if (line := _trimmed(_unmarked(raw))).text] or [Rich("")]
    if len(shown) == 1 and _is_one_line(shown[0], profile):
        return (mark + written(shown[0], styled=styled) + end,)
    turns = [pieces(turn) for turn in _turns(shown)]
    lines = [line for turn in _share(turns, profile, phrases(language)) for line in turn]
    return tuple(mark + written(line, styled=styled) + end for line in lines)


def fits(text: str, profile: Profile, language: str = "", *, styled: bool = False) -> bool:
    """Say whether the text of a cue can be broken into lines that keep to the profile's limits."""
    lines = break_lines(text, profile, language, styled=styled)
    return lines_fit(lines, profile, styled=styled)


def lines_fit(lines: Sequence[str], profile: Profile, *, styled: bool = False) -> bool:
    """Say whether lines as they are keep to the profile's limits."""
    return len(lines) <= profile.lines and all(
        width(line, profile, styled=styled) <= profile.line_length for line in lines
    )


def starts_turn(line: str) -> bool:
    """Say whether a line, without markup, begins with a dialogue dash."""
    return _DASH.match(line) is not None


def _split(text: Rich) -> list[Rich]:
    if "\n" not in text.text and "\u2028" not in text.text:
        return [text]
    edges = [-1, *(at for at, char in enumerate(text.text) if char in "\n\u2028"), len(text.text)]
    return [text.part(start + 1, end) for start, end in pairwise(edges)]


def _trimmed(line: Rich) -> Rich:
    return _cut(line, _BLANK, _BLANK)


def _marks(lines: Sequence[Rich]) -> tuple[str, str]:
    """Give the mark of direction that begins the text, and the one that ends what it began."""
    first, last = lines[0].text[0], lines[-1].text[-1]
    return (first, last if last in ENDS else "") if first in MARKS else ("", "")


def _unmarked(line: Rich) -> Rich:
    return _cut(line, MARKS, ENDS)


def _cut(line: Rich, left: str, right: str) -> Rich:
    """Take characters off both ends."""
    start = len(line.text) - len(line.text.lstrip(left))
    end = len(line.text.rstrip(right))
    return line if not start and end == len(line.text) else line.part(start, max(start, end))


def _is_one_line(line: Rich, profile: Profile) -> bool:
    """Say at once that there is nothing to do for one line, written well, that fits."""
    if starts_turn(line.text) or _UNEVEN.search(line.text):
        return False
    return width(line.text, profile, styled=False) <= profile.line_length


def _turns(lines: Sequence[Rich]) -> list[list[Rich]]:
    """Group lines by who speaks: a dash at the start of a line begins another speaker's turn."""
    found: list[list[Rich]] = []
    dialogue = starts_turn(lines[0].text)
    for line in lines:
        for part in _parted(line) if dialogue else [line]:
            if not found or _begins_turn(part.text, found[-1][-1].text, dialogue=dialogue):
                found.append([part])
            else:
                found[-1].append(part)
    return found


def _parted(line: Rich) -> list[Rich]:
    """Part a line such as ``-Ready? -Yes.``, in which a second speaker answers."""
    cuts = [match.end() for match in _INLINE.finditer(line.text)]
    edges = [0, *cuts, len(line.text)]
    return [_trimmed(line.part(start, end)) for start, end in pairwise(edges)]


def turn_starts(lines: Sequence[str]) -> tuple[int, ...]:
    """Give the indices of the lines, without markup, at which a dash lets another speaker begin.

    A dash after a line that does not end a sentence is the sentence's own, if a space follows it.
    """
    if not lines:
        return ()
    dialogue = starts_turn(lines[0])
    later = (at for at in range(1, len(lines)) if _begins_turn(lines[at], lines[at - 1], dialogue=dialogue))
    return (*([0] if dialogue else []), *later)


def _begins_turn(text: str, above: str, *, dialogue: bool) -> bool:
    """Tell a second speaker's dash from one that goes on with a sentence."""
    if not starts_turn(text):
        return False
    ended = above.rstrip("\"'”’»)]）」』")
    spaced = text[1:2].isspace()
    return dialogue or not spaced or ended != above or ended[-1:] in SENTENCE


def _share(turns: list[list[Piece]], profile: Profile, words: Phrases) -> list[list[Rich]]:
    """Divide every turn into lines, and the profile's lines among the turns."""
    most = max(profile.lines - len(turns) + 1, 1)
    offers = [_divisions(turn, profile, words, most) for turn in turns]
    best: dict[int, tuple[Division, tuple[int, ...]]] = {0: (Division(0.0, 0, 0.0), ())}
    for offer in offers:
        after: dict[int, tuple[Division, tuple[int, ...]]] = {}
        for used, (so_far, chosen) in best.items():
            for number, one in enumerate(offer):
                total = Division(so_far.over + one.over, so_far.lines + one.lines, so_far.cost + one.cost)
                if total.lines not in after or total < after[total.lines][0]:
                    after[used + one.lines] = (total, (*chosen, number))
        best = after
    limit = max(profile.lines, len(turns))
    _, chosen = min(value for used, value in best.items() if used <= limit)
    return [_lines(turn, offer[number].breaks) for turn, offer, number in zip(turns, offers, chosen, strict=True)]


def _lines(turn: list[Piece], breaks: tuple[int, ...]) -> list[Rich]:
    made: list[Rich] = []
    for start, end in pairwise([0, *breaks, len(turn)]):
        line = turn[start].rich
        for before, piece in pairwise(turn[start:end]):
            line = line.then(before.glue).then(piece.rich)
        made.append(line)
    return made


def _divisions(turn: list[Piece], profile: Profile, words: Phrases, most: int) -> list[Division]:
    """Give the best division of a turn into 1, 2 … *most* lines; no more of them once one fits."""
    ruler = _Ruler(turn, profile)
    whole = ruler.line(0, len(turn))
    found = [Division(max(whole - profile.line_length, 0.0), 1, 0.0)]
    if not found[0].over or most == 1 or len(turn) == 1:
        return found
    costs = break_costs(turn, words)
    if len(turn) > _MANY:
        most = 2
    for count in range(2, min(most, len(turn)) + 1):
        found.append(_divided(ruler, costs, count, profile.line_length))
        if not found[-1].over:
            break
    return found


class _Ruler:
    """Measures lines of a turn by adding up its pieces once."""

    def __init__(self, turn: list[Piece], profile: Profile) -> None:
        pieces = [width(piece.text, profile, styled=False) for piece in turn]
        glue = [width(piece.glue.text, profile, styled=False) for piece in turn]
        both = list(accumulate((a + b for a, b in zip(pieces, glue, strict=True)), initial=0.0))
        self._starts = both
        self._ends = [both[at] + piece for at, piece in enumerate(pieces)]

    def line(self, first: int, after: int) -> float:
        """Give the width of the line of pieces *first* to before *after*."""
        return self._ends[after - 1] - self._starts[first]


def break_costs(turn: list[Piece], words: Phrases) -> list[float]:
    """Weigh a break before each piece; index 0 is not one."""
    costs = [0.0]
    begins = True
    for before, after in pairwise(turn):
        costs.append(break_cost(before, after, words, begins=begins))
        begins = costs[-1] == 0.0
    return costs


def _divided(ruler: _Ruler, costs: list[float], count: int, limit: float) -> Division:
    """Find the best division into *count* lines: by the best for each number of pieces in each number of lines."""
    pieces = len(costs)
    share = ruler.line(0, pieces) / count
    best: dict[int, Division] = {0: Division(0.0, 0, 0.0)}
    for number in range(count):
        wish = share * (1 + _LEAN * (number - (count - 1) / 2))
        ends = [pieces] if number == count - 1 else range(number + 1, pieces - (count - number - 1) + 1)
        best = {end: _ended_at(end, best, ruler, costs, limit, wish) for end in ends}
    return best[pieces]


def _ended_at(
    end: int, best: dict[int, Division], ruler: _Ruler, costs: list[float], limit: float, wish: float
) -> Division:
    """Give the best division of the pieces before *end*, of which the last line begins at one of *best*."""
    offers: list[Division] = []
    for start, so_far in best.items():
        if start >= end:
            continue
        length = ruler.line(start, end)
        cost = so_far.cost + costs[start] + _SHAPE * abs(length - wish) / limit
        breaks = (*so_far.breaks, start) if start else so_far.breaks
        offers.append(Division(so_far.over + max(length - limit, 0.0), so_far.lines + 1, cost, breaks))
    return min(offers)


__all__ = ["Division", "break_costs", "break_lines", "fits", "lines_fit", "starts_turn", "turn_starts"]
