"""Captions as text strips, in channels of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import limits, ours, timing, uses, versions
from . import channels, styles
from .task import Task


def write(task: Task) -> None:
    """Lay the cues over the use that they are for, in place of those that we laid there before."""
    scene = scene_of(task)
    cues = list(task.content.get("cues") or ())
    use = task.use or {"start": scene.frame_start / uses.rate_of(scene)}
    found, outside = timing.spans(use, [(float(cue["start"]), float(cue["end"])) for cue in cues], uses.rate_of(scene))
    if outside:
        task.notes.append(f"{outside} of {len(cues)} cues lie outside of the cut")
    kept = _make_room(task, scene)
    wanted = [span for span in found if str(cues[span.number]["id"]) not in kept]
    wanted = _beside_theirs(task, scene, wanted, [str(cue["id"]) for cue in cues])
    label = f"{channels.OURS} {task.content.get('language', '')}".strip()
    made: dict[str, tuple[str, timing.Span, int]] = {}
    for lane in timing.lanes(wanted):
        channel = channels.above_all(scene, lane[0].first, lane[-1].end, label)
        if channel is None:
            task.miss(f"{len(lane)} cues", "every channel is taken there")
            continue
        for span in lane:
            cue = cues[span.number]
            made[str(cue["id"])] = (_lay(task, scene, cue, span, channel), span, channel)
        channels.name(scene, channel, label)
    _read_back(task, scene, made)


def scene_of(task: Task) -> Any:
    """Give the scene that a command is for: the one with its use, else the one that is edited."""
    strip = uses.find_strip(task.ref) if task.ref else None
    return strip[0] if strip is not None else versions.scene_of()


def remove(task: Task, scene: Any, strip: Any) -> None:
    """Take a strip of ours away."""
    task.changed = True
    versions.top(scene).remove(strip)


def _make_room(task: Task, scene: Any) -> set[str]:
    """Take our strips of before away but those that a person edited; give the parts of these."""
    kept: set[str] = set()
    for strip in ours.strips(scene, task.proposal, task.ref):
        if ours.edited(scene, strip):
            kept.add(str(strip.get(ours.PART, "")))
            task.miss(strip.name, "a person edited it, so theirs is kept")
        else:
            remove(task, scene, strip)
    return kept


def _beside_theirs(task: Task, scene: Any, wanted: list[timing.Span], names: Sequence[str]) -> list[timing.Span]:
    """Leave out what would stand over a caption that a person edited, of an earlier proposal in the same language."""
    language = task.content.get("language", "")
    theirs = [
        channels.span(strip)
        for strip in versions.every(scene)
        if strip.get(ours.ID, task.proposal) != task.proposal
        and (strip.get(ours.USE), strip.get(ours.LANGUAGE, "")) == (task.ref, language)
        and ours.edited(scene, strip)
    ]
    free = []
    for span in wanted:
        shared = max((min(end, span.end) - max(first, span.first) for first, end in theirs), default=0)
        if 2 * shared > span.end - span.first:
            task.miss(f"cue {names[span.number]}", "a person edited the caption that stands there, so theirs is kept")
        else:
            free.append(span)
    return free


def _lay(task: Task, scene: Any, cue: Mapping[str, Any], span: timing.Span, channel: int) -> str:
    text, limit = str(cue["text"]), versions.text_limit()
    short = limits.cut(text, limit) if limit else text
    title = limits.cut(f"{cue['id']} {limits.one_line(text)}", limits.STRIP_NAME_FREE)
    strip = versions.new_text(scene, title, channel, span.first, span.end)
    task.changed = True
    strip.text = short
    styles.dress(scene, strip, str(task.arguments.get("style", "")), int(cue.get("align", 2)), bool(cue.get("italic")))
    ours.sign(strip, task.proposal, task.ref, str(cue["id"]))
    strip[ours.LANGUAGE] = task.content.get("language", "")
    if short != text:
        lost = len(text) - len(short)
        task.miss(f"the last {lost} characters of cue {cue['id']}", f"Blender keeps {limit} bytes in a text strip")
    return short


def _read_back(task: Task, scene: Any, made: Mapping[str, tuple[str, timing.Span, int]]) -> None:
    """Say what is there now, by what the file holds."""
    there = {str(strip.get(ours.PART)): strip for strip in ours.strips(scene, task.proposal, task.ref)}
    for part, (text, span, channel) in made.items():
        strip = there.get(part)
        if strip is None:
            task.miss(f"cue {part}", "it is not in the file")
            continue
        task.landed.append(strip.name)
        if strip.text != text:
            task.miss(f"part of cue {part}", f"Blender kept {len(strip.text)} of {len(text)} characters")
        if channels.span(strip) != (span.first, span.end) or strip.channel != channel:
            task.miss(f"the place of cue {part}", f"it is on channel {strip.channel}, frames {channels.span(strip)}")
