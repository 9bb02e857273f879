"""Which files are never looked at, and which rule says so.

gitignore rules, the last one that matches wins: the defaults, then the project's, then ``.callboardignore`` in the
root. A later ``!rule`` takes an earlier one back, but nothing below an ignored folder can come back, as in git.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable

from pathspec import GitIgnoreSpec

FILE_NAME = ".callboardignore"

DEFAULTS = (
    ".*",  # hidden files and folders; includes ._* of macOS, .~lock of LibreOffice, .callboard
    "~*",
    "*~",
    "*.part",
    "*.partial",
    "*.crdownload",
    "*.download",
    "*.filepart",
    "*.opdownload",
    "*.tmp",
    "*.temp",
    "*.swp",
    "*.lock",
    "*.!qB",
    "*.!ut",
    "*.aria2",
    "*.callboard.json",
    "*.xmp",
    "*.kdenlive.srt",  # the subtitles of a project, which Kdenlive and our part for it write
    "*_PLACEHOLDER_v[0-9]*",  # what stands in for shots, and what was made beside it
    "*_PLACEHOLDER_sheet.png",
    "$RECYCLE.BIN",
    "System Volume Information",
    "@eaDir",  # Synology's thumbnails
    "#recycle",
    "lost+found",
    "Thumbs.db",
    "desktop.ini",
)
"""Temporary and partial names, hidden files, what operating systems leave behind, and Callboard's own output."""

_PLAIN = re.compile("|".join(fnmatch.translate(rule) for rule in DEFAULTS))


class Ignore:
    """The rules of one root.

    Args:
        project: Rules of the project's settings.
        folder: Lines of the root's ``.callboardignore``.
    """

    def __init__(self, project: Iterable[str] = (), folder: Iterable[str] = ()) -> None:
        self._rules = [(rule, "the defaults") for rule in DEFAULTS]
        self._rules += [(rule, "the project's settings") for rule in project]
        self._rules += [(rule, FILE_NAME) for rule in folder]
        own = self._rules[len(DEFAULTS) :]
        # pathspec takes tens of microseconds per name; one regex over the name answers for the defaults alone.
        self._spec = GitIgnoreSpec.from_lines([rule for rule, _ in self._rules]) if own else None
        self._default = GitIgnoreSpec.from_lines(DEFAULTS)

    @classmethod
    def of(cls, root: bytes, project: Iterable[str] = ()) -> Ignore:
        """Read the ``.callboardignore`` of *root*; one that is missing or unreadable adds nothing."""
        try:
            with open(os.path.join(root, FILE_NAME.encode()), encoding="utf-8", errors="surrogateescape") as file:
                return cls(project, file.read().splitlines())
        except OSError:
            return cls(project)

    def rule(self, path: bytes, *, folder: bool = False) -> str | None:
        """Name the rule that ignores *path* (relative to the root) and where it stands, or None.

        Only the path itself is asked; a walk asks for each folder on its way, ``why`` asks for them all.
        """
        if self._spec is None:
            if _PLAIN.match(os.path.basename(os.fsdecode(path))) is None:
                return None
            spec = self._default
        else:
            spec = self._spec
        text = os.fsdecode(path) + ("/" if folder else "")
        found = spec.check_file(text, separators=())
        if not found.include or found.index is None:
            return None
        rule, where = self._rules[found.index]
        return f"rule {rule!r} of {where}"

    def why(self, path: bytes) -> str | None:
        """Name the rule that ignores *path* or a folder above it, or None."""
        parts = path.split(b"/")
        for depth in range(1, len(parts)):
            above = b"/".join(parts[:depth])
            rule = self.rule(above, folder=True)
            if rule is not None:
                return f"{rule}, for the folder {os.fsdecode(above)!r}"
        return self.rule(path)
