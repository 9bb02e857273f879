"""The division into cues is the cheapest that there is: compared with every other one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
from callboard.timedtext.profile import load
from callboard.timedtext.rate import parse_rate
from callboard_caption.cues import lay_out
from callboard_caption.dividing import Costs, divide
from callboard_caption.layout import Layout
from callboard_caption.timing import Clock
from callboard_schemas import Word
from hypothesis import given, settings
from hypothesis import strategies as st

DURATION = 60.0


@st.composite
def spoken(draw: st.DrawFn) -> list[Word]:
    """A few words, at paces from hurried to halting."""
    texts = draw(
        st.lists(
            st.sampled_from(["we", "the", "boat", "harbour,", "sunrise.", "extraordinarily", "No!", "when", "in"]),
            min_size=1,
            max_size=11,
        )
    )
    clock, words = 1.0, []
    for text in texts:
        length = len(text) * draw(st.sampled_from([0.03, 0.07, 0.15]))
        words.append(Word(text=text, start=clock, end=clock + length, confidence=0.9))
        clock += length + draw(st.sampled_from([0.0, 0.05, 0.6, 1.5]))
    return words


def divisions(count: int) -> Iterator[list[tuple[int, int]]]:
    """Give every division of *count* words into cues."""
    for breaks in range(count):
        for places in combinations(range(1, count), breaks):
            edges = [0, *places, count]
            yield list(pairwise(edges))


def price(table: np.ndarray[tuple[int, ...], np.dtype[np.float64]], spans: list[tuple[int, int]]) -> float:
    """Add up what the cues of a division cost; a cue that its lines cannot hold costs without end."""
    return sum(
        float(table[stop - first - 1, first]) if stop - first <= len(table) else float("inf") for first, stop in spans
    )


@given(spoken(), st.sampled_from([(), (1.5, 2.0, 4.0), (2.2, 6.0)]), st.booleans())
@settings(deadline=None, max_examples=40)
def test_no_other_division_is_cheaper(words: list[Word], cuts: tuple[float, ...], two: bool) -> None:
    """Of all divisions of up to eleven words the one that is chosen costs least."""
    layout = Layout(profile=load("netflix", "en"), rate=parse_rate("24"), language="en", cuts=cuts)
    speakers = [at % 5 // 3 for at in range(len(words))] if two else []
    clock = Clock(words, layout, DURATION)
    table = Costs(words, layout, clock, (), speakers).table()
    best = min(price(table, spans) for spans in divisions(len(words)))
    assert price(table, divide(table)) <= best + 1e-9


@given(spoken(), st.sampled_from([(), (1.5, 2.0, 4.0), (2.2, 6.0)]))
@settings(deadline=None, max_examples=40)
def test_cues_have_the_times_they_were_chosen_for(words: list[Word], cuts: tuple[float, ...]) -> None:
    """The optimiser weighs the very times that the cues then get, so what it proves holds for the result."""
    layout = Layout(profile=load("netflix", "en"), rate=parse_rate("24"), language="en", cuts=cuts)
    clock = Clock(words, layout, DURATION)
    costs = Costs(words, layout, clock)
    spans = divide(costs.table())
    firsts, stops = (np.array(edge) for edge in zip(*spans, strict=True))
    cues = lay_out(words, layout, DURATION)
    assert [layout.unit_at(cue.start) for cue in cues] == clock.starts[firsts].tolist()
    assert [layout.unit_at(cue.end) for cue in cues] == clock.ends(firsts, stops, costs.needed(firsts, stops)).tolist()
