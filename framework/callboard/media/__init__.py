"""Media, opened in processes that may die: by file descriptor, with format and protocol whitelists.

This module holds the facts that cross from the decoding process; it imports no decoder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np


SEQUENCE_RATE = 24.0
"""Frames per second of an image sequence, which does not say: cinema's rate."""


class VideoStream(Struct, frozen=True, kw_only=True):
    """Facts of a picture stream, as it is shown (after rotation)."""

    codec: str
    width: int
    height: int
    pixel_format: str = ""
    frame_rate: float = 0.0
    """Average frames per second; 0 for stills."""
    base_rate: float = 0.0
    """The container's guess of the real rate; differs from frame_rate when the rate varies."""
    variable_rate: bool = False
    rotation: int = 0
    """Degrees clockwise that were applied: 0, 90, 180, 270."""
    sample_aspect: float = 1.0
    frames: int = 0
    """0 when the container does not say."""
    bit_depth: int = 8
    color_space: str = ""
    color_transfer: str = ""
    field_order: str = ""
    timecode: str = ""
    reel: str = ""
    """The tape or card that it came from."""


class AudioStream(Struct, frozen=True, kw_only=True):
    """Facts of a sound stream."""

    codec: str
    rate: int
    channels: int
    layout: str = ""
    language: str = ""


class MediaFacts(Struct, frozen=True, kw_only=True):
    """What a file says of itself."""

    container: str
    duration: float
    """Seconds; 0 for a still, and for a bare stream of pictures such as ``.h264``, which does not say."""
    start: float = 0.0
    """First timestamp of the container in seconds; subtracted from every time that Callboard reports."""
    bit_rate: int = 0
    video: tuple[VideoStream, ...] = ()
    audio: tuple[AudioStream, ...] = ()
    subtitles: int = 0
    still: bool = False
    truncated: bool = False
    """The container's index points past the end of the file, or a still ends early."""
    metadata: dict[str, str] = {}
    """Container metadata, control characters removed."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which frames, and how large; see ``callboard.context.Media.frames``."""

    every: float = 0.0
    max_side: int = 0
    limit: int = 0
    large_every: float = 0.0
    large_side: int = 0
    """0: no large versions."""
    at: float | None = None
    """Seconds: only the frame that is shown then."""

    def __post_init__(self) -> None:
        if min(self.every, self.max_side, self.limit, self.large_every, self.large_side, self.at or 0.0) < 0:
            raise ValueError("every, max_side, limit, also and at may not be negative")


class Frame(Struct, frozen=True):
    """A picture: ``pixels`` is uint8, height x width x 3, RGB."""

    time: float
    """Seconds from the first frame."""
    index: int
    pixels: np.ndarray[Any, Any]
    large: np.ndarray[Any, Any] | None = None
    """The same picture larger, where that was asked for too."""


class AudioBlock(Struct, frozen=True):
    """Sound: ``samples`` is float32 in [-1, 1], one dimension."""

    time: float
    """Seconds from the start of the media of the first sample."""
    rate: int
    samples: np.ndarray[Any, Any]


class Loudness(Struct, frozen=True, kw_only=True):
    """How loud sound is by EBU R 128, over all its channels and all its length."""

    integrated: float | None
    """LUFS; ``None`` where all of it stays under the gate of -70."""
    range: float
    """Loudness range in LU (EBU Tech 3342)."""
    true_peak: float
    """dBTP, the loudest channel's; -120 for digital silence. To 0.01 near full scale, to 1 below -40."""
    momentary: float | None = None
    """LUFS: the loudest 0.4 seconds."""
    short_term: float | None = None
    """LUFS: the loudest 3 seconds."""


__all__ = ["SEQUENCE_RATE", "AudioBlock", "AudioStream", "Frame", "Loudness", "MediaFacts", "VideoStream", "Wanted"]
