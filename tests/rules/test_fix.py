"""Mending: safe, complete as far as it goes, and never twice."""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter

import pytest
from callboard.testing.cuelists import faulty_cues
from callboard.timedtext.check import check
from callboard.timedtext.fix import fix
from callboard.timedtext.profile import load
from callboard.timedtext.rate import parse_rate
from callboard.timedtext.styled import plain
from callboard_schemas import Cue

ENGLISH = load("netflix", "en")
RATE = parse_rate("25")
SETTINGS = [
    (ENGLISH, RATE),
    (ENGLISH, None),
    (load("netflix", "ja"), parse_rate("23.976")),
    (load("netflix", "fr"), parse_rate("50")),
    (load("bbc", "en"), RATE),
    (load("netflix", "he"), parse_rate("29.97df")),
]


def cue(number: int, start: float, end: float, *lines: str, **more: object) -> Cue:
    """Make a cue."""
    return Cue(id=number, start=start, end=end, lines=lines, confidence=1.0, **more)  # type: ignore[arg-type]  # a test's


def words(one: Cue) -> str:
    """Give every letter and digit of a cue, and its marks but dots and dashes."""
    text = plain("".join(one.lines), styled=one.styled)
    text = re.sub(r"[.…\-‐‑–—−\s\u200b]|<[^<>]*>", "", text)
    return "".join(char for char in text if unicodedata.category(char) != "Cc" and char != "\ufeff")


@pytest.mark.parametrize("seed", range(8))
def test_fixing_is_safe_on_any_list(seed: int) -> None:
    """No cue goes or moves past another, no word changes, no new breach comes, and fixing again changes nothing."""
    chance = random.Random(1000 + seed)
    mended = 0
    for _ in range(25):
        cues = faulty_cues(chance)
        profile, rate = chance.choice(SETTINGS)
        more = {"shots": tuple(chance.uniform(0, 20) for _ in range(3)), "duration": chance.choice((0.0, 12.0))}
        after, changes = fix(cues, profile, rate, **more)  # type: ignore[arg-type]  # as in the dictionary
        assert [words(one) for one in after] == [words(one) for one in cues]
        before_faults = Counter((f.index, f.rule) for f in check(cues, profile, rate, **more))  # type: ignore[arg-type]
        faults = Counter((f.index, f.rule) for f in check(after, profile, rate, **more))  # type: ignore[arg-type]
        assert not faults - before_faults
        assert {change.index for change in changes} == {i for i, one in enumerate(cues) if one != after[i]}
        assert bool(changes) == (faults.total() < before_faults.total())
        assert fix(after, profile, rate, **more) == (after, [])  # type: ignore[arg-type]
        for old, new in zip(cues, after, strict=True):
            frame = rate.frame if rate else 0.0
            assert abs(new.start - old.start) <= frame / 2 + 1e-9
            assert new.end >= old.end - max(profile.linger, 0.1) - frame
        mended += len(changes)
    assert mended > 25


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([cue(1, 0, 2, " Hello  there ")], [cue(1, 0, 2, "Hello there")]),
        ([cue(1, 0, 2, "Wait...", "no")], [cue(1, 0, 2, "Wait…", "no")]),
        ([cue(1, 0, 3, "- Yes.", "– No.")], [cue(1, 0, 3, "-Yes.", "-No.")]),
        ([cue(1, 0, 3, "I went to the", "house.")], [cue(1, 0, 3, "I went to the house.")]),
        ([cue(1, 0, 3, "One,", "two,", "three.")], [cue(1, 0, 3, "One, two, three.")]),
        ([cue(1, 0, 2, "<i>Yes", "no", styled=True)], [cue(1, 0, 2, "<i>Yes</i>", "<i>no</i>", styled=True)]),
        ([cue(1, 0.013, 2, "Yes.")], [cue(1, 0, 2, "Yes.")]),
        ([cue(1, 0, 0.4, "Yes.")], [cue(1, 0, 0.84, "Yes.")]),
        ([cue(1, 0, 2, "Yes."), cue(2, 2.2, 4, "No.")], [cue(1, 0, 2.12, "Yes."), cue(2, 2.2, 4, "No.")]),
        ([cue(1, 0, 2, "Yes."), cue(2, 2.04, 4, "No.")], [cue(1, 0, 1.96, "Yes."), cue(2, 2.04, 4, "No.")]),
        ([cue(1, 0, 2, "Yes."), cue(2, 1.8, 4, "No.")], [cue(1, 0, 1.72, "Yes."), cue(2, 1.8, 4, "No.")]),
        ([cue(1, 0, 2, "Yes."), cue(1, 3, 4, "No.")], [cue(1, 0, 2, "Yes."), cue(2, 3, 4, "No.")]),
        ([cue(1, 8, 10.2, "Yes.")], [cue(1, 8, 10, "Yes.")]),
        ([cue(1, 0, 2, "Yes.\x07")], [cue(1, 0, 2, "Yes.")]),
    ],
)
def test_what_is_safe_is_mended(before: list[Cue], after: list[Cue]) -> None:
    """Spaces, dots, dashes, breaks, tags, frames, gaps, short cues, ids and the end of the media are put right."""
    assert fix(before, ENGLISH, RATE, duration=10.0)[0] == after


@pytest.mark.parametrize(
    "cues",
    [
        [cue(1, 0, 9, "Yes.")],
        [cue(1, 0, 1, "This is what nobody reads in a second.")],
        [cue(1, 0, 4, "Yes."), cue(2, 1, 4, "No.")],
        [cue(1, 0, 2, "")],
        [cue(1, 0, 2, "<i>Donaudampfschifffahrtselektrizitätenhauptbetriebswerk</i>", styled=True)],
        [cue(1, 0, 2, "caf\ufffd")],
        [cue(1, 5, 7, "Yes."), cue(2, 1, 3, "No.")],
    ],
)
def test_what_a_person_must_decide_is_left(cues: list[Cue]) -> None:
    """Long cues, text to be shortened, deep overlaps, lost letters and a wrong order stay, and are still told."""
    assert fix(cues, ENGLISH, RATE) == (cues, [])
    assert check(cues, ENGLISH, RATE)


def test_a_change_says_which_rules_it_ended() -> None:
    """What was done to a cue is told with what it was before."""
    _, changes = fix([cue(7, 0.013, 2, "Hello  there")], ENGLISH, RATE)
    assert [(one.cue, one.index, one.rules) for one in changes] == [(7, 0, ("frame-grid", "spaces"))]
    assert (changes[0].before, changes[0].after) == ("0.013 --> 2.000 Hello  there", "0.000 --> 2.000 Hello there")
