"""Translated cues are fitted to the delivery: broken anew, given time that is free, else left to a person."""

from __future__ import annotations

import pytest
from callboard.timedtext import Profile, Rate
from callboard.timedtext.profile import load
from callboard_localize.refit import Fitting, laid_out, refit
from callboard_schemas import Cue
from hypothesis import given, settings
from hypothesis import strategies as st

PROFILE = Profile(reading_speed=10.0, line_length=20, close_gaps=0)


def cue(start: float, end: float, text: str = "a", ident: int = 1) -> Cue:
    """Make a cue."""
    return Cue(id=ident, start=start, end=end, lines=(text,), confidence=1.0)


def fitting(**more: object) -> Fitting:
    """Make limits in which ten characters need a second, at 25 frames a second."""
    return Fitting(**{"profile": PROFILE, "language": "es", "rate": Rate(25), "borrow": 1.0, **more})  # type: ignore[arg-type]  # each test names fields that are there


def test_a_cue_that_can_be_read_stays() -> None:
    """Where the translation is read in time, no time is touched."""
    [fitted] = refit([cue(1.0, 2.0)], [["nueve...."]], fitting())
    assert (fitted.end, fitted.problems) == (2.0, ())


def test_time_is_borrowed_from_the_gap() -> None:
    """A cue stays just as long as its translation needs, on a frame."""
    cues = [cue(1.0, 2.0), cue(5.0, 6.0)]
    first, second = refit(cues, [["quince carac..."], ["dos"]], fitting())
    assert first.problems == ()
    assert first.end == pytest.approx(2.52)  # 1.5 s are wanted, and a frame lasts 0.04 s
    assert second.end == 6.0


def test_no_more_is_borrowed_than_is_free_or_allowed() -> None:
    """Two frames stay free before the next cue, the setting limits the loan, and the rest is for a person."""
    near = refit([cue(1.0, 2.0), cue(2.2, 3.0)], [["x" * 19], ["y"]], fitting())[0]
    assert near.end == pytest.approx(2.12)
    assert near.problems == ("17.0 characters a second, 10 at most: shorten it by 8",)
    little = refit([cue(1.0, 2.0)], [["x" * 19]], fitting(borrow=0.2))[0]
    assert little.end == pytest.approx(2.2)
    last = refit([cue(1.0, 2.0)], [["x" * 19]], fitting(duration=2.1))[0]
    assert last.end == pytest.approx(2.08)


def test_a_gap_too_short_to_be_seen_is_closed() -> None:
    """What would be left of a gap, shorter than the profile's, is taken too."""
    profile = Profile(reading_speed=10.0, close_gaps=11, frames_at=24.0)
    cues = [cue(1.0, 2.0), cue(2.8, 4.0)]
    fitted = refit(cues, [["x" * 14], ["y"]], fitting(profile=profile))[0]
    assert fitted.end == pytest.approx(2.72)


@pytest.mark.parametrize("following", [(1.5, 3.0), (1.0, 1.5)])
def test_overlapping_cues_lend_nothing(following: tuple[float, float]) -> None:
    """Where the next cue begins before this one ends, or with it, no end moves."""
    cues = [cue(1.0, 2.0), cue(*following, ident=2)]
    fitted = refit(cues, [["x" * 19], ["y" * 19]], fitting())
    assert fitted[0].end == 2.0
    assert fitted[0].problems != ()


def test_lines_are_broken_for_the_language() -> None:
    """Dialogue keeps a line for each speaker; a sound keeps its own line; a text that fits is one line."""
    profile = load("web", "es")
    limits = fitting(profile=profile)
    assert laid_out(["- ¿Dónde?", "- Aquí."], limits, styled=False) == ("-¿Dónde?", "-Aquí.")
    assert laid_out(["[portazo]", "Ya voy."], limits, styled=False) == ("[portazo]", "Ya voy.")
    assert laid_out(["<i>Nunca jamás</i>"], limits, styled=True) == ("<i>Nunca jamás</i>",)


def test_dashes_are_those_of_the_target() -> None:
    """The dash of a turn is written as the target's profile does; the sign of a number is none."""
    limits = fitting(profile=load("netflix", "es"))
    assert laid_out(["-¿Dónde?", "<i>-Aquí.</i>"], limits, styled=True) == ("- ¿Dónde?", "<i>- Aquí.</i>")
    assert laid_out(["-5 grados"], limits, styled=False) == ("-5 grados",)


def test_what_does_not_fit_is_said() -> None:
    """Three speakers in two lines, and a word longer than a line, are told with the limit."""
    three = refit([cue(0.0, 9.0)], [["- a", "- b", "- c"]], fitting())[0]
    assert three.problems == ("3 lines, 2 at most: shorten it",)
    wide = refit([cue(0.0, 9.0)], [["x" * 25]], fitting())[0]
    assert wide.problems == ("a line of 25, 20 at most: shorten it",)


def test_chinese_is_counted_in_full_width() -> None:
    """A profile that counts full-width characters gives a Chinese line half the letters, and half the time."""
    profile = load("netflix", "zh-Hans")
    limits = fitting(profile=profile, language="zh-Hans")
    lines = laid_out(["我们明天早上在火车站见面然后一起去看那部电影好吗"], limits, styled=False)
    assert len(lines) == 2
    assert all(len(line) <= profile.line_length for line in lines)
    fitted = refit([cue(0.0, 1.0)], [["你" * 14]], fitting(profile=profile, language="zh-Hans"))[0]
    assert fitted.end == pytest.approx(14 / profile.reading_speed, abs=0.041)


def test_right_to_left_lines_are_marked() -> None:
    """A line from right to left whose ends do not show it gets the marks that keep its full stop in place."""
    limits = fitting(profile=load("web", "he"), language="he")
    assert laid_out(["שלום."], limits, styled=False) == ("\u202bשלום.\u202c",)
    assert laid_out(["שלום"], limits, styled=False) == ("שלום",)


TIMES = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 100), st.integers(0, 60)), max_size=8)


@settings(deadline=None)
@given(times=TIMES, rate=st.sampled_from([None, Rate(25), Rate(24000, 1001), Rate(30000, 1001, True)]))
def test_no_loan_touches_a_neighbour(times: list[tuple[int, int, int]], rate: Rate | None) -> None:
    """Whatever the times, an end never comes earlier, nor nearer to any later cue than the gap, unless it was."""
    cues = [cue(a / 25, (a + b) / 25, ident=at) for at, (a, b, _) in enumerate(times)]
    limits = fitting(rate=rate)
    fitted = refit(cues, [["x" * length] for _, _, length in times], limits)
    gap = limits.profile.gap * (rate or Rate(25)).frame
    for one, new in zip(cues, fitted, strict=True):
        assert new.end >= one.end
        if new.end > one.end:
            assert new.end - one.start <= max(limits.profile.longest, one.end - one.start) + 1e-6
            later = [other.start for other in cues if other is not one and other.start >= one.start]
            assert all(new.end <= start - gap + 1e-6 for start in later)
            assert rate is None or rate.snap(new.end) == pytest.approx(new.end)
