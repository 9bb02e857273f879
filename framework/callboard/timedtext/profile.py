"""What a delivery allows: line length, reading speed, durations, gaps. One TOML file a family, in ``profiles``.

A file says what holds for every language at its top, and what differs in ``[language.ja]`` and the like; ``extends``
names the file that it begins with. What a language says goes before what holds for all, whichever file says it.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from callboard.errors import ProfileError
from callboard.known_types import know
from callboard.timedtext.rate import Rate

Frames = Annotated[int, Meta(ge=0, le=240)]
Positive = Annotated[float, Meta(gt=0)]


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits for one language of a delivery. A field at 0 sets no limit."""

    name: str = "web"
    language: str = ""
    """BCP 47; empty holds for any."""
    source: str = ""
    """Where the numbers are published."""
    lines: Annotated[int, Meta(ge=1, le=4)] = 2
    line_length: Annotated[int, Meta(ge=8, le=80)] = 42
    """Characters of a line at most, counted as *width* says."""
    width: Literal["characters", "half"] = "characters"
    """``half`` counts a full-width character as 1 and a half-width one as 0.5, as for Chinese, Japanese and Korean."""
    reading_speed: Positive = 17.0
    """Characters a second at most."""
    words_per_minute: Annotated[float, Meta(ge=0)] = 0
    """Words a minute at most. Where it is set it is what is checked, and *reading_speed* what layouts aim at."""
    count_spaces: bool = True
    """Whether spaces count for the reading speed and the line length."""
    shortest: Positive = 5 / 6
    """Seconds."""
    longest: Positive = 7.0
    """Seconds."""
    gap: Frames = 2
    """Frames between two cues at least, whatever the rate."""
    frames_at: Annotated[float, Meta(ge=0)] = 24.0
    """The rate that *close_gaps* and *shot_snap* are counted at; 0 counts them the same at every rate."""
    close_gaps: Frames = 11
    """Gaps of up to so many frames are closed to *gap*; 0 leaves them. ``closed_within`` gives it at a rate."""
    shot_snap: Frames = 12
    """A cue that starts or ends within so many frames of a shot change is moved to it; 0 leaves it.
    ``snapped_within`` gives it at a rate."""
    linger: Annotated[float, Meta(ge=0)] = 0.5
    """Seconds that a cue may stay after its last word."""
    early: Frames = 3
    """Frames that a cue may start before or after its first word."""
    dash: str = "-"
    """What begins each line when two people speak in one cue; with a space where the language wants one."""
    dashes: Literal["both", "second"] = "both"
    """Whether the first speaker's line has the dash too."""
    ellipsis: Literal["", "…", "..."] = ""
    """How three dots are written; empty allows both."""
    italics: bool = True
    """Whether italics are allowed."""
    sound_brackets: Annotated[str, Meta(min_length=2, max_length=2)] = "[]"
    """What encloses a sound description."""

    def closed_within(self, rate: Rate) -> int:
        """Give the longest gap, in frames of *rate*, that is closed to *gap*; 0 closes none."""
        if not self.close_gaps or not self.frames_at:
            return self.close_gaps
        # Half a second is 12 frames of 24: gaps shorter than that are closed, up to 11 frames there and 14 of 30
        return max(math.ceil((self.close_gaps + 1) * rate.fps / Fraction(self.frames_at)) - 1, self.gap)

    def snapped_within(self, rate: Rate) -> int:
        """Give how near, in frames of *rate*, a shot change draws the start or end of a cue; 0 for not at all."""
        if not self.frames_at:
            return self.shot_snap
        return math.ceil(self.shot_snap * rate.fps / Fraction(self.frames_at))


def load(name: str = "web", language: str = "", folder: Path | None = None) -> Profile:
    """Give the limits of a profile for one language.

    Args:
        name: Of a file in ``profiles`` of *folder*, else of a built-in one; or the path of a TOML file.
        language: BCP 47. What a profile says for ``zh`` holds for ``zh-Hant`` too, where it says nothing else.
        folder: A project's; none looks at the built-in ones alone.

    Raises:
        ProfileError: there is none of that name, or its file does not say what it must.
    """
    chain = _chain(name, folder)
    tags = list(_tags(language))
    values: dict[str, Any] = {}
    for _, table in chain:
        values.update({key: value for key, value in table.items() if key != "language"})
    for tag in tags:
        for _, table in chain:
            values.update(table["language"].get(tag, {}))
    values.update(name=chain[-1][0], language=language)
    profile = _checked(name, values)
    if profile.shortest >= profile.longest:
        raise ProfileError(name, f"shortest ({profile.shortest:g} s) is not below longest ({profile.longest:g} s)")
    return profile


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Give the profiles that ``load`` knows by name: the built-in ones, and those in ``profiles`` of *folder*."""
    return tuple(sorted({*_built_in(), *(own_profiles(folder) if folder is not None else ())}))


def own_profiles(folder: Path) -> dict[str, Path]:
    """Give the project's own profiles in *folder*, by name."""
    return {path.stem: path for path in (folder / "profiles").glob("*.toml")}


def content(name: str, folder: Path | None = None) -> object:
    """Give all that a profile says, with what it extends: plain values, to compare or digest.

    Raises:
        ProfileError: see ``load``.
    """
    return _chain(name, folder)


def is_path(name: str) -> bool:
    """Say whether a profile is named by its path."""
    return name.endswith(".toml") or "/" in name or "\\" in name


def languages(name: str, folder: Path | None = None) -> tuple[str, ...]:
    """Give the languages for which a profile says something of its own.

    Raises:
        ProfileError: see ``load``.
    """
    return tuple(sorted({tag for _, table in _chain(name, folder) for tag in table["language"]}))


def _chain(name: str, folder: Path | None) -> list[tuple[str, dict[str, Any]]]:
    """Read a file and those that it extends, the first of them first."""
    found: list[tuple[str, dict[str, Any]]] = []
    wanted, near = name, folder or _project_of(name)
    while wanted:
        if len(found) == 8:
            raise ProfileError(name, "it extends itself", names(folder))
        table = dict(_read(wanted, near, skip=tuple(one for one, _ in found)))
        found.append((Path(wanted).stem if is_path(wanted) else wanted, table))
        wanted = table.pop("extends", "")
        if not isinstance(wanted, str):
            raise ProfileError(name, "'extends' is the name of another profile", names(folder))
    return found[::-1]


def _project_of(name: str) -> Path | None:
    """Give the project of a profile that is named by its path: it may extend others of its folder."""
    near = Path(name).expanduser().absolute().parent if is_path(name) else None
    return near.parent if near is not None and near.name == "profiles" else None


def _read(name: str, folder: Path | None, skip: tuple[str, ...]) -> dict[str, Any]:
    """Read one file. A project's own *netflix* that extends *netflix* means the built-in one."""
    if is_path(name):
        path = Path(name).expanduser()
        if not path.is_file():
            raise ProfileError(name, "there is no such file", names(folder))
        return _parsed(name, _text(name, path))
    own = None if folder is None or name in skip else folder / "profiles" / f"{name}.toml"
    if own is not None and own.is_file():
        return _parsed(str(own), _text(str(own), own))
    table = _built_in().get(name)
    if table is None:
        raise ProfileError(name, "there is no such profile", names(folder))
    return table


def _text(name: str, path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(name, f"it cannot be read: {error}") from None


def _parsed(name: str, text: str) -> dict[str, Any]:
    """Check the form of a file; what its keys hold is checked once it is put together."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(name, str(error)) from None
    overlays = table.setdefault("language", {})
    if not isinstance(overlays, dict) or not all(isinstance(overlay, dict) for overlay in overlays.values()):
        raise ProfileError(name, "'language' is written as tables: [language.ja]")
    table["language"] = {_written(tag): overlay for tag, overlay in overlays.items()}
    for overlay in ({}, *table["language"].values()):
        common = {key: value for key, value in table.items() if key not in ("extends", "language")}
        _checked(name, {**common, **overlay})
    return table


def _checked(name: str, values: dict[str, Any]) -> Profile:
    try:
        return msgspec.convert(values, Profile)
    except msgspec.ValidationError as error:
        raise ProfileError(name, str(error).replace("`$.", "`").replace("Object contains", "it has an")) from None


@cache
def _built_in() -> dict[str, dict[str, Any]]:
    folder = files("callboard.timedtext") / "profiles"
    there = (entry for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {entry.name.removesuffix(".toml"): _parsed(entry.name, entry.read_text("utf-8")) for entry in there}


def _tags(language: str) -> Iterator[str]:
    """Give a tag and what it is a kind of, the widest first: ``zh``, ``zh-Hant``, ``zh-Hant-TW``.

    The script that a region writes Chinese in stands for it: ``zh-TW`` is ``zh-Hant`` too.
    """
    parts = _written(language).split("-") if language else []
    for length in range(1, len(parts) + 1):
        yield "-".join(parts[:length])
        if parts[0] == "zh" and length == 1 and len(parts) > 1 and parts[1] in _CHINESE:
            yield f"zh-{_CHINESE[parts[1]]}"


_CHINESE = {"TW": "Hant", "HK": "Hant", "MO": "Hant", "CN": "Hans", "SG": "Hans"}


def _written(tag: str) -> str:
    """Write a tag in the case that RFC 5646 recommends: ``zh-Hant-TW``."""
    first, *rest = tag.replace("_", "-").split("-")
    return "-".join([first.lower(), *(part.upper() if len(part) == 2 else part.capitalize() for part in rest)])


know(Profile)

__all__ = ["Frames", "Profile", "content", "is_path", "languages", "load", "names", "own_profiles"]
