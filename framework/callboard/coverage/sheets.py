"""Shot lists as spreadsheets write them (CSV), by the names that columns have in exports of production tools.

A row is a shot. One column must name it: ``Shot``, ``Shot Code``, ``Name``, ``Code``… All others are taken where they
are there, whatever their order and capitals; what a brief has no place for goes into its notes.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from callboard_schemas import Brief
from msgspec.structs import replace

from callboard.coverage import words
from callboard.coverage.shotlist import Listed, Shot, mistake
from callboard.timedtext.rate import Rate, parse_rate

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("shot code", "shot name", "shot id", "shot", "shot no", "shot number", "shot #", "code", "name", "id"),
    "scene": ("scene", "scene no", "scene number", "scene #", "sequence", "seq"),
    "purpose": ("purpose", "description", "shot description", "action", "synopsis", "what", "subject"),
    "slug": ("slug", "slug line", "slugline", "scene heading", "heading", "scene name"),
    "size": ("size", "shot size", "framing", "field size", "shot type"),
    "angle": ("angle", "camera angle", "shot angle"),
    "movement": ("movement", "camera movement", "move", "camera move"),
    "dialogue": ("dialogue", "dialog", "line", "lines"),
    "cast": ("characters", "cast", "character", "talent", "actors"),
    "people": ("people", "number of people"),
    "place": ("place", "location", "set"),
    "inside": ("i/e", "int/ext", "interior/exterior", "ie"),
    "daytime": ("d/n", "day/night", "time of day", "time"),
    "mood": ("mood", "tone"),
    "lens": ("lens", "focal length", "lens (mm)"),
    "notes": ("notes", "note", "comment", "comments", "remarks", "camera notes"),
    "frames": ("frames", "cut duration", "frame count", "duration (frames)", "length (frames)", "cut length"),
    "duration": (
        "duration",
        "length",
        "duration (s)",
        "seconds",
        "est. time",
        "estimated time",
        "screen time",
        "time (s)",
    ),
    "start": ("cut in tc", "record in", "timecode", "timecode in", "tc in", "start tc", "start timecode", "in"),
    "rate": ("fps", "frame rate", "rate"),
}
_MOST_ROWS: Final = 100_000
_CELL: Final = 1 << 20


def parse(path: str, data: bytes, rate: Rate) -> Listed:
    """Read a spreadsheet.

    Args:
        path: For messages.
        data: The whole file: UTF-8 with or without its mark, UTF-16 with it, else Windows' Western letters.
        rate: By which lengths are counted, where no column says.

    Raises:
        TimelineError: with the row and the column.
    """
    rows = _rows(path, _text(data))
    head = next(rows, None)
    if head is None:
        raise mistake(path, "", "is empty")
    columns = _known(path, head[1])
    read = (_Row(path, number, row, head[1], columns, rate) for number, row in rows)
    shots = [(one.scene, shot) for one in read if (shot := one.shot()) is not None]
    if not shots:
        raise mistake(path, "", "has a heading and no shots")
    timed = all(one.start is not None and one.frames for _, one in shots)
    return Listed(path=path, rate=rate, shots=tuple(_apart(shots)), timed=timed)


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _rows(path: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that say anything, each with the number of its first line."""
    if "\0" in text:
        raise mistake(path, "", "holds bytes that no text has; it is no CSV")
    csv.field_size_limit(_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line = 1
    try:
        for count, row in enumerate(reader):
            if count > _MOST_ROWS:
                raise mistake(path, f"row {line}", f"is past {_MOST_ROWS:,} rows")
            if any(cell.strip() for cell in row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise mistake(path, f"row {line}", f"is no CSV: {error}") from None


def _delimiter(text: str) -> str:
    """Take what separates most columns in the first line that says anything, outside quotes."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = "".join(first.split('"')[::2])
    return max(",;\t|", key=bare.count)


def _known(path: str, head: list[str]) -> dict[str, int]:
    """Say which column says what; the first of its names that is there counts."""
    names = [" ".join(one.strip().lower().split()) for one in head]
    columns = {
        what: next(names.index(one) for one in known if one in names)
        for what, known in _COLUMNS.items()
        if any(one in names for one in known)
    }
    if "name" not in columns:
        there = ", ".join(repr(one.strip()) for one in head[:12])
        raise mistake(path, "row 1", f"no column names the shots: there are {there}; call one 'Shot'")
    return columns


class _Row:
    """One row, read by the names of its columns."""

    def __init__(
        self, path: str, number: int, row: list[str], head: list[str], columns: dict[str, int], rate: Rate
    ) -> None:
        self._path, self._number, self._row = path, number, row
        self._head, self._columns, self._rate = head, columns, rate

    def shot(self) -> Shot | None:
        """Give the shot; nothing for a row that names none, such as a heading between scenes."""
        name = self._cell("name")
        if not name:
            return None
        if len(name) > 256:
            raise self._mistake("name", "is too long for a shot's name")
        rate = self._rate_of()
        return Shot(
            name=name,
            frames=self._frames(rate),
            start=self._start(rate),
            brief=self._brief(),
            where=f"row {self._number}",
        )

    def _cell(self, what: str) -> str:
        at = self._columns.get(what, len(self._row))
        return self._row[at].strip() if at < len(self._row) else ""

    def _mistake(self, what: str, problem: str) -> Exception:
        column = self._head[self._columns[what]].strip()
        return mistake(self._path, f"row {self._number}, column {column!r}", problem)

    def _rate_of(self) -> Rate:
        said = self._cell("rate")
        try:
            return parse_rate(said) if said else self._rate
        except ValueError as error:
            raise self._mistake("rate", str(error)) from None

    def _frames(self, rate: Rate) -> int:
        for what, plain in (("frames", "frames"), ("duration", "seconds")):
            if said := self._cell(what):
                try:
                    found = words.frames(said, rate, plain=plain)
                except ValueError as error:
                    raise self._mistake(what, str(error)) from None
                return round(found * self._rate.fps / rate.fps)
        return 0

    def _start(self, rate: Rate) -> int | None:
        said = self._cell("start")
        if said.count(":") + said.count(";") != 3:
            return None
        try:
            return round(rate.frame_of(said) * self._rate.fps / rate.fps)
        except ValueError as error:
            raise self._mistake("start", str(error)) from None

    def _brief(self) -> Brief:
        notes = [self._cell("notes")]
        found: dict[str, Any] = {
            "purpose": self._cell("purpose")[:1000],
            "slug": self._slug()[:300],
            "cast": words.people(self._cell("cast")),
            "place": self._cell("place"),
            "mood": self._cell("mood"),
            "dialogue": words.lines(self._cell("dialogue")),
            "interior": words.interior(self._cell("inside")),
            "people": self._people(),
            "lens": self._lens(),
        }
        for field, what, read in (
            ("shot_size", "size", words.size),
            ("angle", "angle", words.angle),
            ("movement", "movement", words.movement),
            ("time_of_day", "daytime", words.daytime),
        ):
            said = self._cell(what)
            found[field] = read(said) if said else None
            if said and found[field] is None:  # in no words that a brief has; a person can still read them
                notes.append(f"{self._head[self._columns[what]].strip()}: {said}")
        return Brief(notes="\n".join(filter(None, notes)), **found)

    def _slug(self) -> str:
        said, scene = self._cell("slug"), self._cell("scene")
        if said:
            return said
        if scene.upper().startswith(("INT", "EXT", "I/E")):
            return scene
        inside, place, daytime = (self._cell(one) for one in ("inside", "place", "daytime"))
        if not (inside and place):
            return ""
        return f"{inside.upper().rstrip('.')}. {place.upper()}" + (f" - {daytime.upper()}" if daytime else "")

    def _people(self) -> int | None:
        said = self._cell("people")
        if not said:
            return None
        if not (said.isascii() and said.isdigit() and int(said[:9]) <= 20):
            raise self._mistake("people", f"{said[:40]!r} is no number of people up to 20")
        return int(said)

    def _lens(self) -> float | None:
        said = self._cell("lens").lower().removesuffix("mm").strip()
        try:
            value = float(said)
        except ValueError:
            return None
        return value if 0 < value <= 2000 else None

    @property
    def scene(self) -> str:
        """The scene that it is in."""
        return self._cell("scene")


def _apart(shots: list[tuple[str, Shot]]) -> Iterator[Shot]:
    """Put the scene before names that are counted anew in each scene: shot 2 of scene 14 is ``14_2``."""
    often = Counter(one.name for _, one in shots)
    anew = any(count > 1 for count in often.values()) and all(scene for scene, _ in shots)
    for scene, one in shots:
        yield replace(one, name=f"{scene}_{one.name}"[:256]) if anew else one


__all__ = ["parse"]
