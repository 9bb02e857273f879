"""Uses, tags, stand-ins and real shots in real Blender: one process for each version, and the tests judge it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CHECKS = ("bpy_assets", "bpy_offline")
# Only the very first call waits for the wheels to be fetched.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a clip of 4 s with sound, one of 3 s without, and a still."""
    folder = tmp_path_factory.mktemp("media")
    coding = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
    for name, made in {
        "clip.mp4": ("testsrc=s=320x180:r=25:d=4", "-f", "lavfi", "-i", "sine=440:d=4", "-c:a", "aac", *coding),
        "silent.mp4": ("smptebars=s=320x180:r=24:d=3", *coding),
        "stand-in.png": ("color=orange:s=320x180:d=1", "-frames:v", "1"),
    }.items():
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", *made, folder / name], check=True, timeout=200)
    return folder


def command(version: str) -> list[str]:
    """Give what runs a script in that Blender: Debian's own program, or a Python with Blender as a module."""
    if version == "3.4":
        return ["blender", "-b", "--factory-startup", "--python-exit-code", "3", "-P"]
    return [subprocess.check_output([HERE.parent / "bpy.sh", version], text=True, timeout=850).strip()]


@pytest.fixture(scope="module", params=("3.4", "4.2", "4.5", "5.0"))
def seen(request: pytest.FixtureRequest, media: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Give what a Blender saw, with the folder it wrote into as ``out``."""
    blender, out = command(request.param), tmp_path_factory.mktemp("out")
    done = subprocess.run(
        [*blender, HERE / "bpy_probe.py", "--", media, out, *CHECKS],
        capture_output=True,
        text=True,
        timeout=250,
        env={**os.environ, "BLENDER_USER_RESOURCES": str(out / "user")},
    )
    # Its end counts too: with a handler of ours left, 4.2 crashes there and 4.5 hangs.
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    report: dict[str, Any] = json.loads((out / "report.json").read_text("utf-8"))
    assert ".".join(str(part) for part in report["version"][:2]) == request.param
    failed = {name: check["error"] for name, check in report.items() if isinstance(check, dict) and "error" in check}
    assert failed == {}
    return report | {"out": out, "blender": blender}


def rows(strips: list[dict[str, Any]]) -> list[tuple[str, int, int, int]]:
    """Give names, channels and frames of strips."""
    return [(one["name"], one["channel"], one["first"], one["end"]) for one in strips]


def test_a_use_keeps_its_reference(seen: dict[str, Any]) -> None:
    """A strip keeps its reference through renaming, saving and undo; a copy gets its own."""
    found = seen["uses"]
    first, refs = found["first"], found["refs"]
    assert first["path"].endswith("clip.mp4")
    assert (first["start"], first["duration"], first["source_in"]) == (0.458333, 2.083333, 0.0)
    assert first["speed"] == 0.96  # 25 frames of a second's media are laid on 24 a second
    assert found["found"] == found["cut"]
    assert refs["renamed"] == first["ref"] != refs["copy"] == found["restored"]["ref"]
    assert found["again"] == refs == found["kept"]


def test_a_revision_changes_with_the_cut_alone(seen: dict[str, Any]) -> None:
    """Moving and cutting change a use's revision; renaming, another channel and looking again do not."""
    found = seen["uses"]
    first = found["first"]["revision"]
    assert {found[name]["revision"] for name in ("same", "renamed", "channel")} == {first}
    assert len({first, found["moved"]["revision"], found["cut"]["revision"]}) == 3
    assert found["changed"] is True


def test_media_time_of_trimmed_and_reversed_strips(seen: dict[str, Any]) -> None:
    """A cut at the head is media passed over; a strip that runs backwards begins near its media's end."""
    found = seen["retimed"]
    assert (found["trimmed"]["source_in"], found["trimmed"]["speed"]) == (0.4, 0.96)
    assert (found["backwards"]["source_in"], found["backwards"]["speed"]) == (3.6, -0.96)


def test_the_gap_that_is_meant(seen: dict[str, Any]) -> None:
    """The gap lies between selected strips, or at the playhead of the active channel; its shot is a marker's name."""
    found = seen["gap"]
    assert (found["between"]["duration"], found["between"]["rate"], found["between"]["shot"]) == (1.0, 24.0, "sh010")
    assert (found["between"]["width"], found["between"]["height"]) == (320, 180)
    assert (found["between"]["frames"], found["between"]["pixel_aspect"]) == (24, "")
    assert found["after"]["duration"] == 0.625
    assert found["none"] is None
    assert found["selected"] == ["clip"]


def test_tags_beside_a_persons(seen: dict[str, Any]) -> None:
    """Tags join a person's without a double; a second apply drops only ours; an author that stands there is kept."""
    found = seen["tags"]
    assert found["then"] == {"tags": ["Outdoor", "tree", "木" * 21], "description": "A tree", "author": "Ada"}
    assert found["first"]["missing"] == [
        f"the end of tag {'木' * 21!r}: Blender keeps 63 bytes of a tag",
        "author: a person wrote one, so theirs is kept",
    ]
    assert found["now"] == found["reopened"]
    assert found["now"] == {"tags": ["Outdoor", "mine", "oak"], "description": "An oak", "author": "Ada"}
    assert found["rest"] == {"tags": ["Outdoor", "mine"], "description": "", "author": "Ada"}


def test_tags_of_a_strips_file(seen: dict[str, Any]) -> None:
    """Tags for a strip go to the asset that uses its file; where there is none the receipt says so."""
    found = seen["tags"]
    assert found["picture"]["tags"] == ["orange"]
    assert found["nothing"]["state"] == "failed"
    assert "mark one that uses this file as an asset" in found["nothing"]["missing"][0]


def test_tags_of_a_strip_whose_file_is_no_asset(seen: dict[str, Any]) -> None:
    """They are custom properties of the strip; a person's words in them stay, and clearing takes only ours away."""
    found = seen["tags_of_a_strip"]
    assert found["first"]["landed"] == ["description of clip", "tags of clip"]
    assert found["first"]["note"] == "kept as custom properties of the strip: no asset uses its file"
    assert found["then"] == {"callboard_tags": "sunset, boat", "callboard_description": "A boat."}
    assert found["now"] == "sunset"
    assert found["third"]["missing"] == ["description of clip: a person edited it, so theirs is kept"]
    assert found["rest"] == {"callboard_description": "My boat."}


def test_a_stand_in_fills_its_gap(seen: dict[str, Any]) -> None:
    """A still or a movie stands in the gap to its last frame, with its sound beside it where Blender has sound."""
    found = seen["placeholders"]
    assert rows(found["with_still"])[1] == ("stand-in.png", 2, 61, 121)
    assert rows(found["with_movie"])[1:] == [("sh010", 2, 61, 121)]
    sound = [one for one in found["with_sound"] if one["type"] == "SOUND"]
    if seen["version"][:2] == [4, 2]:
        assert "no sound: " in found["heard"]["note"]  # the wheel is built without it
        assert sound == []
    else:
        assert rows(sound) == [(sound[0]["name"], 3, 61, 121)]
    assert rows(found["rest"]) == [("clip", 2, 11, 61)]


def test_a_stand_in_that_cannot_be_placed(seen: dict[str, Any]) -> None:
    """A missing file and one without a picture make no strip; a gap that was filled waits for a person to agree."""
    found = seen["placeholders"]
    assert found["missing"]["state"] == found["text"]["state"] == "failed"
    assert "there is no such file" in found["missing"]["missing"][0]
    assert found["filled"] == {"state": "stale", "landed": [], "missing": [], "note": "the gap on channel 2 is filled"}
    assert found["agreed"]["note"] == "channel 2 is taken there, so it is on 3"
    assert found["overlaps"] == []
    assert found["reopened"] == found["now"]


def test_the_real_shot_takes_a_stand_ins_place(seen: dict[str, Any]) -> None:
    """A movie in a still's place keeps its frames, blending, transform, animation, effect and reference."""
    found = seen["relink"]
    now, before = found["now"], found["before"]
    receipt = found["receipt"]
    assert (receipt["state"], receipt["landed"], receipt["missing"]) == ("applied", ["stand-in.png"], [])
    assert (now["type"], now["alpha"], now["offset"], now["effect"]) == ("MOVIE", 0.5, 12.0, "stand-in.png")
    assert [path.partition("_all")[2] for path in now["animated"]] == ['["stand-in.png"].blend_alpha']
    assert now["use"]["path"].endswith("silent.mp4")
    assert {key: now["use"][key] for key in ("ref", "start", "duration")} == {
        key: before[key] for key in ("ref", "start", "duration")
    }
    assert found["head"] == 8.0


def test_a_stand_in_comes_back_when_its_shot_is_taken_back(seen: dict[str, Any]) -> None:
    """A newer shot, its undo, and the undo of the first: each shows its own file and head on the same frames."""
    found = seen["relink"]
    newer, head = found["newer"]
    assert found["again"]["state"] == "applied", found["again"]
    assert ([strip["file"] for strip in newer if strip["type"] == "MOVIE"][1], head) == ("clip.mp4", 0.0)
    receipt, older, head = found["older"]
    assert receipt["state"] == "applied", receipt
    assert ([strip["file"] for strip in older if strip["type"] == "MOVIE"][1], head) == ("silent.mp4", 8.0)
    assert found["kept"]["note"] == "nothing of it was there"
    assert found["cleared"]["state"] == "applied", found["cleared"]
    assert rows(found["left"]) == rows(found["was"])
    assert [(one["file"], one["id"]) for one in found["left"]] == [(one["file"], one["id"]) for one in found["was"]]


def test_another_file_for_a_persons_strip(seen: dict[str, Any]) -> None:
    """Relinking keeps the cut; a shot that is too short, or missing, is said."""
    found = seen["relink_movie"]
    assert rows(found["now"]) == [("clip", 2, 21, 61)]
    assert found["now"][0]["file"] == "silent.mp4"
    assert found["trim"] == 10.0
    assert found["short"]["missing"] == ["the last 67 frames of clip: the shot is shorter, so its last frame is held"]
    assert found["missing"]["state"] == "failed"
    assert found["use"]["ref"] == found["ref"]


def test_a_real_shot_brings_its_sound(seen: dict[str, Any]) -> None:
    """A shot with sound gets it beside its picture; one without takes the stand-in's sound away."""
    found = seen["relink_sound"]
    assert [one["state"] for one in found["receipts"]] == ["applied"] * 4
    there = [(one["type"], one["first"], one["end"], one["file"], one["id"]) for one in found["strips"][1:]]
    pictures = [("MOVIE", 61, 101, "clip.mp4", ""), ("MOVIE", 161, 201, "silent.mp4", "")]
    if seen["version"][:2] == [4, 2]:  # the wheel is built without sound
        assert there == pictures
    else:
        assert there == [*pictures, ("SOUND", 61, 101, "clip.mp4", "")]


def test_a_real_shot_of_numbered_frames(seen: dict[str, Any]) -> None:
    """Numbered frames come in as one strip, and a missing last frame is said."""
    found = seen["sequence"]
    assert found["files"] == [f"shot.{number:04d}.png" for number in range(8, 12)]
    assert found["receipt"]["state"] == "partial"
    assert rows(found["strips"])[1] == ("stand-in.png", 2, 61, 66)


def test_strips_without_their_files_are_still_told(seen: dict[str, Any]) -> None:
    """A strip whose file is gone is a use with its path, for the board to find the media again."""
    assert {Path(use["path"]).name for use in seen["missing_files"]["uses"]} == {"gone1.mp4", "gone2.mp4"}


def test_a_stand_in_at_a_strip_without_its_media(seen: dict[str, Any]) -> None:
    """It shows from its first frame on the strip's own frames, whatever it is, and is still there in the saved file."""
    found = seen["offline_movie"]
    assert found["receipt"] == {"state": "applied", "landed": ["SH010"], "missing": [], "note": ""}
    assert [one["state"] for one in found["receipts"]] == ["applied"] * 5
    lost, stands = found["lost"], found["stands"]
    assert (lost["file"], lost["head"], lost["span"]) == ("lost.mp4", 20, [101, 141])
    ours = {"file": "silent.mp4", "head": 0, "id": "p1", "colour": "COLOR_03"}
    assert stands == {**lost, **ours}, "all else is as it was, the lost sound too"
    assert found["still"] == {**stands, "type": "IMAGE", "file": "stand-in.png", "files": ["stand-in.png"]}
    assert found["again"] == found["back"] == stands


def test_the_real_shot_for_a_strip_without_its_media(seen: dict[str, Any]) -> None:
    """It comes behind its handle, with its sound, and is no longer ours; taken back, the strip is as it was."""
    found = seen["offline_movie"]
    lost, real = found["lost"], found["real"]
    sound = [["clip.mp4", 8, one[2]] for one in lost["sound"]]
    assert bool(sound) is (seen["version"][:2] != [4, 2]), "the wheel of 4.2 is built without it"
    assert real == {**lost, "file": "clip.mp4", "head": 8, "sound": sound}
    assert found["rest"] == lost
    assert (found["rest_use"]["ref"], found["rest_use"]["revision"]) == (found["use"]["ref"], found["use"]["revision"])


def test_a_strip_that_changed_waits_for_a_person(seen: dict[str, Any]) -> None:
    """One that was cut since, or has its media again, is left until a person agrees; what a person relinked is kept."""
    found = seen["offline_refused"]
    assert (found["cut"]["state"], found["cut"]["note"]) == ("stale", "SH010 was moved, cut or retimed since")
    assert (found["there"]["state"], found["there"]["note"]) == ("stale", "SH010 has its media again")
    assert found["agreed"]["state"] == "applied"
    assert found["taken"]["missing"] == ["SH010: a person gave it another file, so theirs is kept"]
    assert (found["now"]["file"], found["now"]["span"]) == ("clip.mp4", [101, 131])


def test_a_stand_in_for_numbered_pictures(seen: dict[str, Any]) -> None:
    """A film takes the place of pictures of which some are gone, in a meta strip too; then all their names are back."""
    found = seen["offline_pictures"]
    assert [found[name]["state"] for name in ("row", "inside")] == ["applied"] * 2
    for before, then in zip(found["before"], found["then"], strict=True):
        assert (before["head"], len(before["files"])) == (3, 10)
        ours = {"type": "MOVIE", "file": "silent.mp4", "files": [], "head": 0, "colour": "COLOR_03", "id": then["id"]}
        assert then == {**before, **ours}
    assert [one["meta"] for one in found["then"]] == ["", "meta"]
    assert found["rest"] == found["before"]
    assert len(found["strips"]) == 4
