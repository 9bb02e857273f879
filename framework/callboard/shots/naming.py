"""Which shot a file is of, by its name: ``SH010.mov``, ``sh010_comp_v003.exr``, ``SH010.%04d.exr``, ``010_0020_v2``.

A shot's name stands at the beginning of the file's, whole: SH010 is neither SH0100 nor ASH010 nor SH010A. Letters
count the same small and large, and ``.``, ``_``, ``-`` and blanks as each other. A project whose files are called
otherwise says how, with patterns such as ``film_*_{shot}_*_v{version}`` or ``{shot}/*/v{version}/*``.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from callboard.errors import UsageError

PLACEHOLDER: Final = re.compile(r"_PLACEHOLDER_(?:v\d|sheet\.)", re.IGNORECASE)
"""What stands in for a shot is never the shot."""
_LEAST: Final = 3
"""Letters and digits of a shot's name that is looked for without a pattern: "1" would be found in too many."""
_GAP: Final = r"[\s._-]+"
_TOKENS: Final = re.compile(r"[\s._-]+|[^\w]+")
_SUFFIX: Final = re.compile(r"\.(?=[^.]*[^\W\d_])[^\W_]{1,9}$")
_FRAME: Final = re.compile(r"(?:[._-](?:%0?\d*d|#+|@+|\$F\d*)|\.\d{4,})$", re.IGNORECASE)
"""How sequences write the number of a frame in their names, and one frame's own number."""
_VERSION: Final = re.compile(r"(?:^|[^a-z0-9])v(?:er|ersion)?[._-]?(\d{1,6})(?![0-9])", re.IGNORECASE)
_COUNT: Final = re.compile(r"(?:^|[\s._-])(\d{1,3})$")
_FIELD: Final = re.compile(r"\{(\w+)\}|\*|/|[^{}*/]+|[{}]")


class Match(Struct, frozen=True):
    """A file is of a shot."""

    shot: str
    version: int | None = None
    """What its name says, where it says one."""
    rest: str = ""
    """What else its name says, such as ``comp_v003``."""


def of_name(path: str | bytes | os.PathLike[str], shot: str, patterns: Sequence[str] = ()) -> Match | None:
    """Say whether a file is of a shot, by its name.

    Args:
        path: Of a film, a picture, or a sequence by its pattern; folders count only for patterns that name some.
        shot: The shot's name.
        patterns: In place of the usual rule: the first that fits, see ``check_pattern``.
    """
    text = _plain(path)
    name = text.rpartition("/")[2]
    if not _letters(shot) or PLACEHOLDER.search(name):
        return None
    if patterns:
        return next((found for one in patterns if (found := _fits(text, shot, one)) is not None), None)
    if len(_letters(shot)) < _LEAST:
        return None
    stem = _stem(name)
    begun = _begins(shot).match(stem)
    if begun is None:
        return None
    rest = stem[begun.end() :]
    if _is_longer(shot, rest):
        return None
    return Match(shot, version_of(rest), rest.strip(" ._-"))


def best(path: str | bytes | os.PathLike[str], shots: Iterable[str], patterns: Sequence[str] = ()) -> Match | None:
    """Say which of some shots a file is of; of several whose names it begins with, the one with the longest."""
    found = [match for shot in dict.fromkeys(shots) if (match := of_name(path, shot, patterns)) is not None]
    return max(found, key=lambda match: len(_letters(match.shot)), default=None)


def version_of(name: str) -> int | None:
    """Read a version from a name, or what stands behind the shot's in it: ``_v003``, ``v2``, or ``_3`` at its end.

    The last ``v`` with a number counts; four digits and more at the end are a frame's number.
    """
    marked = _VERSION.findall(name)
    if marked:
        return int(marked[-1])
    counted = _COUNT.search(name)
    return int(counted[1]) if counted else None


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that can name no shot.

    ``{shot}`` is the shot's name, ``{version}`` a number, ``*`` anything within one name, also nothing. A pattern is
    about the file's name without its suffix and frame number; with ``/`` it is about its last folders, too.

    Raises:
        UsageError: it has no ``{shot}``, or a field that is none.
    """
    fields = [found[1] for found in _FIELD.finditer(pattern) if found[1] is not None]
    stray = [found[0] for found in _FIELD.finditer(pattern) if found[0] in ("{", "}")]
    wrong = stray or [f"{{{name}}}" for name in fields if name not in ("shot", "version")]
    if wrong:
        raise UsageError(f"{wrong[0]} in the pattern {pattern!r} is no field", "There are {shot}, {version} and *.")
    if fields.count("shot") != 1 or fields.count("version") > 1:
        raise UsageError(f"the pattern {pattern!r} needs {{shot}} once", "And {version} at most once.")


def _plain(path: str | bytes | os.PathLike[str]) -> str:
    text = os.fsdecode(path).replace("\\", "/")
    return unicodedata.normalize("NFC", text)


def _letters(shot: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFC", shot) if char.isalnum())


def _stem(name: str) -> str:
    """Take the suffix off, and the number of a frame."""
    stem = _SUFFIX.sub("", name)
    return _FRAME.sub("", stem)


@lru_cache(maxsize=4096)
def _begins(shot: str) -> re.Pattern[str]:
    """Match a shot's name at the beginning of another; a version may follow it at once."""
    return re.compile(rf"{_whole(shot)}(?=$|[\s._-]|v\d|[^\w])", re.IGNORECASE)


def _whole(shot: str) -> str:
    parts = [part for part in _TOKENS.split(unicodedata.normalize("NFC", shot)) if part]
    return _GAP.join(re.escape(part) for part in parts)


def _is_longer(shot: str, rest: str) -> bool:
    """Say whether numbers go on behind a shot that is called by numbers: 010_0020 is no file of shot 010."""
    last = re.search(r"(?:^|[\s._-])(\d+)$", shot)
    following = re.match(r"[\s._-]+(\d+)(?=$|[\s._-])", rest)
    return bool(last and following and len(following[1]) >= min(len(last[1]), 4))


@lru_cache(maxsize=4096)
def _compiled(pattern: str, shot: str) -> re.Pattern[str]:
    def part(found: re.Match[str]) -> str:
        if found[1] == "shot":
            return rf"(?<![^\W_])(?P<shot>{_whole(shot)})(?![^\W_])"
        if found[1] == "version":
            return r"(?P<version>\d{1,6})(?!\d)"
        return {"*": r"[^/]*?", "/": "/"}.get(found[0], re.escape(found[0]))

    return re.compile(_FIELD.sub(part, pattern), re.IGNORECASE)


def _fits(text: str, shot: str, pattern: str) -> Match | None:
    parts = text.split("/")
    parts[-1] = _stem(parts[-1])
    deep = pattern.count("/") + 1
    found = _compiled(pattern, shot).fullmatch("/".join(parts[-deep:]))
    if found is None:
        return None
    told = found.groupdict().get("version")
    rest = parts[-1]
    return Match(shot, int(told) if told else version_of(found.string[found.end("shot") :]), rest)


__all__ = ["PLACEHOLDER", "Match", "best", "check_pattern", "of_name", "version_of"]
