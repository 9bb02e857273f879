"""Clips whose media is not there, in closed projects: a stand-in for one use, the real shot for it, and back."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from callboard.coverage import Look, cover, read_cut, reading
from callboard.coverage.standins import StandIns
from callboard.testing import countedclips
from callboard_kdenlive import saving
from callboard_kdenlive.outcome import Measured, Outcome
from callboard_kdenlive.project import Project, media_of
from callboard_kdenlive.properties import prop, put
from callboard_kdenlive.tracks import items, tracks
from callboard_kdenlive.uses import on_timeline, speed_of
from callboard_schemas import Command, Content, Parameters, Use
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

FPS = 25
Laid = list[tuple[str, int, int, str, int]]


class Edit:
    """A closed project of two films, of which ``red.mp4`` is lost, that is used three times with its sound."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.path, self.folder = folder / "edit.kdenlive", folder
        self.path.write_text(template.read_text("utf-8").replace("@FOLDER@", str(folder)), "utf-8")
        countedclips.write(folder / "blue.mp4", 2, 75, FPS)
        self.stand_in = countedclips.write(folder / "SH010_PLACEHOLDER_v001_slate.mov", 3, 30, FPS)

    def read(self) -> Project:
        """Read it from disk."""
        return saving.read(str(self.path))[0]

    def uses(self) -> list[Use]:
        """Give what is on its timeline."""
        return [one.use for one in on_timeline(self.read())]

    def lost(self, where: str) -> Use:
        """Give the lost film's use on a track."""
        return next(one for one in self.uses() if one.ref.startswith(where) and one.path.endswith("red.mp4"))

    def laid(self) -> Laid:
        """List what lies where: track, start, length, the file's name, and the first frame of its source."""
        project = self.read()
        return [
            (track.name, one.start, one.length, Path(media_of(project, one.producer)).name, one.source_in)
            for track in tracks(project) for one in items(project, track) if one.producer is not None
        ]  # fmt: skip

    def do(
        self, verb: str, proposal: str, use: Use | None = None, file: Path | None = None, head: int = 0, **given: str
    ) -> Outcome:
        """Have it take a command."""
        arguments: Parameters = dict(given)
        command = Command(
            id="c", host="h", verb=verb, proposal=proposal, use=use, revision=use.revision if use else "",
            content=Content(file=str(file), source_in=head / FPS) if file else None, arguments=arguments,
        )  # fmt: skip
        return saving.patch(str(self.path), command, measure)

    def change(self, change: Any) -> None:
        """Change it as a person would."""
        project = self.read()
        change(project)
        self.path.write_bytes(project.to_bytes())

    def names(self) -> set[str]:
        """Give the names in the bin of clips of ours."""
        return {
            prop(one, "kdenlive:clipname") or "" for one in self.read().clips() if prop(one, "kdenlive:callboard.lost")
        }

    def missing(self) -> list[str]:
        """Give where coverage says that media is not there."""
        with reading() as headers:
            found = cover(read_cut(self.path, Look(headers=headers)), headers, StandIns())
        return [f"{one.ref} {one.state}" for one in found.cut.items if one.state in ("offline", "stand-in")]


@pytest.fixture
def edit(pytestconfig: pytest.Config, tmp_path: Path) -> Edit:
    """Give such a project."""
    return Edit(pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive", tmp_path)


def applied(outcome: Outcome) -> list[str]:
    """Give what landed, of a command of which all did."""
    assert (outcome.refused, outcome.stale, outcome.missing) == ("", "", [])
    return outcome.landed


def measure(path: str) -> Measured:
    """Measure a film here, which a process of its own would take a second for."""
    with av.open(path) as film:
        return Measured(float(film.duration or 0) / 1_000_000, True, bool(film.streams.audio))


def with_sound(path: Path, film: int, frames: int) -> Path:
    """Write a film with sound."""
    silent = countedclips.write(path.with_name(f"silent-{path.name}"), film, frames, FPS)
    tone = ["-f", "lavfi", "-i", f"sine=d={frames / FPS}", "-c:v", "copy", "-c:a", "pcm_s16le"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", silent, *tone, path], check=True, timeout=60)
    return path


def test_one_use_shows_the_stand_in_from_its_first_frame(edit: Edit) -> None:
    """No edit moves, the lost film's other uses and its clip in the bin stay, and a clear gives the same file back."""
    before, file = edit.laid(), edit.path.read_bytes()
    assert applied(edit.do("placeholder.insert", "p", edit.lost("V2"), edit.stand_in)) == [
        f"stand-in {edit.stand_in.name} at 00:00:03.200 on V2"
    ]
    shown = [one if one[0] != "V2" else ("V2", 80, 25, edit.stand_in.name, 0) for one in before]
    assert edit.laid() == shown
    assert edit.missing() == ["V1-0 offline", "V2-80 stand-in"]
    assert edit.names() == {edit.stand_in.name}
    assert applied(edit.do("clear", "p")) == []
    assert edit.laid() == before
    assert len(edit.path.read_bytes()) == len(file)


def test_two_uses_on_one_track_have_a_stand_in_each(edit: Edit) -> None:
    """What stands in for the first does not give the second another name; each goes by itself."""

    def twice(project: Project) -> None:
        playlist = tracks(project)[2].playlists[0]
        again = etree.fromstring(etree.tostring(playlist.find("entry")))
        playlist.append(again)

    edit.change(twice)
    before = edit.laid()
    first, second = [one for one in edit.uses() if one.ref.startswith("V2")]
    other = countedclips.write(edit.folder / "SH020_PLACEHOLDER_v001_slate.mov", 4, 25, FPS)
    applied(edit.do("placeholder.insert", "p1", first, edit.stand_in))
    applied(edit.do("placeholder.insert", "p2", second, other))
    names = [(name, begin) for track, _, _, name, begin in edit.laid() if track == "V2"]
    assert names == [(edit.stand_in.name, 0), (other.name, 0)]
    applied(edit.do("clear", "p1"))
    names = [(name, begin) for track, _, _, name, begin in edit.laid() if track == "V2"]
    assert names == [("red.mp4", 25), (other.name, 0)]
    applied(edit.do("clear", "p2"))
    assert edit.laid() == before


def test_a_second_apply_replaces_only_ours(edit: Edit) -> None:
    """Applied again, another file shows where a person moved the first; what shows a person's file is kept."""
    use = edit.lost("V2")
    applied(edit.do("placeholder.insert", "p", use, edit.stand_in))
    edit.change(lambda project: tracks(project)[2].playlists[0].find("blank").set("length", "00:00:03.400"))
    newer = countedclips.write(edit.folder / "SH010_PLACEHOLDER_v002_slate.mov", 4, 30, FPS)
    applied(edit.do("placeholder.insert", "p", use, newer))
    assert [one for one in edit.laid() if one[0] == "V2"] == [("V2", 85, 25, newer.name, 0)]
    assert edit.names() == {newer.name}

    def relink(project: Project) -> None:
        for one in project.producers():
            if prop(one, "resource") == str(newer):
                put(one, "resource", str(edit.folder / "blue.mp4"))

    edit.change(relink)
    outcome = edit.do("clear", "p")
    assert outcome.missing == [f"stand-in {newer.name}: shows another file by now; kept"]
    assert [one for one in edit.laid() if one[0] == "V2"] == [("V2", 85, 25, "blue.mp4", 0)]


def test_a_use_that_was_cut_or_has_its_media_again_waits_for_a_person(edit: Edit) -> None:
    """A newer revision and media that came back are said, and nothing is changed; with a yes it is done."""
    use, file = edit.lost("V2"), edit.path.read_bytes()
    edit.change(lambda project: tracks(project)[2].playlists[0].find("entry").set("out", "00:00:01.800"))
    file = edit.path.read_bytes()
    assert edit.do("placeholder.insert", "p", use, edit.stand_in).stale == "red.mp4 was moved, cut or retimed since"
    countedclips.write(edit.folder / "red.mp4", 1, 75, FPS)
    assert edit.do("placeholder.insert", "p", edit.lost("V2"), edit.stand_in).stale == "red.mp4 has its media again"
    assert edit.path.read_bytes() == file
    command = Command(
        id="c", host="h", verb="placeholder.insert", proposal="p", use=use, revision=use.revision,
        content=Content(file=str(edit.stand_in)), arguments={"anyway": True},
    )  # fmt: skip
    applied(saving.patch(str(edit.path), command, measure))
    assert [one for one in edit.laid() if one[0] == "V2"] == [("V2", 80, 21, edit.stand_in.name, 0)]


def test_the_real_shot_comes_with_its_name_and_its_sound(edit: Edit) -> None:
    """It shows behind its handle with its own sound, under the lost clip's name; each step back is the one before."""
    lost = edit.laid()
    applied(edit.do("placeholder.insert", "p", edit.lost("V1"), edit.stand_in))
    before = edit.laid()
    assert before[0] == ("A1", 0, 30, "red.mp4", 0)
    shot = with_sound(edit.folder / "SH010_v001.mov", 5, 46)
    applied(edit.do("relink", "s", None, shot, 8, placeholder="p"))
    assert [one for one in edit.laid() if one[1] == 0] == [
        ("A1", 0, 30, shot.name, 8), ("V1", 0, 30, shot.name, 8)
    ]  # fmt: skip
    assert edit.names() == {"red.mp4"}
    assert edit.missing() == ["V2-80 offline"]
    silent = countedclips.write(edit.folder / "SH010_v002.mov", 6, 40, FPS)
    applied(edit.do("relink", "s2", None, silent, 5, placeholder="p", former="s"))
    assert [one for one in edit.laid() if one[1] == 0] == [("A1", 0, 30, "red.mp4", 0), ("V1", 0, 30, silent.name, 5)]
    applied(edit.do("clear", "s2"))
    assert edit.laid()[0] == ("A1", 0, 30, shot.name, 8)
    applied(edit.do("clear", "s"))
    assert (edit.laid(), edit.names()) == (before, {edit.stand_in.name})
    applied(edit.do("clear", "p"))
    assert edit.laid() == lost


def test_a_retimed_clip_keeps_its_speed(edit: Edit) -> None:
    """The stand-in runs at the clip's speed, so that the real shot does, too; effects stay on their frames."""

    def slow(project: Project) -> None:
        entry = tracks(project)[2].playlists[0].find("entry")
        source = project.named(entry.get("producer"))
        twin = etree.fromstring(etree.tostring(source))
        twin.set("id", "slow")
        for name, value in (
            ("mlt_service", "timewarp"), ("resource", "0.500000:red.mp4"), ("warp_resource", "red.mp4"),
            ("warp_speed", "0.500000"), ("warp_pitch", "0"), ("length", "150"),
        ):  # fmt: skip
            put(twin, name, value)
        project.root.insert(project.root.index(source) + 1, twin)
        entry.set("producer", "slow")
        entry.append(etree.fromstring('<filter in="00:00:01.000" out="00:00:01.960"/>'))

    edit.change(slow)
    lost, before = edit.lost("V2"), edit.laid()
    with reading() as headers:
        (item,) = [one for one in read_cut(edit.path, Look(headers=headers)).items if one.track == "V2"]
    assert (item.frames, item.source_frames, item.use) == (25, 12, lost)
    applied(edit.do("placeholder.insert", "p", lost, edit.stand_in))
    (now,) = [one for track in tracks(edit.read()) if track.name == "V2" for one in items(edit.read(), track)]
    assert now.producer is not None
    assert (speed_of(now.producer), now.source_in, now.length) == (Fraction(1, 2), 0, 25)
    assert dict(now.entry.find("filter").attrib) == {"in": "00:00:00.000", "out": "00:00:00.960"}
    shot = countedclips.write(edit.folder / "SH010_v001.mov", 5, 30, FPS)
    applied(edit.do("relink", "s", None, shot, 4, placeholder="p"))
    assert edit.laid()[-1] == ("V2", 80, 25, shot.name, 8)
    for proposal in ("s", "p"):
        applied(edit.do("clear", proposal))
    assert edit.laid() == before
    assert speed_of(edit.read().named("slow")) == 0.5
