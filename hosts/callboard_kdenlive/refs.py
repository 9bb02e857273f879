"""Names for the clips of a bin that stay: Kdenlive numbers them anew whenever it loads a project.

A clip is ``bin-`` and a digest of where its media is; one that we pointed elsewhere, or made, carries its name in
``kdenlive:callboard.ref``. A use on the timeline has the same digest in its name: ``V1-DIGEST-2``.
"""

from __future__ import annotations

import hashlib
from typing import Final

from callboard_kdenlive.project import Project, media_of
from callboard_kdenlive.properties import Element, drop, prop, put

REF: Final = "kdenlive:callboard.ref"
LOST: Final = "kdenlive:callboard.lost"
"""On a clip of ours: the name of the clip in whose place it is, because that one's media is not there."""
_BIN: Final = "bin-"


def short(*parts: object) -> str:
    """Make a short digest: 48 bits, plenty for the clips of a project."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def refs(project: Project) -> dict[str, str]:
    """Give the name of each clip of the bin, by its number of the moment; copies of a clip are counted."""
    found: dict[str, str] = {}
    seen: dict[str, int] = {}
    for clip in project.clips():
        ref = prop(clip, REF) or _BIN + short(media_of(project, clip) or _made_of(clip))
        seen[ref] = seen.get(ref, 0) + 1
        found[prop(clip, "kdenlive:id") or ""] = ref if seen[ref] == 1 else f"{ref}.{seen[ref]}"
    return found


def _made_of(clip: Element) -> str:
    """Say what a clip without a file is made of."""
    return "\0".join(prop(clip, name) or "" for name in ("mlt_service", "resource", "xmldata", "kdenlive:clipname"))


def ref_of(project: Project, number: str) -> str:
    """Name a clip by its number; empty where there is none of that number."""
    return refs(project).get(number, "")


def number_of(project: Project, ref: str) -> str:
    """Give the number of the clip that *ref* names, or of which it names a use; empty where there is none."""
    if not ref.startswith(_BIN):
        parts = ref.split("-")
        ref = _BIN + parts[1] if len(parts) == 3 else ""
    return next((number for number, known in refs(project).items() if known == ref), "")


def replaced(project: Project) -> dict[str, str]:
    """Give the number of each clip of ours that is in another's place, with the number of that other one."""
    numbers = {ref: number for number, ref in refs(project).items()}
    found = {prop(clip, "kdenlive:id") or "": prop(clip, LOST) for clip in project.clips()}
    return {ours: numbers[lost] for ours, lost in found.items() if lost and lost in numbers}


def use_ref(track: str, ref: str, count: int) -> str:
    """Name a use on the timeline: by its track, its clip, and how many of that clip are there up to it."""
    return f"{track}-{ref.removeprefix(_BIN)}-{count}"


def is_bin(ref: str) -> bool:
    """Tell whether *ref* names a clip of the bin rather than a use of it."""
    return ref.startswith(_BIN)


def keep(clip: Element, ref: str) -> None:
    """Have a clip carry its name, before its media becomes another."""
    put(clip, REF, ref)


def forget(project: Project, clip: Element, ref: str) -> None:
    """Have a clip no longer carry its name, where it has that name anyhow."""
    if ref == _BIN + short(media_of(project, clip)):
        for source in project.of_clip(prop(clip, "kdenlive:id") or ""):
            drop(source, REF)


__all__ = ["LOST", "REF", "forget", "is_bin", "keep", "number_of", "ref_of", "refs", "replaced", "short", "use_ref"]
