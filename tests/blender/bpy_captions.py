"""Checks inside Blender: captions and markers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bpy_scenes import cue, overlaps, reopened, run, strips, timeline
from callboard_blender.addon import events, limits, ours, versions
from callboard_blender.addon.inside import bpy

CUES = [cue(1, 0.0, 1.0, "Hello"), cue(2, 1.0, 1.5, "dear\nworld"), cue(3, 3.0, 3.5, "too late")]


def check_captions(media: Path, out: Path) -> dict[str, Any]:
    """Lay captions over a clip, twice, with other strips about."""
    scene, clip, use = timeline(media)
    events.register()
    title = versions.new_text(scene, "title", 3, 1, 100)
    clip.select, title.select = True, False
    scene.sequence_editor.active_strip = clip
    first = run("subtitles.write", {"cues": CUES, "language": "en"}, use)
    then = strips(scene)
    second = run("subtitles.write", {"cues": [*CUES[:1], cue(2, 1.0, 1.5, "dear all")], "language": "en"}, use)
    now, crossed = strips(scene), overlaps(scene)
    channel = versions.channel_of(scene, 4).name
    selected = [strip.name for strip in versions.every(scene) if strip.select]
    active = scene.sequence_editor.active_strip.name
    scene = reopened(out, "captions.blend")
    return {
        "first": first,
        "then": then,
        "second": second,
        "now": now,
        "overlaps": crossed,
        "channel": channel,
        "reopened": strips(scene),
        "selected": [selected, active],
        "cleared": run("clear", {}),
        "rest": strips(scene),
        "unnamed": versions.channel_of(scene, 4).name,
    }


def check_edited_captions(media: Path, _out: Path) -> dict[str, Any]:
    """Edit some of our captions as a person would, then apply again."""
    scene, _, use = timeline(media)
    cues = [cue(number, number * 0.3, number * 0.3 + 0.25, f"line {number}") for number in range(6)]
    run("subtitles.write", {"cues": cues}, use)
    mine = {strip.get(ours.PART): strip for strip in ours.strips(scene, "p1")}
    mine["0"].text = "as a person would say it"
    mine["1"].channel = 9
    mine["2"].color = (1.0, 0.0, 0.0, 1.0)
    mine["3"].keyframe_insert("blend_alpha", frame=3)
    effect = versions.top(scene).new_effect(
        name="glow", type="GLOW", channel=12, frame_start=1, **_input(mine["4"]), **_span()
    )
    again = run("subtitles.write", {"cues": [{**one, "text": "new"} for one in cues]}, use)
    now = strips(scene)
    cleared = run("clear", {})
    rest = strips(scene)
    newer = run("subtitles.write", {"cues": cues}, use, proposal="p2")
    spanish = run("subtitles.write", {"cues": cues, "language": "es"}, use, proposal="p3")
    return {
        "again": again,
        "now": now,
        "cleared": cleared,
        "rest": rest,
        "effect": effect.name,
        "newer": newer,
        "spanish": spanish,
        "overlaps": overlaps(scene),
    }


def _input(strip: Any) -> dict[str, Any]:
    return {"input1": strip} if versions.at_least(4, 5) else {"seq1": strip}


def _span() -> dict[str, int]:
    return {"length": 0} if versions.at_least(5) else {"frame_end": 0}


def check_limits(media: Path, _out: Path) -> dict[str, Any]:
    """Bring texts and names that are longer than Blender keeps, of characters of several bytes."""
    scene, _, use = timeline(media)
    long = "漢" * 300
    written = run("subtitles.write", {"cues": [cue(1, 0.0, 1.0, long)]}, use)
    strip = ours.strips(scene, "p1")[0]
    marked = run("markers.write", {"markers": [{"start": 0.5, "name": "é" * 60, "note": "why"}]}, use)
    again = run("markers.write", {"markers": [{"start": 0.5, "name": "é" * 60, "note": "why"}]}, use)
    return {
        "written": written,
        "text": strip.text,
        "name": len(strip.name.encode()),
        "whole": strip.text == long,
        "marked": marked,
        "again": again,
        "markers": [marker.name for marker in scene.timeline_markers],
        "unlimited": versions.text_limit() == 0,
        "most": limits.TEXT,
    }


def check_crossing_cues(media: Path, _out: Path) -> dict[str, Any]:
    """Lay cues that overlap: two people speak at once."""
    scene, _, use = timeline(media)
    cues = [cue(1, 0.0, 1.0, "one"), cue(2, 0.5, 1.5, "two"), cue(3, 1.0, 2.0, "three"), cue(4, 1.5, 1.51, "short")]
    return {"receipt": run("subtitles.write", {"cues": cues}, use), "now": strips(scene), "overlaps": overlaps(scene)}


def check_full_timeline(media: Path, _out: Path) -> dict[str, Any]:
    """Leave no channel free."""
    scene, _, use = timeline(media)
    for channel in range(1, versions.CHANNELS + 1):
        if channel != 2:
            versions.new_text(scene, f"full {channel}", channel, 1, 200)
    receipt = run("subtitles.write", {"cues": CUES[:1]}, use)
    return {"receipt": receipt, "ours": len(ours.strips(scene, "p1")), "overlaps": overlaps(scene)}


def check_refusals(media: Path, out: Path) -> dict[str, Any]:
    """Ask for what must not be done."""
    scene, strip, use = timeline(media)
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "refusals.blend"))
    content = {"cues": CUES[:1]}
    answers = {
        "verb": run("python.run", content, use),
        "project": run("subtitles.write", content, use, project=str(out / "other.blend")),
        "expired": run("subtitles.write", content, use, expires=1.0),
        "gone": run("subtitles.write", content, {**use, "ref": "strip-0"}),
        "nonsense": run("subtitles.write", {"cues": [{"id": 1, "start": "a"}]}, use),
    }
    strip.name = "renamed"
    answers["renamed"] = run("clear", {}, use)
    versions.place(strip, 41, 91)
    answers["stale"] = run("subtitles.write", content, use)
    before = len(ours.strips(scene, "p1"))
    answers["agreed"] = run("subtitles.write", content, use, agreed=True)
    return {"answers": answers, "before": before, "now": strips(scene)}


def check_markers(media: Path, out: Path) -> dict[str, Any]:
    """Set markers beside a person's, move one, set them again, save, open, clear."""
    events.register()
    scene, _, use = timeline(media)
    scene.timeline_markers.new("mine", frame=23)
    wanted = [{"start": 0.5, "name": "scene 2"}, {"start": 1.0, "name": "scene 3"}, {"start": 3.9, "name": "outside"}]
    first = run("markers.write", {"markers": wanted}, use)
    set_at = sorted((marker.name, marker.frame) for marker in scene.timeline_markers)
    next(marker for marker in scene.timeline_markers if marker.name == "scene 3").frame += 1
    again = run("markers.write", {"markers": [{"start": 0.25, "name": "scene two"}, *wanted[1:]]}, use)
    now = sorted((marker.name, marker.frame) for marker in scene.timeline_markers)
    scene = reopened(out, "markers.blend")
    cleared = run("clear", {})
    rest = sorted(marker.name for marker in scene.timeline_markers)
    return {"first": first, "set": set_at, "again": again, "now": now, "cleared": cleared, "rest": rest}


def check_caption_in_picture(media: Path, out: Path) -> dict[str, Any]:
    """Render a frame without and with a caption, and compare what is where."""
    scene, _, use = timeline(media)
    scene.render.use_sequencer = True
    scene.render.image_settings.file_format = "PNG"
    scene.frame_set(20)
    for name in ("plain", "captioned"):
        scene.render.filepath = str(out / f"{name}.png")
        bpy.ops.render.render(write_still=True)
        if name == "plain":
            run("subtitles.write", {"cues": [cue(1, 0.0, 1.5, "Hello world")]}, use)
    return {"sizes": [(out / f"{name}.png").stat().st_size for name in ("plain", "captioned")]}
