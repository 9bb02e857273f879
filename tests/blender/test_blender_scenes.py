"""Captions, markers and events in real Blender: one process for each version does all, and the tests judge it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

HERE = Path(__file__).parent
CHECKS = ("bpy_captions", "bpy_events")
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


def test_captions_land_above_the_picture(seen: dict[str, Any]) -> None:
    """Cues become text strips on frames of the cut, in a channel of our own above all that is there."""
    found = seen["captions"]
    assert found["first"]["state"] == "applied"
    assert found["first"]["landed"] == ["1 Hello", "2 dear world"]
    assert found["first"]["note"] == "1 of 3 cues lie outside of the cut"
    clip, title = ("clip", 2, 11, 61), ("title", 3, 1, 100)
    assert rows(found["then"]) == [clip, title, ("1 Hello", 4, 11, 36), ("2 dear world", 4, 36, 48)]
    assert found["then"][3]["text"] == "dear\nworld"
    assert found["channel"] == "Callboard en"


def test_a_second_apply_replaces_only_ours(seen: dict[str, Any]) -> None:
    """Captions applied again stand in place of the first, survive saving, and are cleared without a trace."""
    found = seen["captions"]
    assert [one["text"] for one in found["now"] if one["id"]] == ["Hello", "dear all"]
    assert found["overlaps"] == []
    assert found["selected"] == [["clip"], "clip"]
    assert found["reopened"] == found["now"]
    assert found["cleared"]["state"] == "applied"
    assert rows(found["rest"]) == [("clip", 2, 11, 61), ("title", 3, 1, 100)]
    assert found["unnamed"] == "Channel 4"


def test_what_a_person_edited_is_kept(seen: dict[str, Any]) -> None:
    """A caption that was reworded, moved, coloured, animated or read by an effect is neither replaced nor cleared."""
    found = seen["edited_captions"]
    names = [f"{number} line {number}" for number in range(5)]
    kept = {f"{name}: a person edited it, so theirs is kept" for name in names}
    assert found["again"]["state"] == "partial"
    assert set(found["again"]["missing"]) == set(found["cleared"]["missing"]) == kept
    assert found["again"]["landed"] == ["5 new"]
    assert {one["name"] for one in found["rest"]} == {"clip", "glow", *names}


def test_newer_captions_leave_what_a_person_edited(seen: dict[str, Any]) -> None:
    """A newer proposal fills in around a person's captions of the same language; another language is beside them."""
    found = seen["edited_captions"]
    assert found["newer"]["landed"] == ["5 line 5"]
    why = "a person edited the caption that stands there, so theirs is kept"
    assert found["newer"]["missing"] == [f"cue {number}: {why}" for number in range(5)]
    assert len(found["spanish"]["landed"]) == 6
    assert found["overlaps"] == []


def test_long_texts_are_cut_between_characters_and_said(seen: dict[str, Any]) -> None:
    """A text longer than Blender keeps, and a marker's name, are cut to whole characters, which the receipt says."""
    found = seen["limits"]
    if found["unlimited"]:
        assert found["whole"]
        assert found["written"]["missing"] == []
    else:
        assert found["text"] == "漢" * 170
        assert found["written"]["missing"] == [
            "the last 130 characters of cue 1: Blender keeps 511 bytes in a text strip"
        ]
    assert found["name"] <= 61
    assert found["markers"] == ["é" * 31]
    assert found["marked"]["state"] == "partial"
    assert found["marked"]["missing"] == [f"the end of marker {'é' * 31!r}: Blender keeps 63 bytes of a name"]
    assert "no note, colour or length" in found["marked"]["note"]
    assert found["again"] == found["marked"]


def test_cues_that_overlap_lie_on_channels_of_their_own(seen: dict[str, Any]) -> None:
    """Where two speak at once nothing lies over another, and the shortest cue has a frame."""
    found = seen["crossing_cues"]
    assert found["receipt"]["state"] == "applied"
    assert found["overlaps"] == []
    ours = [("1 one", 3, 11, 36), ("3 three", 3, 36, 61), ("2 two", 4, 23, 48), ("4 short", 4, 48, 49)]
    assert rows(found["now"])[1:] == ours


def test_a_timeline_without_room_says_so(seen: dict[str, Any]) -> None:
    """Where every channel is taken nothing is laid over anything, and the receipt says why."""
    found = seen["full_timeline"]
    assert found["receipt"]["state"] == "failed"
    assert found["receipt"]["missing"] == ["1 cues: every channel is taken there"]
    assert (found["ours"], found["overlaps"]) == (0, [])


def test_what_must_not_be_done_is_refused(seen: dict[str, Any]) -> None:
    """Another verb, project or time, and nonsense, change nothing; a strip that moved waits for a person to agree."""
    found = seen["refusals"]
    states = {name: answer["state"] for name, answer in found["answers"].items()}
    assert states == {
        "verb": "refused",
        "project": "refused",
        "expired": "refused",
        "gone": "failed",
        "nonsense": "failed",
        "renamed": "applied",
        "stale": "stale",
        "agreed": "applied",
    }
    assert found["before"] == 0
    assert rows(found["now"])[-1] == ("1 Hello", 3, 41, 66)


def test_markers_beside_a_persons(seen: dict[str, Any]) -> None:
    """Markers share a frame with a person's; one that a person moved is kept; the rest is replaced and cleared."""
    found = seen["markers"]
    assert found["set"] == [["mine", 23], ["scene 2", 23], ["scene 3", 36]]
    assert found["first"]["note"] == "1 of 3 markers lie outside of the cut"
    assert found["now"] == [["mine", 23], ["scene 3", 37], ["scene two", 17]]
    assert found["again"]["missing"] == ["scene 3: a person edited it, so theirs is kept"]
    assert found["rest"] == ["mine", "scene 3"]


def test_a_caption_is_seen_in_the_picture(seen: dict[str, Any]) -> None:
    """A rendered frame differs where the caption stands, at the foot of the picture, and nowhere else."""
    plain, captioned = (Image.open(seen["out"] / f"{name}.png").convert("RGB") for name in ("plain", "captioned"))
    assert plain.size == (320, 180)
    box = ImageChops.difference(plain, captioned).convert("L").point([0] * 40 + [255] * 216).getbbox()
    assert box is not None
    left, upper, right, lower = box
    assert upper > 140
    assert lower <= 180
    assert 90 < (left + right) / 2 < 230
    assert right - left < 200


def test_events_of_saves_loads_and_renders(seen: dict[str, Any]) -> None:
    """Saves, copies and loads are told with their path, a render once, and handlers outlive a load."""
    found = seen["events"]

    def told(name: str) -> list[tuple[str, Any]]:
        return [(kind, data["detail"]) for kind, data in found[name]]

    project, copy = str(seen["out"] / "events.blend"), str(seen["out"] / "events copy.blend")
    assert found["changed"] == [True, False]
    assert told("saved") == [("host.scene.saved", {"path": project, "copy": False})]
    if seen["version"][0] == 3:  # does not say where it saved to
        copy = ""
    assert told("copied") == [("host.scene.saved", {"path": copy, "copy": True})]
    assert found["project"] == [project, project]
    assert told("loaded")[-1] == told("loaded_again")[-1] == ("host.scene.loaded", {"path": project})
    assert found["edited"] is True
    assert found["urgent"] == ["host.render.started", "host.render.ended"]
    assert (found["rendered"], found["after"]) == ([], [])


def test_strips_added_and_assets_marked_are_told_once(seen: dict[str, Any]) -> None:
    """A new strip and a new asset are one event, with their references, and none the next time."""
    found = seen["added"]
    ((kind, data),) = found["told"]
    assert kind == "host.scene.changed"
    refs = found["refs"]
    assert data["detail"] == {"added": [refs["new"]], "marked": [refs["Bark"]], "count": 2}
    assert found["again"] == []


def test_timers_stand_still_in_the_background(seen: dict[str, Any]) -> None:
    """No timer fires while a script runs, so jobs pump themselves; and there is no undo to push to."""
    assert seen["timers"]["background"] is True
    assert (seen["timers"]["ticks"], seen["timers"]["undo"]) == (0, False)


def test_long_timelines_and_receipts(seen: dict[str, Any]) -> None:
    """A thousand strips are told in a second of work at most, and a long receipt fits into a message."""
    found = seen["many"]
    assert (found["uses"], found["state"]) == (1001, "applied")
    assert found["again"] < 1.0  # of the processor's time; 0.05 on a quiet machine
    assert (found["names"], found["last"]) == (201, "and 100 more")
    assert found["strips"] == 1302


LEFT = """
import sys
sys.path.insert(0, {hosts!r})
from callboard_blender.addon import events, exits
from callboard_blender.addon.inside import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
def tick():
    return 0.1
def stop():
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    print("stopped", flush=True)
bpy.app.timers.register(tick, persistent=True)
exits.keep(stop)
events.register()
print("end", flush=True)
"""


def test_blender_ends_with_handlers_and_timers_left(seen: dict[str, Any]) -> None:
    """A process that registered handlers and a timer, and did not take them off, ends well and at once."""
    script = seen["out"] / "left.py"
    script.write_text(LEFT.format(hosts=str(HERE.parents[1] / "hosts")))
    done = subprocess.run([*seen["blender"], script], capture_output=True, text=True, timeout=200)
    said = [line for line in done.stdout.splitlines() if line in ("end", "stopped")]
    assert (done.returncode, said) == (0, ["end", "stopped"])
