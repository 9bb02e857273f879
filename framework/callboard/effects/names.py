"""What sidecars are called and where they go. Names are bytes: file systems know no encoding."""

from __future__ import annotations

import os
import re
from pathlib import Path

from callboard_schemas import Asset, Proposal, decode_path
from msgspec import Struct

from callboard.beside import read_name
from callboard.config import Sidecars
from callboard.errors import EffectConflict
from callboard.sources.kinds import kind_of

_NUMBER = re.compile(rb"%0?(\d*)d")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SIDECARS = tuple(b"." + ending for ending in b"xmp srt vtt ttml dfxp itt ass ssa stl json txt tmp mhl thm".split())
_TRIES = 9


class Subject(Struct, frozen=True, kw_only=True):
    """An asset at one place, with all that was proposed for it there."""

    media: bytes
    """Absolute path of the file; for a sequence its folder joined with the pattern."""
    asset: Asset
    proposals: tuple[Proposal, ...]
    """In every state, oldest first; where two accepted ones compete, the later counts."""


class Spot(Struct, frozen=True):
    """The folder that sidecars go to, and the names that they build on."""

    base: bytes
    """Exists, or may be made; links in it are followed."""
    parts: tuple[bytes, ...]
    """Folders below *base*; links in them are refused."""
    full: bytes
    """File name of the media, such as ``clip.mov``."""
    relative: bytes
    """Path of the folder inside its root, for receipts."""
    create: bool

    @property
    def stem(self) -> bytes:
        """The name without its last extension."""
        return os.path.splitext(self.full)[0]

    @property
    def folder(self) -> bytes:
        """Absolute path of the folder."""
        return os.path.join(self.base, *self.parts)


def spot(subject: Subject, settings: Sidecars, out: Path | None) -> Spot:
    """Say where the sidecars of *subject* go.

    Raises:
        EffectConflict: the asset's place leads out of its root.
    """
    place = subject.asset.place
    parts = tuple(decode_path(place.path).split(b"/"))
    if any(part in (b"", b".", b"..") or b"\0" in part for part in parts):
        raise EffectConflict(place.path, "is no path inside a root; nothing is written for it")
    name, inside = _media_name(subject, parts)
    relative = b"/".join(inside)
    if out is not None:
        return Spot(os.path.abspath(os.fsencode(out)), inside, name, relative, create=True)
    if settings.folder:
        root = re.sub(r"[^\w.-]", "_", place.root).lstrip(".") or "_"
        base = os.path.join(os.path.abspath(os.fsencode(settings.folder)), root.encode())
        return Spot(base, inside, name, relative, create=True)
    folder = subject.media if len(inside) == len(parts) else os.path.dirname(subject.media)
    tail = b"/" + b"/".join(inside)
    if inside and folder.endswith(tail):
        return Spot(folder[: -len(tail)] or b"/", inside, name, relative, create=False)
    return Spot(folder, (), name, relative, create=False)


def _media_name(subject: Subject, parts: tuple[bytes, ...]) -> tuple[bytes, tuple[bytes, ...]]:
    """The name sidecars build on, and the folders above it; a sequence's number becomes ``####``."""
    sequence = subject.asset.sequence
    if sequence is None:
        return os.path.basename(subject.media), parts[:-1]
    own = os.path.basename(subject.media)
    inside = parts[:-1] if _NUMBER.search(own) else parts
    pattern = own if _NUMBER.search(own) else os.fsencode(sequence.pattern)
    return _NUMBER.sub(lambda found: b"#" * max(int(found[1] or 1), 1), pattern), inside


def json_names(place: Spot) -> list[bytes]:
    """Names for the document with everything."""
    return [place.full + b".callboard.json"]


def subtitle_names(place: Spot, language: str, role: str) -> list[bytes]:
    """Names for subtitles, best first: ``clip.en.srt``, ``clip.mov.en.srt``, ``clip.mov.en.callboard.srt``."""
    tag = language.encode() if _LANGUAGE.fullmatch(language) else b"und"
    end = b"." + role.encode()
    last = place.full + b"." + tag + b".callboard"
    # beside a subtitle file as beside the media that it belongs to: clip.en.srt and clip.es.srt
    stem = read_name(place.full).stem if kind_of(place.full) == "subtitles" else place.stem
    names = [stem + b"." + tag + end, place.full + b"." + tag + end, last + end]
    return names + [b"%s.%d%s" % (last, number, end) for number in range(2, _TRIES + 1)]


def xmp_names(place: Spot, scheme: str) -> list[bytes]:
    """Names for XMP, the preferred scheme first."""
    full, stem = place.full + b".xmp", place.stem + b".xmp"
    return [stem, full] if scheme == "stem" else [full, stem]


def shares_stem(place: Spot, names: list[bytes]) -> bool:
    """Tell whether another file of the folder would have the same ``stem`` sidecar."""
    return any(
        os.path.splitext(name)[0] == place.stem
        and name != place.full
        and os.path.splitext(name)[1].lower() not in _SIDECARS
        for name in names
    )


__all__ = ["Spot", "Subject", "json_names", "shares_stem", "spot", "subtitle_names", "xmp_names"]
