"""The linter beside another implementation of its rules, and what it says in words.

The oracle is written from what the rules say, not from how the linter works: it looks at pairs of cues by brute force,
at characters one by one, and counts frames in whole numbers.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil

import pytest
from callboard.testing.cuelists import faulty_cues
from callboard.timedtext.check import RULES, check, summary
from callboard.timedtext.phrases import phrases
from callboard.timedtext.profile import Profile, load
from callboard.timedtext.rate import Rate, parse_rate
from callboard_schemas import Cue

TAGS = ("<i>", "</i>", "<b>", "</b>", "<u>", "</u>")
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
DASHES = "-‐‑–—−"
END = ".?!…。！？؟۔⋯｡"
Finding = tuple[int, str, str]


class Oracle:
    """Says which cue breaks which rule, and how much that matters."""

    def __init__(
        self, profile: Profile, rate: Rate | None, shots: Sequence[float], language: str, length: float
    ) -> None:
        self.profile, self.rate, self.language, self.length = profile, rate, language, length
        self.shots = [self.frame(shot) for shot in shots] if rate else []

    def frame(self, seconds: float) -> int:
        """Count frames up to a time: the nearest, and the even one of two."""
        assert self.rate is not None
        exact = Fraction(seconds) * self.rate.numerator / self.rate.denominator
        below = exact.numerator // exact.denominator
        rest = exact - below
        return below + (1 if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below % 2) else 0)

    def frames(self, count: int) -> Fraction:
        """Give as long a time as *count* frames of the profile's rate, in frames of the picture's."""
        assert self.rate is not None
        return count * self.rate.fps / Fraction(self.profile.frames_at) if self.profile.frames_at else Fraction(count)

    def findings(self, cues: Sequence[Cue]) -> Counter[Finding]:
        """Give every breach: which cue, which rule, how severe."""
        found: Counter[Finding] = Counter()
        for index, one in enumerate(cues):
            for rule in (*self.text(one), *self.times(one)):
                name, _, other = rule.partition("/")
                found[index, name, other or RULES[name]] += 1
        for index, rule in self.pairs(cues):
            name, _, other = rule.partition("/")
            found[index, name, other or RULES[name]] += 1
        return found

    # What is between cues

    def pairs(self, cues: Sequence[Cue]) -> Iterator[tuple[int, str]]:
        """Give the breaches of a cue beside its neighbours."""
        for index, one in enumerate(cues):
            if any(other.id == one.id for other in cues[:index]):
                yield index, "ids"
            if not index:
                continue
            before = cues[index - 1]
            if before.start - one.start > 1e-9:
                yield index, "order"
            if self.message(one) and self.message(one) == self.message(before) and one.start + 1e-9 < before.end + 1:
                yield index, "repeated"
        for index, one in enumerate(cues):
            earlier = [o for at, o in enumerate(cues) if (o.start, at) < (one.start, index)]
            if earlier:
                ends = max(o.end for o in earlier)
                first = min((o.start, at) for at, o in enumerate(cues) if o in earlier and o.end == ends)
                yield from ((index, rule) for rule in self.apart(cues[first[1]], one))

    def apart(self, before: Cue, one: Cue) -> Iterator[str]:
        """Compare a cue with the one that ends last before it."""
        gap = one.start - before.end
        if gap < -0.0015:
            together = before.align == one.align and before.settings == one.settings
            yield "overlap" if together else "overlap/warning"
        elif self.rate is None:
            if gap < self.profile.gap / 60 - 0.0015:
                yield "gap"
        else:
            frames = self.frame(one.start) - self.frame(before.end)
            if frames < self.profile.gap:
                yield "gap"
            elif self.profile.close_gaps:
                longest = ceil(self.frames(self.profile.close_gaps + 1)) - 1
                yield from ["close-gap"] * (self.profile.gap < frames <= longest)

    # What one cue does alone

    def times(self, one: Cue) -> Iterator[str]:
        """Give the breaches of when one cue is shown."""
        shown = one.end - one.start
        if shown <= 0:
            yield "times"
        else:
            if self.profile.shortest - shown > 0.0015:
                yield "shortest"
            if shown - self.profile.longest > 0.0015:
                yield "longest"
            if self.profile.words_per_minute:
                words = len(" ".join(self.read(line, one) for line in one.lines).split())
                too_fast = words > self.profile.words_per_minute / 60 * (shown + 0.0015) + 1e-9
            else:
                size = sum(self.wide(self.read(line, one)) for line in one.lines)
                too_fast = size > self.profile.reading_speed * (shown + 0.0015) + 1e-9
            if too_fast:
                yield "reading-speed"
        if self.length and one.end > self.length + 0.0015:
            yield "past-end"
        if self.rate is not None:
            for time in (one.start, one.end):
                if abs(float(self.frame(time) / self.rate.fps) - time) > 0.00105:
                    yield "frame-grid"
            yield from self.at_shots(one)

    def at_shots(self, one: Cue) -> Iterator[str]:
        """Measure how far a cue is from every shot."""
        assert self.rate is not None
        if not self.shots or not self.profile.shot_snap:
            return
        near = ceil(self.frames(self.profile.shot_snap))

        def off(time: float) -> int:
            frame = self.frame(time)
            return min((frame - shot for shot in self.shots), key=lambda away: (abs(away), -away))

        if off(one.start) and abs(off(one.start)) < near:
            yield "shot-start"
        if abs(off(one.end)) < near and off(one.end) not in range(-self.profile.gap, 1):
            yield "shot-end"

    # What it says

    def read(self, line: str, one: Cue) -> str:
        """Take the markup away, tag by tag."""
        if one.styled:
            for tag in TAGS:
                line = re.sub(re.escape(tag), "", line, flags=re.IGNORECASE)
            line = re.sub("&(amp|lt|gt);", lambda found: ENTITIES[found[0].lower()], line, flags=re.IGNORECASE)
        return line

    def wide(self, text: str) -> float:
        """Add up the places of characters."""
        total = 0.0
        for char in text:
            kind = unicodedata.category(char)
            if kind in ("Mn", "Me", "Cf", "Cc") or (kind == "Zs" and not self.profile.count_spaces):
                continue
            area = unicodedata.east_asian_width(char)
            sign = area == "A" and kind[0] in ("P", "S") and self.profile.language[:2] != "ko"
            total += 1.0 if self.profile.width == "characters" or area in ("W", "F") or sign else 0.5
        return total

    def message(self, one: Cue) -> str:
        """Give what is said, without what is not read."""
        whole = ""
        for line in one.lines:
            whole += re.sub(f"^[{DASHES}]+", "", self.read(line, one).strip())
        return "".join(char for char in whole.replace("…", "...") if unicodedata.category(char)[0] not in ("C", "Z"))

    def turns(self, lines: Sequence[str]) -> list[int]:
        """Find the lines at which somebody else speaks."""
        found = []
        for at, line in enumerate(lines):
            dash = re.match(rf"[{DASHES}](?![{DASHES}])(\s?)\S", line)
            if dash is None:
                continue
            own = re.sub("[\"'”’»)\\]）」』]+$", "", lines[at - 1]) if at else ""
            closed = at > 0 and (own != lines[at - 1] or own[-1:] in tuple(END))
            if at == 0 or 0 in found or not line[1:2].isspace() or closed:
                found.append(at)
        return found

    def text(self, one: Cue) -> Iterator[str]:
        """Give the breaches of what one cue says."""
        lines = [self.read(line, one) for line in one.lines]
        seen = [[c for c in line if unicodedata.category(c)[0] not in ("C", "Z")] for line in lines]
        if not any(seen):
            yield "empty"
            return
        if len(lines) > self.profile.lines:
            yield "lines"
        turns = self.turns(lines)
        for at, line in enumerate(lines):
            if not seen[at]:
                yield "blank-line"
            if self.wide(line) > self.profile.line_length + 1e-9:
                yield "line-length"
            if at and line.strip() and line.strip() == lines[at - 1].strip() and not turns:
                yield "repeated"
            if line[:1] in (" ", "\t") or line[-1:] in (" ", "\t") or "\t" in line or "  " in line:
                yield "spaces"
            if any(c in "\ufffd\ufeff" or (unicodedata.category(c) in ("Cc", "Cs", "Co") and c != "\t") for c in line):
                yield "characters"
        yield from self.breaks(lines, turns, one.language or self.language)
        yield from self.marks(one, lines)
        yield from self.dialogue(lines, turns)
        yield from self.sounds(one, lines)

    def breaks(self, lines: Sequence[str], turns: Sequence[int], language: str) -> Iterator[str]:
        """Find lines that end in a word that leans."""
        known = phrases(language)
        for at, line in enumerate(lines[:-1]):
            last = re.search(r"(\S+)\s*$", line)
            if last is None or at + 1 in turns:
                continue
            core = last[1].strip("\"'“”‘’«»()[]¿¡").replace("’", "'").casefold()
            if (core.endswith(".") and core[:-1] in known.titles) or (
                re.search(r"[^.,;:?!…—–\-\"”»)\]'’]$", last[1]) and core in known.leans | known.opens | known.titles
            ):
                yield "line-break"

    def marks(self, one: Cue, lines: Sequence[str]) -> Iterator[str]:
        """Look at dots and tags."""
        wrong = {"…": "...", "...": "…"}.get(self.profile.ellipsis)
        if wrong and any(wrong in line for line in lines):
            yield "ellipsis"
        text = "\n".join(one.lines)
        if not one.styled:
            if re.search(r"<(/?)[A-Za-z][^<>]*>|\{\\[^{}]*\}", text):
                yield "tags/warning"
            return
        for at, tag in enumerate(TAGS):
            text = re.sub(re.escape(tag), chr(0xE100 + at), text, flags=re.IGNORECASE)
        slanted = "\ue100" in text or "\ue101" in text
        kept, before = text, ""
        while kept != before:
            before = kept
            for at in (0, 2, 4):
                kept = re.sub(f"{chr(0xE100 + at)}[^\ue100-\ue105]*{chr(0xE101 + at)}", "", kept)
        if re.search("[\ue100-\ue105]", kept):
            yield "tags"
        rest = re.sub("[\ue100-\ue105]|&(amp|lt|gt);", "", text, flags=re.IGNORECASE)
        if re.search("[<>&]", rest):
            yield "tags"
        if slanted and not self.profile.italics:
            yield "italics"

    def dialogue(self, lines: Sequence[str], turns: Sequence[int]) -> Iterator[str]:
        """Look at the dashes of speakers."""
        if not any(turns):
            return
        for at in turns:
            style = rf"{re.escape(self.profile.dash)}(?!\s)"
            if re.match(style, lines[at]) is None:
                yield "dash"
        if self.profile.dashes == "second":
            if 0 in turns:
                yield "dash"
        elif 0 not in turns:
            first = lines[0].strip()
            pairs = ("()", "[]", "（）", "［］", "{}")
            around = any(
                len(first) > 1 and first[0] == p[0] and first[-1] == p[1] and not set(first[1:-1]) & set(p)
                for p in pairs
            )
            if not around:
                yield "dash"

    def sounds(self, one: Cue, lines: Sequence[str]) -> Iterator[str]:
        """Look at what encloses a sound."""
        whole = " ".join(line.strip() for line in lines if line.strip())
        wanted = self.profile.sound_brackets
        if one.kind == "sound":
            if (whole[0], whole[-1]) != tuple(wanted):
                yield "brackets"
        elif len(whole) > 1 and whole[0] != wanted[0]:
            pairs = ("()", "[]", "（）", "［］", "{}")
            if any(whole[0] == p[0] and whole[-1] == p[1] and not set(whole[1:-1]) & set(p) for p in pairs):
                yield "brackets"


PROFILES = (
    load("netflix", "en"),
    load("netflix", "ja"),
    load("netflix", "ko"),
    load("netflix", "he"),
    load("netflix-children", "fr"),
    load("bbc", "en"),
    load("ted", "de"),
    load("web"),
    Profile(name="odd", line_length=12, lines=1, count_spaces=False, ellipsis="...", gap=4, frames_at=0, close_gaps=9),
)
RATES = (None, *map(parse_rate, ("25", "24", "23.976", "29.97df", "50", "59.94")))


@pytest.mark.parametrize("seed", range(20))
def test_the_linter_and_the_oracle_find_the_same(seed: int) -> None:
    """On thousands of cue lists with every fault, both find the same breaches, by the same cues, as severe."""
    chance = random.Random(seed)
    told: Counter[str] = Counter()
    for _ in range(100):
        cues = faulty_cues(chance)
        profile, rate = chance.choice(PROFILES), chance.choice(RATES)
        shots = tuple(chance.uniform(0, 20) for _ in range(chance.choice((0, 0, 5))))
        length = chance.choice((0.0, 12.0))
        language = profile.language or chance.choice(("", "en", "fr", "xx"))
        found = check(cues, profile, rate, shots=shots, language=language, duration=length)
        expected = Oracle(profile, rate, shots, language, length).findings(cues)
        assert Counter((one.index, one.rule, one.severity) for one in found) == expected
        told.update(one.rule for one in found)
    assert len(told) >= len(RULES) - 4


def cue(start: float, end: float, *lines: str, **more: object) -> Cue:
    """Make a cue."""
    return Cue(id=1, start=start, end=end, lines=lines, confidence=1.0, **more)  # type: ignore[arg-type]  # a test's


@pytest.mark.parametrize(
    ("one", "rule", "value", "limit", "told"),
    [
        (cue(0, 0.8, "Yes."), "shortest", 0.8, 5 / 6, "0.800 s"),
        (cue(0, 8, "Yes."), "longest", 8, 7, "7.000 s"),
        (cue(0, 1, "Twenty-five letters here."), "reading-speed", 25, 20, "25.0 characters a second, at most 20"),
        (cue(0, 3, "One", "two", "three"), "lines", 3, 2, "3 lines, at most 2"),
        (cue(0, 5, "A line of far more than forty-two characters."), "line-length", 45, 42, "line 1 is 45 wide"),
        (cue(0, 2, "I went to the", "house."), "line-break", None, None, "'the'"),
        (cue(0, 2, "Wait..."), "ellipsis", None, None, "'...' for '…'"),
        (cue(0, 2, "- Yes.", "- No."), "dash", None, None, "'- '"),
        (cue(0, 2, "<i>Yes.", styled=True), "tags", None, None, "not closed"),
        (cue(0, 2, "a\ufffdb"), "characters", 1, 0, "U+FFFD"),
        (cue(0, 2, "(door slams)"), "brackets", None, None, "[so]"),
        (cue(2, 1, "Yes."), "times", -1, None, "1.000 s before"),
        (cue(0, 2, " "), "empty", None, None, "no text"),
        (cue(0.02, 2, "Yes."), "frame-grid", 0.02, None, "20 ms"),
        (cue(1.0, 2, "Yes."), "shot-start", -4, 13, "4 frames before"),
    ],
)
def test_a_breach_says_what_is_and_what_may_be(
    one: Cue, rule: str, value: float | None, limit: float | None, told: str
) -> None:
    """Every finding has the number that was found, the number that is allowed, and words that say both."""
    found = [f for f in check([one], load("netflix", "en"), parse_rate("25"), shots=[1.16]) if f.rule == rule]
    assert len(found) >= 1
    assert found[0].value == pytest.approx(value) if value is not None else found[0].value is None
    assert found[0].limit == pytest.approx(limit) if limit is not None else found[0].limit is None
    assert told in found[0].message


def test_a_clean_list_has_no_findings() -> None:
    """Cues that keep every rule, two frames apart, are told nothing."""
    cues = [cue(0, 2, "Are you coming?"), cue(2.08, 4, "-In a minute.", "-Hurry up, will you?")]
    cues = [Cue(id=n, start=c.start, end=c.end, lines=c.lines, confidence=1.0) for n, c in enumerate(cues)]
    assert check(cues, load("netflix", "en"), parse_rate("25"), shots=[2.08], duration=4.0) == []
    assert summary([]) == {}


def test_rounding_to_milliseconds_is_no_breach() -> None:
    """Twenty frames at 24 a second are not too short, nor off their frames, because a file counts milliseconds."""
    rate = parse_rate("24")
    start = round(rate.seconds(7), 3)
    one = cue(start, round(rate.seconds(27), 3), "Yes.")
    assert check([one], load("netflix", "en"), rate) == []
