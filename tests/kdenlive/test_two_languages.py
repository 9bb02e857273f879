"""Captions and their translation in a project that shows one language of subtitles."""

from __future__ import annotations

from pathlib import Path

import pytest
from callboard.errors import TimelineError
from callboard_kdenlive import saving
from callboard_kdenlive.outcome import Measured, Outcome
from callboard_kdenlive.uses import on_timeline
from callboard_schemas import Command, Content, HostCue

ENGLISH, SPANISH = ("Hello.", "And you?"), ("Hola.", "¿Y tú?")
THEIRS = "1\n00:00:00,100 --> 00:00:00,300\nA person's\n"


class Edit:
    """A closed project whose first clip has words."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.path = folder / "edit.kdenlive"
        self.path.write_text(template.read_text("utf-8").replace("@FOLDER@", str(folder)), "utf-8")

    def do(self, verb: str, proposal: str, lines: tuple[str, ...] = (), *, language: str = "") -> Outcome:
        """Have it take captions, or a translation where a language is given; or take them away."""
        (use, *_) = [one.use for one in on_timeline(saving.read(str(self.path))[0])]
        cues = [HostCue(id=n, start=n / 2, end=n / 2 + 0.4, text=line) for n, line in enumerate(lines)]
        command = Command(
            id="c", host="h", verb=verb, proposal=proposal, use=use if lines else None,
            content=Content(cues=tuple(cues), language=language or "en") if lines else None,
            arguments={"translation": True} if language else {},
        )  # fmt: skip
        return saving.patch(str(self.path), command, unmeasured)

    def lines(self, language: str = "") -> list[str]:
        """Give the lines of what the project shows, or of the file of a language."""
        path = Path(f"{self.path}{f'.{language}' if language else ''}.srt")
        return path.read_text("utf-8").splitlines()[2::4] if path.exists() else []


def unmeasured(path: str) -> Measured:
    """Measure nothing: subtitles need no media."""
    raise TimelineError(path, "is not measured")


@pytest.fixture
def edit(pytestconfig: pytest.Config, tmp_path: Path) -> Edit:
    """Give such a project."""
    return Edit(pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive", tmp_path)


def test_a_translation_beside_captions_has_a_file_of_its_own(edit: Edit) -> None:
    """The captions stay what is shown; the receipt names the translation's file, which goes with it."""
    assert edit.do("subtitles.write", "en", ENGLISH).notes == []
    outcome = edit.do("subtitles.write", "es", SPANISH, language="es")
    assert (outcome.missing, outcome.landed) == (
        [], [f"subtitle 00:00:00.{at} in edit.kdenlive.es.srt" for at in ("000", "480")]
    )  # fmt: skip
    (note,) = outcome.notes
    assert note.endswith("can show but one language: see edit.kdenlive.es.srt")
    assert (edit.lines(), edit.lines("es")) == ([*ENGLISH], [*SPANISH])
    assert edit.do("subtitles.write", "es", ("Buenas.",), language="es").missing == []
    assert edit.lines("es") == ["Buenas."]
    assert edit.do("clear", "es").missing == []
    assert edit.lines() == [*ENGLISH]
    assert not Path(f"{edit.path}.es.srt").exists()


def test_a_translation_alone_is_shown_until_captions_come(edit: Edit) -> None:
    """Where nothing else is shown it is; captions then take its place, and their receipt says where it went."""
    assert edit.do("subtitles.write", "es", SPANISH, language="es").notes == []
    assert (edit.lines(), edit.lines("es")) == ([*SPANISH], [])
    outcome = edit.do("subtitles.write", "en", ENGLISH)
    assert (outcome.missing, outcome.notes) == (
        [],
        ["2 subtitle(s) of the translation are in edit.kdenlive.es.srt now"],
    )
    assert (edit.lines(), edit.lines("es")) == ([*ENGLISH], [*SPANISH])
    assert edit.do("clear", "es").missing == edit.do("clear", "en").missing == []
    assert (edit.lines(), edit.lines("es")) == ([], [])


def test_a_persons_subtitles_stay_what_is_shown_and_in_their_files(edit: Edit) -> None:
    """What a person wrote counts as captions; in a file of the language ours join theirs, and leave them behind."""
    for name in ("", ".es"):
        Path(f"{edit.path}{name}.srt").write_text(THEIRS)
    outcome = edit.do("subtitles.write", "es", SPANISH, language="es")
    assert edit.lines() == ["A person's"]
    assert [one.partition(": ")[2] for one in outcome.missing] == ["another is shown at that time"]
    assert edit.lines("es") == ["A person's", SPANISH[1]]
    edit.do("clear", "es")
    assert Path(f"{edit.path}.es.srt").read_text() == THEIRS


def test_a_language_that_is_no_name_makes_no_file_elsewhere(edit: Edit) -> None:
    """Whatever is said of a language, nothing is written outside of the project's folder."""
    edit.do("subtitles.write", "en", ENGLISH)
    outcome = edit.do("subtitles.write", "x", SPANISH, language="../../es")
    assert len(outcome.missing) == 2
    assert sorted(one.name for one in edit.path.parent.iterdir() if "srt" in one.name) == ["edit.kdenlive.srt"]
