"""Banned terms and subjects: found however they are written, and not where they are not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from callboard.errors import Blocked, JobError
from callboard_placeholder.guard.rules import Rule, obey, rules_of, texts
from callboard_placeholder.guard.words import finds, finds_all, normal
from callboard_schemas import Brief, Line, PlaceholderRequested


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("gore", "No gore here"),
        ("gore", "GORE!"),
        ("gore", "g0re"),
        ("gore", "G o r e"),
        ("gore", "g.o.r.e."),
        ("gore", "go\u200bre"),
        ("gore", "ｇｏｒｅ"),
        ("gore", "gоre with a Cyrillic letter"),
        ("gore", "\u202egore"),
        ("gore", "göré"),
        ("nude", "two nudes"),
        ("nudes", "one nude"),
        ("nude", "n4ked? no, nud3"),
        ("corpse", "the corpse's hand"),
        ("body", "bodies"),
        ("bodies", "a body"),
        ("stab", "he stabs, was stabbed, is stabbing"),
        ("stab", "stabbing"),
        ("smoke", "smoking"),
        ("child soldier", "child-soldiers"),
        ("child soldier", "a childsoldier"),
        ("ass", "@ss"),
        ("裸体", "全裸体験"),
        ("총", "총을 든"),
        ("оружие", "ОРУЖИЕ в кадре"),
        ("waffe", "mit der Waffe"),
        ("fusil", "un fusil"),
    ],
)
def test_terms_are_found(term: str, text: str) -> None:
    """Whatever the letters, the case, the spaces and the inflection."""
    assert finds(term, normal(text))


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("cunt", "Scunthorpe"),
        ("ass", "a class of bass players in the grass"),
        ("rape", "a grape, a drape"),
        ("nude", "denuded, Nudel"),
        ("gun", "begun, Gunnar"),
        ("gore", "Gregor, gored no one but a gorge"),
        ("sos", "the 50s"),
        ("lie", "113 people"),
        ("tits", "titstorm, Titsey"),
        ("nude", "sun, under, dew"),
        ("nude", "n u, d e"[:3]),
        ("kill", "skill"),
        ("...", "..."),
    ],
)
def test_other_words_are_left_alone(term: str, text: str) -> None:
    """No term is found inside another word, in a decade, or in a number."""
    found = finds(term, normal(text))
    assert not found or (term, found) == ("gore", "gored")


def test_a_subject_is_found_in_any_order_within_a_sentence() -> None:
    """Its words together say it; apart they do not."""
    assert finds_all("child soldier", normal("A soldier, still a child, stands guard."))
    assert finds_all("child soldier", normal("Soldiers march. A child waves.")) == ""
    assert finds_all("school shooting", normal("They are shooting at the school"))


ASKED = PlaceholderRequested(
    shot="SH010",
    purpose="Anna waits",
    brief=Brief(
        purpose="Anna waits at the pier",
        slug="EXT. PIER - NIGHT",
        cast=("ANNA", "OLD MAN"),
        place="pier",
        mood="tense",
        notes="rain",
        dialogue=(Line(text="He had a gun", speaker="ANNA"),),
    ),
    parameters={"style": "oil on canvas", "extras": ["fog", "neon"], "steps": 4},
)


@pytest.mark.parametrize(
    ("term", "field"),
    [
        ("SH010", "shot"),
        ("waits", "purpose"),
        ("pier", "brief.purpose"),
        ("night", "brief.slug"),
        ("old man", "brief.cast[1]"),
        ("tense", "brief.mood"),
        ("rain", "brief.notes"),
        ("guns", "brief.dialogue[0]"),
        ("canvas", "parameters.style"),
        ("neon", "parameters.extras"),
    ],
)
def test_every_text_of_a_request_is_looked_at(term: str, field: str) -> None:
    """A refusal names the term, the field, what stands there, and whose rule it is."""
    rules = rules_of({"banned_terms": [term]})
    with pytest.raises(JobError) as caught:
        obey(rules, texts(ASKED), "diffusion")
    assert caught.value.message.startswith(f"{field} says '")
    assert f"{term!r} is a banned term for diffusion (banned_terms of the plugin)" in caught.value.message
    assert "slate, take it as it is" in caught.value.hint


FILE = """
[[terms]]
term = "gore"
aliases = ["entrails", "guts"]
why = "The film is to be rated 6"
by = "legal"
everywhere = true

[[subjects]]
subject = "the mayor"
"""


def rules(path: Path, text: str) -> Iterator[Rule]:
    """Read a file of rules."""
    path.write_text(text)
    yield from rules_of({"guard": str(path)})


def test_a_file_holds_rules_with_reasons(tmp_path: Path) -> None:
    """Aliases count as the term, and the refusal says who wants it, why, and where it is written."""
    gore, mayor = rules(tmp_path / "guard.toml", FILE)
    assert (gore.subject, gore.everywhere, mayor.subject, mayor.everywhere) == (False, True, True, False)
    with pytest.raises(JobError) as caught:
        obey([gore, mayor], iter([("brief.notes", "spilled guts")]), "slate")
    said = "brief.notes says 'guts', and 'gore' is a banned term for slate (guard.toml, by legal)"
    assert caught.value.message == f"{said}: The film is to be rated 6"
    assert "take it as it is" not in caught.value.hint


@pytest.mark.parametrize("text", ["[[terms]\n", "[[terms]]\nword = 'x'\n", "[[terms]]\nterm = ''\n", "\xff"])
def test_rules_that_cannot_be_read_stop_everything(tmp_path: Path, text: str) -> None:
    """A file that is wrong is no empty file."""
    path = tmp_path / "guard.toml"
    path.write_text(text, "latin-1")
    with pytest.raises(Blocked, match="cannot be read"):
        rules_of({"guard": str(path)})
    with pytest.raises(Blocked, match="cannot be read"):
        rules_of({"guard": str(tmp_path / "none.toml")})


def test_a_long_text_is_looked_through_quickly() -> None:
    """No text makes looking slow: each term takes one pass."""
    rules = rules_of({"banned_terms": ["gore", "child soldier", "a b c d e f", "aaaaaaaq"]})
    text = "a " * 5000 + "a b c d e " * 2000 + "a.a.a.a.a.a.a" * 2000 + "a" * 10000
    begun = time.thread_time()
    obey(rules, iter([("purpose", text)]), "diffusion")
    assert time.thread_time() - begun < 20.0
