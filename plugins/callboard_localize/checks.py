"""What is checked in a translated cue, and how much a person should look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

from callboard_schemas import Cue
from msgspec import Struct

from callboard_localize.engines import Method
from callboard_localize.likeness import chrf
from callboard_localize.lock import LEFT, REORDERED
from callboard_localize.masks import shown
from callboard_localize.names import missing
from callboard_localize.numerals import digits
from callboard_localize.rudeness import changed
from callboard_localize.terms import Terms
from callboard_localize.tongue import Tongues, share_in_script
from callboard_localize.verify import alike, repeats, weight

Weight = Literal["flag", "fail"]
TRUST: Final[dict[Method, float]] = {"neural": 0.1, "service": 0.1, "rules": 0.25}
"""Risk of a cue in which nothing is found, by how it was translated: rules know no context."""
_LINK: Final = 0.1
"""What each further link of a chain adds: it takes the mistakes of the one before for what was said."""
_RATIO: Final = (0.45, 2.2)
"""Lengths beyond which a translation is looked at; by letters, Han and kana weighed."""
_SURE: Final = 0.9
"""Probability of the source language from which a cue is taken to be in it."""


class Finding(Struct, frozen=True):
    """One reason to look at a cue."""

    text: str
    risk: float
    """0 to 1."""
    fails: bool = False
    """Whether the cue must not ship before a person has said so."""


class Pair(Struct, frozen=True):
    """What the checks of one translation share."""

    terms: Terms
    names: frozenset[str] = frozenset()
    least_back: float = 0.3


class Checks:
    """Checks cues of one translation."""

    def __init__(self, pair: Pair, tongues: Tongues | None = None) -> None:
        self._pair = pair
        self._tongues = tongues or Tongues()

    def findings(self, source: Cue, target: Sequence[str], back: str | None = None) -> list[Finding]:
        """Give every reason to look at one cue that was translated.

        Args:
            source: The cue as it was.
            target: Its lines in the other language, as *source* is styled.
            back: What its translation back says, where there is one.
        """
        said = shown(" ".join(source.lines), styled=source.styled)
        came = shown(" ".join(target), styled=source.styled)
        found = [*self._wording(said, came), *self._preserved(said, came), *self._language(said, came)]
        if back is not None and (score := chrf(back, said)) < self._pair.least_back:
            found.append(Finding(f"its translation back is little like it (chrF {score:.2f})", 0.4))
        if any(flag for flag in source.flags + source.failed):
            found.append(Finding("its source is in doubt", 0.2))
        return found

    def _wording(self, said: str, came: str) -> Iterator[Finding]:
        terms = self._pair.terms
        for breach in terms.breaches(said, came):
            yield Finding(breach, 0.9, fails=True)
        for ending in terms.inflected(said):
            yield Finding(ending, 0.3)
        if how := changed(said, terms.source, came, terms.target):
            yield Finding(how, 0.35)

    def _preserved(self, said: str, came: str) -> Iterator[Finding]:
        if digits(said) != digits(came):
            yield Finding("numbers differ", 0.6)
        for name in missing(said, came, self._pair.names):
            yield Finding(f"name {name!r} is missing", 0.4)
        if repeats(came) > 2 * repeats(said) + 1:
            yield Finding("repeats itself", 0.6)
        asked, length = weight(said), weight(came)
        if asked >= 12 and length < _RATIO[0] * asked:
            yield Finding("much shorter than its source", 0.4)
        if asked >= 12 and length > _RATIO[1] * asked:
            yield Finding("much longer than its source", 0.4)

    def _language(self, said: str, came: str) -> Iterator[Finding]:
        pair = self._pair.terms
        share = share_in_script(came, pair.target)
        if share is not None and share < 0.5:
            yield Finding(f"not in the script of {pair.target}", 0.9, fails=True)
            return
        likely = self._tongues.reads_as_source(came, pair.source, pair.target)
        reads = likely is not None and likely > _SURE
        if reads and alike(said, came):
            yield Finding("not translated", 0.9, fails=True)
        elif reads:
            yield Finding(f"reads as {pair.source}", 0.5)
        elif said.casefold() == came.casefold() and any(word.islower() for word in said.split()):
            yield Finding("the same as its source", 0.5)


def trust(method: Method, links: int = 1) -> float:
    """Give the risk of a cue in which nothing is found, 0 to 1.

    Args:
        method: How it was translated.
        links: Steps by which it came from one language to the other, one or more.
    """
    return round(min(1.0, TRUST[method] + _LINK * (links - 1)), 4)


def summed_up(findings: Sequence[Finding], base: float) -> float:
    """Give the risk of a cue, 0 to 1: each finding takes its share of what is left of certainty."""
    sure = 1.0 - base
    for finding in findings:
        sure *= 1.0 - finding.risk
    return round(1.0 - sure, 4)


def of_lock(flags: Sequence[str], failed: Sequence[str]) -> list[Finding]:
    """Give what the lock said of a cue as findings."""
    left = [Finding(text, 1.0, fails=True) for text in failed]
    return left + [Finding(text, 0.3) for text in flags]


Back = Callable[[Sequence[str]], Sequence[str | None]]
"""Translates texts back; ``None`` for those that it cannot."""

__all__ = ["LEFT", "REORDERED", "TRUST", "Back", "Checks", "Finding", "Pair", "of_lock", "summed_up", "trust"]
