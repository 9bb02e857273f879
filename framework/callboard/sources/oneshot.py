"""What a command line names: files and folders in, media and sequences out, nothing raised for a bad one."""

from __future__ import annotations

import os
import re
import stat as modes
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from callboard_schemas import Failure, MediaKind

from callboard.sources import sequences
from callboard.sources.facts import Found
from callboard.sources.ignore import Ignore
from callboard.sources.kinds import kind_of
from callboard.sources.scan import natural_key, walk

Ignored = Callable[[bytes, str], None]
"""(absolute path, why)."""

_SIDECARS = frozenset(b".xmp .srt .vtt .ttml .dfxp .imsc .itt .ass .ssa .stl .json .otio .txt .md".split())
_PATTERN = re.compile(rb"(?s)(.*?)(%0\d{1,2}d|#{2,})(\.[^.]+)")


def collect(
    paths: Sequence[Path],
    *,
    ignore: Iterable[str] = (),
    ignored: Ignored = lambda _path, _why: None,
    subtitles: Callable[[bytes], bool] = lambda _path: False,
) -> list[Found]:
    """Find the media that *paths* name.

    A folder is walked; links inside it are not followed. A file named outright is taken whatever the ignore rules say.
    ``shot.%04d.exr`` and ``shot.####.exr`` name a sequence. What cannot be worked on comes back as a value with a
    failure: missing, unreadable, empty, not a file, of unknown kind, or a folder without media.

    Args:
        paths: Files, folders or sequence patterns; a path given twice counts once.
        ignore: Further gitignore rules for folders.
        ignored: Called for each file that was passed over, with the reason.
        subtitles: Tells whether a subtitle file, by its absolute path, is media here: somebody answers it, and it is
            not Callboard's own.

    Returns:
        Media in the order that paths were given, natural order inside folders.
    """
    rules = list(ignore)
    out: dict[bytes, Found] = {}
    named: dict[bytes, list[bytes]] = defaultdict(list)
    for path in paths:
        # os.path.abspath takes 'a/../b' for 'b' without looking; good enough for what a shell hands over
        absolute = os.path.abspath(os.fsencode(path))
        try:
            mode = os.stat(absolute).st_mode
        except OSError as error:
            found = _pattern(absolute) or [_failed(absolute, *_reason(error))]
            out.update((item.path, item) for item in found)
            continue
        if modes.S_ISDIR(mode):
            out.update((item.path, item) for item in _folder(absolute, rules, ignored, subtitles))
        elif modes.S_ISREG(mode):
            _named_file(absolute, out, named, ignored, subtitles)
        else:
            out[absolute] = _failed(absolute, "not-a-file", "is not a regular file", "Name a media file or a folder.")
    _gather(out, named)
    return list(out.values())


def _reason(error: OSError) -> tuple[str, str, str]:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "missing", "does not exist", "Check the path."
    return "unreadable", f"cannot be read: {error.strerror}", "Check its permissions and its disk."


def printable(path: bytes) -> str:
    """Write a path on one line, safe for a terminal: control characters and bytes that are not UTF-8 are escaped."""
    text = os.fsdecode(path)
    return "".join(
        char.encode("unicode_escape").decode("ascii") if unicodedata.category(char)[0] in "CZ" and char != " " else char
        for char in text.encode("utf-8", "backslashreplace").decode("utf-8")
    )


def _failed(path: bytes, code: str, problem: str, hint: str) -> Found:
    name = printable(path)
    elsewhere = code in ("missing", "unreadable")
    cause: Literal["environment", "deterministic"] = "environment" if elsewhere else "deterministic"
    failure = Failure(code=code, message=f"{name}: {problem}", cause=cause, hint=hint)
    return Found(path=path, kind=kind_of(path) or "other", failure=failure)


def _named_file(
    path: bytes,
    out: dict[bytes, Found],
    named: dict[bytes, list[bytes]],
    ignored: Ignored,
    subtitles: Callable[[bytes], bool],
) -> None:
    """Take a file that was named outright; frames wait until all paths are known, so that ``shot.*.exr`` is one."""
    kind = _kind(path, subtitles)
    folder, name = os.path.split(path)
    if kind is None and os.path.splitext(name)[1].lower() in _SIDECARS:
        ignored(path, "not media: a sidecar or a note")
    elif kind is None:
        hint = "Callboard goes by the extension; rename it if it is media."
        out[path] = _failed(path, "unknown-kind", "has no extension of a media file", hint)
    else:
        out[path] = _named(path)
        if sequences.parse(name) is not None:
            named[folder].append(name)


def _kind(path: bytes, subtitles: Callable[[bytes], bool]) -> MediaKind | None:
    kind = kind_of(path)
    return None if kind == "subtitles" and not subtitles(path) else kind


def _named(path: bytes) -> Found:
    try:
        return _file(path, os.stat(path).st_size)
    except OSError as error:
        return _failed(path, *_reason(error))


def _file(path: bytes, size: int) -> Found:
    if size == 0:
        return _failed(path, "empty", "is empty (0 bytes)", "Copy it again; its source may be incomplete.")
    if not os.access(path, os.R_OK):
        return _failed(path, "unreadable", "cannot be read: Permission denied", "Check its permissions.")
    return Found(path=path, kind=kind_of(path) or "other")


def _gather(out: dict[bytes, Found], named: dict[bytes, list[bytes]]) -> None:
    for folder, names in named.items():
        groups, _ = sequences.group(dict.fromkeys(names))
        for group in groups:
            found = _sequence(folder, group)
            position = os.path.join(folder, group.frames[0].name)
            items = list(out.items())
            frames = {os.path.join(folder, frame.name) for frame in group.frames}
            out.clear()
            for path, item in items:
                if path == position:
                    out[found.path] = found
                elif path not in frames:
                    out[path] = item


def _sequence(folder: bytes, group: sequences.Group) -> Found:
    return Found(
        path=os.path.join(folder, group.name),
        kind="sequence",
        sequence=group.sequence,
        frames=tuple(frame.name for frame in group.frames),
    )


def _pattern(path: bytes) -> list[Found]:
    folder, name = os.path.split(path)
    match = _PATTERN.fullmatch(name)
    if match is None:
        return []
    try:
        names = [n for n in os.listdir(folder) if n.startswith(match.group(1)) and n.endswith(match.group(3))]
    except OSError:
        return []
    groups, _ = sequences.group(names)
    return [_sequence(folder, g) for g in groups if g.frames[0].family == (match.group(1), match.group(3))]


def _folder(root: bytes, rules: Iterable[str], ignored: Ignored, subtitles: Callable[[bytes], bool]) -> list[Found]:
    ignore = Ignore.of(root, rules)

    def passed(path: bytes, *, folder: bool) -> bool:
        rule = ignore.rule(path, folder=folder) if path else None
        if rule is not None:
            ignored(os.path.join(root, path), rule)
        return rule is None

    def keep(path: bytes, name: bytes) -> bool:
        if _kind(os.path.join(root, path), subtitles) is None:
            ignored(os.path.join(root, path), "not media by its extension")
            return False
        return passed(path, folder=False)

    def odd(path: bytes, link: bool) -> None:
        why = "a symbolic link; name its target to have it done" if link else "a pipe, socket or device"
        ignored(os.path.join(root, path), why)

    found = walk(root, enter=lambda path: passed(path, folder=True), keep=keep, odd=odd)
    folders: dict[bytes, dict[bytes, int]] = defaultdict(dict)
    for path, stat in found.files:
        folder, _, name = path.rpartition(b"/")
        folders[folder][name] = stat.size
    out: list[Found] = []
    for folder in sorted(folders, key=natural_key):
        absolute = os.path.join(root, folder) if folder else root
        groups, rest = sequences.group(folders[folder])
        inside = [_sequence(absolute, group) for group in groups]
        inside += [_file(os.path.join(absolute, name), folders[folder][name]) for name in rest]
        out += sorted(inside, key=lambda item: natural_key(os.path.basename(item.path)))
    out += [_failed(os.path.join(root, folder), *_reason(error)) for folder, error in found.failed.items()]
    if not out:
        hint = "Name a folder with video, audio or pictures in it."
        return [_failed(root, "no-media", "holds no media that is not ignored", hint)]
    return out
