"""Words by which lines are broken: which lean on the next word, which begin a phrase, which are followed by a name.

Line breaks go before conjunctions and prepositions, and never between an article and its noun, a preposition and what
it governs, an auxiliary, a negation or a pronoun and its verb: the general rules of the Netflix Timed Text Style Guide
(https://partnerhelp.netflixstudios.com/hc/en-us/articles/215758617), with which section 3.4 of the BBC's subtitle
guidelines agrees. The words are in ``phrases.toml``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

_UNITS = "% ‰ ° °c °f c f € $ £ ¥ km m cm mm kg g mg t l ml cl h min s ms hz khz mhz kb mb gb w kw v mph km/h"


class Phrases(Struct, frozen=True, kw_only=True):
    """The short words of one language, in lower case."""

    opens: frozenset[str] = frozenset()
    """Conjunctions, prepositions and relative words: a line may well begin with one, and must not end with it."""
    leans: frozenset[str] = frozenset()
    """Articles, possessives, pronouns, auxiliaries, negations: a line must not end with one."""
    titles: frozenset[str] = frozenset()
    """What comes before a name, without its full stop."""
    units: frozenset[str] = frozenset()
    """What a number counts."""
    capital_nouns: bool = False
    """Whether nouns begin with a capital, so that two capitals in a row say little."""


@cache
def phrases(language: str) -> Phrases:
    """Give the words of a language, given as BCP 47; of one that is not known only units of measure."""
    known = _all().get(language.replace("_", "-").partition("-")[0].lower(), {})
    words = {name: frozenset(known.get(name, "").split()) for name in ("opens", "leans", "titles", "units")}
    words["units"] |= frozenset(_UNITS.split())
    return Phrases(**words, capital_nouns=known.get("capital_nouns", False))


@cache
def _all() -> dict[str, dict[str, Any]]:
    return tomllib.loads((files("callboard.timedtext") / "phrases.toml").read_text("utf-8"))


__all__ = ["Phrases", "phrases"]
