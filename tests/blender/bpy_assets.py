"""Checks inside Blender: uses and their references, tags on assets, stand-ins and real shots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bpy_scenes import overlaps, reopened, run, strips, timeline
from callboard_blender.addon import ours, uses, versions
from callboard_blender.addon.inside import bpy

KEYS = ("callboard_tags", "callboard_description")


def check_uses(media: Path, out: Path) -> dict[str, Any]:
    """Look at references and revisions while a person works."""
    scene, strip, use = timeline(media)
    versions.top(scene).new_image(name="still", filepath=str(media / "stand-in.png"), channel=3, frame_start=1)
    still = next(one for one in uses.snapshot() if one["name"] == "still")
    whole = uses.revision()
    found = {"first": use, "still": still, "same": uses.of_strip(scene, strip)}
    strip.name = "renamed"
    found["renamed"] = uses.of_strip(scene, strip)
    strip.channel = 7
    found["channel"] = uses.of_strip(scene, strip)
    versions.place(strip, 12, 62)
    found["moved"] = uses.of_strip(scene, strip)
    versions.set_end(strip, 50)
    found["cut"] = uses.of_strip(scene, strip)
    uses.snapshot()
    changed = uses.revision() != whole
    copy = versions.top(scene).new_movie(name="copy", filepath=str(media / "clip.mp4"), channel=8, frame_start=1)
    copy[uses.REF] = strip[uses.REF]  # as duplicating does
    refs = {one["name"]: one["ref"] for one in uses.snapshot()}
    again = {one["name"]: one["ref"] for one in uses.snapshot()}
    del copy[uses.REF]  # as undo may do
    restored = uses.of_strip(scene, copy)
    scene = reopened(out, "uses.blend")
    kept = {one["name"]: one["ref"] for one in uses.snapshot()}
    described = uses.find(refs["renamed"])
    return found | {
        "changed": changed,
        "refs": refs,
        "again": again,
        "restored": restored,
        "kept": kept,
        "found": described,
    }


def check_retimed(media: Path, _out: Path) -> dict[str, Any]:
    """Look at media time where the head is cut off, and where a strip runs backwards."""
    scene, strip, _ = timeline(media)
    strip.frame_final_start = 21
    trimmed = uses.of_strip(scene, strip)
    strip.use_reverse_frames = True
    return {"trimmed": trimmed, "backwards": uses.of_strip(scene, strip)}


def check_gap(media: Path, _out: Path) -> dict[str, Any]:
    """Find the gap between strips that are selected, and at the playhead."""
    scene, strip, _ = timeline(media)
    other = versions.top(scene).new_image(name="b", filepath=str(media / "stand-in.png"), channel=2, frame_start=85)
    scene.timeline_markers.new("sh010", frame=70)
    strip.select = other.select = True
    between = uses.gap()
    other.select = False
    scene.sequence_editor.active_strip = strip
    scene.frame_current, scene.frame_end = 90, 100
    after = uses.gap()
    scene.frame_current = 20
    return {
        "between": between,
        "after": after,
        "none": uses.gap(),
        "selected": [one["name"] for one in uses.selected()],
    }


def check_tags(media: Path, out: Path) -> dict[str, Any]:
    """Tag an asset that a person tagged too, again with others, then take ours away."""
    tree = bpy.data.objects.new("Tree", bpy.data.meshes.new("tree"))
    bpy.context.scene.collection.objects.link(tree)
    tree.asset_mark()
    tree.asset_data.tags.new("Outdoor")
    tree.asset_data.author = "Ada"
    picture = bpy.data.images.load(str(media / "stand-in.png"))
    picture.asset_mark()
    known = {one["name"]: one for one in uses.snapshot()}
    content = {"tags": ["tree", "outdoor", "木" * 30], "description": "A tree", "author": "Callboard"}
    first = run("tags.write", content, known["Tree"])
    then = _asset(tree)
    tree.asset_data.tags.new("mine")
    second = run("tags.write", {"tags": ["oak"], "description": "An oak"}, known["Tree"])
    now = _asset(tree)
    strip = {"ref": "", "path": str(media / "stand-in.png"), "name": "strip of it"}
    by_file = run("tags.write", {"tags": ["orange"]}, strip)
    nothing = run("tags.write", {"tags": ["orange"]}, {"ref": "", "path": str(media / "clip.mp4"), "name": "clip"})
    return {
        "known": known,
        "first": first,
        "then": then,
        "second": second,
        "now": now,
        "by_file": by_file,
        "picture": _asset(picture),
        "nothing": nothing,
        "reopened": _reopened_asset(out),
        "cleared": run("clear", {}),
        "rest": _asset(bpy.data.objects["Tree"]),
    }


def _reopened_asset(out: Path) -> dict[str, Any]:
    reopened(out, "tags.blend")
    return _asset(bpy.data.objects["Tree"])


def _asset(block: Any) -> dict[str, Any]:
    data = block.asset_data
    return {"tags": [tag.name for tag in data.tags], "description": data.description, "author": data.author}


def check_placeholders(media: Path, out: Path) -> dict[str, Any]:
    """Fill a gap with a still, then with a movie, then where something lies in it by now."""
    scene, _, _ = timeline(media)
    gap = uses.describe_gap(scene, 2, 61, 121)
    still = run("placeholder.insert", {"gap": gap, "file": str(media / "stand-in.png")})
    with_still = strips(scene)
    movie = run("placeholder.insert", {"gap": {**gap, "shot": "sh010"}, "file": str(media / "silent.mp4")})
    with_movie = strips(scene)
    heard = run("placeholder.insert", {"gap": gap, "file": str(media / "clip.mp4")})
    with_sound = strips(scene)
    missing = run("placeholder.insert", {"gap": gap, "file": str(media / "no such.mp4")})
    text = run("placeholder.insert", {"gap": gap, "file": __file__})
    cleared = run("clear", {})
    rest = strips(scene)
    versions.new_text(scene, "title", 2, 70, 80)
    other = {"gap": gap, "file": str(media / "stand-in.png")}
    return {
        "still": still,
        "with_still": with_still,
        "movie": movie,
        "with_movie": with_movie,
        "heard": heard,
        "with_sound": with_sound,
        "missing": missing,
        "text": text,
        "cleared": cleared,
        "rest": rest,
        "filled": run("placeholder.insert", other),
        "agreed": run("placeholder.insert", other, agreed=True),
        "now": strips(scene),
        "overlaps": overlaps(scene),
        "reopened": strips(reopened(out, "placeholders.blend")),
    }


def check_relink(media: Path, _out: Path) -> dict[str, Any]:
    """Let the real shot come in for a still with an effect and animation on it, then take that back."""
    scene, _, _ = timeline(media)
    gap = uses.describe_gap(scene, 2, 61, 121)
    run("placeholder.insert", {"gap": gap, "file": str(media / "stand-in.png")})
    stand_in = ours.strips(scene, "p1")[0]
    name = stand_in.name
    stand_in.blend_alpha = 0.5
    stand_in.transform.offset_x = 12.0
    stand_in.keyframe_insert("blend_alpha", frame=70)
    names = (
        ("input1", "length") if versions.at_least(5) else ("input1" if versions.at_least(4, 5) else "seq1", "frame_end")
    )
    glow = versions.top(scene).new_effect(
        name="glow", type="GLOW", channel=4, frame_start=61, **{names[0]: stand_in, names[1]: 0}
    )
    before = uses.of_strip(scene, stand_in)
    was = strips(scene)
    content = {"gap": gap, "file": str(media / "silent.mp4"), "source_in": 8 / uses.rate_of(scene)}
    receipt = run("relink", content, proposal="s1", revision=gap["revision"])
    now = next(strip for strip in versions.every(scene) if strip.name == name)
    seen = _relinked(scene, now, glow)
    head = versions.frames(now, "head")
    again = run(
        "relink",
        {**content, "file": str(media / "clip.mp4"), "source_in": 0.0},
        proposal="s2",
        arguments={"former": "s1"},
    )
    newer = (strips(scene), versions.frames(now, "head"))
    return {
        "before": before,
        "receipt": receipt,
        "now": seen,
        "head": head,
        "again": again,
        "newer": newer,
        "older": (run("clear", {}, proposal="s2"), strips(scene), versions.frames(now, "head")),
        "kept": run("clear", {}),
        "cleared": run("clear", {}, proposal="s1"),
        "was": was,
        "left": strips(scene),
    }


def _relinked(scene: Any, strip: Any, glow: Any) -> dict[str, Any]:
    return {
        "type": strip.type,
        "alpha": round(strip.blend_alpha, 3),
        "offset": strip.transform.offset_x,
        "animated": [curve.data_path for curve in versions.curves(scene)],
        "effect": versions.inputs(glow)[0].name,
        "use": uses.of_strip(scene, strip),
        "strips": strips(scene),
        "was": json.loads(strip.get(ours.WAS, "{}")),
    }


def check_relink_movie(media: Path, _out: Path) -> dict[str, Any]:
    """Exchange the file of a person's own strip that is cut at its head; a longer, a shorter, and a missing one."""
    scene, strip, _ = timeline(media)
    strip.frame_final_start = 21
    use = uses.of_strip(scene, strip)
    assert use is not None
    receipt = run("relink", {"file": str(media / "silent.mp4")}, use)
    now = strips(scene)
    trim = versions.frames(strip, "head")
    versions.set_end(strip, 150)
    short = run("relink", {"file": str(media / "silent.mp4")}, uses.of_strip(scene, strip))
    missing = run("relink", {"file": str(media / "no such.mp4")}, uses.of_strip(scene, strip))
    return {
        "receipt": receipt,
        "now": now,
        "trim": trim,
        "short": short,
        "missing": missing,
        "ref": use["ref"],
        "use": uses.find(use["ref"]),
    }


def check_relink_sound(media: Path, _out: Path) -> dict[str, Any]:
    """Let a real shot with sound come in for a silent stand-in, and one without for one with sound."""
    scene, _, _ = timeline(media)
    gaps = [uses.describe_gap(scene, 2, first, first + 40) for first in (61, 161)]
    receipts = []
    for number, gap, files in zip((1, 2), gaps, (("silent", "clip"), ("clip", "silent")), strict=True):
        for verb, name in zip(("placeholder.insert", "relink"), files, strict=True):
            content = {"gap": gap, "file": str(media / f"{name}.mp4")}
            receipts.append(run(verb, content, proposal=f"p{number}"))
    return {"receipts": receipts, "strips": strips(scene)}


def check_tags_of_a_strip(media: Path, _out: Path) -> dict[str, Any]:
    """Tag a strip whose file is no asset, again, and clear."""
    _, strip, use = timeline(media)
    first = run("tags.write", {"tags": ["sunset", "boat"], "description": "A boat."}, use)
    then = {key: strip[key] for key in strip.keys() if key in KEYS}  # noqa: SIM118 - a strip is no mapping
    second = run("tags.write", {"tags": ["sunset"]}, use)
    now = strip["callboard_tags"]
    strip["callboard_description"] = "My boat."
    third = run("description.write", {"description": "A ship."}, use)
    cleared = run("clear", {})
    rest = {key: strip[key] for key in strip.keys() if key in KEYS}  # noqa: SIM118 - a strip is no mapping
    return {
        "first": first,
        "then": then,
        "second": second,
        "now": now,
        "third": third,
        "cleared": cleared,
        "rest": rest,
    }


def check_missing_files(_media: Path, out: Path) -> dict[str, Any]:
    """Look at strips whose files are gone: Blender makes them without a word."""
    scene = bpy.context.scene
    for number, make in enumerate((versions.top(scene).new_movie, versions.top(scene).new_image), start=1):
        make(name=f"gone {number}", filepath=str(out / f"gone{number}.mp4"), channel=number, frame_start=1)
    return {"uses": uses.snapshot(), "busy": versions.busy(), "playing": versions.playing()}


def check_sequence(media: Path, out: Path) -> dict[str, Any]:
    """Let a real shot come in as numbered frames."""
    scene, _, _ = timeline(media)
    gap = uses.describe_gap(scene, 2, 61, 66)
    run("placeholder.insert", {"gap": gap, "file": str(media / "stand-in.png")})
    for number in range(8, 12):
        (out / f"shot.{number:04d}.png").write_bytes((media / "stand-in.png").read_bytes())
    receipt = run("relink", {"gap": gap, "file": str(out / "shot.0008.png")})
    strip = next(strip for strip in versions.every(scene) if strip.type == "IMAGE")
    return {"receipt": receipt, "files": [element.filename for element in strip.elements], "strips": strips(scene)}
