"""Sources of pictures: made for a file, or pointed at another one."""

from __future__ import annotations

import os
from typing import Final

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

from callboard_kdenlive.outcome import Measured, Work
from callboard_kdenlive.project import Project
from callboard_kdenlive.properties import Element, drop, insert, prop, put
from callboard_kdenlive.uses import speed_of

STILLS: Final = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".svg", ".exr"}
STILL: Final = "qimage"
MOVING: Final = "avformat-novalidate"
PROPOSAL: Final = "kdenlive:callboard.proposal"
_STILL_ONLY: Final = ("ttl", "loop", "progressive")
_OF_THE_OLD_FILE: Final = ("kdenlive:file_hash", "kdenlive:file_size", "kdenlive:original.resource")


def is_still(path: str) -> bool:
    """Tell whether a file holds one picture, by its name."""
    return os.path.splitext(path)[1].lower() in STILLS


def frames_in(work: Work, path: str) -> tuple[int, Measured]:
    """Give how many frames a moving file has at the project's rate, and what is in it.

    Raises:
        MediaError: it cannot be read.
        MissingExtra: nothing is installed that could read it.
    """
    measured = work.measure(path)
    # seconds are rounded when they are measured: 120 frames of 29.97 must not become 119
    return int(measured.seconds * work.project.fps + 0.01), measured


def new(project: Project, path: str, *, clip: str, frames: int, name: str, proposal: str) -> Element:
    """Make a source for a file and put it into the bin.

    Args:
        project: where it goes.
        path: absolute.
        clip: a number that no clip or folder has.
        frames: how long it is.
        name: as the bin shows it.
        proposal: what it is made for.
    """
    element = etree.Element("producer", id=free_id(project, f"callboard{clip}"))
    element.set("in", project.clock(0))
    element.set("out", project.clock(frames - 1))
    put(element, "length", str(frames))
    put(element, "eof", "pause")
    put(element, "resource", path)
    _kind(element, path)
    put(element, "kdenlive:clipname", name)
    put(element, "kdenlive:duration", str(frames))
    put(element, "kdenlive:folderid", "-1")
    put(element, "kdenlive:id", clip)
    put(element, PROPOSAL, proposal)
    # MLT reads sources before what uses them, and tracks may stand before the bin.
    profile = project.root.find("profile")
    insert(project.root, project.root.index(profile) + 1, element)
    entry = etree.Element("entry", producer=element.get("id"))
    entry.set("in", element.get("in"))
    entry.set("out", element.get("out"))
    insert(project.bin, len(project.bin), entry)
    return element


def silent(project: Project, element: Element) -> Element:
    """Give the source that a track with pictures uses: the bin's own for a still, else one without sound."""
    if prop(element, "mlt_service") == STILL:
        return element
    return giving(copied(project, element), sound=False)


def copied(project: Project, source: Element) -> Element:
    """Put a copy of a source behind it, under a name of its own."""
    twin = etree.fromstring(etree.tostring(source, with_tail=False))
    twin.set("id", free_id(project, f"{source.get('id')}v"))
    insert(project.root, project.root.index(source) + 1, twin)
    return twin


def giving(source: Element, *, sound: bool) -> Element:
    """Have a source give its sound alone, or its pictures alone."""
    put(source, "set.test_audio", "0" if sound else "1")
    put(source, "set.test_image", "1" if sound else "0")
    return source


def free_id(project: Project, wanted: str) -> str:
    """Give a name that no element of the file has."""
    taken = {element.get("id") for element in project.root.iter() if isinstance(element.tag, str)}
    while wanted in taken:
        wanted += "_"
    return wanted


def _kind(element: Element, path: str) -> None:
    """Say what reads a file."""
    if is_still(path):
        put(element, "mlt_service", STILL)
        put(element, "ttl", "25")
        put(element, "kdenlive:clip_type", "5")
    else:
        put(element, "mlt_service", MOVING)
        put(element, "kdenlive:clip_type", "0")
        for name in _STILL_ONLY:
            drop(element, name)


def point(project: Project, clip: str, path: str, frames: int) -> None:
    """Point every source of a clip at another file.

    Args:
        project: whose clip it is.
        clip: its number in the bin.
        path: the other file, absolute.
        frames: how long the other file is at normal speed; 0 leaves the length as it is.
    """
    for element in project.of_clip(clip):
        if prop(element, "mlt_service") == "timewarp":
            put(element, "resource", f"{prop(element, 'warp_speed') or float(speed_of(element))}:{path}")
            put(element, "warp_resource", path)
        else:
            put(element, "resource", path)
            if is_still(path) != (prop(element, "mlt_service") in (STILL, "pixbuf")):
                _kind(element, path)
        _length(project, element, frames)
        for name in _OF_THE_OLD_FILE:
            drop(element, name)
        if prop(element, "kdenlive:originalurl") is not None:
            put(element, "kdenlive:originalurl", path)
        if prop(element, "kdenlive:proxy") is not None:
            put(element, "kdenlive:proxy", "-")


def mirror(project: Project, own: Element, names: tuple[str, ...]) -> None:
    """Bring what Kdenlive copied from a clip of the bin to its sources on the timeline in line with the clip."""
    for twin in project.of_clip(prop(own, "kdenlive:id") or ""):
        for name in names:
            value = prop(own, name)
            if twin is own or prop(twin, name) is None:
                continue
            if value is None:
                drop(twin, name)
            else:
                put(twin, name, value)


def _length(project: Project, element: Element, frames: int) -> None:
    if frames <= 0:
        return
    length = int(frames / abs(speed_of(element)))
    put(element, "length", str(length))
    element.set("out", project.clock(length - 1))
    if prop(element, "kdenlive:duration") is not None:
        put(element, "kdenlive:duration", str(length))
    for entry in project.bin.iterchildren("entry"):
        if entry.get("producer") == element.get("id"):
            entry.set("out", element.get("out"))


__all__ = [
    "PROPOSAL",
    "STILL",
    "STILLS",
    "copied",
    "frames_in",
    "free_id",
    "giving",
    "is_still",
    "mirror",
    "new",
    "point",
    "silent",
]
