"""``callboard search`` and ``callboard duplicates`` as their users meet them, over catalogs that real runs made."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.catalog import prints, view
from callboard.cli import main
from callboard.testing import TmpPlugin
from PIL import Image, ImageOps

LOOK = """
    from callboard import hookimpl
    from callboard_autotag.analyser import Picture
    from callboard_autotag.prints import PrintMaker
    from callboard_schemas import Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        maker = PrintMaker()
        for frame in context.media.frames(max_side=160):
            maker.add(frame)
            if asset.kind == "image":
                maker.look(Picture(0.0, 0, frame.pixels, 1.0))
        label = asset.place.path.rpartition("/")[2].partition(".")[0]
        tags = Tags(items=(Tag(label="subject " + label, score=0.9, method="look"),), confidence=0.9)
        made = maker.prints()
        return [tags, made] if made else tags
"""
SETTINGS = """
allow_plugins = ["look"]
[[watch]]
path = "clips"
[plugins.caption]
enabled = false
[plugins.autotag]
enabled = false
"""


def callboard(*arguments: object, cwd: Path) -> tuple[int, str, str]:
    """Run the command line in this process, as in *cwd*; exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(map(str, arguments)))
    return code, out.getvalue(), err.getvalue()


def told(*arguments: object, cwd: Path) -> dict[str, Any]:
    """Run with ``--json`` and give stdout, exactly one document."""
    code, out, err = callboard(*arguments, "--json", cwd=cwd)
    assert code == 0, out + err
    document: dict[str, Any] = json.loads(out)
    return document


def names(document: dict[str, Any]) -> list[str]:
    """Give the base names of the hits."""
    return [hit["path"].rpartition("/")[2] for hit in document["hits"]]


_READY: list[Path] = []
"""The project after its run, from which each test gets a copy."""


@pytest.fixture
def project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, tmp_plugin: TmpPlugin, samples: Path) -> Path:
    """Give a project with five files that a real run looked at."""
    tmp_plugin("look", LOOK, results=["tags", "prints"])
    if not _READY:
        _READY.append(ready(tmp_path_factory.mktemp("ready") / "project", samples))
    return Path(shutil.copytree(_READY[0], tmp_path / "project"))


def ready(folder: Path, samples: Path) -> Path:
    """Make the project, and run the plugin on its files."""
    (folder / "clips" / "old").mkdir(parents=True)
    (folder / "callboard.toml").write_text(SETTINGS)
    for name in ("harbour_take3.mp4", "still_photo.jpg", "still_bars.png"):
        shutil.copy(samples / name, folder / "clips" / name)
    shutil.copy(samples / "still_bars.png", folder / "clips" / "old" / "bars_again.png")
    upright = ImageOps.exif_transpose(Image.open(samples / "still_photo.jpg"))
    upright.resize((300, 200)).save(folder / "clips" / "thumb.png")
    code, out, err = callboard("run", "clips", cwd=folder)
    assert code == 0, out + err
    return folder


def test_prints_are_indexed_and_never_proposed(project: Path) -> None:
    """A plugin that answers tags and prints makes one proposal a file; bus, sidecars and inbox know no prints."""
    with view(project / ".callboard") as catalog:
        counted = catalog.read(
            lambda conn: conn.execute("SELECT result, count(*) FROM proposals GROUP BY 1").fetchall()
        )
        assert counted == [("tags", 4)]
        assert catalog.read(prints.spaces) == ["phash", "phash-track"]
        bodies = catalog.read(lambda conn: conn.execute("SELECT subject, body FROM outbox").fetchall())
    assert len(bodies) >= 8
    assert not [subject for subject, body in bodies if b"phash" in body]
    sidecars = list((project / "clips").rglob("*.xmp"))
    assert sidecars
    assert not [path for path in sidecars if b"phash" in path.read_bytes()]


def test_words_find_files_and_say_why(project: Path) -> None:
    """Names and tags find a file; plain output has its path and why, JSON has paths, kind, reasons and notes."""
    code, out, err = callboard("search", "harbour", cwd=project)
    assert code == 0
    assert out.splitlines()[0] == "clips/harbour_take3.mp4"
    assert "  tag           subject harbour_take3" in out.splitlines()
    assert "callboard models" in err
    document = told("search", "harbour", cwd=project)
    (hit,) = document["hits"]
    assert hit["path"].endswith("/clips/harbour_take3.mp4")
    assert hit["kind"] == "video"
    assert {reason["why"] for reason in hit["reasons"]} == {"name", "tags"}
    assert len(document["notes"]) == 1


def test_a_file_at_two_places_is_one_hit_with_both(project: Path) -> None:
    """The same bytes at two places are found once, with both paths."""
    (hit,) = told("search", "bars", "again", cwd=project)["hits"]
    assert len(hit["paths"]) == 2


def test_a_rejected_tag_is_not_found(project: Path) -> None:
    """Rejecting on the command line takes a tag's words out of the search; the name stays."""
    with view(project / ".callboard") as catalog:
        ids = [row[0] for row in catalog.read(lambda conn: conn.execute("SELECT id FROM proposals").fetchall())]
    assert names(told("search", "subject", "thumb", cwd=project)) == ["thumb.png"]
    assert callboard("reject", *ids, cwd=project)[0] == 0
    assert told("search", "subject", "thumb", cwd=project)["hits"][0]["reasons"][0]["why"] == "name"
    assert names(told("search", "subject", cwd=project)) == []


def test_a_picture_finds_its_copies(project: Path, samples: Path) -> None:
    """``--like`` finds the photo and its thumbnail, and a frame finds the film it is from, with the time."""
    found = names(told("search", "--like", samples / "still_photo.jpg", cwd=project))
    assert set(found[:2]) == {"still_photo.jpg", "thumb.png"}
    assert names(told("search", "--like", samples / "one_frame.mp4", cwd=project)) == ["harbour_take3.mp4"]
    assert names(told("search", "--like", samples / "still_photo.jpg", "--kind", "audio", cwd=project)) == []


def test_what_cannot_be_searched_is_said(project: Path, tmp_path: Path) -> None:
    """Each mistake has a message of its own: no words, no picture, black, misspelt, nothing processed."""
    assert callboard("search", cwd=project)[0] == 2
    code, _, err = callboard("search", "--like", "callboard.toml", cwd=project)
    assert code == 1
    assert "callboard.toml" in err
    code, _, err = callboard("search", "--like", "nowhere.png", cwd=project)
    assert code == 1
    assert "nowhere.png" in err
    Image.fromarray(np.zeros((90, 160, 3), np.uint8)).save(tmp_path / "black.png")
    document = told("search", "--like", tmp_path / "black.png", cwd=project)
    assert document["hits"] == []
    assert "black.png has no shapes to compare it by" in document["notes"][0]
    assert callboard("search", "harbuor", cwd=project)[1] == "Nothing found. Did you mean harbour?\n"
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "callboard.toml").write_text("")
    code, _, err = callboard("search", "sea", cwd=tmp_path / "empty")
    assert code == 2
    assert "nothing was processed here yet" in err


def test_duplicates_are_told_and_stay(project: Path) -> None:
    """The same bytes and the thumbnail are told, with what differs, and every file is still there."""
    before = sorted(project.rglob("*.*"))
    groups = {group["why"]: group for group in told("duplicates", cwd=project)["groups"]}
    assert groups.keys() == {"exact", "near"}
    paths = groups["exact"]["members"][0]["paths"]
    assert {path.rpartition("/")[2] for path in paths} == {"bars_again.png", "still_bars.png"}
    assert len(groups["near"]["members"]) == 2
    _, out, _ = callboard("duplicates", cwd=project)
    assert "clips/thumb.png" in out
    assert sorted(project.rglob("*.*")) == before
