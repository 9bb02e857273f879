"""Which media the open file uses: its strips in every scene, and its assets, each with a reference that stays."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Final

from . import gaps, ours, timing, versions
from .inside import bpy

REF: Final = "callboard_ref"
_MEDIA: Final = ("IMAGE", "MOVIE", "MOVIECLIP", "SOUND")
_rates: dict[str, float] = {}
"""By file; a file that is exchanged for one of another rate is seen at the next load."""
_last: dict[str, Any] = {"owners": {}, "revision": "", "project": None, "known": None, "news": []}


def project() -> str:
    """Give the absolute path of the open .blend; empty while it was never saved."""
    return os.path.normpath(bpy.data.filepath) if bpy.data.filepath else ""


def revision() -> str:
    """Give what changes when any use changes, as of the last snapshot; empty before the first."""
    return str(_last["revision"]) if _last["project"] == project() else ""


def snapshot() -> list[dict[str, Any]]:
    """List every use of media: strips that show a file, in every scene, and assets of this file.

    What has no reference yet gets one, kept in the .blend from its next save on.
    """
    if _last["project"] != project():
        _last.update(owners={}, project=project(), known=None, news=[])
        _rates.clear()
    found = [use for scene in bpy.data.scenes for strip in versions.every(scene) if (use := of_strip(scene, strip))]
    found += [use for kind, block in assets() if (use := of_asset(kind, block))]
    present = {use["ref"] for use in found}
    if _last["known"] is not None:
        _last["news"] += [use for use in found if use["ref"] not in _last["known"]]
    _last["known"] = present
    _last["owners"] = {ref: owner for ref, owner in _last["owners"].items() if ref in present}
    _last["revision"] = _digest(*sorted(f"{use['ref']}={use['revision']}" for use in found))
    return found


def news() -> list[dict[str, Any]]:
    """Give, once, the uses that came since the first snapshot of this file: strips added, assets marked."""
    found, _last["news"] = _last["news"], []
    return list(found)


def find(ref: str) -> dict[str, Any] | None:
    """Describe the use of that reference as it is now; None where it is gone."""
    strip = find_strip(ref)
    if strip is not None:
        return of_strip(*strip)
    asset = find_asset(ref)
    return of_asset(*asset) if asset is not None else None


def find_strip(ref: str) -> tuple[Any, Any] | None:
    """Find a strip, with its scene, by its reference."""
    carry = [(scene, strip) for scene in bpy.data.scenes for strip in versions.every(scene) if strip.get(REF) == ref]
    if len(carry) == 1 and _is_media(carry[0][1]):
        return carry[0]
    pairs = ((scene, strip) for scene in bpy.data.scenes for strip in versions.every(scene) if _is_media(strip))
    return next(((scene, strip) for scene, strip in pairs if _strip_ref(scene, strip) == ref), None)


def find_asset(ref: str) -> tuple[str, Any] | None:
    """Find an asset, with the name of its collection, by its reference."""
    return next(((kind, block) for kind, block in assets() if _asset_ref(kind, block) == ref), None)


def selected(context: Any = None) -> list[dict[str, Any]]:
    """Describe what is selected: strips that show media; the active object, if it is an asset, where no strip is."""
    context = bpy.context if context is None else context
    scene = versions.scene_of(context)
    chosen = [strip for strip in versions.every(scene) if strip.select] if scene is not None else []
    found = [use for strip in chosen if (use := of_strip(scene, strip))]
    if found:
        return found
    blocks = [("objects", block) for block in getattr(context, "selected_objects", ()) if block.asset_data]
    return [use for kind, block in blocks if (use := of_asset(kind, block))]


def gap(context: Any = None) -> dict[str, Any] | None:
    """Describe the gap that is meant: between the selected strips of one channel, else at the playhead."""
    scene = versions.scene_of(context)
    if scene is None or scene.sequence_editor is None:
        return None
    chosen = sorted((strip for strip in versions.top(scene) if strip.select), key=lambda strip: _span(strip))
    active = scene.sequence_editor.active_strip
    channels = {strip.channel for strip in chosen}
    if len(chosen) >= 2 and len(channels) == 1:
        start, end = _span(chosen[0])[1], _span(chosen[1])[0]
        return describe_gap(scene, channels.pop(), start, end) if end > start else None
    channel = active.channel if active is not None else min(channels, default=1)
    taken = [_span(strip) for strip in versions.top(scene) if strip.channel == channel]
    hole = gaps.at(scene.frame_current, taken, scene.frame_start, scene.frame_end)
    return describe_gap(scene, channel, hole.start, hole.end) if hole is not None else None


def describe_gap(scene: Any, channel: int, start: int, end: int) -> dict[str, Any]:
    """Describe frames *start* up to, not including, *end* of a channel as a gap."""
    rate, render = rate_of(scene), scene.render
    shots = [marker.name for marker in scene.timeline_markers if start <= marker.frame < end]
    ref = f"gap-{_digest(scene.name)}-{channel}-{start}-{end}"
    return {
        "ref": ref,
        "start": start / rate,
        "duration": (end - start) / rate,
        "frames": end - start,
        "rate": rate,
        "pixel_aspect": _pixel_aspect(render.pixel_aspect_x, render.pixel_aspect_y),
        "width": max(1, render.resolution_x * render.resolution_percentage // 100),
        "height": max(1, render.resolution_y * render.resolution_percentage // 100),
        "shot": shots[0] if shots else "",
        "revision": _digest(ref, f"{rate:.4f}"),
    }


def _pixel_aspect(wide: float, high: float) -> str:
    shape = Fraction(wide / high).limit_denominator(1000) if wide > 0 and high > 0 else Fraction(1)
    return (
        ""
        if shape == 1 or max(shape.numerator, shape.denominator) > 99999
        else f"{shape.numerator}:{shape.denominator}"
    )


def read_gap(ref: str) -> tuple[Any, int] | None:
    """Find the scene and the channel that a gap's reference names; None where the scene is gone."""
    parts = ref.split("-")
    if len(parts) != 5 or parts[0] != "gap" or not parts[2].isdigit():
        return None
    scene = next((scene for scene in bpy.data.scenes if _digest(scene.name) == parts[1]), None)
    return None if scene is None else (scene, int(parts[2]))


def rate_of(scene: Any) -> float:
    """Give a scene's frames a second."""
    return float(scene.render.fps) / float(scene.render.fps_base)


def of_strip(scene: Any, strip: Any) -> dict[str, Any] | None:
    """Describe a strip as a use; None for one that shows no file."""
    path = ours.file_of(strip) if strip.type in _MEDIA else ""
    if not path:
        return None
    rate = rate_of(scene)
    first, end = _span(strip)
    shown = _shown(strip, path, rate)
    use = {
        "ref": _strip_ref(scene, strip),
        "path": _sayable(path),
        "name": strip.name,
        "start": round(first / rate, 6),
        "source_in": round(shown.source_in, 6),
        "duration": round((end - first) / rate, 6),
        "speed": round(shown.speed, 6),
    }
    times = (f"{use[key]:.3f}" for key in ("start", "source_in", "duration", "speed"))
    return {**use, "revision": _digest(*times)}


def of_asset(kind: str, block: Any) -> dict[str, Any] | None:
    """Describe an asset of this file as a use on no timeline; None for one of a linked library."""
    if block.library is not None or block.asset_data is None:
        return None
    named = getattr(block, "filepath", "")
    path = os.path.normpath(bpy.path.abspath(named)) if named else ""
    ref = _asset_ref(kind, block)
    return {"ref": ref, "path": _sayable(path), "name": block.name, "revision": _digest(ref)}


def assets() -> Iterator[tuple[str, Any]]:
    """Give the assets of this file, each with the name of its collection in ``bpy.data``."""
    for member in bpy.data.bl_rna.properties:
        if member.type == "COLLECTION":
            for block in getattr(bpy.data, member.identifier):
                if getattr(block, "asset_data", None) is not None and block.library is None:
                    yield member.identifier, block


def _is_media(strip: Any) -> bool:
    return strip.type in _MEDIA and bool(ours.file_of(strip))


def _span(strip: Any) -> tuple[int, int]:
    return int(versions.frames(strip, "first")), int(versions.frames(strip, "end"))


def _shown(strip: Any, path: str, rate: float) -> timing.Shown:
    first, end = _span(strip)
    media = _media_rate(strip, path, rate)
    still = strip.type == "IMAGE" and len(strip.elements) <= 1
    if still:
        return timing.Shown(0.0, 1.0)
    content, trim = versions.frames(strip, "content"), versions.frames(strip, "trim")
    found = timing.shown(
        head=versions.frames(strip, "head"),
        length=end - first,
        tail=versions.frames(strip, "tail"),
        content=content,
        trim=trim,
        media=media,
        rate=rate,
    )
    if getattr(strip, "use_reverse_frames", False):
        return timing.backwards(found, (content + 2 * trim) / media)
    return found


def _media_rate(strip: Any, path: str, rate: float) -> float:
    """Give the frames a second of a strip's media. Blender opens the file for it, and says so where it is gone."""
    if strip.type != "MOVIE":
        return rate
    if path not in _rates:
        found = float(strip.fps) if os.path.isfile(path) else 0.0
        if found <= 0:
            return rate
        _rates[path] = found
    return _rates[path]


def _strip_ref(scene: Any, strip: Any) -> str:
    def wanted() -> str:
        return "strip-" + _digest(scene.name, strip.name, ours.file_of(strip))

    return _ref(strip, wanted, ("scenes", scene.name, strip.name), scene.library is not None)


def _asset_ref(kind: str, block: Any) -> str:
    def wanted() -> str:
        return "asset-" + _digest(kind, block.name)

    return _ref(block.asset_data, wanted, (kind, block.name, ""), False)


def _ref(holder: Any, wanted: Callable[[], str], me: tuple[str, str, str], read_only: bool) -> str:
    """Give what *holder* carries, unless it is a copy of another that carries the same; else what is *wanted*, kept.

    Undo takes a reference away again that was written between two steps; what is wanted comes of names, so comes back.
    """
    owners: dict[str, tuple[str, str, str]] = _last["owners"]
    carried = str(holder.get(REF, ""))
    if carried and (owners.setdefault(carried, me) == me or not _holds(owners[carried], carried)):
        owners[carried] = me
        return carried
    plain = ref = wanted()
    number = 1
    while owners.get(ref, me) != me and _holds(owners[ref], ref):
        number += 1
        ref = f"{plain}-{number}"
    owners[ref] = me
    if not read_only:
        holder[REF] = ref
    return ref


def _holds(owner: tuple[str, str, str], ref: str) -> bool:
    kind, first, second = owner
    block = getattr(bpy.data, kind).get(first)
    if block is None:
        return False
    if kind != "scenes" or not second:
        return block.asset_data is not None and block.asset_data.get(REF) == ref
    strip = next((strip for strip in versions.every(block) if strip.name == second), None)
    return strip is not None and strip.get(REF) == ref


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _sayable(path: str) -> str:
    """Give the path, or nothing where it has bytes that no message can hold."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return ""
    return path
