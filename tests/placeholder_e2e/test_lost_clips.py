"""Clips whose media is gone, in Kdenlive and in Blender: filled, rendered, and given their shots; no edit moves."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from callboard import codec
from callboard.bus import INTAKE
from callboard.catalog import proposals, standins
from callboard.config import PluginSettings, Project, Settings, Shots, Watch, make_project
from callboard.coverage import Coverage, Look, cover, read_cut, reading
from callboard.coverage.requesting import Terms, requests
from callboard.coverage.standins import StandIns
from callboard.testing import TmpPlugin, countedclips
from callboard.testing.applications import Application, Served, served
from callboard.timedtext.rate import parse_rate
from callboard_blender.cuts import PROGRAM
from callboard_kdenlive import saving
from callboard_kdenlive.measure import measure
from callboard_kdenlive.mlt import melt
from callboard_schemas import VERBS, Command, Presence, Swap
from PIL import Image

ROOT = Path(__file__).parents[2]
JOBS = ROOT / "hosts" / "callboard_blender" / "jobs.py"
RATE, HANDLES = parse_rate("29.97"), 8
# Only the very first call waits for the wheels to be fetched.
pytestmark = pytest.mark.timeout(900)


class Event(NamedTuple):
    """What is on the timeline from a frame on."""

    start: int
    frames: int
    first: int
    """Frame of the film that it begins with."""
    film: int
    """Its number; a shot's is above 10."""

    @property
    def lost(self) -> bool:
        """Whether its media is gone."""
        return self.film > 10

    @property
    def name(self) -> str:
        """Its name in the project, and of its file."""
        return f"SH{self.film - 10:02d}0" if self.lost else f"own{self.film}"


EVENTS = (
    Event(0, 20, 0, 1), Event(20, 50, 100, 11), Event(70, 20, 30, 2), Event(90, 57, 0, 12), Event(147, 20, 60, 1),
    Event(167, 64, 133, 13), Event(231, 20, 90, 2),
)  # fmt: skip
LOST = [event for event in EVENTS if event.lost]
Pictures = list[tuple[int, int, int, int]]

# A .blend of the same cut: Blender reads the films once, and then the lost ones go.
MAKE = """
import json, sys
import bpy
told = json.loads(sys.argv[-1])
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps, scene.render.fps_base = 30, 1.001
scene.render.resolution_x, scene.render.resolution_y = told["size"]
editor = scene.sequence_editor_create()
strips = editor.strips if hasattr(editor, "strips") else editor.sequences
for name, file, start, frames, first in told["events"]:
    strip = strips.new_movie(name=name, filepath=file, channel=1, frame_start=1 + start - first)
    strip.frame_final_start, strip.frame_final_end = 1 + start, 1 + start + frames
    strip.name = name
bpy.ops.wm.save_as_mainfile(filepath=told["path"])
"""

# Reads a .blend with nothing of ours: where each strip lies, and a picture of the middle of each lost one.
SEEN = """
import json, sys
import bpy
told = json.loads(sys.argv[-1])
bpy.ops.wm.open_mainfile(filepath=told["path"])
scene = bpy.context.scene
editor = scene.sequence_editor
strips = editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all
scene.view_settings.view_transform, scene.render.image_settings.file_format = "Standard", "PNG"
scene.render.resolution_percentage = 100
for frame in told["frames"]:
    scene.frame_set(frame + 1)
    scene.render.filepath = told["out"] + f"/{frame}.png"
    bpy.ops.render.render(write_still=True)
rows = [[one.frame_final_start - 1, one.frame_final_duration, one.frame_offset_start, one.name, one.filepath,
         str(one.get("callboard_id", ""))] for one in strips]
print("SEEN " + json.dumps(sorted(rows)))
"""


class Cuts:
    """The same cut in both applications."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder, self._python = folder, [python, "-I"]
        self.films = {event.film: folder / "media" / f"{event.name}.mov" for event in EVENTS}
        (folder / "media").mkdir()
        for film, path in self.films.items():
            countedclips.write(path, film, 200, RATE.fps)
        self.kdenlive, self.blend = folder / "cut.kdenlive", folder / "cut.blend"
        self.kdenlive.write_text(self._project())
        rows = [(one.name, str(self.films[one.film]), one.start, one.frames, one.first) for one in EVENTS]
        size = (countedclips.WIDTH, countedclips.HEIGHT)
        self._blender(MAKE, {"events": rows, "size": size, "path": str(self.blend)})
        for event in LOST:
            self.films[event.film].unlink()

    def _blender(self, script: str, told: dict[str, Any]) -> str:
        done = subprocess.run(
            [*self._python, "-c", script, json.dumps(told)], capture_output=True, text=True, timeout=280
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _project(self) -> str:
        """Write a project of Kdenlive 22.12."""

        def properties(**values: object) -> str:
            return "".join(f'<property name="{name}">{value}</property>' for name, value in values.items())

        sources, binned, laid = "", "", ""
        for film, path in self.films.items():
            about = {"length": 200, "eof": "pause", "resource": path, "mlt_service": "avformat-novalidate"}
            about |= {"kdenlive:clipname": path.stem, "kdenlive:id": film + 2, "kdenlive:clip_type": 0}
            silent = {**about, "set.test_audio": 1, "set.test_image": 0}
            for name, values in ((f"bin{film}", about), (f"v{film}", silent)):
                sources += f'<producer id="{name}" in="0" out="199">{properties(**values)}</producer>'
            binned += f'<entry producer="bin{film}" in="0" out="199"/>'
        for event in EVENTS:
            entry = f'<entry producer="v{event.film}" in="{event.first}" out="{event.first + event.frames - 1}">'
            laid += f"{entry}{properties(**{'kdenlive:id': event.film + 2})}</entry>"
        about = {"kdenlive:docproperties.version": "1.04", "xml_retain": 1}
        return (
            f'<mlt LC_NUMERIC="C" producer="main_bin" root="{self.folder}">'
            '<profile frame_rate_num="30000" frame_rate_den="1001" width="192" height="108" progressive="1"'
            ' sample_aspect_num="1" sample_aspect_den="1" display_aspect_num="16" display_aspect_den="9"'
            f' colorspace="709"/>{sources}<playlist id="main_bin">{properties(**about)}{binned}</playlist>'
            f'<playlist id="cut">{laid}</playlist><playlist id="mixed"/><tractor id="video">'
            '<track producer="cut" hide="audio"/><track producer="mixed" hide="audio"/></tractor>'
            '<tractor id="main"><track producer="video"/></tractor></mlt>'
        )

    def covered(self, path: Path) -> Coverage:
        """Hold a project against the disk."""
        with reading() as headers:
            return cover(read_cut(path, Look(headers=headers)), headers, StandIns())

    def rendered(self) -> Pictures:
        """Have melt render the Kdenlive project, and read each picture's own number off it."""
        out = self.folder / "cut.mkv"
        line = [melt(), str(self.kdenlive), "-consumer", f"avformat:{out}", "vcodec=mpeg4", "qscale=2", "g=1", "an=1"]
        bare = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
        subprocess.run([*line, "real_time=-1"], check=True, timeout=280, capture_output=True, env=bare)
        return countedclips.runs(list(countedclips.seen(out)))

    def strips(self) -> tuple[list[tuple[Any, ...]], list[Any]]:
        """Read the .blend: where strips lie and what they show, and what is seen in the middle of the lost ones."""
        frames = [event.start + event.frames // 2 for event in LOST]
        told = {"path": str(self.blend), "frames": frames, "out": str(self.folder)}
        rows = json.loads(self._blender(SEEN, told).partition("SEEN ")[2].splitlines()[0])
        pictures = [Image.open(self.folder / f"{frame}.png").convert("RGB") for frame in frames]
        return [tuple(row) for row in rows], [countedclips.read(np.asarray(one)) for one in pictures]

    def apply(self, commands: Sequence[Command]) -> None:
        """Have a Blender without a window do commands in the .blend."""
        path = self.folder / "commands.json"
        path.write_bytes(msgspec.json.encode(commands))
        line = [*self._python, str(JOBS), "apply", str(self.blend), str(path), "--root", str(self.folder), "--in-place"]
        done = subprocess.run(line, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stdout + done.stderr
        (told,) = [json.loads(one) for one in done.stdout.splitlines() if one.startswith("{")]
        assert [one["state"] for one in told["receipts"]] == ["applied"] * len(commands)


@pytest.fixture
def cuts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cuts:
    """Give both cuts, with their shots gone."""
    bpy = [str(ROOT / "tests" / "bpy.sh"), "5.0"]
    python = subprocess.check_output(bpy, text=True, timeout=850).strip()
    monkeypatch.setenv(PROGRAM, python)
    return Cuts(tmp_path, python)


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project with a watched folder, and a plugin whose placeholders can be told from each other."""
    tmp_plugin(
        "counted", countedclips.STANDS_IN, events=["placeholder.requested"], kind="generate", results=["placeholder"]
    )
    (tmp_path / "footage").mkdir()
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=0.2),),
        allow_plugins=("counted",),
        shots=Shots(handles=HANDLES),
        plugins=dict.fromkeys(("autotag", "caption", "localize", "placeholder"), off),
    )
    return make_project(tmp_path, settings)


class Stage:
    """A board with both applications."""

    def __init__(self, board: Served, cuts: Cuts) -> None:
        self.board, self.cuts = board, cuts
        self.hosts: dict[Path, Application] = {}

    async def start(self) -> None:
        """Have both applications say hello."""
        for path, name in ((self.cuts.kdenlive, "kdenlive"), (self.cuts.blend, "blender")):
            presence = Presence(
                host=f"{name}-1", application=name, version="1", state="online", capabilities=VERBS, project=str(path)
            )
            self.hosts[path] = await self.board.application(presence)

    def ids(self, result: str) -> list[str]:
        """Give what waits."""
        found = standins.placeholders if result == "placeholder" else standins.swaps
        return [one.id for one in self.board.read(lambda conn: found(conn, "proposed"))]

    async def accept(self, result: str) -> list[Any]:
        """Wait for one of each of the six places, and accept them as a person does; gives what they say."""
        await self.board.until(lambda: len(self.ids(result)) == 2 * len(LOST), 120)
        waiting = self.ids(result)
        made = [self.board.read(partial(proposals.get, ident=ident)) for ident in waiting]
        desk = self.board.daemon.board.desk
        await self.board.daemon.board.catalog.write(
            lambda conn: desk.decide_many(conn, waiting, "accept", "zoe", "good")
        )
        self.board.daemon.board.wake()
        return [one.body for one in made if one is not None]

    async def done(self, verb: str) -> None:
        """Have both applications do what they are asked for."""
        for path, host in self.hosts.items():
            commands = [await host.next(verb) for _ in LOST]
            if path == self.cuts.blend:
                self.cuts.apply(commands)
            else:
                for command in commands:
                    outcome = saving.patch(str(path), command, measure)
                    assert (outcome.refused, outcome.stale, outcome.missing) == ("", "", [])
            for command in commands:
                await host.receipt(command)
        await self.board.until(lambda: {state for _, state in self.board.states()} == {"applied"})


def expected(film: int, begin: dict[int, int]) -> Pictures:
    """Say what should be seen: *film* and the number of the shot for the lost ones, from the frames that are given."""
    return [
        (one.start, film + one.film - 10, begin[one.film], one.frames)
        if one.lost
        else (one.start, one.film, one.first, one.frames)
        for one in EVENTS
    ]


def as_before(rows: Sequence[tuple[Any, ...]], begin: dict[int, int]) -> bool:
    """Tell whether each strip lies where it did, under its name, and begins with the frame that is given."""
    found = [(start, frames, head, name.partition(".")[0]) for start, frames, head, name, _, _ in rows]
    return found == [(one.start, one.frames, begin.get(one.film, one.first), one.name) for one in EVENTS]


async def test_lost_clips_are_filled_and_get_their_shots(project: Project, cuts: Cuts, tmp_path: Path) -> None:
    """Each placeholder shows from its first frame, each shot behind its handle, the very file from where it was cut."""
    with reading() as headers:
        asked = [one for path in (cuts.kdenlive, cuts.blend) for one in requests(cuts.covered(path), Terms(), headers)]
    assert [(one.shot, one.frames) for one in asked] == [(one.name, one.frames) for one in LOST] * 2
    films, begin = (tmp_path / "SH010_v001.mov", tmp_path / "SH020_v001.mov", tmp_path / "SH030.mov"), (8, 8, 133)
    behind = dict(zip((one.film for one in LOST), begin, strict=True))
    for event, film, head in zip(LOST, films, begin, strict=True):
        countedclips.write(film, 10 + event.film, head + event.frames + HANDLES, RATE.fps)
    async with served(project) as board:
        stage = Stage(board, cuts)
        await stage.start()
        for one in asked:
            envelope = codec.make("placeholder.requested", one, source="urn:test")
            await board.bus.publish(f"{INTAKE}.placeholder.requested", codec.encode(envelope), msg_id=envelope.id)
        await stage.accept("placeholder")
        await stage.done("placeholder.insert")
        first = dict.fromkeys(behind, 0)
        assert cuts.rendered() == expected(100, first)
        rows, pictures = cuts.strips()
        assert as_before(rows, first)
        assert pictures == [(100 + one.film - 10, one.frames // 2) for one in LOST]
        assert all(row[5] for row in rows if "PLACEHOLDER" in row[4])
        for film in films:
            film.replace(board.footage / film.name)
        swaps = await stage.accept("swap")
        assert all(isinstance(one, Swap) and not one.questions for one in swaps)
        await stage.done("relink")
    assert cuts.rendered() == expected(20, behind)
    rows, pictures = cuts.strips()
    assert as_before(rows, behind)
    assert not any(row[5] or "PLACEHOLDER" in row[4] for row in rows)
    assert pictures == [(10 + one.film, behind[one.film] + one.frames // 2) for one in LOST]
    assert cuts.covered(cuts.kdenlive).ready
    assert cuts.covered(cuts.blend).ready
