"""Which subtitle files an accepted result wants, written by ``callboard.timedtext``."""

from __future__ import annotations

from collections.abc import Sequence

from callboard_schemas import Cue

from callboard.timedtext.document import Result, of_result
from callboard.timedtext.files import write
from callboard.timedtext.formats.clock import milliseconds
from callboard.timedtext.formats.joiner import JOINER, escape_srt, guard, unescape_srt, unguard
from callboard.timedtext.formats.srt import srt
from callboard.timedtext.formats.vtt import escape_vtt, vtt
from callboard.timedtext.markup import runs

ROLES = {"json": "words"}
"""What a subtitle sidecar is called in receipts and in the ledger where its format's name is another sidecar's."""


def role_of(format_: str) -> str:
    """Say what the sidecar of a format is called."""
    return ROLES.get(format_, format_)


def written(body: Result, format_: str) -> bytes:
    """Write captions or a translation.

    Raises:
        MissingExtra: the format needs a library that is not installed.
        SubtitleError: the format cannot say a time.
    """
    return write(of_result(body), format_)


def has_text(cues: Sequence[Cue]) -> bool:
    """Tell whether any cue says something; if none does there is no subtitle file."""
    return any(map(runs, cues))


__all__ = [
    "JOINER",
    "ROLES",
    "escape_srt",
    "escape_vtt",
    "guard",
    "has_text",
    "milliseconds",
    "role_of",
    "srt",
    "unescape_srt",
    "unguard",
    "vtt",
    "written",
]
