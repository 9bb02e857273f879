"""A cut, whatever application it comes from: what lies where on its picture tracks, and which media that shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, get_args

from callboard_schemas import Gap, Use
from msgspec import Struct

from callboard.coverage.headers import Headers
from callboard.timedtext.rate import Rate

State = Literal["real", "stand-in", "partial", "offline", "gap"]
"""``real`` has its media, ``stand-in`` holds a shot's place, ``partial`` lacks frames of its media, ``offline`` has
none, and at a ``gap`` there is nothing at all."""

STATES: tuple[State, ...] = get_args(State)
"""From good to bad."""

PICTURE_RATE = Rate(24)
"""Where nothing says one: a shot list alone."""


class Frames(Struct, frozen=True, kw_only=True):
    """The numbered files that an item shows: ``folder/prefix0001suffix``."""

    folder: str
    prefix: str
    suffix: str
    padding: int
    first: int
    """Number of the first that is shown."""
    last: int
    step: int = 1

    @property
    def pattern(self) -> str:
        """The path of all, such as ``/show/shot.%04d.exr``."""
        return f"{self.folder}/{self.prefix}%0{max(self.padding, 1)}d{self.suffix}"


class Item(Struct, frozen=True, kw_only=True):
    """Something on a picture track, or nothing. Frames and rates are the cut's own."""

    ref: str
    """Such as ``V1-48``: its track, and its first frame from the cut's start."""
    track: str
    start: int
    """Frames from the cut's start."""
    frames: int
    """0 where a shot list does not say how long a shot is."""
    state: State
    name: str = ""
    """As the cut calls it."""
    shot: str = ""
    """The shot that it is, as far as names, markers or a shot list tell."""
    media: str = ""
    """Absolute path of its media; where that is not found, what the cut says."""
    how: str = ""
    """``there``: where the cut says; ``moved``, ``name`` or ``reel``: where it was found. Empty where it is no file."""
    source_in: int = 0
    """First frame of its media that is shown, as its media is counted: by timecode, or from 0."""
    source_frames: int = 0
    """Frames of media that it shows; not its own length where its speed is changed."""
    known: tuple[int, int] | None = None
    """First frame and length of its media, as the cut says."""
    numbered: Frames | None = None
    """Its files, where it is a sequence."""
    reel: str = ""
    still: bool = False
    """One picture, however long it is shown."""
    enabled: bool = True
    covered: bool = False
    """A gap under or above pictures that leave nothing of it to be seen."""
    head: int | None = None
    """Frames of media before what is shown; nothing where that is not known."""
    tail: int | None = None
    short: bool = False
    """It has fewer handles than were asked for."""
    missing: tuple[tuple[int, int], ...] = ()
    """First and last number of each run of files that is not there."""
    missing_frames: int = 0
    """How many files those are."""
    stands: str = ""
    """Of a stand-in: the id of the proposal that it was made for, where that is known."""
    by: str = ""
    """How a stand-in is known: ``cut``, ``name``, ``sidecar`` or ``catalog``."""
    problem: str = ""
    """What is wrong with it, in words."""
    gap: Gap | None = None
    """Of a gap in the project of an application: as that application says it."""
    use: Use | None = None
    """Of a clip in the project of an application that takes another file in its place: as that application says it."""
    guesses: dict[str, str] = {}
    """Field to why it says what it says, where nobody said it."""

    @property
    def end(self) -> int:
        """The frame behind it."""
        return self.start + self.frames

    @property
    def lacks(self) -> bool:
        """Whether a placeholder can be asked for it."""
        return self.enabled and not self.covered and self.state in ("gap", "offline", "partial")


class Cut(Struct, frozen=True, kw_only=True):
    """A timeline, a project or a list of shots."""

    path: str
    format: str
    rate: Rate
    name: str = ""
    start: int = 0
    """Number of its first frame, as its timecode counts."""
    width: int = 0
    """0 where it does not say."""
    height: int = 0
    pixel_aspect: str = ""
    """Width to height of a pixel, such as ``16:15``; empty is square or not said."""
    project: str = ""
    """Absolute path as its application names it, where it is the project of one that is served."""
    tracks: tuple[str, ...] = ()
    """Picture tracks, the lowest first."""
    items: tuple[Item, ...] = ()
    timed: bool = True
    """Whether its items have times; a list of shots has none."""
    notes: tuple[str, ...] = ()
    """What was odd, and how it was read."""

    @property
    def frames(self) -> int:
        """How long it is."""
        return max((item.end for item in self.items), default=0)

    def timecode(self, frame: int) -> str:
        """Write the timecode of a frame, counted from the cut's start; empty where there is none."""
        return self.rate.timecode(self.start + frame) if self.timed and self.start + frame >= 0 else ""


class Look(Struct, frozen=True, kw_only=True):
    """How a reader is to look for media."""

    headers: Headers
    roots: tuple[Path, ...] = ()
    """Folders with media."""
    rate: str = ""
    """For files that do not say theirs."""


class Reader(Protocol):
    """A module under the entry points ``callboard.cuts``: it knows files by their ending, and imports little."""

    suffixes: Sequence[str]
    """Lower case, with the dot."""

    def read(self, path: Path, look: Look) -> Cut:
        """Read a file; items say where their media is, and nobody has looked into that yet.

        Raises:
            CallboardError: it cannot be read, or what reads it is not installed.
        """
        ...


__all__ = ["PICTURE_RATE", "STATES", "Cut", "Frames", "Item", "Look", "Reader", "State"]
