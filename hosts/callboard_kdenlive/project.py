"""A Kdenlive project file in memory: what is in its bin, its tracks, and its rate.

Reads the one layout that we know whole, ``kdenlive:docproperties.version`` 1.04 as Kdenlive 22.12 writes it. With
sequences, in 23.04, came 1.1 (https://docs.kdenlive.org, Project File Details); it and all others are refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from callboard.errors import TimelineError
from callboard.strict_xml import parser as strict_parser
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

from callboard_kdenlive.properties import Element, prop
from callboard_kdenlive.times import clock_of, frames_of

VERSION: Final = "1.04"
_DIGITS: Final = 18
PRODUCERS: Final = ("producer", "chain")
_DOC: Final = "kdenlive:docproperties."
_NEWER: Final = (
    "Projects of this version can be reached in another way: export the timeline as OpenTimelineIO in Kdenlive (25.04 "
    "and newer) and use 'callboard timeline'; or keep Kdenlive running, where media can be added to the bin over D-Bus."
)


class Project:
    """A project of a version that we know.

    Args:
        data: the whole file.
        path: its absolute path, for messages and for relative media.

    Raises:
        TimelineError: it is no Kdenlive project, or of a version that we do not know.
    """

    def __init__(self, data: bytes, path: str) -> None:
        self.path = path
        self.root = _parse(data, path)
        self._end = b"\n" if data.endswith(b"\n") else b""
        self.bin = self._bin()
        version = prop(self.bin, _DOC + "version") or "unknown"
        if version != VERSION:
            maker = prop(self.bin, _DOC + "kdenliveversion") or "an unknown version"
            raise TimelineError(
                path, f"is of project version {version} (Kdenlive {maker}); only {VERSION} can be patched", _NEWER
            )
        self.fps, self.width, self.height = self._profile()
        self.folder = self._folder()
        self.main = self._main()

    def to_bytes(self) -> bytes:
        """Write the whole file."""
        return bytes(etree.tostring(self.root.getroottree(), encoding="utf-8", xml_declaration=True)) + self._end

    def _bin(self) -> Element:
        found = self.root.find("playlist[@id='main_bin']")
        if found is None:
            raise TimelineError(self.path, "has no project bin, so it is no Kdenlive project", "Give a .kdenlive file.")
        return found

    def _profile(self) -> tuple[Fraction, int, int]:
        profile = self.root.find("profile")
        try:
            fps = Fraction(int(profile.get("frame_rate_num")), int(profile.get("frame_rate_den")))
            width, height = int(profile.get("width")), int(profile.get("height"))
        except (AttributeError, TypeError, ValueError, ZeroDivisionError):
            fps, width, height = Fraction(0), 0, 0
        if not (0 < fps <= 1000 and width > 0 and height > 0):
            raise TimelineError(self.path, "does not say its frame rate and size", "Open and save it in Kdenlive.")
        return fps, width, height

    def _folder(self) -> str:
        """Give the folder that relative paths count from: as the file says, unless the project has moved."""
        said = self.root.get("root") or ""
        return said if said.startswith("/") and os.path.isdir(said) else os.path.dirname(self.path)

    def _main(self) -> Element:
        tractors = [t for t in self.root.findall("tractor") if t.find("track") is not None]
        if not tractors:
            raise TimelineError(self.path, "has no timeline", "Open and save it in Kdenlive.")
        return tractors[-1]

    def frames(self, text: str | None, default: int = 0) -> int:
        """Read a time of the file in frames; what is no time is *default*."""
        try:
            return default if text is None else frames_of(text, self.fps)
        except ValueError:
            return default

    def clock(self, frames: int) -> str:
        """Write frames as the file writes times."""
        return clock_of(frames, self.fps)

    def seconds(self, frames: int) -> float:
        """Give frames in seconds."""
        return float(frames / self.fps)

    def producers(self) -> Iterator[Element]:
        """Give every source of pictures and sound, of the bin and of the timeline."""
        for tag in PRODUCERS:
            yield from self.root.iterchildren(tag)

    def named(self, xml_id: str) -> Element | None:
        """Find a source by its name in the file."""
        return next((element for element in self.producers() if element.get("id") == xml_id), None)

    def of_clip(self, clip: str) -> list[Element]:
        """Give every source of one clip of the bin: its own first, then those of the timeline."""
        own = [p for p in self.clips() if prop(p, "kdenlive:id") == clip]
        return own + [p for p in self.producers() if prop(p, "kdenlive:id") == clip and p not in own]

    def clips(self) -> list[Element]:
        """Give the clips of the bin, in its order."""
        by_id = {element.get("id"): element for element in self.producers()}
        found = [by_id.get(entry.get("producer")) for entry in self.bin.iterchildren("entry")]
        return [element for element in found if element is not None and prop(element, "kdenlive:id")]

    def clip(self, clip: str) -> Element | None:
        """Find a clip of the bin by its number."""
        return next((element for element in self.clips() if prop(element, "kdenlive:id") == clip), None)

    def next_number(self) -> int:
        """Give a number that neither a clip nor a folder of the bin has: both count alike."""
        taken = [0, *(number(prop(element, "kdenlive:id")) for element in self.producers())]
        for child in self.bin.iterchildren("property"):
            name = child.get("name") or ""
            if name.startswith("kdenlive:folder."):
                taken.append(number(name.rpartition(".")[2]))
        return max(taken) + 1


def media_of(project: Project, source: Element) -> str:
    """Give the absolute path of a source's media: of the original where a proxy stands in; empty where it has none."""
    service = prop(source, "mlt_service") or ""
    path = prop(source, "resource") or ""
    if service == "timewarp":
        path = prop(source, "warp_resource") or path.partition(":")[2]
    elif service in _NO_FILE or service.startswith("frei0r."):
        return ""
    if (prop(source, "kdenlive:proxy") or "-") != "-":
        path = prop(source, "kdenlive:originalurl") or path
    if not path or path.startswith("<"):
        return ""
    return os.path.normpath(os.path.join(project.folder, path))


_NO_FILE: Final = {"color", "colour", "kdenlivetitle", "blipflash", "count", "noise", "tone", "qtext", "pango", ""}


def number(text: str | None) -> int:
    """Read a whole number; what is none is 0."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


def _parse(data: bytes, path: str) -> Element:
    """Parse XML that may not name entities, a DTD or anything outside."""
    try:
        root = etree.fromstring(data, strict_parser())
    except etree.XMLSyntaxError as error:
        raise TimelineError(path, f"is no XML: {error.msg}", "Open and save it in Kdenlive.") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise TimelineError(path, "declares a document type, which no Kdenlive project does", "It is left alone.")
    if root.tag != "mlt":
        raise TimelineError(path, f"is a {root.tag!r} document, no Kdenlive project", "Give a .kdenlive file.")
    return root


__all__ = ["PRODUCERS", "VERSION", "Project", "media_of", "number"]
