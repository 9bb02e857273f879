"""What a command brings, made of the proposal that was accepted: tags, description, cues, markers, a placeholder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from callboard_schemas import (
    Captions,
    Content,
    Cue,
    Gap,
    HostCue,
    HostMarker,
    Placeholder,
    Proposal,
    Tags,
    Translation,
)

from callboard.cuewise import kept_cues
from callboard.tagwise import kept, kept_text
from callboard.timedtext.markup import runs

PART = 28 * 1024
"""Bytes of a part of a long text. In an answer each may become two, for a quote is escaped: 56 KiB of 64."""
INLINE = 32 * 1024
"""Bytes of content that go with a command; longer content is fetched in parts."""
_TITLE = 120
"""Characters of a marker's name; the whole text is in its note."""


def content_of(made: Proposal, verb: str, *, gap: Gap | None = None, folder: Path | None = None) -> Content:
    """Give what a verb needs of a proposal, without what was left out of it.

    Args:
        made: The proposal.
        verb: What is asked of the application.
        gap: Where a placeholder goes.
        folder: What a relative path of a placeholder counts from: the project's.
    """
    body = made.body
    if isinstance(body, Captions | Translation) and (body.cues or isinstance(body, Captions)):
        cues = kept_cues(body.cues, made.without)
        if verb == "markers.write":
            return Content(markers=tuple(_marker(cue) for cue in cues), language=body.language)
        return Content(cues=tuple(_cue(cue) for cue in cues), language=body.language)
    if isinstance(body, Tags):
        about = kept_text(body.description, made.without)
        if verb == "description.write":
            return Content(description=about, author=_author(made))
        labels = dict.fromkeys(tag.label for tag in kept(body.items, made.without))
        return Content(tags=tuple(labels), description=about, author=_author(made))
    if isinstance(body, Placeholder):
        return Content(file=placeholder_path(body, folder), digest=body.digest, gap=gap)
    return Content()


def standing(made: Proposal) -> Proposal:
    """Give a proposal with a body that holds only what was not left out."""
    body = made.body
    if isinstance(body, Captions | Translation):
        body = msgspec.structs.replace(body, cues=kept_cues(body.cues, made.without))
    elif isinstance(body, Tags):
        about = kept_text(body.description, made.without)
        body = msgspec.structs.replace(body, items=kept(body.items, made.without), description=about)
    return msgspec.structs.replace(made, body=body)


def placeholder_path(body: Placeholder, folder: Path | None) -> str:
    """Give the absolute path of a placeholder's file."""
    return str((folder or Path.cwd()).absolute() / body.file)


def _author(made: Proposal) -> str:
    """Say who stands for it: the person who accepted it, else nobody."""
    return "" if made.decided_by == "policy" else made.decided_by


def _cue(cue: Cue) -> HostCue:
    lines = runs(cue)
    styles = [run.style for line in lines for run in line if run.text.strip()]
    return HostCue(
        id=cue.id,
        start=cue.start,
        end=cue.end,
        text="\n".join("".join(run.text for run in line) for line in lines),
        italic=bool(styles) and all("i" in style for style in styles),
        align=cue.align or 2,
        speaker=cue.speaker or "",
    )


def _marker(cue: Cue) -> HostMarker:
    text = " ".join("".join(run.text for run in line) for line in runs(cue))
    name = text if len(text) <= _TITLE else text[: _TITLE - 1].rstrip() + "…"
    return HostMarker(start=cue.start, name=name, note=text, duration=max(cue.end - cue.start, 0.0))


def parts(text: bytes) -> Sequence[str]:
    """Cut a JSON text into parts that each fit into an answer; no character is cut in two."""
    found: list[str] = []
    at = 0
    while at < len(text) or not found:
        end = min(at + PART, len(text))
        while end < len(text) and text[end] & 0xC0 == 0x80:  # not before a byte that continues a character
            end -= 1
        found.append(text[at:end].decode("utf-8"))
        at = end
    return found


__all__ = ["INLINE", "PART", "content_of", "parts", "placeholder_path", "standing"]
