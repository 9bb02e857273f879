"""The real shot in place of a stand-in, or of media that is not there."""

from __future__ import annotations

import os

from callboard_kdenlive import offline
from callboard_kdenlive.ledger import Relink
from callboard_kdenlive.outcome import Work
from callboard_kdenlive.project import Project, media_of
from callboard_kdenlive.properties import prop
from callboard_kdenlive.refs import forget, keep, number_of, ref_of
from callboard_kdenlive.sources import PROPOSAL, frames_in, is_still, point
from callboard_kdenlive.tracks import Item, items, shift, tracks
from callboard_kdenlive.uses import speed_of


def write(work: Work) -> None:
    """Point the clip of the command's use at its file; without a use, the stand-in made for its proposal."""
    path, clip = work.content.file, _clip(work)
    element = work.project.clip(clip) if clip else None
    if element is None:
        work.outcome.stale = f"{work.named} is not in the bin"
        return
    if not os.path.isfile(path):
        work.outcome.refused = f"{path or 'the file (none named)'} is not there"
        return
    was = media_of(work.project, element)
    ref = ref_of(work.project, clip)
    head = round(work.content.source_in * work.project.fps)
    moved = head - _head(work, ref, was)
    if (was == path and not moved) or _point(work, clip, path, moved):
        keep(element, ref)
        made = work.ledger.at(work.command.proposal, ref)
        first = made.get("relink", {}).get("was", was)
        made["relink"] = {"was": first, "now": path}
        if head:
            made["relink"]["head"] = head
        offline.dress(work, clip, head)


def _head(work: Work, ref: str, file: str) -> int:
    """Say by how many frames what a clip shows of a file was moved before: when another command pointed it there."""
    made = [one for _, at, one in work.ledger.every("relink") if at == ref and one["now"] == file]
    return int(made[-1].get("head", 0)) if made else 0


def _clip(work: Work) -> str:
    if work.command.use is not None:
        return number_of(work.project, work.command.use.ref)
    idents = {work.command.proposal, str(work.command.arguments.get("placeholder", ""))} - {""}
    made = (prop(c, "kdenlive:id") for c in work.project.clips() if prop(c, PROPOSAL) in idents)
    return next(made, "") or ""


def _point(work: Work, clip: str, path: str, moved: int = 0) -> bool:
    """Point a clip at a file that is long enough for each of its uses, which begin *moved* frames later in it."""
    frames = 0
    used = [item for track in tracks(work.project) for item in items(work.project, track) if item.clip == clip]
    if not is_still(path):
        frames, _ = frames_in(work, path)
        plain = [item for item in used if item.producer is not None and not _warped(item)]
        ends = [item.source_in + moved + item.length for item in plain]
        if ends and frames < max(ends):
            short = max(ends) - frames
            work.outcome.refused = f"{path} is {short} frame(s) shorter than what the timeline shows of it"
            return False
    point(work.project, clip, path, frames)
    for item in used if moved else ():
        _move(work.project, item, moved)
    return True


def _warped(item: Item) -> bool:
    return item.producer is not None and prop(item.producer, "mlt_service") == "timewarp"


def _move(project: Project, item: Item, frames: int) -> None:
    """Have a use begin elsewhere in its media; where it lies and how long it is stay, and its effects with it."""
    speed = abs(speed_of(item.producer)) if item.producer is not None and _warped(item) else 1
    shift(project, item, round(frames / speed))


def clear(work: Work, ref: str, made: Relink) -> None:
    """Point a clip back at what it had, unless a person gave it something else."""
    element = work.project.clip(number_of(work.project, ref))
    if element is None:
        return None
    if media_of(work.project, element) != made["now"]:
        work.outcome.miss(f"the media of {prop(element, 'kdenlive:clipname') or ref}", "changed by a person; kept")
        return forget(work.project, element, ref)
    head, number = _head(work, ref, made["was"]), number_of(work.project, ref)
    back = head - int(made.get("head", 0))
    if os.path.isfile(made["was"]):
        _point(work, number, made["was"], back)
    else:
        point(work.project, number, made["was"], 0)
    offline.dress(work, number, head)
    return forget(work.project, element, ref)


def present(work: Work, ref: str, made: Relink) -> tuple[list[str], int]:
    """Say whether the clip is at the file."""
    element = work.project.clip(number_of(work.project, ref))
    if element is None or media_of(work.project, element) != made["now"]:
        return [], 1
    return [f"{prop(element, 'kdenlive:clipname') or ref}: {made['now']}"], 0


__all__ = ["clear", "present", "write"]
