"""What waits for a person and concerns the project that is open in an application, as its panel shows it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
from callboard_schemas import Captions, Cue, Placeholder, Proposal, Swap, Tags, Translation

from callboard.catalog import host_requests, hosts, journal, proposals
from callboard.catalog.host_requests import Asked
from callboard.hosting.content import placeholder_path
from callboard.shots import words
from callboard.timedtext.markup import text_lines

PAGE = 48 * 1024
"""Bytes of items in one answer, of the 64 KiB that a message may have."""
_ROOM = 240
"""Characters quoted of a result."""
_REQUEST = "request-"
"""How the ids of refused requests begin; those of proposals never do."""
_REFS = 50
"""Uses named of one asset."""


def inbox(
    conn: sqlite3.Connection, application: str, project: str, after: str, limit: int, folder: Path | None = None
) -> dict[str, Any]:
    """Give a page of what waits, and where the next one begins.

    Requests that were refused lately, or failed, come first, with the state ``refused`` or ``failed``; nothing can be
    decided on them.

    Args:
        conn: The transaction.
        application: Whose project.
        project: Which.
        after: Id of the last item of the page before; empty for the first page.
        limit: Items at most.
        folder: The project's, from which paths of placeholders count.
    """
    items: list[dict[str, Any]] = []
    if not after:
        for asked in host_requests.settled(conn, application, project):
            reasons = [asked.reason] if asked.reason else []
            failed = host_requests.fruitless(conn, asked.run)
            if reasons or failed:
                items.append(_unmet(asked, "refused" if reasons else "failed", "; ".join(reasons + failed)))
    room = PAGE - len(msgspec.json.encode(items))
    begin = "" if after.startswith(_REQUEST) else after
    found = hosts.waiting_for(conn, application, project, begin, limit + 1)
    for ident, digest in found[:limit]:
        made = proposals.get(conn, ident)
        if made is None:
            continue
        item = _item(conn, (application, project), made, digest, folder)
        room -= len(msgspec.json.encode(item)) + 1
        if room < 0 and items:
            return {"items": items, "after": items[-1]["id"]}
        items.append(item)
    more = len(found) > limit
    return {"items": items, "after": items[-1]["id"] if more and items else ""}


def _item(
    conn: sqlite3.Connection, whose: tuple[str, str], made: Proposal, digest: str, folder: Path | None
) -> dict[str, Any]:
    seen = next(iter(journal.places_of(conn, digest)), None) if digest else None
    name = os.path.basename(seen[1].path).decode("utf-8", "backslashreplace") if seen else ""
    body = made.body
    return {
        "id": made.id,
        "result": made.result,
        "kind": made.kind,
        "state": made.state,
        "confidence": made.confidence,
        "name": name or (words.title(body) if isinstance(body, Placeholder | Swap) else ""),
        "text": _short(_text(body)),
        "refs": hosts.refs_of(conn, *whose, digest)[:_REFS],
        "language": str(getattr(body, "language", "")),
        "flags": _flags(body),
        "made_by": made.provenance.plugin,
        "digest": digest,
        "path": placeholder_path(body, folder) if isinstance(body, Placeholder) else "",
        "reason": made.reason,
    }


def _unmet(asked: Asked, state: str, reason: str) -> dict[str, Any]:
    request = asked.request
    named = [use.name or os.path.basename(use.path) for use in request.uses] or [
        request.gap.shot if request.gap else ""
    ]
    return {
        "id": f"{_REQUEST}{asked.seq}",
        "result": asked.what,
        "kind": "",
        "state": state,
        "confidence": 0.0,
        "name": _short(", ".join(filter(None, named))),
        "text": _short(reason, 2 * _ROOM),
        "refs": [use.ref for use in request.uses][:_REFS],
        "language": "",
        "flags": [],
        "made_by": "",
        "digest": "",
        "path": "",
        "reason": reason[:2000],
    }


def _text(body: object) -> str:
    if isinstance(body, Captions | Translation) and body.cues:
        return " / ".join(_line(cue) for cue in body.cues[:8])
    if isinstance(body, Captions):
        return "no speech"
    if isinstance(body, Tags):
        told = sorted(body.items, key=lambda tag: tag.group[:1] == ("technical",))
        return ", ".join(tag.label for tag in told[:40])
    if isinstance(body, Translation):
        return body.description or ", ".join(list(body.labels.values())[:40])
    return words.line(body) if isinstance(body, Placeholder | Swap) else ""


def _line(cue: Cue) -> str:
    return " ".join(text_lines(cue))


def _flags(body: object) -> list[str]:
    """Give why a person should look: of all cues, what must not ship unseen first."""
    cues = body.cues if isinstance(body, Captions | Translation) else ()
    flags = dict.fromkeys(flag for cue in cues for flag in cue.failed)
    flags.update(dict.fromkeys(flag for cue in cues for flag in cue.flags))
    flags.update(dict.fromkeys(words.flags(body)))
    return list(flags)[:20]


def _short(text: str, room: int = _ROOM) -> str:
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


__all__ = ["PAGE", "inbox"]
