"""Lists of the shots that there should be: spreadsheets (CSV), edit decision lists, and ``shots.toml``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from callboard_schemas import Brief
from msgspec import Struct
from msgspec.structs import replace

from callboard.errors import TimelineError
from callboard.timedtext.rate import Rate

SUFFIXES: Final = (".csv", ".tsv", ".toml")
"""Files that are lists and nothing else; an EDL is a list where a person says so."""
MAX_BYTES: Final = 32 << 20


def mistake(path: str, where: str, problem: str) -> TimelineError:
    """Make the error for a list that does not say what it must; *where* is a row and a column, or a key."""
    return TimelineError(path, f"{where}: {problem}" if where else problem, "Mend the file, then try again.")


class Shot(Struct, frozen=True, kw_only=True):
    """A shot of a list."""

    name: str
    frames: int = 0
    """At the list's rate; 0 where it is not said."""
    start: int | None = None
    """Number of its first frame on the timeline, by timecode; nothing where it is not said."""
    brief: Brief = Brief()
    where: str = ""
    """Where the list says it: its row, or its key."""


class Listed(Struct, frozen=True, kw_only=True):
    """A shot list."""

    path: str
    rate: Rate
    shots: tuple[Shot, ...] = ()
    timed: bool = False
    """Whether its shots have times on a timeline."""
    width: int = 0
    height: int = 0
    notes: tuple[str, ...] = ()

    def shot(self, name: str) -> Shot | None:
        """Find a shot by its name."""
        return next((one for one in self.shots if one.name == name), None)


def read_list(path: Path, rate: Rate) -> Listed:
    """Read a spreadsheet or ``shots.toml``.

    Args:
        path: A file with one of ``SUFFIXES``.
        rate: By which lengths are counted, where the file does not say.

    Raises:
        TimelineError: it does not say what it must; with the row and the column, or the key.
        OSError: it cannot be read.
    """
    if path.exists() and not path.is_file():
        raise mistake(str(path), "", "is no file")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise mistake(str(path), "", f"is larger than {MAX_BYTES >> 20} MiB")
    if path.suffix.lower() == ".toml":
        from callboard.coverage.shotsfile import parse
    else:
        from callboard.coverage.sheets import parse
    return _unique(parse(str(path), data, rate))


def _unique(listed: Listed) -> Listed:
    """Refuse a shot that is listed twice: nobody could say which line counts."""
    first: dict[str, Shot] = {}
    for one in listed.shots:
        if one.name in first:
            raise mistake(listed.path, one.where, f"shot {one.name!r} stands at {first[one.name].where} already")
        first[one.name] = one
    return replace(listed, shots=tuple(first.values()))


__all__ = ["SUFFIXES", "Listed", "Shot", "mistake", "read_list"]
