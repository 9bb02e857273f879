"""What is known of media that arrived: how long it is, at which rate, how large, and where its timecode begins."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path

from callboard_schemas import Asset
from msgspec import Struct
from msgspec.structs import replace

from callboard.media import MediaFacts, VideoStream
from callboard.media.client import open_media
from callboard.media.pool import Pool
from callboard.timedtext.rate import Rate, parse_rate, rate_of


class Facts(Struct, frozen=True, kw_only=True):
    """Of media, as far as they are known."""

    name: str = ""
    """Of its file."""
    frames: int = 0
    """0: not known."""
    rate: Rate | None = None
    """Nothing for pictures, which do not say."""
    first: str = ""
    """Timecode of the first frame."""
    reel: str = ""
    width: int = 0
    height: int = 0
    aspect: Fraction = Fraction(1)
    """Width to height of a pixel."""
    problems: tuple[str, ...] = ()
    """What is wrong with the file, for a person."""

    @property
    def start(self) -> int | None:
        """The number of the first frame as its timecode counts."""
        return _counted(self.first, self.rate)


def probed(path: Path, asset: Asset | None, pool: Pool | None = None) -> Facts:
    """Ask a file for its facts, in a process that may die. Blocks; call it from a thread.

    Raises:
        CallboardError: it is not there, or cannot be read.
    """
    with open_media(path, asset, shm_folder=path.parent, pool=pool) as media:
        return replace(read(media.probe(), asset), name=path.name)


def read(media: MediaFacts, asset: Asset | None = None) -> Facts:
    """Read what a file says of itself."""
    problems = ["the file ends before its index says"] if media.truncated else []
    if not media.video:
        return Facts(problems=(*problems, "there is no picture in it"))
    video, sequence = media.video[0], asset.sequence if asset is not None else None
    rate = None
    if sequence is not None:
        if sequence.missing:
            problems.append(f"{len(sequence.missing)} of its frames are missing")
        frames = sequence.last - sequence.first + 1
    elif media.still:
        frames = 1
    else:
        rate, frames = _rate(video), video.frames
        frames = frames or (rate.frame_at(media.duration) if rate is not None else 0)
        if video.variable_rate:
            problems.append("its frames do not come at a steady rate")
    said = video.timecode or media.metadata.get("timecode", "")
    if rate is not None and ";" in said:
        with contextlib.suppress(ValueError):
            rate = rate_of(rate.fps, drop=True)
    return Facts(
        frames=frames,
        rate=rate,
        first=said,
        reel=video.reel,
        width=video.width,
        height=video.height,
        aspect=Fraction(video.sample_aspect).limit_denominator(1000) if video.sample_aspect > 0 else Fraction(1),
        problems=tuple(problems),
    )


def _rate(video: VideoStream) -> Rate | None:
    for said in (video.base_rate, video.frame_rate):
        with contextlib.suppress(ValueError):
            return rate_of(said)
    return None


def _counted(timecode: str, rate: Rate | None) -> int | None:
    with contextlib.suppress(ValueError):
        return rate.frame_of(timecode) if rate is not None and timecode else None
    return None


class Need(Struct, frozen=True, kw_only=True):
    """What a place asks of the media that goes there, as far as it is known."""

    frames: int = 0
    rate: Rate | None = None
    width: int = 0
    height: int = 0
    aspect: Fraction = Fraction(1)
    start: str = ""
    """Timecode of its first frame on the timeline."""
    reel: str = ""
    source: str = ""
    """Timecode of its first frame on the reel."""
    lost: str = ""
    """Name of the file that a clip showed there and that was lost; empty for a gap."""
    begin: int = 0
    """Frames of that file before what the clip showed of it."""

    def at(self, timecode: str) -> int | None:
        """Give the number of a frame by its timecode, as this place counts."""
        return _counted(timecode, self.rate)


def rate_said(text: str) -> Rate | None:
    """Read a rate that a message says; nothing where it says none."""
    with contextlib.suppress(ValueError):
        return parse_rate(text)
    return None


__all__ = ["Facts", "Need", "probed", "rate_said", "read"]
