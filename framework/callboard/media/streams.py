"""Containers by PyAV: opened from a descriptor, through a whitelist. Runs in the decoder only."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Self

import av
import av.error
from av.stream import Disposition
from av.video.reformatter import Colorspace, ColorTrc

from callboard.media import AudioBlock, AudioStream, Frame, Loudness, MediaFacts, VideoStream, Wanted
from callboard.media.geometry import Turn, display_size, turn_of_matrix
from callboard.media.limits import Limits
from callboard.media.metadata import clean_metadata, clean_text
from callboard.media.source import NotMedia

# libavformat demuxers that read one file and nothing else. Playlists, concatenation scripts, numbered
# patterns, session descriptions, devices and filter graphs are not among them.
FORMATS = (
    "mov,matroska,avi,mxf,mxf_opatom,mpegts,mpeg,mpegvideo,h264,hevc,vvc,m4v,obu,av1,ivf,flv,asf,gxf,lxf,dv,nut,"
    "rm,yuv4mpegpipe,cine,dnxhd,mjpeg,gif,apng,wav,w64,aiff,flac,mp3,aac,ogg,ac3,eac3,dts,dtshd,truehd,mlp,caf,"
    "au,amr,amrnb,amrwb,wv,ape,tta,tak,mpc,mpc8,dsf,"
    "exr_pipe,dpx_pipe,png_pipe,jpeg_pipe,tiff_pipe,webp_pipe,bmp_pipe,j2k_pipe,jpegxl_pipe,psd_pipe,sgi_pipe,"
    "hdr_pipe,pam_pipe,ppm_pipe,pgm_pipe,pbm_pipe,pfm_pipe,qoi_pipe,cri_pipe"
)
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_AGAIN = "Copy or export it again. Playlists and other text that names files are not opened."
_LOOK_AHEAD = 240  # packets read to tell a varying frame rate: 8 to 10 seconds of it
_FIELD_ORDERS = {1: "progressive", 2: "tt", 3: "bb", 4: "tb", 5: "bt"}  # AVFieldOrder in libavcodec/defs.h


class Container:
    """One opened container, or a still that only libavcodec reads."""

    def __init__(self, fd: int, size: int, limits: Limits, alive: Callable[[], None]) -> None:
        self.problems: list[str] = []
        self.limits, self.alive, self._size, self._fd = limits, alive, size, fd
        self.av = self._open()
        self.still = self.av.format.name.endswith("_pipe") and self.av.format.name != "yuv4mpegpipe"
        self.start = Fraction(self.av.start_time or 0, 1_000_000)

    def _open(self) -> Any:
        # Only "fd" may be opened: a file that names other files finds no protocol to reach them with.
        options = {"fd": str(self._fd), "protocol_whitelist": "fd", "format_whitelist": FORMATS, "max_streams": "128"}
        try:
            return av.open(
                "fd:",
                mode="r",
                container_options=options,
                options={"max_pixels": str(self.limits.pixels)},
                metadata_errors="replace",
            )
        except av.error.FFmpegError as error:
            raise NotMedia(f"is not media that can be opened: {error.strerror}", _AGAIN) from None

    def reopen(self) -> None:
        """Begin anew: some containers cannot seek, and some do not find their first frame again. Streams are new."""
        self.av.close()
        os.lseek(self._fd, 0, os.SEEK_SET)
        self.av = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.av.close()

    def video(self) -> list[Any]:
        """Picture streams; cover art and thumbnails are not."""
        not_video = Disposition.attached_pic | Disposition.timed_thumbnails
        return [s for s in self.av.streams.video if not s.disposition & not_video and s.codec_context is not None]

    def audio(self) -> list[Any]:
        """Sound streams that can be decoded."""
        return [s for s in self.av.streams.audio if s.codec_context is not None]

    @staticmethod
    def aspect(stream: Any) -> float:
        """A pixel's width over its height; 1 where nothing is said."""
        return float(stream.sample_aspect_ratio or 1) or 1.0

    def prepare(self, stream: Any) -> Any:
        """Set up a stream's decoder: threads, and the limit on pixels."""
        context = stream.codec_context
        if not context.is_open:
            options = {"max_pixels": str(self.limits.pixels)}
            if context.name == "exr":
                options["apply_trc"] = "iec61966_2_1"  # OpenEXR holds linear light
            context.options = options
            context.thread_type = "AUTO"
            context.thread_count = min(self.limits.threads, _CORES)
        return stream

    def facts(self) -> MediaFacts:
        """Say what the container says; the first frame tells how the picture is turned."""
        if not self.video() and not self.audio():
            raise NotMedia("holds neither picture nor sound that can be decoded", _AGAIN)
        spacing = _Spacing.of(self.av, self.video()[0]) if self.video() and not self.still else _Spacing()
        first = self._first_frame()
        if first is None:
            raise NotMedia("holds no picture or sound that can be decoded", _AGAIN)
        pictures, sounds = self.video(), self.audio()
        turn = turn_of(first) if pictures else Turn()
        video = [self._video_facts(s, turn if s is pictures[0] else Turn(), spacing) for s in pictures]
        duration = 0.0 if self.still else float((self.av.duration or 0) / 1_000_000)
        return MediaFacts(
            container=self.av.format.name,
            duration=duration,
            start=float(self.start),
            bit_rate=self.av.bit_rate or 0,
            video=tuple(video),
            audio=tuple(_audio_facts(s) for s in sounds),
            subtitles=len(self.av.streams.subtitles),
            still=self.still,
            truncated=self._truncated(),
            metadata=clean_metadata(self.av.metadata),
        )

    def _first_frame(self) -> Any:
        """Decode one frame, of sound where there is no picture, passing over damaged packets; ``None`` for none."""
        self.rewind()
        stream = self.prepare((self.video() or self.audio())[0])
        for packet in self.av.demux(stream):
            self.alive()
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, ValueError):
                continue
            if frames:
                return frames[0]
        return None

    def rewind(self) -> None:
        """Go back to the start. A bare stream of pictures cannot seek: streams are then new."""
        try:
            self.av.seek(self.av.start_time or 0)
        except av.error.FFmpegError:
            self.reopen()

    def _truncated(self) -> bool:
        """Whether the index points past the end of the file."""
        for stream in self.av.streams:
            entries = stream.index_entries
            if len(entries) and entries[-1].pos + entries[-1].size > self._size:
                return True
        return False

    def _video_facts(self, stream: Any, turn: Turn, spacing: _Spacing) -> VideoStream:
        context = stream.codec_context
        aspect = self.aspect(stream)
        width, height = display_size(context.width, context.height, aspect)
        if turn.swaps:
            width, height = height, width
        average = 0.0 if self.still else float(stream.average_rate or 0)
        return VideoStream(
            codec=context.name,
            width=width,
            height=height,
            pixel_format=context.pix_fmt or "",
            frame_rate=average,
            base_rate=0.0 if self.still else float(stream.base_rate or 0),
            variable_rate=spacing.varies,
            rotation=turn.degrees,
            sample_aspect=aspect,
            frames=1 if self.still else stream.frames,
            bit_depth=context.format.components[0].bits if context.format else 8,
            color_space=_name(Colorspace, context.colorspace),
            color_transfer=_name(ColorTrc, context.color_trc),
            field_order=_FIELD_ORDERS.get(context.field_order, ""),
            timecode=self._said(stream, "timecode"),
            reel=self._said(stream, "reel_name", "reel", "tape"),
        )

    def _said(self, stream: Any, *keys: str) -> str:
        places = (stream.metadata, *(s.metadata for s in self.av.streams.data), self.av.metadata)
        return next((clean_text(place[key]) for place in places for key in keys if key in place), "")

    def sound(self, rate: int, block_seconds: float, *, channels: bool = False) -> Iterator[AudioBlock]:
        """Give the first sound stream."""
        from callboard.media.sound import blocks

        return blocks(self, rate, block_seconds, channels=channels) if self.audio() else iter(())

    def loudness(self) -> Loudness | None:
        """Measure the first sound stream."""
        from callboard.media.loudness import measure

        return measure(self) if self.audio() else None

    def pictures(self, wanted: Wanted) -> Iterator[Frame]:
        """Give the first picture stream."""
        from callboard.media.pictures import frames

        return frames(self, wanted) if self.video() else iter(())


def turn_of(frame: Any) -> Turn:
    """Read a frame's display matrix."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return turn_of_matrix(bytes(matrix)) if matrix is not None else Turn()


class _Spacing:
    """How evenly a stream's frames are spaced."""

    varies = False

    @classmethod
    def of(cls, container: Any, stream: Any) -> _Spacing:
        """Read the first packets, without decoding, and compare the times between them."""
        spacing = cls()
        packets = itertools.islice(container.demux(stream), _LOOK_AHEAD)
        times = sorted({packet.pts for packet in packets if packet.pts is not None})
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        if len(gaps) >= 3:
            middle = sorted(gaps)[len(gaps) // 2]
            # Containers round times to their own ticks (1 ms in Matroska), hence two ticks of play.
            odd = sum(abs(gap - middle) > max(2, middle * 0.1) for gap in gaps)
            spacing.varies = odd > 0.05 * len(gaps)
        return spacing


def _audio_facts(stream: Any) -> AudioStream:
    context = stream.codec_context
    language = clean_text(stream.language or "")
    return AudioStream(
        codec=context.name,
        rate=context.sample_rate or 0,
        channels=context.channels or 0,
        layout=context.layout.name if context.layout else "",
        language="" if language == "und" else language,
    )


def _name(names: Any, value: int) -> str:
    """Name an enumeration's value in lower case; empty for one that says nothing."""
    found = next((member.name for member in names if member.value == value), "")
    return "" if found.lower() in ("unspecified", "default") else found.lower()


__all__ = ["FORMATS", "Container", "turn_of"]
