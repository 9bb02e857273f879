"""Nobody's likeness without a yes: not by name in a brief, and not by a face in a reference."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from callboard.context import Context, Runtime
from callboard.errors import JobError
from callboard.plugin.context import JobContext, Surroundings
from callboard.runtime.local import LocalRuntime
from callboard.testing import make_asset
from callboard_autotag.truth.cuts import photograph
from callboard_placeholder.guard.likeness import people, pictures
from callboard_placeholder.guard.rules import texts
from callboard_schemas import Brief, Line, Neighbour, PlaceholderRequested
from PIL import Image


def asked(purpose: str, **brief: Any) -> PlaceholderRequested:
    """Ask for a shot."""
    return PlaceholderRequested(shot="SH010", brief=Brief(purpose=purpose, **brief))


@pytest.mark.parametrize(
    ("purpose", "name"),
    [
        ("A man who looks like Tom Hanks", "Tom Hanks"),
        ("a woman looking exactly like Audrey Hepburn, smiling", "Audrey Hepburn"),
        ("close-up in the likeness of Greta Garbo", "Greta Garbo"),
        ("portrait of Elvis", "Elvis"),
        ('portrait of "Marie Curie" at her desk', "Marie Curie"),
        ("the king, played by Laurence Olivier", "Laurence Olivier"),
        ("deepfake of Angela Merkel's speech", "Angela Merkel's"),
        ("PORTRAIT OF TOM HANKS", "TOM HANKS"),
        ("a dead ringer for O'Brien", "O'Brien"),
        ("photo of Jean-Luc Picard", "Jean-Luc Picard"),
    ],
)
def test_a_brief_that_asks_for_somebody_is_refused(purpose: str, name: str) -> None:
    """The words and the field are named, and what can be done."""
    request = asked(purpose)
    with pytest.raises(JobError) as caught:
        people(request, texts(request))
    assert f"brief.purpose asks for the likeness of {name!r}" in caught.value.message


@pytest.mark.parametrize(
    "purpose",
    [
        "A man who looks like a sailor",
        "Anna looks like her mother",
        "portrait of a lady on fire",
        "PORTRAIT OF A LADY",
        "portrait of Anna at the window",
        "a portrait of ANNA, torn",
        "IT LOOKS LIKE RAIN",
        "photo of Anna Lind on the wall",
        "the ship looks like new. Tom enters",
        "Tom Hanks",
    ],
)
def test_characters_and_things_are_nobody(purpose: str) -> None:
    """Who is in the cast, what has no name, and a name alone are not refused."""
    request = asked(purpose, cast=("ANNA LIND",))
    people(request, texts(request))


def test_what_is_said_is_not_what_is_seen() -> None:
    """Dialogue may speak of anybody."""
    request = asked("They talk", dialogue=(Line(text="You look like Tom Hanks", speaker="ANNA"),))
    people(request, texts(request))


@pytest.fixture(scope="module")
def runtime() -> Iterator[LocalRuntime]:
    """Load the detector once."""
    with LocalRuntime() as local:
        yield local


def context(folder: Path, runtime: Runtime | None, start: str = "reference") -> JobContext:
    """Give what a job is handed; without a runtime it says so, as outside a board."""
    (shm := folder / "shm").mkdir(exist_ok=True)
    return JobContext(
        parameters={"diffusion_from": start},
        path=None,
        asset=None,
        log=logging.getLogger("test"),
        surroundings=Surroundings(shm_folder=shm, runtime=runtime),
        roots={"footage": folder},
        project=folder,
    )


def with_reference(name: str, *, agreed: object = None, by: str = "zoe") -> PlaceholderRequested:
    """Ask for a shot that goes by a picture."""
    parameters = {} if agreed is None else {"references_agreed": agreed}
    brief = Brief(purpose="x", references=(name,))
    return PlaceholderRequested(shot="SH010", brief=brief, by=by, parameters=cast("Any", parameters))


@pytest.fixture
def folder(tmp_path: Path, samples: Path) -> Path:
    """Give pictures without a face."""
    Image.new("RGB", (640, 360), "teal").save(tmp_path / "plain.png")
    (tmp_path / "film.mov").write_bytes((samples / "interview.mov").read_bytes())
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return tmp_path


def refused(request: PlaceholderRequested, given: Context) -> str:
    """Give what is said where references are refused."""
    with pytest.raises(JobError) as caught:
        pictures(request, "diffusion", given)
    return str(caught.value)


@pytest.mark.models
def test_a_face_needs_a_yes(folder: Path, runtime: LocalRuntime) -> None:
    """A picture with a face is refused until the request says yes; one without a face goes through."""
    Image.fromarray(photograph("astronaut")).save(folder / "astronaut.jpg")
    given = context(folder, runtime)
    pictures(with_reference("plain.png"), "diffusion", given)
    assert "astronaut.jpg shows 1 face; who is in it has to be asked" in refused(with_reference("astronaut.jpg"), given)
    pictures(with_reference("astronaut.jpg", agreed=True), "diffusion", given)


@pytest.mark.models
@pytest.mark.parametrize("name", ["film.mov", "broken.png"])
def test_what_cannot_be_looked_at_needs_a_yes(folder: Path, runtime: LocalRuntime, name: str) -> None:
    """A reference that is no picture may show anybody."""
    assert "cannot be looked at" in refused(with_reference(name), context(folder, runtime))


def test_without_a_detector_every_reference_needs_a_yes(folder: Path) -> None:
    """Where nobody can look, nobody says that there is no face."""
    given = context(folder, None)
    assert "no face detector is here" in refused(with_reference("plain.png"), given)
    pictures(with_reference("plain.png", agreed=True), "diffusion", given)


@pytest.mark.parametrize("agreed", ["true", 1, False, None])
def test_only_yes_is_a_yes(folder: Path, agreed: object) -> None:
    """A word, a number and nothing are none."""
    assert "no face detector" in refused(with_reference("plain.png", agreed=agreed), context(folder, None))


def test_a_yes_has_a_name_to_it(folder: Path) -> None:
    """Who says that somebody agreed says who they are."""
    request = with_reference("plain.png", agreed=True, by=" ")
    assert "nobody's name is to it" in refused(request, context(folder, None))


def test_a_reference_that_is_not_there_is_named(folder: Path) -> None:
    """No engine is asked to go by what is not there."""
    assert "none.png is not in the project" in refused(with_reference("none.png", agreed=True), context(folder, None))


def after(path: Path, *, agreed: bool = False) -> PlaceholderRequested:
    """Ask for a shot before another one."""
    neighbours = (Neighbour(side="after", name="SH020", asset=make_asset(path)),)
    parameters = cast("Any", {"references_agreed": True} if agreed else {})
    return PlaceholderRequested(
        shot="SH010", brief=Brief(purpose="x", neighbours=neighbours), by="zoe", parameters=parameters
    )


@pytest.mark.models
def test_a_neighbour_to_start_from_needs_a_yes_too(folder: Path, runtime: LocalRuntime) -> None:
    """Where a draft starts from the frame of an actor it needs a yes; where it does not, the frame is not looked at."""
    Image.fromarray(photograph("astronaut")).save(actor := folder / "astronaut.png")
    Image.new("RGB", (64, 36)).save(gone := folder / "gone.png")
    missing = after(gone)
    gone.unlink()
    with contextlib.closing(context(folder, runtime, "after")) as given:
        assert "the frame of SH020 shows 1 face" in refused(after(actor), given)
        pictures(after(actor, agreed=True), "diffusion", given)
        pictures(after(folder / "plain.png"), "diffusion", given)
        pictures(missing, "diffusion", given)
        pictures(after(actor), "comfyui", given)
        pictures(after(actor), "diffusion", context(folder, runtime, "before"))
