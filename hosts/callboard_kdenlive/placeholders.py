"""A stand-in at a gap, or for a clip that lost its media, so that nothing moves; exchanged or taken out later."""

from __future__ import annotations

import os
from typing import Final

from callboard_schemas import Gap
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

from callboard_kdenlive.ledger import Standin
from callboard_kdenlive.offline import dress, give_back, laid, put_in
from callboard_kdenlive.outcome import Work
from callboard_kdenlive.project import media_of
from callboard_kdenlive.properties import Element, prop, put, remove
from callboard_kdenlive.refs import keep, number_of, short
from callboard_kdenlive.sources import frames_in, is_still, new, point, silent
from callboard_kdenlive.times import frame_at
from callboard_kdenlive.tracks import Item, Span, Track, fill, free, room

_SECONDS: Final = 5.0
"""How long a still is in the bin; Kdenlive's own default."""


def write(work: Work) -> None:
    """Put the command's file at its gap or its use; the file of an earlier one is exchanged where it lies."""
    path = work.content.file
    if (work.content.gap is None and work.command.use is None) or not path:
        work.outcome.refused = "the command names neither a gap nor a clip, or no file"
        return
    if not os.path.isfile(path):
        work.outcome.refused = f"{path} is not there"
        return
    made = work.ledger.at(work.command.proposal, work.ref)
    before = made.get("placeholder")
    if before is not None:
        if _laid(work, _number(work, before)):
            _exchange(work, before, path)
            return
        made.pop("placeholder")
        _forget(work, _number(work, before))
    there = put_in(work, work.command.use) if work.command.use is not None else _into_gap(work)
    if there is not None:
        made["placeholder"] = there


def _into_gap(work: Work) -> Standin | None:
    """Put it at a gap; nothing where that is filled."""
    gap = work.content.gap
    assert gap is not None, "what names neither a gap nor a clip is refused"
    span = _span(work, gap)
    track = room(work.project, span)
    if track is None:
        work.outcome.stale = f"no free track at {work.project.clock(span.start)} for {work.project.clock(span.length)}"
        return None
    return _place(work, gap, track, span)


def _span(work: Work, gap: Gap) -> Span:
    start = frame_at(gap.start, work.project.fps)
    return Span(start, max(frame_at(gap.start + gap.duration, work.project.fps) - start, 1))


def _place(work: Work, gap: Gap, track: Track, span: Span) -> Standin:
    project, path = work.project, work.content.file
    frames = max(span.length, round(_SECONDS * project.fps))
    if not is_still(path):
        frames, _ = frames_in(work, path)
        if frames < span.length:
            work.outcome.miss("the gap's end", f"the file is {span.length - frames} frame(s) shorter")
            span = Span(span.start, max(frames, 1))
    clip = str(project.next_number())
    name = gap.shot or gap.purpose or os.path.basename(path)
    ref = f"bin-{short(work.command.proposal, work.ref)}"
    own = new(project, path, clip=clip, frames=frames, name=name, proposal=work.command.proposal)
    keep(own, ref)
    source = silent(project, own)
    entry = etree.Element("entry", producer=source.get("id"))
    entry.set("in", project.clock(0))
    entry.set("out", project.clock(span.length - 1))
    put(entry, "kdenlive:id", clip)
    fill(project, track, span, entry)
    out = track.element.get("out")
    if project.frames(out, -1) < span.end - 1:
        track.element.set("out", project.clock(span.end - 1))
    return {
        "clip": ref, "track": track.name, "start": span.start, "length": span.length, "file": path, "out": out
    }  # fmt: skip


def _exchange(work: Work, before: Standin, path: str) -> None:
    """Show another file where the earlier one lies, wherever a person put it."""
    frames = 0 if is_still(path) else frames_in(work, path)[0]
    number = _number(work, before)
    longest = max(item.source_in + item.length for _, item in _laid(work, number))
    if frames and frames < longest:
        work.outcome.refused = f"{path} is {longest - frames} frame(s) shorter than what it would stand in for"
        return
    point(work.project, number, path, frames)
    before["file"] = path
    dress(work, number, 0)


def _number(work: Work, made: Standin) -> str:
    """Give the number that the stand-in has in the bin now."""
    return number_of(work.project, str(made["clip"]))


def _laid(work: Work, clip: str) -> list[tuple[Track, Item]]:
    return list(laid(work.project, clip))


def clear(work: Work, made: Standin) -> None:
    """Take a stand-in out and leave the gap; one that a person moved, cut or uses elsewhere stays.

    In place of a clip it gives way to that one, wherever it is.
    """
    clip, project = _number(work, made), work.project
    own = project.clip(clip)
    if own is not None and media_of(project, own) != made["file"]:
        work.outcome.miss(f"stand-in {prop(own, 'kdenlive:clipname')}", "shows another file by now; kept")
        return
    if "lost" in made:
        if own is not None and give_back(work, clip, made["lost"]):
            _forget(work, clip)
        return
    for track, item in _laid(work, clip):
        same = (track.name, item.start, item.length) == (made["track"], made["start"], made["length"])
        if not same or item.entry.find("filter") is not None:
            work.outcome.miss(f"stand-in at {project.clock(item.start)}", "moved, cut or changed by a person; kept")
            continue
        free(project, item.entry)
        end = project.clock(made["start"] + made["length"] - 1)
        if track.element.get("out") == end:
            _set_out(track.element, made["out"])
    if not _laid(work, clip):
        _forget(work, clip)


def _set_out(element: Element, out: str | None) -> None:
    if out is None:
        element.attrib.pop("out", None)
    else:
        element.set("out", out)


def _forget(work: Work, clip: str) -> None:
    """Take a clip of ours out of the bin."""
    for element in work.project.of_clip(clip):
        for entry in work.project.bin.findall("entry"):
            if entry.get("producer") == element.get("id"):
                remove(entry)
        remove(element)


def present(work: Work, made: Standin) -> tuple[list[str], int]:
    """Name the stand-in if it is on the timeline, with the file that it shows."""
    clip = work.project.clip(_number(work, made))
    laid = _laid(work, _number(work, made))
    if clip is None or not laid or media_of(work.project, clip) != made["file"]:
        return [], 1
    return [
        f"stand-in {prop(clip, 'kdenlive:clipname')} at {work.project.clock(item.start)} on {track.name}"
        for track, item in laid
    ], 0


__all__ = ["clear", "present", "write"]
