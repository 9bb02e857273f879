"""The real shot in place of a stand-in, or of media that is not there."""

from __future__ import annotations

import os

from callboard_kdenlive.ledger import Relink
from callboard_kdenlive.outcome import Work
from callboard_kdenlive.project import media_of
from callboard_kdenlive.properties import prop
from callboard_kdenlive.refs import forget, keep, number_of, ref_of
from callboard_kdenlive.sources import PROPOSAL, frames_in, is_still, point
from callboard_kdenlive.tracks import items, tracks


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
    if was == path or _point(work, clip, path):
        keep(element, ref)
        made = work.ledger.at(work.command.proposal, ref)
        first = made.get("relink", {}).get("was", was)
        made["relink"] = {"was": first, "now": path}


def _clip(work: Work) -> str:
    if work.command.use is not None:
        return number_of(work.project, work.command.use.ref)
    made = (prop(c, "kdenlive:id") for c in work.project.clips() if prop(c, PROPOSAL) == work.command.proposal)
    return next(made, "") or ""


def _point(work: Work, clip: str, path: str) -> bool:
    """Point a clip at a file that is long enough for each of its uses."""
    frames = 0
    if not is_still(path):
        frames, _ = frames_in(work, path)
        ends = [
            item.source_in + item.length
            for track in tracks(work.project)
            for item in items(work.project, track)
            if item.clip == clip and item.producer is not None and prop(item.producer, "mlt_service") != "timewarp"
        ]
        if ends and frames < max(ends):
            short = max(ends) - frames
            work.outcome.refused = f"{path} is {short} frame(s) shorter than what the timeline shows of it"
            return False
    point(work.project, clip, path, frames)
    return True


def clear(work: Work, ref: str, made: Relink) -> None:
    """Point a clip back at what it had, unless a person gave it something else."""
    element = work.project.clip(number_of(work.project, ref))
    if element is None:
        return
    if media_of(work.project, element) != made["now"]:
        work.outcome.miss(f"the media of {prop(element, 'kdenlive:clipname') or ref}", "changed by a person; kept")
    elif os.path.isfile(made["was"]):
        _point(work, number_of(work.project, ref), made["was"])
    else:
        point(work.project, number_of(work.project, ref), made["was"], 0)
    forget(work.project, element, ref)


def present(work: Work, ref: str, made: Relink) -> tuple[list[str], int]:
    """Say whether the clip is at the file."""
    element = work.project.clip(number_of(work.project, ref))
    if element is None or media_of(work.project, element) != made["now"]:
        return [], 1
    return [f"{prop(element, 'kdenlive:clipname') or ref}: {made['now']}"], 0


__all__ = ["clear", "present", "write"]
