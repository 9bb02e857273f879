"""Projects of Kdenlive and Blender held against the disk; Blender itself reads its file, without a window."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from callboard.coverage import Coverage, Look, cover, read_cut, reading
from callboard.coverage.standins import StandIns
from callboard.errors import HostError, TimelineError
from callboard_blender.cuts import PROGRAM
from callboard_kdenlive import saving
from callboard_kdenlive.uses import open_gaps

MAKE = """
import bpy, os, sys
folder = sys.argv[-1]
scene = bpy.context.scene
scene.render.fps, scene.render.resolution_x, scene.render.resolution_y = 25, 1280, 720
scene.frame_end = 500
editor = scene.sequence_editor_create()
strips = editor.sequences if hasattr(editor, "sequences") else editor.strips
film = os.path.join(folder, "SH010.mp4")
first = strips.new_movie(name="SH010", filepath=film, channel=1, frame_start=1)
first.frame_final_end = 41
ours = strips.new_movie(name="SH030", filepath=film, channel=2, frame_start=61)
ours.frame_final_end = 81
ours["callboard_id"] = "p-9"
row = strips.new_image(name="SH040", filepath=os.path.join(folder, "SH040.1001.png"), channel=1, frame_start=81)
for number in range(1002, 1011):
    row.elements.append(f"SH040.{number}.png")
gone = strips.new_movie(name="SH050", filepath=film, channel=1, frame_start=91)
gone.frame_final_end = 101
gone.filepath = "//gone.mp4"
sound = strips.new_sound(name="voice", filepath=os.path.join(folder, "voice.wav"), channel=3, frame_start=1)
scene.timeline_markers.new("SH020", frame=45)
bpy.ops.wm.save_as_mainfile(filepath=os.path.join(folder, "cut.blend"))
"""


def ffmpeg(*arguments: object) -> None:
    """Make a small file."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True, timeout=200)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a film, a sequence of which a picture is missing, and a sound."""
    folder = tmp_path_factory.mktemp("footage")
    ffmpeg("-f", "lavfi", "-i", "color=black:64x48:25:d=4", "-c:v", "mpeg4", folder / "SH010.mp4")
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", folder / "voice.wav")
    ffmpeg("-f", "lavfi", "-i", "color=red:64x48:25:d=0.4", "-start_number", 1001, folder / "SH040.%04d.png")
    return folder


def covered(path: Path, *, handles: int = 0) -> Coverage:
    """Read a project and hold it against the disk."""
    with reading() as headers:
        cut = read_cut(path, Look(headers=headers))
        return cover(cut, headers, StandIns(), handles=handles)


@pytest.fixture(scope="module")
def blend(footage: Path) -> Path:
    """Give a .blend that Debian's Blender wrote, of which two pictures went since."""
    script = footage / "make.py"
    script.write_text(MAKE)
    command = ["blender", "-b", "--factory-startup", "-P", str(script), "--", str(footage)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    assert (footage / "cut.blend").is_file(), done.stdout + done.stderr
    for number in (1004, 1005):
        (footage / f"SH040.{number}.png").unlink()
    return footage / "cut.blend"


def test_a_blend_is_read_by_blender(blend: Path) -> None:
    """Strips of pictures, gaps named by their marker, our stand-ins, missing pictures and a film that is gone."""
    found = covered(blend)
    told = [(one.ref, one.frames, one.state, one.shot or one.name) for one in found.cut.items]
    assert told == [
        ("V1-0", 40, "real", "SH010"),
        ("V1-40", 20, "gap", "SH020"),
        ("V1-80", 10, "partial", "SH040"),
        ("V1-90", 10, "offline", "SH050"),
        ("V2-60", 20, "stand-in", "SH030"),
    ]
    by_ref = {one.ref: one for one in found.cut.items}
    assert by_ref["V2-60"].stands == "p-9"
    assert "2 frames are not there: 1004" in by_ref["V1-80"].problem
    assert (str(found.cut.rate), found.cut.width, found.cut.height) == ("25", 1280, 720)
    assert found.cut.timecode(0) == "00:00:00:01"
    assert (by_ref["V1-0"].head, by_ref["V1-0"].tail) == (0, 60)
    gap, scene = by_ref["V1-40"].gap, hashlib.sha256(b"Scene").hexdigest()[:12]
    assert gap is not None, "the add-on finds it by its own name for it: the scene's frames, which begin with 1"
    assert (gap.ref, gap.start, gap.duration, gap.frames) == (f"gap-{scene}-1-41-61", 41 / 25, 20 / 25, 20)
    assert found.cut.project == str(blend)


def test_a_blend_is_not_changed_and_its_scripts_are_not_run(blend: Path, tmp_path: Path) -> None:
    """Reading leaves the file as it was, and a script that is to run at loading does not."""
    script = tmp_path / "trap.py"
    mark = tmp_path / "ran"
    trap = f"open({str(mark)!r}, 'w').close()"
    script.write_text(
        f"import bpy\nbpy.ops.wm.open_mainfile(filepath={str(blend)!r})\n"
        f"text = bpy.data.texts.new('trap.py')\ntext.from_string({trap!r})\ntext.use_module = True\n"
        f"bpy.ops.wm.save_as_mainfile(filepath={str(tmp_path / 'trap.blend')!r})\n"
    )
    subprocess.run(["blender", "-b", "--factory-startup", "-P", script], check=True, timeout=200, capture_output=True)
    before = (tmp_path / "trap.blend").read_bytes()
    assert len(covered(tmp_path / "trap.blend").cut.items) == 5
    assert not mark.exists()
    assert (tmp_path / "trap.blend").read_bytes() == before


def test_without_blender_a_blend_says_so(blend: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Blender on the machine is an error that says what to install; what is no .blend is not given to one."""
    with monkeypatch.context() as bare:
        bare.setenv("PATH", str(tmp_path))
        bare.setenv("HOME", str(tmp_path))
        bare.delenv(PROGRAM, raising=False)
        with pytest.raises(HostError, match="there is none on this machine"):
            covered(blend)
    (tmp_path / "no.blend").write_bytes(b"nothing of the kind")
    with pytest.raises(TimelineError, match=r"is no \.blend"):
        covered(tmp_path / "no.blend")
    (tmp_path / "cut.blend").write_bytes(blend.read_bytes()[:2000])
    with pytest.raises(TimelineError, match="Blender cannot read it"):
        covered(tmp_path / "cut.blend")


def test_a_kdenlive_project_is_read(pytestconfig: pytest.Config, footage: Path, tmp_path: Path) -> None:
    """Clips on tracks with pictures, a gap that no track covers, and media that is not there, at the project's size."""
    shutil.copy(footage / "SH010.mp4", tmp_path / "red.mp4")
    template = pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive"
    path = tmp_path / "edit.kdenlive"
    path.write_text(template.read_text("utf-8").replace("@FOLDER@", str(tmp_path)), "utf-8")
    found = covered(path, handles=10)
    told = [(one.ref, one.frames, one.state, one.name) for one in found.cut.items]
    assert told == [
        ("V1-0", 30, "real", "red.mp4"),
        ("V1-30", 40, "gap", ""),
        ("V1-70", 40, "offline", "the blue one"),
        ("V2-80", 25, "real", "red.mp4"),
    ]
    assert [(one.head, one.tail, one.short) for one in found.cut.items if one.state == "real"] == [
        (0, 70, True),
        (25, 50, False),
    ]
    assert (found.cut.width, found.cut.height, str(found.cut.rate)) == (1280, 720, "25")
    assert [one.gap for one in found.cut.items if one.gap] == open_gaps(saving.read(str(path))[0])
    assert found.cut.project == str(path)
    shown = [(one.start, one.frames, one.state) for one in found.picture]
    assert shown == [(0, 30, "real"), (30, 40, "gap"), (70, 10, "offline"), (80, 25, "real"), (105, 5, "offline")]


def test_our_stand_in_in_kdenlive_is_one(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    """What the placeholder command laid into a gap is known by the list that the project keeps."""
    from callboard_kdenlive.measure import measure
    from callboard_schemas import Command, Content, Gap

    template = pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive"
    path, picture = tmp_path / "edit.kdenlive", tmp_path / "card.png"
    path.write_text(template.read_text("utf-8").replace("@FOLDER@", str(tmp_path)), "utf-8")
    ffmpeg("-f", "lavfi", "-i", "color=red:64x48:25:d=0.04", picture)
    gap = Gap(ref="gap-30-40", start=1.2, duration=1.6, rate=25.0, width=1280, height=720, shot="SH020")
    content = Content(file=str(picture), gap=gap)
    command = Command(id="c1", host="h", verb="placeholder.insert", proposal="p-5", content=content)
    outcome = saving.patch(str(path), command, measure, now=1_800_000_000.0)
    assert not outcome.refused
    one = next(one for one in covered(path).cut.items if one.start == 30)
    assert (one.state, one.stands, one.frames, one.name) == ("stand-in", "p-5", 40, "SH020")
