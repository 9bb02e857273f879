"""Numbered stills that are one asset.

Which names count as frames, so that renders become sequences and photographs do not:

- ``NAME.0001.EXT``: a dot before three digits or more, any still format;
- ``NAME_0001.EXT``, ``NAME-0001.EXT``, ``NAME0001.EXT``: four digits or more, only exr, dpx, cin and tga, which cameras
  do not name their photographs with (``IMG_0001.jpg`` and ``DSC_0042.tif`` are photographs);
- ``0001.EXT``: four digits or more and nothing else, those formats and png.

Three such files with the same name, extension and padding, and at least one in twelve numbers there, are a sequence.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from callboard_schemas import Sequence, decode_path, encode_path

from callboard.sources.kinds import KINDS, extension

FEWEST = 3
"""Frames below which numbered stills are single images."""
SPARSEST = 12
"""A sequence has at least one frame per so many numbers: every tenth frame of a render first is one, dates are not."""

_RENDERED = frozenset((b".exr", b".dpx", b".cin", b".tga"))
_BARE = _RENDERED | {b".png"}
_DOTTED = re.compile(rb"(?s)(.+\.)(\d{3,12})")
_JOINED = re.compile(rb"(?s)(.*?\D)(\d{4,12})")
_DIGITS = re.compile(rb"()(\d{4,12})")
_NUMBER = re.compile(r"%0(\d+)d(?=\.[^.]*$)")


class Frame(NamedTuple):
    """A file name that may be a frame."""

    prefix: bytes
    digits: bytes
    suffix: bytes
    """The extension as it is written, with its dot."""

    @property
    def name(self) -> bytes:
        """The file's name."""
        return self.prefix + self.digits + self.suffix

    @property
    def number(self) -> int:
        """The frame number."""
        return int(self.digits)

    @property
    def family(self) -> tuple[bytes, bytes]:
        """What all frames of a sequence share."""
        return self.prefix, self.suffix


class Group(NamedTuple):
    """A sequence, and its frames in order."""

    sequence: Sequence
    frames: tuple[Frame, ...]

    @property
    def name(self) -> bytes:
        """The pattern as bytes, such as ``b"shot.%04d.exr"``: the last part of a sequence's path."""
        first = self.frames[0]
        return first.prefix + f"%0{padding_of(self.sequence)}d".encode() + first.suffix


def parse(name: bytes) -> Frame | None:
    """Split a file name that may be a frame of a sequence; None for any other."""
    suffix = extension(name)
    if KINDS.get(suffix) != "image":
        return None
    stem, end = name[: -len(suffix)], name[-len(suffix) :]
    found = _DOTTED.fullmatch(stem)
    if found is None and suffix in _BARE:
        found = _DIGITS.fullmatch(stem)
    if found is None and suffix in _RENDERED:
        found = _JOINED.fullmatch(stem)
    return None if found is None else Frame(found.group(1), found.group(2), end)


def group(names: Iterable[bytes]) -> tuple[list[Group], list[bytes]]:
    """Sort the file names of one folder into sequences and everything else.

    Returns:
        The sequences, and the names that are in none, in the order that they came.
    """
    families: dict[tuple[bytes, bytes], list[Frame]] = defaultdict(list)
    names = list(names)
    for name in names:
        frame = parse(name)
        if frame is not None:
            families[frame.family].append(frame)
    groups: list[Group] = []
    taken: set[bytes] = set()
    for frames in families.values():
        for found in _split(frames):
            groups.append(found)
            taken.update(frame.name for frame in found.frames)
    return groups, [name for name in names if name not in taken]


def _split(frames: list[Frame]) -> Iterable[Group]:
    """Part a family by padding: a number that outgrew its padding (999 -> 1000) stays with the others."""
    left = sorted(frames, key=lambda frame: len(frame.digits))
    while len(left) >= FEWEST:
        padding = len(left[0].digits)
        same = [f for f in left if len(f.digits) == padding or not f.digits.startswith(b"0")]
        left = [f for f in left if not (len(f.digits) == padding or not f.digits.startswith(b"0"))]
        found = _sequence(same, padding)
        if found is not None:
            yield found


def _sequence(frames: list[Frame], padding: int) -> Group | None:
    frames.sort(key=lambda frame: frame.number)
    first, last = frames[0].number, frames[-1].number
    if len(frames) < FEWEST or last - first + 1 > SPARSEST * len(frames):
        return None
    there = {frame.number for frame in frames}
    sequence = Sequence(
        pattern=f"{encode_path(frames[0].prefix)}%0{padding}d{encode_path(frames[0].suffix)}",
        first=first,
        last=last,
        missing=tuple(number for number in range(first, last + 1) if number not in there),
        count=len(frames),
    )
    return Group(sequence, tuple(frames))


def padding_of(sequence: Sequence) -> int:
    """Give how many digits a frame number has at least."""
    found = _NUMBER.search(sequence.pattern)
    if found is None:
        raise ValueError(f"not a sequence pattern: {sequence.pattern!r}")
    return int(found.group(1))


def frame_name(sequence: Sequence, number: int) -> bytes:
    """Give the file name of a frame; the text around the number in a pattern is written by ``encode_path``.

    Raises:
        ValueError: the pattern holds no ``%0Nd``.
    """
    found = _NUMBER.search(sequence.pattern)
    if found is None:
        raise ValueError(f"not a sequence pattern: {sequence.pattern!r}")
    before, after = sequence.pattern[: found.start()], sequence.pattern[found.end() :]
    return decode_path(before) + str(number).zfill(int(found.group(1))).encode() + decode_path(after)


def frame_names(sequence: Sequence) -> list[bytes]:
    """Give the file names of all frames that are on disk, in order."""
    missing = set(sequence.missing)
    return [frame_name(sequence, n) for n in range(sequence.first, sequence.last + 1) if n not in missing]


def frame_paths(path: bytes, sequence: Sequence) -> list[bytes]:
    """Give the paths of all frames of the sequence at *path* (its folder and its pattern)."""
    folder = os.path.dirname(path)
    return [os.path.join(folder, name) for name in frame_names(sequence)]
