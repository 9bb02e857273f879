"""What the lock does with one line: joined sentences, retries, context, foreign cues, and an engine that is gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from callboard.errors import Blocked, JobError
from callboard_localize.engines import Hints, Line, Method, Text
from callboard_localize.lock import LEFT, Lock, Locked
from callboard_localize.marks import Marks
from callboard_localize.masks import Masker
from callboard_localize.terms import Terms
from callboard_localize.translator import Options, Texts, Translator
from callboard_localize.work import units
from callboard_schemas import Captions, Cue

Answer = Callable[[Sequence[Line]], Sequence[str]]


class Scripted:
    """Answers as a test says, and keeps what it was asked."""

    name, batch = "scripted", 8
    method: Method = "neural"

    def __init__(self, answer: Answer, *, separate: bool = True) -> None:
        self._answer, self.separate = answer, separate
        self.asked: list[tuple[Line, ...]] = []

    def mark(self, number: int) -> str:
        """Give a mark."""
        return f"⟦{number}⟧"

    def translate(self, lines: Sequence[Line], hints: Hints) -> Sequence[str]:
        """Answer as the test says."""
        self.asked.append(tuple(lines))
        return self._answer(lines)


def louder(lines: Sequence[Line]) -> list[str]:
    """Translate into capitals."""
    return [line.text.upper() for line in lines]


def cue(number: int, *lines: str, **more: object) -> Cue:
    """Make a cue of a second and a half, two seconds after the one before."""
    given = {"confidence": 1.0, **more}
    return Cue(id=number, start=2.0 * number, end=2.0 * number + 1.5, lines=lines, **given)  # type: ignore[arg-type]  # each test names fields that are there


def locked(engine: Scripted, *cues: Cue, context: int = 2, join: bool = True) -> list[Locked]:
    """Put cues through the lock."""
    return Lock(engine, Masker(Marks(engine.mark), Terms("en", "es")), None, context).translate(cues, "en", join=join)


def test_a_sentence_over_two_cues_is_one_line() -> None:
    """A sentence that goes on in the next cue is translated whole, and parted where the cues are."""
    engine = Scripted(louder)
    found = locked(engine, cue(1, "He told me that"), cue(2, "the house was white."), cue(3, "I left."))
    assert [line.text for line in engine.asked[0]] == ["He told me that ⟦0⟧ the house was white.", "I left."]
    assert [one.turns for one in found] == [("HE TOLD ME THAT",), ("THE HOUSE WAS WHITE.",), ("I LEFT.",)]


def test_a_sentence_that_loses_its_mark_is_translated_cue_by_cue() -> None:
    """Where the mark between two cues does not come back, each is translated for itself."""
    engine = Scripted(lambda lines: [line.text.replace(" ⟦0⟧", "").upper() for line in lines])
    found = locked(engine, cue(1, "He told me that"), cue(2, "the house was white."))
    assert [one.turns for one in found] == [("HE TOLD ME THAT",), ("THE HOUSE WAS WHITE.",)]
    assert len(engine.asked) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (cue(1, "He told me."), cue(2, "the house was white.")),
        (cue(1, "He told me that"), cue(2, "The house was white.")),
        (cue(1, "- He told me that"), cue(2, "the house was white.")),
        (cue(1, "He told me that"), cue(2, "[the house creaks]")),
        (cue(1, "He told me that", speaker="A"), cue(2, "the house was white.", speaker="B")),
        (cue(1, "He told me that"), cue(5, "the house was white.")),
    ],
)
def test_what_is_no_sentence_is_not_joined(first: Cue, second: Cue) -> None:
    """An end, a capital, a dash, a sound, another speaker or a long pause begins anew."""
    engine = Scripted(louder)
    locked(engine, first, second)
    assert [len(batch) for batch in engine.asked] == [2]


def test_a_long_sentence_is_joined_in_pieces() -> None:
    """At most four cues are joined."""
    cues = [cue(number, "and on it goes") for number in range(1, 7)]
    assert [len(unit.places) for unit in units(cues, [turns_of(one) for one in cues], join=True)] == [4, 2]


def turns_of(one: Cue):  # type: ignore[no-untyped-def]  # its type is the function's that it calls
    """Take a cue apart."""
    from callboard_localize.parts import taken_apart

    return taken_apart(one, "en")


def test_a_bad_line_costs_only_itself() -> None:
    """The line that failed is asked again alone with its neighbours, then without, and its neighbours not at all."""

    def answer(lines: Sequence[Line]) -> list[str]:
        return ["" if line.text == "Two." and (len(lines) > 1 or line.before) else line.text.upper() for line in lines]

    engine = Scripted(answer)
    found = locked(engine, cue(1, "One."), cue(2, "Two."), cue(3, "Three."))
    assert [one.turns for one in found] == [("ONE.",), ("TWO.",), ("THREE.",)]
    assert [[line.text for line in batch] for batch in engine.asked] == [["One.", "Two.", "Three."], ["Two."], ["Two."]]
    assert [(batch[0].before, batch[0].after) for batch in engine.asked[1:]] == [(("One.",), ("Three.",)), ((), ())]


def test_a_line_that_never_comes_stays_in_its_language() -> None:
    """A cue that cannot be translated keeps its text, and says why."""
    engine = Scripted(
        lambda lines: ["" if "{x}" not in line.text and "⟦" in line.text else line.text for line in lines]
    )
    found = locked(engine, cue(1, "Say {name}."), cue(2, "Two."))
    assert found[0] == Locked(("Say {name}.",), failed=(f"{LEFT}: nothing came back",))
    assert found[0].kept
    assert not found[1].kept


def test_lines_that_can_change_places_carry_marks() -> None:
    """An engine whose answers can be exchanged is given each line between two marks of its own."""
    engine = Scripted(lambda lines: louder(lines)[::-1], separate=False)
    found = locked(engine, cue(1, "One day."), cue(2, "Two days."))
    assert [line.text for line in engine.asked[0]] == ["⟦0⟧ One day. ⟦1⟧", "⟦2⟧ Two days. ⟦3⟧"]
    assert [one.turns for one in found] == [("ONE DAY.",), ("TWO DAYS.",)]


def test_a_cue_in_another_language_is_left_to_a_person() -> None:
    """What is spoken in a third language is not given to an engine for the first."""
    engine = Scripted(louder)
    found = locked(engine, cue(1, "One."), cue(2, "Je ne sais pas.", language="fr"))
    assert found[1] == Locked(("Je ne sais pas.",), failed=(f"{LEFT}: it is in fr, and was not translated",))
    assert len(engine.asked[0]) == 1


def test_what_the_engine_doubts_is_told() -> None:
    """Words that it does not know are flagged, but for names, and its confidence counts."""
    engine = Scripted(lambda lines: [Text("LA VERJA", 0.25, ("portcullis", "Marlow")) for _ in lines])
    [found] = locked(engine, cue(1, "The portcullis"))
    assert found.flags == ("a word that the engine does not know: 'portcullis'",)
    assert found.doubt == 0.75


@pytest.mark.parametrize(
    ("said", "came", "kept"),
    [
        ("and so on", "Y así", "y así"),
        ("…and so on", "…Y así", "…y así"),
        ("{name} and so on", "⟦0⟧ y así", "{name} y así"),
        ("{name} is here", "Aquí está ⟦0⟧", "Aquí está {name}"),
        ("And so on", "Y así", "Y así"),
        ("on TV", "TV sí", "TV sí"),
    ],
)
def test_a_line_begins_as_its_source_does(said: str, came: str, kept: str) -> None:
    """Engines take every line for a sentence; one that goes on begins with a small letter again."""
    assert locked(Scripted(lambda lines: [came for _ in lines]), cue(1, said))[0].turns == (kept,)


def test_an_engine_that_answers_nothing_ends_the_job() -> None:
    """Where every call fails, there is no translation to look at, and no thousand calls are made to learn it."""

    def refuse(lines: Sequence[Line]) -> list[str]:
        raise JobError("the model is too small")

    engine = Scripted(refuse)
    with pytest.raises(JobError, match="scripted translates nothing: the model is too small"):
        locked(engine, *[cue(number, f"Line {number}.") for number in range(100)], join=False)
    assert len(engine.asked) < 20


def test_an_engine_that_is_gone_is_waited_for() -> None:
    """A blocked engine blocks the job; no cue is given up for it."""

    def gone(lines: Sequence[Line]) -> list[str]:
        raise Blocked("the service does not answer")

    with pytest.raises(Blocked):
        locked(Scripted(gone), cue(1, "One."))


def test_a_translation_back_is_asked_for_what_was_translated() -> None:
    """The way back is given the translated cues, and a poor one is flagged; cues that were left are not compared."""
    there = Scripted(lambda lines: ["" if "lost" in line.text else "EL BARCO ZARPA" for line in lines])
    back = Scripted(lambda lines: ["nobody knows" for _ in lines])
    cues = (cue(1, "The boat sets sail"), cue(2, "All is lost."))
    translator = Translator(there, back, Options(join_sentences=False))
    made = translator.translate(Texts(captions=Captions(language="en", cues=cues, confidence=1.0)), "en", "es")
    assert [line.text for batch in back.asked for line in batch] == ["EL BARCO ZARPA"]
    assert made.cues[0].flags[0].startswith("its translation back is little like it")
    assert (made.cues[1].lines, made.cues[1].language, made.cues[1].risk) == (("All is lost.",), "en", 1.0)
