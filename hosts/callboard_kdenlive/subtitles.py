"""Subtitles: cues in the file beside the project, and the filter that shows them.

Kdenlive keeps a project's subtitles in ``NAME.kdenlive.srt``. While it runs it works on a copy in the folder for
temporary files that is named by the document's id; one that a killed session left there wins over the file beside the
project, so a project whose subtitles we changed gets another id.
"""

from __future__ import annotations

from typing import Any, Final

from callboard.timedtext.formats.joiner import escape_srt, guard
from callboard_schemas import HostCue
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

from callboard_kdenlive.outcome import Work
from callboard_kdenlive.places import on_use, targets
from callboard_kdenlive.project import number
from callboard_kdenlive.properties import Element, clean, insert, prop, put, remove
from callboard_kdenlive.srt import Block
from callboard_kdenlive.times import frame_at
from callboard_kdenlive.uses import Placed

SERVICE: Final = "avfilter.subtitles"
_WHOLE: Final = ""
"""Under which our list keeps what is of the whole project."""
_ID: Final = "kdenlive:docproperties.documentid"


def sidecar(path: str) -> str:
    """Name the subtitle file of a project."""
    return path + ".srt"


def write(work: Work) -> None:
    """Put the command's cues where its media is shown."""
    found = targets(work)
    if not found:
        use = work.command.use
        work.outcome.stale = f"{use.name or use.ref if use else 'what it is for'} is not on the timeline"
        return
    made = work.ledger.at(work.command.proposal, work.ref)
    _take(work, made.pop("subtitles", []))
    keys: list[str] = []
    outside = 0
    for placed in found:
        if placed.frozen:
            work.outcome.miss(f"subtitles at {placed.use.ref}", "its speed changes within it")
            continue
        for cue in work.content.cues:
            block = _block(work, placed, cue)
            outside += block is None
            if block is not None and _free(work, block):
                work.subtitles.append(block)
                keys.append(block.key(work.project.fps))
    made["subtitles"] = keys
    if outside:
        work.outcome.notes.append(f"{outside} subtitle(s) are of what the timeline does not show")
    _show(work)


def _block(work: Work, placed: Placed, cue: HostCue) -> Block | None:
    """Say where a cue goes, on whole frames; nowhere where the clip was cut away."""
    fps, use = work.project.fps, placed.use
    first, last = sorted((on_use(placed, cue.start), on_use(placed, cue.end)))
    first, last = max(first, use.start), min(last, use.start + use.duration)
    start, end = frame_at(first, fps), frame_at(last, fps)
    said = clean(cue.text)
    if last <= first or end <= start or not said.strip():
        return None
    text = "\n".join(escape_srt(line) for line in guard([line for line in said.split("\n") if line.strip()]))
    text = f"<i>{text}</i>" if cue.italic else text
    text = f"{{\\an{cue.align}}}{text}" if cue.align != 2 else text
    return Block(round(float(start / fps), 3), round(float(end / fps), 3), text)


def _free(work: Work, block: Block) -> bool:
    """Tell whether no other cue is shown at the same time; Kdenlive 22.12 has one line of them."""
    half = float(1 / work.project.fps / 2)
    if any(b.start < block.end - half and block.start + half < b.end for b in work.subtitles):
        at = work.project.clock(frame_at(block.start, work.project.fps))
        work.outcome.miss(f"subtitle {at} {' '.join(block.text.split())[:40]}", "another is shown at that time")
        return False
    return True


def _take(work: Work, keys: list[Any]) -> None:
    """Take cues of ours out that nobody changed."""
    there = {block.key(work.project.fps) for block in work.subtitles}
    changed = sum(key not in there for key in keys)
    if changed:
        work.outcome.miss(f"{changed} earlier subtitle(s)", "changed or taken out by a person; left as they are")
    work.subtitles[:] = [block for block in work.subtitles if block.key(work.project.fps) not in keys]


def shown(work: Work) -> Element | None:
    """Find the filter that shows the subtitles."""
    return next((f for f in work.project.main.iterchildren("filter") if prop(f, "mlt_service") == SERVICE), None)


def _show(work: Work) -> None:
    """See to it that the timeline shows the subtitle file, as long as there is one to show."""
    whole, there = work.ledger.at(_WHOLE, _WHOLE), shown(work)
    ours = any(keys for _, _, keys in work.ledger.every("subtitles"))
    if ours and there is None:
        whole["filter"] = {"was": None}
        insert(work.project.main, len(work.project.main), _filter(work))
    elif ours and there is not None:
        whole.setdefault("filter", {"was": prop(there, "av.filename")})
        put(there, "av.filename", sidecar(work.project.path))
    elif "filter" in whole and there is not None:
        was = whole.pop("filter")["was"]
        if was is not None:
            put(there, "av.filename", was)
        elif not work.subtitles:
            remove(there)
    if prop(work.project.bin, _ID) is not None:
        put(work.project.bin, _ID, str(max(work.stamp, number(prop(work.project.bin, _ID)) + 1)))


def _filter(work: Work) -> Element:
    new = etree.Element("filter", id="callboard_subtitles")
    for name, value in (
        ("mlt_service", SERVICE),
        ("internal_added", "237"),  # what Kdenlive gives filters of its own, so that no effect stack lists them
        ("av.filename", sidecar(work.project.path)),
    ):
        put(new, name, value)
    return new


def clear(work: Work, keys: list[Any]) -> None:
    """Take cues of ours away; call it once our list no longer has them."""
    _take(work, keys)
    _show(work)


def present(work: Work, keys: list[Any]) -> tuple[list[str], int]:
    """Name the cues of ours that are there, and count those that are not."""
    fps, wanted = work.project.fps, set(keys)
    found = [block for block in work.subtitles if block.key(fps) in wanted]
    if shown(work) is None:
        return [], len(keys)
    names = [f"subtitle {work.project.clock(frame_at(b.start, fps))} {' '.join(b.text.split())[:40]}" for b in found]
    return names, len(wanted) - len(found)


__all__ = ["SERVICE", "clear", "present", "shown", "sidecar", "write"]
