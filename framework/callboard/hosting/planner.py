"""Which route a result takes into an application: the best that its capabilities allow, and why. It does nothing.

Subtitles go into subtitle strips, else into markers, else they stay in the sidecar beside the media, else they go into
a timeline file. Tags and descriptions go into the application, else they stay in the sidecar, else a timeline file.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from callboard_schemas import Captions, Placeholder, Result, Swap, Tags, Translation, Use, Verb
from msgspec import Struct

Route = Literal["tags", "description", "subtitles", "markers", "placeholder", "sidecar", "timeline", "nowhere"]
"""Where a result goes. ``sidecar`` and ``timeline`` need nothing of the application."""


class Plan(Struct, frozen=True):
    """A route, what is asked of the application for it, and why it is this one."""

    route: Route
    verbs: tuple[Verb, ...]
    why: str


def plan(application: str, result: Result, capabilities: Collection[str], sidecars: Collection[str]) -> Plan:
    """Choose the route of a result into an application.

    Args:
        application: Its name, for the reason.
        result: What was accepted, without what was left out of it.
        capabilities: The verbs that the application takes in this project.
        sidecars: What is written beside media here: ``xmp``, and kinds of subtitle files.
    """
    if isinstance(result, Captions) or (isinstance(result, Translation) and result.cues):
        return _of_cues(application, bool(result.cues), capabilities, bool(set(sidecars) - {"xmp"}))
    if isinstance(result, Tags):
        return _of_tags(application, result, capabilities, "xmp" in sidecars)
    if isinstance(result, Placeholder):
        if "placeholder.insert" in capabilities:
            return Plan("placeholder", ("placeholder.insert",), f"{application} takes placeholders")
        return Plan(
            "timeline", (), f"{application} takes no placeholders; 'callboard timeline fill' puts it into a file"
        )
    if isinstance(result, Swap):
        if "relink" in capabilities:
            return Plan("placeholder", ("relink",), f"{application} gives clips other files")
        why = f"{application} gives a clip no other file here; 'callboard timeline swap' does in a timeline file"
        return Plan("timeline", (), why)
    return _beside(application, "names in other languages", sidecar="xmp" in sidecars)


def _of_cues(application: str, some: bool, capabilities: Collection[str], sidecar: bool) -> Plan:
    if not some:
        return Plan("nowhere", (), "there are no cues")
    if "subtitles.write" in capabilities:
        return Plan("subtitles", ("subtitles.write",), f"{application} takes subtitles")
    if "markers.write" in capabilities:
        return Plan("markers", ("markers.write",), f"{application} takes no subtitles here, but markers")
    return _beside(application, "subtitles nor markers", sidecar=sidecar)


def _of_tags(application: str, tags: Tags, capabilities: Collection[str], sidecar: bool) -> Plan:
    verbs: list[Verb] = []
    if tags.items and "tags.write" in capabilities:
        verbs.append("tags.write")
    if tags.description and "description.write" in capabilities:
        verbs.append("description.write")
    if "tags.write" in verbs:
        return Plan("tags", tuple(verbs), f"{application} takes tags")
    if verbs:
        return Plan("description", tuple(verbs), f"{application} takes no tags here, but descriptions")
    if not tags.items and not tags.description:
        return Plan("nowhere", (), "there are no tags and there is no description")
    return _beside(application, "tags", sidecar=sidecar)


def _beside(application: str, what: str, *, sidecar: bool) -> Plan:
    neither = f"{application} takes {'neither' if ' nor ' in what else 'no'} {what} here"
    if sidecar:
        return Plan("sidecar", (), f"{neither}: they are in the sidecar beside the media")
    return Plan("timeline", (), f"{neither}, and no sidecar is written: 'callboard timeline' puts them into a file")


def targets(verb: Verb, uses: Sequence[Use]) -> list[Use]:
    """Choose the uses of one asset that a verb is for.

    What belongs to the media goes to where it is kept as an asset (a bin, a library), else to its first use; what
    belongs to moments goes to every use on a timeline, once where several show the same moments at the same time, as
    picture and sound of a clip do.
    """
    kept = [use for use in uses if use.duration <= 0]
    on_timeline = [use for use in uses if use.duration > 0]
    if verb in ("tags.write", "description.write"):
        return kept or on_timeline[:1]
    once: dict[tuple[float, float, float, float], Use] = {}
    for use in on_timeline:
        key = (round(use.start, 3), round(use.source_in, 3), round(use.duration, 3), round(use.speed, 4))
        once.setdefault(key, use)
    return list(once.values()) or kept


__all__ = ["Plan", "Route", "plan", "targets"]
