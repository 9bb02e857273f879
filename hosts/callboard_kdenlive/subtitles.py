"""Subtitles: cues in the file beside the project, and the filter that shows them.

Kdenlive keeps a project's subtitles in ``NAME.kdenlive.srt``. While it runs it works on a copy in the folder for
temporary files that is named by the document's id; one that a killed session left there wins over the file beside the
project, so a project whose subtitles we changed gets another id.

It shows one line of them (and newer versions, which keep several files, one file at a time). So captions are what is
shown; a translation goes into a file of its language beside the project, unless nothing else is shown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any, Final

from callboard.timedtext.formats.joiner import escape_srt, guard
from callboard_schemas import Content, HostCue
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

from callboard_kdenlive.ledger import Aside, Ledger
from callboard_kdenlive.outcome import Work
from callboard_kdenlive.places import on_use, targets
from callboard_kdenlive.project import number
from callboard_kdenlive.properties import Element, clean, insert, prop, put, remove
from callboard_kdenlive.srt import Block
from callboard_kdenlive.times import frame_at
from callboard_kdenlive.uses import Placed

SERVICE: Final = "avfilter.subtitles"
LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")
"""Of a file's name."""
_WHOLE: Final = ""
"""Under which our list keeps what is of the whole project."""
_ID: Final = "kdenlive:docproperties.documentid"


def sidecar(path: str, language: str = "") -> str:
    """Name the subtitle file of a project, or the one of a language that it does not show."""
    return f"{path}.{language}.srt" if language else path + ".srt"


def languages(ledger: Ledger, content: Content) -> set[str]:
    """Give the languages whose files a command may change: of what we made, and of what it brings."""
    made = [made for by_ref in ledger.made.values() for made in by_ref.values()]
    found = {made["aside"]["language"] for made in made if "aside" in made}
    found |= {made["translated"] for made in made if "translated" in made}
    return {language for language in found | {content.language} if LANGUAGE.fullmatch(language)}


def write(work: Work) -> None:
    """Put the command's cues where its media is shown."""
    found = targets(work)
    if not found:
        use = work.command.use
        work.outcome.stale = f"{use.name or use.ref if use else 'what it is for'} is not on the timeline"
        return
    made = work.ledger.at(work.command.proposal, work.ref)
    _take(work, work.subtitles, made.pop("subtitles", []))
    before = made.pop("aside", None)
    if before is not None:
        clear_aside(work, before)
    language = _translation(work)
    made.pop("translated", None)
    if not language:
        _make_way(work)
    apart = bool(language) and _shows_others(work, language)
    keys = _lay(work, found, work.asides.setdefault(language, []) if apart else work.subtitles)
    if apart:
        made["aside"] = {"language": language, "keys": keys}
        name = os.path.basename(sidecar(work.project.path, language))
        work.outcome.notes.append(f"the project shows other subtitles, and can show but one language: see {name}")
        return
    made["subtitles"] = keys
    if language:
        made["translated"] = language
    _show(work)


def _lay(work: Work, found: Sequence[Placed], blocks: list[Block]) -> list[str]:
    """Put the command's cues among others, where these leave room; gives what they are known by again."""
    keys: list[str] = []
    outside = 0
    for placed in found:
        if placed.frozen:
            work.outcome.miss(f"subtitles at {placed.use.ref}", "its speed changes within it")
            continue
        for cue in work.content.cues:
            block = _block(work, placed, cue)
            outside += block is None
            if block is not None and _free(work, blocks, block):
                blocks.append(block)
                keys.append(block.key(work.project.fps))
    if outside:
        work.outcome.notes.append(f"{outside} subtitle(s) are of what the timeline does not show")
    return keys


def _translation(work: Work) -> str:
    """Give the language of the command's cues if they are a translation; empty for captions."""
    language = work.content.language
    return language if work.command.arguments.get("translation") is True and LANGUAGE.fullmatch(language) else ""


def _shows_others(work: Work, language: str) -> bool:
    """Tell whether the project shows subtitles that are no translation of ours into a language."""
    made = [made for by_ref in work.ledger.made.values() for made in by_ref.values()]
    ours = {key for one in made if one.get("translated") == language for key in one.get("subtitles", [])}
    return any(block.key(work.project.fps) not in ours for block in work.subtitles)


def _make_way(work: Work) -> None:
    """Take translations of ours that the project shows into files of their own: captions are shown before them."""
    for by_ref in work.ledger.made.values():
        for made in by_ref.values():
            language, keys = made.pop("translated", ""), set(made.get("subtitles", []))
            if not language:
                continue
            moved = [block for block in work.subtitles if block.key(work.project.fps) in keys]
            work.subtitles[:] = [block for block in work.subtitles if block not in moved]
            work.asides.setdefault(language, []).extend(moved)
            made.pop("subtitles", None)
            made["aside"] = {"language": language, "keys": [block.key(work.project.fps) for block in moved]}
            name = os.path.basename(sidecar(work.project.path, language))
            work.outcome.notes.append(f"{len(moved)} subtitle(s) of the translation are in {name} now")


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


def _free(work: Work, blocks: list[Block], block: Block) -> bool:
    """Tell whether no other cue is shown at the same time; Kdenlive 22.12 has one line of them."""
    half = float(1 / work.project.fps / 2)
    if any(b.start < block.end - half and block.start + half < b.end for b in blocks):
        at = work.project.clock(frame_at(block.start, work.project.fps))
        work.outcome.miss(f"subtitle {at} {' '.join(block.text.split())[:40]}", "another is shown at that time")
        return False
    return True


def _take(work: Work, blocks: list[Block], keys: list[Any]) -> None:
    """Take cues of ours out that nobody changed."""
    there = {block.key(work.project.fps) for block in blocks}
    changed = sum(key not in there for key in keys)
    if changed:
        work.outcome.miss(f"{changed} earlier subtitle(s)", "changed or taken out by a person; left as they are")
    blocks[:] = [block for block in blocks if block.key(work.project.fps) not in keys]


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
    _take(work, work.subtitles, keys)
    _show(work)


def clear_aside(work: Work, made: Aside) -> None:
    """Take cues of ours out of the file of their language."""
    _take(work, work.asides.setdefault(made["language"], []), made["keys"])


def present(work: Work, keys: list[Any]) -> tuple[list[str], int]:
    """Name the cues of ours that are there, and count those that are not."""
    fps, wanted = work.project.fps, set(keys)
    found = [block for block in work.subtitles if block.key(fps) in wanted]
    if shown(work) is None:
        return [], len(keys)
    names = [f"subtitle {work.project.clock(frame_at(b.start, fps))} {' '.join(b.text.split())[:40]}" for b in found]
    return names, len(wanted) - len(found)


def present_aside(work: Work, made: Aside) -> tuple[list[str], int]:
    """Name the cues of ours that are in the file of their language, and count those that are not."""
    fps, wanted = work.project.fps, set(made["keys"])
    found = [block for block in work.asides.get(made["language"], []) if block.key(fps) in wanted]
    name = os.path.basename(sidecar(work.project.path, made["language"]))
    return [f"subtitle {work.project.clock(frame_at(b.start, fps))} in {name}" for b in found], len(wanted) - len(found)


__all__ = [
    "SERVICE",
    "clear",
    "clear_aside",
    "languages",
    "present",
    "present_aside",
    "shown",
    "sidecar",
    "write",
]
