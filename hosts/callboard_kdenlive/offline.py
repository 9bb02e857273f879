"""A stand-in for a clip whose media is not there: on its frames, at its speed, and the clip again when it goes.

Only the one use changes: the clip of the bin, and its other uses, stay. Its sound stays silent until the real shot,
which comes with its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from callboard.errors import CallboardError
from callboard.strict_xml import parser as strict_parser
from callboard_schemas import Use
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

from callboard_kdenlive.ledger import Lost, Standin
from callboard_kdenlive.outcome import Work
from callboard_kdenlive.project import Project, media_of
from callboard_kdenlive.properties import Element, insert, prop, put
from callboard_kdenlive.refs import LOST, keep, number_of, ref_of, short
from callboard_kdenlive.sources import copied, frames_in, free_id, giving, is_still, mirror, new, silent
from callboard_kdenlive.tracks import Item, Track, items, point, tracks
from callboard_kdenlive.uses import Placed, on_timeline, speed_of

_KIND = ("set.test_audio", "set.test_image")


def put_in(work: Work, use: Use) -> Standin | None:
    """Show the command's file in place of a use whose media is not there; nothing where that cannot be."""
    project, path = work.project, work.content.file
    placed = next((one for one in on_timeline(project) if one.use.ref == use.ref), None)
    why = "is no longer there" if placed is None else _kept(work, placed)
    if placed is None or why:
        work.outcome.stale = f"{work.named} {why}"
        return None
    item, source = placed.item, placed.item.producer
    assert source is not None, "a use on the timeline has one"
    frames = item.length
    if not is_still(path):
        frames, _ = frames_in(work, path)
        lacking = item.length - round(frames / abs(_speed(source)))
        if lacking > 0:
            work.outcome.miss("the clip's end", f"the file is {lacking} frame(s) shorter; its last one is held")
    clip, ref = str(project.next_number()), f"bin-{short(work.command.proposal, work.ref)}"
    lost: Lost = {
        "ref": ref_of(project, item.clip),
        "source_in": item.source_in,
        "source": etree.tostring(source, encoding="unicode", with_tail=False),
    }
    longest = max(frames, item.length)
    name = os.path.basename(path)
    own = new(project, path, clip=clip, frames=longest, name=name, proposal=work.command.proposal)
    keep(own, ref)
    put(own, LOST, lost["ref"])
    point(project, item, clip, _source(project, own, source, item.length), -item.source_in)
    return {
        "clip": ref, "track": placed.track.name, "start": item.start, "length": item.length, "file": path, "out": None,
        "lost": lost,
    }  # fmt: skip


def _kept(work: Work, placed: Placed) -> str:
    """Say why a use cannot have another file; empty where it can."""
    if placed.track.locked:
        return "is on a track that is locked"
    if work.command.arguments.get("anyway") is True or not os.path.isfile(placed.use.path):
        return ""
    try:
        frames = 0 if is_still(placed.use.path) else frames_in(work, placed.use.path)[0]
    except CallboardError:
        return ""  # what cannot be read is as good as gone
    end = (placed.use.source_in + placed.use.duration * abs(placed.use.speed)) * float(work.project.fps)
    return "" if frames and end > frames + 1 else "has its media again"


def _speed(source: Element) -> float:
    return float(speed_of(source)) or 1.0


def _source(project: Project, own: Element, like: Element, length: int) -> Element:
    """Give the source for a track with pictures: at the speed of another, unless it is a still, which has none."""
    path, speed = prop(own, "resource") or "", _speed(like)
    if speed == 1 or is_still(path):
        return silent(project, own)
    twin = copied(project, own)
    put(twin, "mlt_service", "timewarp")
    put(twin, "resource", f"{prop(like, 'warp_speed') or speed}:{path}")
    for name in ("warp_speed", "warp_pitch"):
        put(twin, name, prop(like, name) or ("0" if name == "warp_pitch" else str(speed)))
    put(twin, "warp_resource", path)
    frames = max(int((project.frames(own.get("out")) + 1) / abs(speed)), length)
    put(twin, "length", str(frames))
    put(twin, "kdenlive:duration", str(frames))
    twin.set("out", project.clock(frames - 1))
    return giving(twin, sound=False)


def laid(project: Project, clip: str) -> Iterator[tuple[Track, Item]]:
    """Give the uses of a clip on every track."""
    return ((track, item) for track in tracks(project) for item in items(project, track) if clip and item.clip == clip)


def give_back(work: Work, clip: str, lost: Lost) -> bool:
    """Show again what a stand-in is in place of, wherever a person moved it; tell whether that could be done."""
    project, number = work.project, number_of(work.project, lost["ref"])
    own = project.clip(number)
    if own is None:
        work.outcome.miss("the clip that it stands in for", "no longer in the bin; the stand-in is kept")
        return False
    for _, item in list(laid(project, clip)):
        source = _former(project, own, lost, sound=False)
        point(project, item, number, source, lost["source_in"])
    return True


def _former(project: Project, own: Element, lost: Lost, *, sound: bool) -> Element:
    """Give the source that a use of a clip had: one that is there like it, else it is made again."""
    was = etree.fromstring(lost["source"], strict_parser())
    wanted = (speed_of(was), "0" if sound else prop(was, _KIND[0]), prop(was, "mlt_service"))
    for source in project.of_clip(prop(own, "kdenlive:id") or ""):
        if source is not own and (speed_of(source), prop(source, _KIND[0]), prop(source, "mlt_service")) == wanted:
            return source
    made = copied(project, own) if speed_of(was) == 1 else _warped(project, own, was)
    return giving(made, sound=sound) if sound or prop(was, _KIND[0]) == "1" else made


def _warped(project: Project, own: Element, was: Element) -> Element:
    was.set("id", free_id(project, was.get("id") or "callboard"))
    put(was, "kdenlive:id", prop(own, "kdenlive:id") or "")
    put(was, "resource", f"{prop(was, 'warp_speed') or _speed(was)}:{media_of(project, own)}")
    put(was, "warp_resource", media_of(project, own))
    insert(project.root, project.root.index(own) + 1, was)
    return was


def dress(work: Work, clip: str, head: int) -> None:
    """Give what is in a lost clip's place that clip's name and its sound, as long as it is the real shot.

    Args:
        work: whose project it is.
        clip: the number of what is in its place.
        head: frames of the file that it shows before what the stand-in's first became.
    """
    project, own = work.project, work.project.clip(clip)
    made = [one for _, _, one in work.ledger.every("placeholder") if number_of(project, str(one["clip"])) == clip]
    if own is None or not made or "lost" not in made[-1]:
        return
    lost, path = made[-1]["lost"], media_of(project, own)
    former, real = project.clip(number_of(project, lost["ref"])), path != made[-1]["file"]
    name = ""
    if real and former is not None:
        name = prop(former, "kdenlive:clipname") or os.path.basename(media_of(project, former))
    put(own, "kdenlive:clipname", name or os.path.basename(path))
    mirror(project, own, ("kdenlive:clipname",))
    if former is not None:
        heard = real and os.path.isfile(path) and not is_still(path) and frames_in(work, path)[1].audio
        _sound(project, (own, former), lost, head, heard=heard)


def _sound(project: Project, clips: tuple[Element, Element], lost: Lost, head: int, *, heard: bool) -> None:
    """Have the sound beside our picture be of the same file if it is to be heard, else of the lost clip again."""
    ours, theirs = (prop(one, "kdenlive:id") or "" for one in clips)
    shown = {(item.start, item.length): item for track, item in laid(project, ours) if not track.audio}
    for track in tracks(project):
        for item in items(project, track) if track.audio else ():
            picture = shown.get((item.start, item.length))
            if picture is None or picture.producer is None or item.clip not in (ours, theirs):
                continue
            begin = lost["source_in"] + picture.source_in - head
            if heard and item.clip == theirs and item.source_in == begin:
                source = giving(copied(project, picture.producer), sound=True)
                point(project, item, ours, source, picture.source_in - item.source_in)
            elif not heard and item.clip == ours:
                point(project, item, theirs, _former(project, clips[1], lost, sound=True), begin - item.source_in)


__all__ = ["dress", "give_back", "laid", "put_in"]
