"""Checks inside Blender: strips whose media is not there, with a stand-in, with the real shot, and as they were."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

from bpy_scenes import reopened, run, strips, timeline
from callboard_blender.addon import ours, uses, versions
from callboard_blender.addon.inside import bpy

NAME = "SH010"


def _strip(name: str = NAME) -> Any:
    return next(strip for strip in versions.every(bpy.context.scene) if strip.name == name)


def _looks(name: str = NAME) -> dict[str, Any]:
    """Describe a strip, and the sound beside it."""
    scene, strip = bpy.context.scene, _strip(name)
    looks = {
        "span": [int(versions.frames(strip, "first")), int(versions.frames(strip, "end"))],
        "channel": strip.channel,
        "type": strip.type,
        "file": Path(ours.file_of(strip)).name,
        "head": int(versions.frames(strip, "head")),
        "id": str(strip.get(ours.ID, "")),
        "colour": strip.color_tag,
        "meta": strip.parent_meta().name if strip.parent_meta() else "",
        "files": [one.filename for one in strip.elements] if strip.type == "IMAGE" else [],
        "animated": [curve.data_path.partition("_all")[2] for curve in versions.curves(scene)],
    }
    sound = [one for one in versions.every(scene) if one.type == "SOUND" and one.name == f"{name} sound"]
    looks["sound"] = [(Path(ours.file_of(one)).name, int(versions.frames(one, "head")), one.color_tag) for one in sound]
    return looks


def _use(name: str = NAME) -> dict[str, Any]:
    return next(one for one in uses.snapshot() if one["name"] == name)


def _lost(media: Path, out: Path) -> dict[str, Any]:
    """Open a file with a clip, trimmed and animated, with its sound, whose media went after it was saved."""
    scene, _, _ = timeline(media)
    film = out / "lost.mp4"
    shutil.copy(media / "clip.mp4", film)
    strip = versions.top(scene).new_movie(name=NAME, filepath=str(film), channel=5, frame_start=81)
    beside, make = [strip], versions.top(scene).new_sound
    with contextlib.suppress(RuntimeError):  # the wheel of Blender 4.2 is built without sound
        beside.append(make(name=f"{NAME} sound", filepath=str(film), channel=6, frame_start=81))
    for one in beside:
        one.frame_final_start, one.frame_final_end, one.color_tag = 101, 141, "COLOR_05"
    strip.keyframe_insert("blend_alpha", frame=110)
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "lost.blend"))
    film.unlink()
    reopened(out, "lost.blend")
    return _use()


def check_offline_movie(media: Path, out: Path) -> dict[str, Any]:
    """Put a stand-in at a lost strip, again, then the real shot, and take each back."""
    use = _lost(media, out)
    found: dict[str, Any] = {"lost": _looks(), "use": use}
    film, still = ({"file": str(media / name)} for name in ("silent.mp4", "stand-in.png"))
    found["receipt"] = run("placeholder.insert", film, use)
    found["stands"] = _looks()
    found["receipts"] = [run("placeholder.insert", still, use)]
    found["still"] = _looks()
    found["receipts"].append(run("placeholder.insert", film, use))
    reopened(out, "stands.blend")
    found["again"] = _looks()
    shot = {"file": str(media / "clip.mp4"), "source_in": 8 / 24}
    given: dict[str, Any] = {"proposal": "s1", "arguments": {"placeholder": "p1"}}
    found["receipts"].append(run("relink", shot, None, **given))
    reopened(out, "real.blend")
    found["real"] = _looks()
    found["kept"] = run("clear", {})
    found["receipts"].append(run("clear", {}, proposal="s1"))
    found["back"] = _looks()
    found["receipts"].append(run("clear", {}))
    reopened(out, "rest.blend")
    found["rest"], found["rest_use"] = _looks(), _use()
    return found


def check_offline_refused(media: Path, out: Path) -> dict[str, Any]:
    """Ask for a stand-in at a strip that was cut since, whose media is there again, and that a person relinked."""
    use = _lost(media, out)
    film = {"file": str(media / "silent.mp4")}
    versions.set_end(_strip(), 131)
    cut = run("placeholder.insert", film, use)
    shutil.copy(media / "clip.mp4", out / "lost.mp4")
    there = run("placeholder.insert", film, _use())
    agreed = run("placeholder.insert", film, _use(), agreed=True)
    _strip().filepath = str(media / "clip.mp4")
    return {"cut": cut, "there": there, "agreed": agreed, "taken": run("clear", {}), "now": _looks()}


def check_offline_pictures(media: Path, out: Path) -> dict[str, Any]:
    """Put a film at numbered pictures that are gone, on the timeline and in a meta strip, and take it away."""
    scene, _, _ = timeline(media)
    names = [f"row.{number:04d}.png" for number in range(1, 11)]
    for name in names:
        shutil.copy(media / "stand-in.png", out / name)
    meta = versions.top(scene).new_meta(name="meta", channel=7, frame_start=201)
    inner = meta.strips if hasattr(meta, "strips") else meta.sequences
    for name, where, start in (("row", versions.top(scene), 151), ("inside", inner, 201)):
        row = where.new_image(name=name, filepath=str(out / names[0]), channel=8, frame_start=start)
        for following in names[1:]:
            row.elements.append(following)
        versions.set_end(row, start + 10)
        row.frame_final_start = start + 3
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "row.blend"))
    for name in names[5:]:
        (out / name).unlink()
    reopened(out, "row.blend")
    found: dict[str, Any] = {"before": [_looks("row"), _looks("inside")]}
    for proposal, name in (("p1", "row"), ("p2", "inside")):
        found[name] = run("placeholder.insert", {"file": str(media / "silent.mp4")}, _use(name), proposal=proposal)
    found["then"] = [_looks("row"), _looks("inside")]
    found["cleared"] = [run("clear", {}, proposal=proposal) for proposal in ("p1", "p2")]
    found["rest"], found["strips"] = [_looks("row"), _looks("inside")], strips(bpy.context.scene)
    return found
