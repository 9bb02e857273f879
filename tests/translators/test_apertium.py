"""Apertium: real pairs and chains on real cues, and what its processes may do without a line going astray."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from callboard.errors import Blocked
from callboard.testing.processes import ends
from callboard_localize.engines import Hints, Line, Text
from callboard_localize.engines.apertium import Apertium, Mode, find, installed, packages, route
from callboard_localize.engines.stream import Garbled, decode, encode, marks

LOG = logging.getLogger("test")
CUES = (
    "Where were you last night?",
    "I was at the hospital with my brother.",
    "- He never came back.\n- Who?",
    "You have to leave before they come.",
    "It costs ⟦0⟧ dollars, not ⟦1⟧.",
    "I want to go home, ⟦0⟧said the girl⟦1⟧.",
)


def lines(*texts: str) -> list[Line]:
    """Make lines without context."""
    return [Line(text=text) for text in texts]


Make = Callable[[str], Apertium]


def made_for(target: str) -> Apertium:
    """Make the engine from English, whose modes must be installed."""
    found = find("en", target, LOG)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def engine() -> Iterator[Make]:
    """Give engines from English that are made once: loading dictionaries takes longer than translating."""
    made: dict[str, Apertium] = {}
    yield lambda target: made.setdefault(target, made.get(target) or made_for(target))
    for one in made.values():
        one.close()


@pytest.mark.parametrize(
    ("target", "chain", "words"),
    [
        ("es", "eng-spa", ("hospital", "hermano", "anoche")),
        ("ca", "eng-cat", ("hospital", "germà")),
        ("pt", "eng-spa > spa-por", ("hospital", "irmão", "ontem")),
        ("it", "eng-spa > spa-ita", ("ospedale", "fratello", "notte")),
        ("fr", "eng-cat > cat-fra", ("hôpital", "frère")),
    ],
)
def test_cues_come_out_in_the_language_that_was_asked_for(
    engine: Make, target: str, chain: str, words: tuple[str, ...]
) -> None:
    """English cues become words of each language, marks and line breaks in place, and the chain is recorded."""
    made = engine(target)
    answers = made.translate(lines(*CUES), Hints())
    assert made.name.startswith(f"apertium {chain} (")
    assert len(answers) == len(CUES)
    assert all(word in " ".join(answers).lower() for word in words)
    assert "\n" in answers[2]
    assert marks(answers[4]) == marks(answers[5]) == [0, 1]
    assert not any(sign in text for text in answers for sign in "*#@[]\\^$")


def test_regions_choose_the_variant_of_a_mode() -> None:
    """Brazilian Portuguese and Valencian have modes of their own; other regions take the plain one."""
    names = {tag: [mode.name for mode in route("en", tag, installed())] for tag in ("pt-BR", "pt-PT", "ca-valencia")}
    assert names == {
        "pt-BR": ["eng-spa", "es-pt_BR"],
        "pt-PT": ["eng-spa", "es-pt"],
        "ca-valencia": ["eng-cat_valencia"],
    }


def test_the_shortest_way_is_taken_and_no_long_one() -> None:
    """A direct pair goes before a chain, a chain over Spanish before others as short, and three links are the end."""

    def mode(source: str, target: str) -> Mode:
        return Mode(f"{source}-{target}", source, target, "")

    many = [mode("eng", "cat"), mode("eng", "spa"), mode("spa", "ita"), mode("cat", "ita"), mode("ita", "srd")]
    assert [each.name for each in route("en", "it", many)] == ["eng-spa", "spa-ita"]
    assert [each.name for each in route("en", "it", [*many, mode("eng", "ita")])] == ["eng-ita"]
    assert len(route("en", "sc", many)) == 3
    assert route("en", "xx", [*many, mode("srd", "xx")]) == ()
    assert route("hr", "en", [Mode("hbs-eng", "hbs", "eng", "")])
    assert [
        each.name for each in route("en", "hr", [mode("eng", "hbs"), mode("eng", "hbs_SR"), mode("eng", "hbs_HR")])
    ] == ["eng-hbs_HR"]


def test_packages_are_named_for_what_is_not_here() -> None:
    """The Debian packages of the shortest way are known without being installed; some pairs have none."""
    assert packages("en", "es") == ("apertium-eng-spa",)
    assert packages("en", "pt-BR") == ("apertium-eng-spa", "apertium-es-pt")
    assert packages("eu", "es") == ("apertium-eu-es",)
    assert packages("es", "eu") == ()
    assert packages("en", "de") == ()


def test_unknown_words_are_told_and_stay_without_signs(engine: Make) -> None:
    """Words in no dictionary come back as they were, are named, and lower the confidence."""
    made = engine("pt")
    answers = made.translate(lines("The zorblax eats the frumious fish.", "The dog eats the fish."), Hints())
    assert isinstance(answers[0], Text)
    assert set(answers[0].unknown) == {"zorblax", "frumious"}
    assert "zorblax" in answers[0]
    assert answers[0].confidence is not None
    assert answers[1].confidence == 1.0
    assert answers[0].confidence < 0.8


def test_signs_of_the_format_in_a_text_stay_text(engine: Make) -> None:
    """What Apertium writes its notes with comes back as it went in, and no mark or line is made of it."""
    texts = (
        "a [b] {c} ^d$ e/f <g> \\ h",
        "*star #tag @home ~x",
        "[a1] [z1] 7007000",
        "x\0y",
        "[",
        "\\",
        "😀 日本語 שלום",
    )
    answers = engine("es").translate(lines(*texts), Hints())
    for text, answer in zip(texts, answers, strict=True):
        assert [sign for sign in answer if sign in "[]{}^$/<>\\*#@~\0"] == [
            sign for sign in text if sign in "[]{}^$/<>\\*#@~\0"
        ]
    assert "7007000" in answers[2] or "⟦0⟧" not in answers[2]


def test_marks_survive_in_every_place(engine: Make) -> None:
    """Marks between words, at words, doubled and beside punctuation all come back once, also through a chain."""
    texts = [
        "⟦0⟧ is my friend.",
        "The red ⟦0⟧ car is fast.",
        "⟦0⟧Hello, John!⟦1⟧",
        "He said ⟦0⟧never⟦1⟧ again to ⟦2⟧'s house.",
        "⟦0⟧⟦1⟧, ⟦2⟧; ⟦3⟧",
        "⟦0⟧",
        "the old house of ⟦10⟧ and ⟦1⟧ (⟦2⟧)",
        "⟦3⟧ errors cannot be opened by ⟦4⟧, ⟦5⟧.",
        "7007001 is not ⟦1⟧ and 9119 is not 6446",
    ]
    for target in ("es", "it", "ca", "fr"):
        for text, answer in zip(texts, engine(target).translate(lines(*texts), Hints()), strict=True):
            assert marks(answer) == marks(text), (target, text, answer)


def test_a_garbled_answer_is_not_taken_for_another() -> None:
    """An answer that bears another request's number, or has lost an end, is refused."""
    sent = encode("the cat", 7)
    assert decode(sent, "the cat", 7).text == "the cat"
    for wrong in (encode("the cat", 8), sent[:-4], sent + sent, "", sent.replace("cat", "cat[c2]")):
        with pytest.raises((Garbled, ValueError)):
            decode(wrong, "the cat", 7)


def program(folder: Path, stage: str, seconds: float = 60.0, start: float = 60.0) -> Apertium:
    """Make an engine of a mode with one stage, written in shell; it is called with options that it ignores.

    A line may take so many seconds, and the first one *start* more.
    """
    script, path = folder / "stage.sh", folder / "eng-spa.mode"
    script.write_text(f"#!/bin/bash\n{stage}\n")
    script.chmod(0o755)
    path.write_text(str(script))
    return Apertium([Mode("eng-spa", "eng", "spa", str(path))], LOG, seconds, start)


ECHO = """while IFS= read -r -d '' line; do {}; printf '%s\\0' "$line"; done"""


@pytest.mark.parametrize(("fate", "seconds"), [("sleep 1000", 5.0), ("kill -9 $$", 60.0), ("exit 0", 60.0)])
async def test_a_line_that_hangs_or_kills_is_left_out_alone(tmp_path: Path, fate: str, seconds: float) -> None:
    """The processes are ended and started anew; that line is empty, its neighbours are translated."""
    made = program(tmp_path, ECHO.format(f'case "$line" in *poison*) {fate};; esac'), seconds)
    before = set(psutil.Process().children(recursive=True))
    assert made.translate(lines("one", "poison", "two"), Hints()) == ["one", "", "two"]
    made.close()
    for one in set(psutil.Process().children(recursive=True)) - before:
        await ends(one)


@pytest.mark.parametrize(
    ("stage", "words", "seconds"),
    [
        (
            "while IFS= read -r -d '' line; do printf '%s\\0%s\\0' \"$line\" \"$line\"; done",
            "more than it was asked",
            60.0,
        ),
        (ECHO.format("line=${line/a?/a9}"), "not the answer", 60.0),
        (ECHO.format("read -r -d '' other; line=$line$other"), "no answer within", 0.2),
        (ECHO.format("line=${line%?}"), "not the answer", 60.0),
    ],
    ids=["doubles", "renames", "merges", "cuts"],
)
def test_a_mode_that_mixes_lines_up_is_never_believed(tmp_path: Path, stage: str, words: str, seconds: float) -> None:
    """A stage that answers twice, for others, late or in part gives no line another's text."""
    with pytest.raises(Blocked, match=words):
        program(tmp_path, stage, seconds, start=0.0).translate(lines("one", "two"), Hints())


def test_an_answer_that_comes_again_later_is_not_the_next_line_s(tmp_path: Path) -> None:
    """A stage that repeats itself only once it is asked again costs the next line, which is left out."""
    again = """while IFS= read -r -d '' line; do printf '%s\\0' ${old:+"$old"} "$line"; old=$line; done"""
    made = program(tmp_path, again)
    assert made.translate(lines("one", "two"), Hints()) == ["one", ""]
    made.close()


def test_the_first_line_may_wait_for_the_dictionaries(tmp_path: Path) -> None:
    """Programs that take longer to start than a line may take are waited for."""
    made = program(tmp_path, "sleep 1\n" + ECHO.format(":"), seconds=0.5)
    assert made.translate(lines("one"), Hints()) == ["one"]
    made.close()


def test_a_mode_that_cannot_run_blocks_the_job(tmp_path: Path) -> None:
    """Where the mode itself is broken its own words are in the error, and no line is blamed."""
    with pytest.raises(Blocked, match="no such dictionary"):
        program(tmp_path, "echo no such dictionary >&2").translate(lines("one"), Hints())


async def test_processes_end_with_their_engine() -> None:
    """An engine that is dropped without a word leaves no process behind."""
    before = set(psutil.Process().children(recursive=True))
    made = made_for("es")
    made.translate(lines("a cat"), Hints())
    running = set(psutil.Process().children(recursive=True)) - before
    assert len(running) > 5
    del made
    gc.collect()
    for one in running:
        await ends(one)


def test_modes_are_those_that_apertium_lists() -> None:
    """What is installed is what the program itself lists, as far as it leads from a language to a language."""
    listed = subprocess.run(["apertium", "-l"], capture_output=True, text=True, check=True, timeout=120).stdout.split()
    assert {mode.name for mode in installed()} <= set(listed)
    assert {"eng-spa", "eng-cat", "es-pt", "spa-ita", "cat-fra"} <= {mode.name for mode in installed()}
    assert os.path.isfile(installed()[0].path)
