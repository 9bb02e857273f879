"""Slug lines: where and when, in six languages, and nothing that is not said."""

from __future__ import annotations

import pytest
from callboard.briefs import Heading, is_heading, read_heading
from hypothesis import given
from hypothesis import strategies as st

READ = {
    "EXT. HARBOUR - NIGHT": Heading(interior=False, place="Harbour", time_of_day="night"),
    "ext. harbour - night": Heading(interior=False, place="harbour", time_of_day="night"),
    "INT./EXT. CAR (MOVING) – DAWN": Heading(place="Car", time_of_day="dawn"),
    "I/E CAR - DAY": Heading(place="Car", time_of_day="day"),
    "EST. NEW YORK - DAY": Heading(place="New York", time_of_day="day"),
    ".INT. HOUSE - DAY": Heading(interior=True, place="House", time_of_day="day"),
    "12A EXT. HARBOUR - NIGHT 12A": Heading(interior=False, place="Harbour", time_of_day="night"),
    "#12# EXT. PIER 7 - NIGHT": Heading(interior=False, place="Pier 7", time_of_day="night"),
    "INT. APARTMENT 12 - NIGHT": Heading(interior=True, place="Apartment 12", time_of_day="night"),
    "INT. HOUSE - KITCHEN - CONTINUOUS": Heading(interior=True, place="House - Kitchen", same=True),
    "INT. HOUSE - MOMENTS LATER": Heading(interior=True, place="House", same=True),
    "INT. HOUSE - DAY (CONTINUOUS)": Heading(interior=True, place="House", time_of_day="day", same=True),
    "INT. MARA'S FLAT, BEDROOM - LATE NIGHT": Heading(interior=True, place="Mara's Flat, Bedroom", time_of_day="night"),
    "INT. MARA'S FLAT, NIGHT": Heading(interior=True, place="Mara's Flat", time_of_day="night"),
    "EXT HARBOUR-NIGHT": Heading(interior=False, place="Harbour", time_of_day="night"),
    "EXT. SQUARE (ROME) - DAY 2": Heading(interior=False, place="Square (Rome)", time_of_day="day"),
    "EXT. DESERT - DAY FOR NIGHT": Heading(interior=False, place="Desert", time_of_day="night"),
    "INT. ST. PAUL'S -- EVENING": Heading(interior=True, place="St. Paul's", time_of_day="dusk"),
    "HARBOUR": Heading(place="Harbour"),
    "INNEN. KÜCHE – TAG": Heading(interior=True, place="Küche", time_of_day="day"),
    "INNEN/AUSSEN. AUTO – ABEND": Heading(place="Auto", time_of_day="dusk"),
    "AUßEN / HAFEN - NACHT": Heading(interior=False, place="HAFEN".title(), time_of_day="night"),
    "12. KÜCHE - INNEN/TAG": Heading(interior=True, place="Küche", time_of_day="day"),
    "KÜCHE. INNEN. TAG": Heading(interior=True, place="Küche", time_of_day="day"),
    "INT. CUISINE - JOUR": Heading(interior=True, place="Cuisine", time_of_day="day"),
    "EXT. PORT – CRÉPUSCULE": Heading(interior=False, place="Port", time_of_day="dusk"),
    "INT. SALON - APRÈS-MIDI": Heading(interior=True, place="Salon", time_of_day="day"),
    "INT. COCINA - DÍA": Heading(interior=True, place="Cocina", time_of_day="day"),
    "EXT. PUERTO. NOCHE": Heading(interior=False, place="Puerto", time_of_day="night"),
    "ESTERNO PORTO - TRAMONTO": Heading(interior=False, place="Porto", time_of_day="dusk"),
    "EXT. PRAIA - NOITE": Heading(interior=False, place="Praia", time_of_day="night"),
}
UNKNOWN = {
    "INTO THE WOODS": Heading(place="Into The Woods"),
    "EXTRA CHEESE": Heading(place="Extra Cheese"),
    "INT. NIGHT CLUB": Heading(interior=True, place="Night Club"),
    "INT. DAY CARE CENTRE": Heading(interior=True, place="Day Care Centre"),
    "EXT. DAY'S INN": Heading(interior=False, place="Day's Inn"),
    "EXT. OPENING NIGHT": Heading(interior=False, place="Opening Night"),
    "EXT. STREET - DAY/NIGHT": Heading(interior=False, place="Street"),
    "EXT. STREET - GOLDEN HOUR": Heading(interior=False, place="Street"),
    "EXT. STREET - EARLY MORNING": Heading(interior=False, place="Street"),
    "A HOUSE": Heading(place="A House"),
    "": Heading(),
    " - . , -- ": Heading(),
}


@pytest.mark.parametrize("line", READ)
def test_a_slug_line_says_where_and_when(line: str) -> None:
    """Inside or outside, the place and the time of day, with numbers and asides dropped."""
    assert read_heading(line) == READ[line]


@pytest.mark.parametrize("line", UNKNOWN)
def test_what_is_not_said_stays_unknown(line: str) -> None:
    """Words that stand in a place's name, or say two things, are not taken for a time or a side."""
    assert read_heading(line) == UNKNOWN[line]


@given(st.text(max_size=80))
def test_any_text_can_be_read(line: str) -> None:
    """Nothing raises, and a place holds no words that the line did not."""
    place = read_heading(line).place
    assert len(place) <= 4 * len(line)  # some small letters are longer than their large ones


_PLACES = st.lists(st.sampled_from(["HARBOUR", "OLD PIER", "MARA'S FLAT", "BRIDGE 12"]), min_size=1, max_size=2)
_SIDES = {"INT.": True, "EXT.": False, "INT": True, "INT./EXT.": None, "I/E": None, "INNEN.": True, "AUSSEN.": False}
_TIMES = {"DAY": "day", "NIGHT": "night", "TAG": "day", "NUIT": "night", "AMANECER": "dawn", "DUSK": "dusk"}


@given(
    st.sampled_from(sorted(_SIDES)), _PLACES, st.sampled_from([" - ", " – ", " -- "]), st.sampled_from(sorted(_TIMES))
)
def test_every_slug_line_of_the_standard_form_is_read(side: str, places: list[str], dash: str, time: str) -> None:
    """Whatever side, places, dash and time it is put together from."""
    found = read_heading(f"{side} {dash.join(places)}{dash}{time}")
    assert (found.interior, found.time_of_day) == (_SIDES[side], _TIMES[time])
    assert found.place.upper() == " - ".join(places)


def test_only_a_line_in_capitals_is_one_beyond_doubt() -> None:
    """A sentence that begins with such a word is none."""
    assert [line for line in (*READ, *UNKNOWN) if is_heading(line)] == [
        line for line in (*READ, *UNKNOWN) if line.startswith(("INT.", "EXT.", "EST.", "INNEN"))
    ]
    assert not is_heading("Int. is short for interior")
    assert not is_heading("EXTRA. CHEESE")
