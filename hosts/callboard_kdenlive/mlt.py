"""A plain MLT file, for ``melt`` and for every editor of that family: clips and gaps on one track, with subtitles."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from callboard.errors import HostError
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs
from msgspec import Struct

from callboard_kdenlive.properties import Element, put
from callboard_kdenlive.sources import is_still
from callboard_kdenlive.subtitles import SERVICE


class Clip(Struct, frozen=True, kw_only=True):
    """What lies on the track next; times in frames."""

    frames: int
    path: str = ""
    """Absolute; empty for a gap."""
    source_in: int = 0
    """Frames into the media."""


class Profile(Struct, frozen=True, kw_only=True):
    """The size in pixels and the frame rate of what is rendered."""

    width: int
    height: int
    fps: Fraction


def document(profile: Profile, clips: Sequence[Clip], *, subtitles: str = "") -> bytes:
    """Write an MLT file.

    Args:
        profile: of the result.
        clips: in their order; a still lasts as long as it is asked for.
        subtitles: absolute path of a subtitle file to show; empty for none.
    """
    root = etree.Element("mlt", LC_NUMERIC="C", producer="main")
    root.append(_profile(profile))
    total = sum(clip.frames for clip in clips)
    _source(root, "black", "black", total, "color")
    for number, clip in enumerate(clips):
        if clip.path:
            service = "pixbuf" if is_still(clip.path) else "avformat"
            _source(root, f"clip{number}", clip.path, clip.source_in + clip.frames, service)
    ground = etree.SubElement(root, "playlist", id="ground")
    _entry(ground, "black", 0, total)
    track = etree.SubElement(root, "playlist", id="track")
    for number, clip in enumerate(clips):
        if clip.path:
            _entry(track, f"clip{number}", clip.source_in, clip.frames)
        else:
            etree.SubElement(track, "blank", length=str(clip.frames))
    root.append(_tractor(total, subtitles))
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True))


def _profile(profile: Profile) -> Element:
    said = {
        "width": profile.width, "height": profile.height, "progressive": 1, "colorspace": 709,
        "frame_rate_num": profile.fps.numerator, "frame_rate_den": profile.fps.denominator,
        "sample_aspect_num": 1, "sample_aspect_den": 1,
        "display_aspect_num": profile.width, "display_aspect_den": profile.height,
    }  # fmt: skip
    return etree.Element("profile", {name: str(value) for name, value in said.items()})


def _source(root: Element, name: str, resource: str, frames: int, service: str) -> None:
    element = etree.SubElement(root, "producer", {"id": name, "in": "0", "out": str(frames - 1)})
    for key, value in (("resource", resource), ("length", str(frames)), ("mlt_service", service), ("eof", "pause")):
        put(element, key, value)


def _entry(playlist: Element, name: str, first: int, frames: int) -> None:
    etree.SubElement(playlist, "entry", {"producer": name, "in": str(first), "out": str(first + frames - 1)})


def _tractor(total: int, subtitles: str) -> Element:
    tractor = etree.Element("tractor", {"id": "main", "in": "0", "out": str(total - 1)})
    for name in ("ground", "track"):
        etree.SubElement(tractor, "track", producer=name)
    blend = etree.SubElement(tractor, "transition", {"in": "0", "out": str(total - 1)})
    for key, value in (("a_track", "0"), ("b_track", "1"), ("mlt_service", "composite"), ("always_active", "1")):
        put(blend, key, value)
    if subtitles:
        shown = etree.SubElement(tractor, "filter")
        put(shown, "mlt_service", SERVICE)
        put(shown, "av.filename", subtitles)
    return tractor


def melt() -> str:
    """Find the program that renders MLT files.

    Raises:
        HostError: it is not here.
    """
    program = next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        raise HostError(
            "kdenlive", "melt is not on the search path", "On Debian and Ubuntu: sudo apt-get install melt."
        )
    return program


_PROGRAMS: Final = ("melt", "melt-7")

__all__ = ["Clip", "Profile", "document", "melt"]
