"""How one path stands now, in one line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from callboard.sources.examine import Family
from callboard.sources.facts import Stat
from callboard.sources.kinds import extension, kind_of

if TYPE_CHECKING:
    from callboard.sources.absence import Absence
    from callboard.sources.settling import Settling
    from callboard.sources.survey import Surveyor


def explain(
    path: bytes,
    surveyor: Surveyor,
    settling: Settling,
    absence: Absence,
    ours: Callable[[bytes], bool],
    notice: str,
) -> str:
    """Say how *path* (relative to the root) stands, and why."""
    if absence.status == "offline":
        return f"its folder is offline: {absence.problem}; nothing is deleted, it is looked for every second"
    ledger = surveyor.ledger
    if path in ledger.held:
        return "away since its folder lost many files at once; kept, not deleted"
    if path in ledger.missing:
        return f"missing; given up in {max(0.0, ledger.missing[path] - time.monotonic()):.1f} s unless it comes back"
    if ours(os.path.join(surveyor.root, path)):
        return "not looked at: Callboard wrote it"
    if kind_of(path) == "subtitles" and not surveyor.is_media(path):
        return "not looked at: nothing answers subtitle files; set languages in [plugins.localize] parameters"
    if kind_of(path) is None:
        what = repr(os.fsdecode(extension(path))) if extension(path) else "a name without an extension"
        return f"not looked at: {what} does not say media"
    rule = surveyor.ignore.why(path)
    if rule is not None and path not in ledger.seen:
        return f"ignored by {rule}"
    waiting = _waiting(path, settling)
    if waiting:
        return waiting
    if path in settling.empty:
        return "waiting: it has no bytes yet"
    if path in ledger.seen:
        seen = ledger.seen[path]
        return f"settled: {seen.digest}, {seen.size} bytes"
    return _unknown(path, surveyor, notice)


def _waiting(path: bytes, settling: Settling) -> str:
    family = Family.of(path)
    entry = settling.queue.entries.get(path) or (settling.queue.entries.get(family) if family else None)
    if entry is None:
        return ""
    if entry.key in settling.unreadable:
        return f"cannot be read: {settling.unreadable[entry.key]}; tried again when it changes, and every minute"
    now = time.monotonic()
    since, due = max(0.0, now - entry.changed), max(0.0, entry.due - now)
    if entry.examined:
        return "being read"
    if entry.waiting == "busy":
        return f"waiting: another program has it open for writing; looked at again in {due:.1f} s or when it is closed"
    what = "its frames" if isinstance(entry.key, Family) else "it"
    return f"waiting: {what} last changed {since:.1f} s ago; looked at again in {due:.1f} s"


def _unknown(path: bytes, surveyor: Surveyor, notice: str) -> str:
    family = Family.of(path)
    if family is not None:
        for known, seen in surveyor.ledger.seen.items():
            if seen.sequence is not None and _covers(known, path, family):
                return f"part of the sequence {os.fsdecode(known)!r}, settled: {seen.digest}"
    try:
        stat = Stat.of(os.stat(os.path.join(surveyor.root, path), follow_symlinks=False))
    except OSError as error:
        return f"not there: {error.strerror}"
    late = f" The folder is {notice}." if notice else ""
    return f"not seen yet: {stat.size} bytes; the next survey finds it.{late}"


def _covers(known: bytes, path: bytes, family: Family) -> bool:
    folder, _, name = known.rpartition(b"/")
    return (
        folder == path.rpartition(b"/")[0] and name.startswith(family.prefix + b"%0") and name.endswith(family.suffix)
    )
