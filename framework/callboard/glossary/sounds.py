"""How words sound, coarsely, and how alike two of them do: enough to know a name that a recogniser spelled its own way.

``sounds`` writes a text with one character for each sound. English spelling is read by rules; in other languages and
scripts the letters, without accents, stand for themselves. ``alike`` compares two of these by a weighted edit
distance: what recognisers confuse (vowels with one another, ``p`` with ``b``, ``th`` with ``f``) costs little. That
recognition errors keep to such classes is long known, as in G. A. Miller and P. E. Nicely, "An Analysis of Perceptual
Confusions Among Some English Consonants", https://doi.org/10.1121/1.1907526.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from callboard.glossary.terms import primary

VOWELS = frozenset("aeiou")
_RULES: tuple[tuple[str, str], ...] = (
    (r"[’'`]s\b", "s"),
    (r"[^\w\s]|_", ""),
    (r"\bkn|\bgn|\bpn", "n"),
    (r"\bwr", "r"),
    (r"\bps", "s"),
    (r"\bx", "z"),
    (r"\bmc(?=[^aeiouy])", "mak"),
    (r"tch", "C"),
    (r"sch(?=[mnlrtw])|sh|(?<=[aeiou])ti(?=on)|(?<=[aeioun])ci(?=[aou])|ssi(?=o)", "S"),
    (r"(?<=[nr])ti(?=on)", "S"),
    (r"\bch(?=[rl])|ch(?=[rl])|sch", "k"),
    (r"ch", "C"),
    (r"ph", "f"),
    (r"(?<=\w)[bm]h", "v"),
    (r"th", "T"),
    (r"dge", "J"),
    (r"gh(?=[aeiouy])", "g"),
    (r"(?<=[aeiou])gh(?=t|\b|[^aeiouy])", ""),
    (r"gu(?=[eiy])", "g"),
    (r"g(?=e\b|[iy][^n]|en|er\b|es\b)", "J"),
    (r"j", "J"),
    (r"qu", "kw"),
    (r"q", "k"),
    (r"ck|cq|cc(?![eiy])", "k"),
    (r"x|cc", "ks"),
    (r"sc(?=[eiy])", "s"),
    (r"c(?=[eiy])", "s"),
    (r"c", "k"),
    (r"wh", "w"),
    (r"mb\b", "m"),
    (r"ng(?=\b|[^aeiouylr])", "N"),
    (r"n(?=[kg])", "N"),
    (r"(?<=[aeiou])l(?=[mk]\b)", ""),
    (r"ew", "u"),
    (r"(?<=[^aeiouyw\s])e\b", ""),
    (r"\by(?=[aeiou])", "j"),
    (r"ee|ea|ie|ei", "i"),
    (r"oo|ou", "u"),
    (r"a[iy]", "e"),
    (r"a[uw]|oa|ow", "o"),
    (r"y", "i"),
)
"""English spelling to sounds, in order: S as in she, C as in chin, J as in gem, T as in thin, N as in sing, j as in
yes. The commonest of the correspondences in https://www.unicode.org/cldr/ transforms ``en-en_FONIPA``, made coarse."""
_ENGLISH = tuple((re.compile(pattern), sound) for pattern, sound in _RULES)
_PLAIN = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"[^\w\s]|_", ""),
        (r"ph", "f"),
        (r"sch|sh|sz|š|ş", "S"),
        (r"tsch|tch|cz|č", "C"),
        (r"ch(?=[aeiou])", "C"),
        (r"ch|ck|qu(?=[ei])|q|c(?![eiy])", "k"),
        (r"th", "t"),
        (r"x", "ks"),
        (r"[cz]", "s"),
        (r"w", "v"),
        (r"y", "i"),
    )
)
_PAIRS = {
    0.3: "pb td kg fv sz SJ CJ SC mn nN iI Tf",
    0.45: "lr wv bv Tt Td Ts Tv dJ tC sS zJ zS mN lw rw pf uw ij wm gN rj Td hk",
    0.6: "vm bm bw gw gj kC ld lj ln kt pt kp gd hf sC gJ kT kh tk dn rd mb rt fs",
}
"""What it costs to take one consonant for another: by voice alone, by place or manner, by both."""
_COSTS = {frozenset(pair): cost for cost, pairs in sorted(_PAIRS.items(), reverse=True) for pair in pairs.split()}
_ROUGH = str.maketrans("eiouAbfvwmdTszSCJghNlrnj", "aaaaAppppptttttttkkkllll")
_VOWEL = 0.3
_DROPPED = {**dict.fromkeys("aeiou", 0.45), "h": 0.3, "r": 0.5, "w": 0.5, "j": 0.4, "l": 0.65, "t": 0.7, "d": 0.7}
_LOST = 0.9
"""What leaving out any other consonant costs."""


@lru_cache(maxsize=65536)
def sounds(text: str, language: str = "en") -> str:
    """Write how *text* sounds, one character for each sound; words run together.

    Args:
        text: A word or some, in any script.
        language: BCP 47; empty is read as English is.
    """
    bare = _letters(text)
    for pattern, sound in _ENGLISH if primary(language) in ("", "en") else _PLAIN:
        bare = pattern.sub(sound, bare)
    bare = "".join(bare.split())
    bare = re.sub(r"(.)\1+", r"\1", bare)
    return re.sub(r"([aeiou])[aeiou]+", r"\1", bare)


def rough(sound: str) -> str:
    """Give the result of ``sounds`` with a single character for all that are confused with one another."""
    return sound.translate(_ROUGH)


def _letters(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char)).replace("ß", "ss").replace("ø", "o")


def alike(one: str, other: str, least: float = 0.0) -> float:
    """Say how alike two results of ``sounds`` are: 1 the same, 0 nothing in common, or less than *least*."""
    if one == other:
        return 1.0
    drops, others = [_dropping(char) for char in one], [_dropping(char) for char in other]
    weight = (sum(drops) + sum(others)) / 2
    most = (1.0 - least) * weight + 1e-9
    if not weight or abs(sum(drops) - sum(others)) > most:
        return 0.0
    distance = _distance(list(zip(one, drops, strict=True)), list(zip(other, others, strict=True)), most)
    return max(1.0 - distance / weight, 0.0) if distance <= most else 0.0


def _distance(one: Sequence[tuple[str, float]], other: Sequence[tuple[str, float]], most: float) -> float:
    """Give the weighted edit distance; some larger number as soon as it is sure to be over *most*."""
    row = [0.0]
    for _, drop in other:
        row.append(row[-1] + drop)
    for char, drop in one:
        confused = _confusions(char)
        left = row[0] + drop
        next_row = [left]
        above = row[0]
        for at, (against, lost) in enumerate(other, 1):
            cost = above + confused[against] if against in confused else above + _strange(char, against)
            above = row[at]
            left = min(cost, above + drop, left + lost)
            next_row.append(left)
        row = next_row
        if min(row) > most:
            return most + 1.0
    return row[-1]


def _dropping(char: str) -> float:
    return _DROPPED.get(char, _LOST)


@lru_cache(maxsize=512)
def _confusions(char: str) -> dict[str, float]:
    """Give what it costs to take *char* for each of the sounds that it is confused with."""
    found = {next(iter(pair - {char})): cost for pair, cost in _COSTS.items() if char in pair}
    return {**found, **(dict.fromkeys(VOWELS, _VOWEL) if char in VOWELS else {}), char: 0.0}


def _strange(one: str, other: str) -> float:
    return 1.0 if (one in VOWELS) == (other in VOWELS) else 1.3


__all__ = ["alike", "rough", "sounds"]
