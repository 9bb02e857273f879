"""Pictures found by what they show: words go through a text tower, pictures through an image tower, to the catalog.

The CLIP of these tests knows the colours of a few words: it shows that everything is put together rightly, not how
well a trained model knows film.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from callboard.catalog import Catalog, journal, prints, view
from callboard.config import Project, RuntimeSettings, Settings
from callboard.embed import ImageEmbedder, find_pair
from callboard.errors import MediaError
from callboard.packs import find_packs
from callboard.runtime.local import LocalRuntime
from callboard.search.ask import Answer, ask
from callboard.sources.facts import Seen
from callboard.testing.tinyclip import make_tiny_clip
from callboard_autotag.analyser import Picture, Shot
from callboard_autotag.prints import PrintMaker
from PIL import Image

WORDS = {"poppies": (255, 0, 0), "meadow": (0, 255, 0), "ocean": (0, 0, 255)}
SHOWN = {"a": (230, 20, 20), "b": (10, 200, 30), "c": (20, 30, 240)}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give a project with a model, and a film of each colour whose second shot shows it."""
    models = tmp_path / "models"
    make_tiny_clip(models, WORDS, name="clip")
    settings = Settings(runtime=RuntimeSettings(models=str(models)))
    pair = find_pair(find_packs(models))
    assert pair is not None
    with LocalRuntime(settings.runtime) as runtime, Catalog(tmp_path / "data") as catalog:
        embedder = ImageEmbedder(runtime, pair[0])
        for name, colour in SHOWN.items():
            maker = PrintMaker(embedder.embed, embedder.space)
            for number, pixels in enumerate(
                (np.full((90, 160, 3), 128, np.uint8), np.full((90, 160, 3), colour, np.uint8))
            ):
                shot = Shot(number, number * 4.0, number * 4.0 + 4, number * 96, number * 96 + 95)
                maker.look(Picture(shot.start + 1, number * 96 + 24, pixels, 1.0, shot))
            made = maker.prints()
            assert made is not None
            catalog.write_sync(lambda conn, name=name: journal.put_place(conn, "footage", seen(name)))  # type: ignore[misc]
            catalog.write_sync(lambda conn, name=name, made=made: prints.put(conn, name, "autotag", made))  # type: ignore[misc]
    return Project(folder=tmp_path, data=tmp_path / "data", settings=settings)


def seen(name: str) -> Seen:
    """Describe a film at a place."""
    return Seen(
        path=f"{name}.mov".encode(),
        size=1,
        mtime_ns=1,
        ctime_ns=1,
        inode=1,
        device=1,
        digest=name,
        kind="video",
        sequence=None,
    )


def asked(project: Project, query: str, like: Path | None = None) -> Answer:
    """Ask the project's catalog."""
    with view(project.data) as catalog:
        return catalog.read(lambda conn: ask(project, conn, query, like))


@pytest.mark.parametrize(("query", "expected"), [("poppies", "a"), ("a wide meadow", "b"), ("ocean", "c")])
def test_words_find_pictures_that_nobody_tagged(project: Project, query: str, expected: str) -> None:
    """What a film shows is found by a word for it, with the time of the picture, and no note."""
    answer = asked(project, query)
    assert answer.hits[0].digest == expected
    (reason,) = answer.hits[0].reasons
    assert (reason.why, reason.start, reason.end) == ("looks", 5.0, 8.0)
    assert reason.score > 0.8
    assert answer.notes == ()


def test_a_picture_finds_what_looks_like_it(project: Project, tmp_path: Path) -> None:
    """A picture of its own, of the same colour, finds the film, though it is flat and so has no hash."""
    Image.fromarray(np.full((64, 64, 3), (40, 40, 200), np.uint8)).save(tmp_path / "sea.png")
    answer = asked(project, "", tmp_path / "sea.png")
    assert answer.hits[0].digest == "c"
    assert answer.hits[0].reasons[0].why == "looks"


def test_words_and_meaning_are_put_together(project: Project) -> None:
    """A film that has the word in its name and one that shows it are both given, each with its reason."""
    with Catalog(project.data) as catalog:
        catalog.write_sync(lambda conn: journal.put_place(conn, "footage", seen("meadow_notes")))
    answer = asked(project, "meadow")
    reasons = {hit.digest: hit.reasons[0].why for hit in answer.hits[:2]}
    assert reasons == {"meadow_notes": "name", "b": "looks"}


def test_a_model_that_is_not_here_is_said_with_what_still_works(project: Project) -> None:
    """Without the model, or with one that never looked, the words still work and a note says what is missing."""
    with Catalog(project.data) as catalog:
        catalog.write_sync(lambda conn: journal.put_place(conn, "footage", seen("ocean_notes")))
    pack = next((project.folder / "models").glob("*text.toml"))
    text = pack.read_text()
    pack.unlink()
    answer = asked(project, "ocean")
    assert [hit.digest for hit in answer.hits] == ["ocean_notes"]
    (note,) = answer.notes
    assert note.startswith("Searching names, tags, speech")
    pack.write_text(text)
    with Catalog(project.data) as catalog:
        catalog.write_sync(lambda conn: conn.execute("DELETE FROM prints").rowcount)
    (note,) = asked(project, "ocean").notes
    assert note.startswith("No picture was looked at with the model")


def test_what_is_no_picture_is_refused(project: Project, samples: Path) -> None:
    """Sound and damaged files have an error that names them."""
    with pytest.raises(MediaError, match=r"room_tone\.wav"):
        asked(project, "", samples / "room_tone.wav")
