"""Terms are found in a text with their endings, translations are held to them, banned words are found."""

from __future__ import annotations

from itertools import pairwise

import pytest
from callboard.glossary import banned, find, obeyed, parse
from hypothesis import given
from hypothesis import strategies as st

GLOSSARY = parse("""
[[term]]
text = "Siobhan"
keep = true
[[term]]
text = "Nakamura Station"
language = "en"
variants = ["the Nakamura"]
translations = {de = "Bahnhof Nakamura", ja = "中村駅", es = "estación Nakamura"}
[[term]]
text = "ferry"
language = "en"
translations = {de = "Fähre", pl = "prom", es = "transbordador"}
[[term]]
text = "Will"
case = true
keep = true
[banned]
en = ["boat"]
de = ["Kahn"]
""")


@pytest.mark.parametrize(
    ("text", "language", "places"),
    [
        ("Siobhan's here, SIOBHAN!", "en", ["Siobhan's", "SIOBHAN"]),
        ("Two Siobhans, no Siobhanda.", "en", ["Siobhans"]),
        ("Ferries are late; the ferry-boat isn't.", "en", ["Ferries", "ferry"]),
        ("Will will go.", "en", ["Will"]),
        ("To Nakamura\nStation, <i>Siobhan</i>", "en", ["Nakamura\nStation", "Siobhan"]),
        ("Nakamura. Station to station.", "en", []),
        ("Mówiłem o Siobhanie i Siobhanem.", "pl", ["Siobhanie", "Siobhanem"]),
        ("C'est l'idée d'Siobhan", "fr", ["Siobhan"]),
        ("Fährt die Fähre? ferry", "de", []),
        ("Sióbhan", "en", ["Sióbhan"]),
        ("", "en", []),
    ],
)
def test_terms_are_found_where_they_stand(text: str, language: str, places: list[str]) -> None:
    """Possessives, plurals, cases and joined articles do not hide a term, and other words are none."""
    found = find(text, GLOSSARY, language)
    assert [one.text for one in found] == places
    assert all(text[one.start : one.end] == one.text for one in found)


@pytest.mark.parametrize(
    ("source", "target", "languages", "missing"),
    [
        ("Siobhan took the ferry.", "Siobhan nahm die Fähre.", ("en", "de"), []),
        ("Siobhan took the ferries.", "Siobhan nahm die Fähren.", ("en", "de-AT"), []),
        ("Siobhan took the ferry.", "Sie nahm das Boot.", ("en", "de"), ["Siobhan", "Fähre"]),
        ("Siobhan, Siobhan!", "Siobhan!", ("en", "fr"), ["Siobhan"]),
        ("At Nakamura Station.", "中村駅で。", ("en", "ja"), []),
        ("At Nakamura Station.", "駅で。", ("en", "ja"), ["中村駅"]),
        ("A ferry.", "Un ferry.", ("en", "fr"), []),
        ("The ferry was late.", "Promu nie było.", ("en", "pl"), []),
        ("Will you will it, Will?", "¿Will, Will?", ("en", "es"), []),
        ("Two ferries.", "Dos transbordadores.", ("en", "es"), []),
    ],
)
def test_translations_are_held_to_the_glossary(
    source: str, target: str, languages: tuple[str, str], missing: list[str]
) -> None:
    """What is kept or has a translation must be in the target as often as in the source, with any ending."""
    assert [one.wanted for one in obeyed(source, target, GLOSSARY, *languages)] == missing


def test_banned_words_are_found_in_their_language() -> None:
    """A banned word is found with its ending, in its own language alone."""
    assert [one.text for one in banned("Boats, not a boat; a boatman.", GLOSSARY, "en-GB")] == ["Boats", "boat"]
    assert [one.text for one in banned("Die Kahns und ein boat", GLOSSARY, "de")] == ["Kahns"]
    assert banned("boat", GLOSSARY, "fr") == ()
    assert not banned("boat", None, "en")
    assert not find("Siobhan", None, "en")
    assert not obeyed("Siobhan", "", None, "en", "de")


@given(st.text(max_size=60), st.sampled_from(["en", "de", "ja", "pl", "fr"]))
def test_found_places_never_overlap(text: str, language: str) -> None:
    """In any text places are in order, apart, and as the text has them."""
    told = find(f"{text} Siobhan {text}'s ferry", GLOSSARY, language)
    assert any("Siobhan" in one.text for one in told)
    assert all(one.end <= other.start for one, other in pairwise(told))
