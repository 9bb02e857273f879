"""What the container and its streams say, in the words that editors use: UHD, 23.976 fps, interlaced, 5.1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from callboard_schemas import Evidence, Scalar, Sequence, Tag

if TYPE_CHECKING:
    from callboard.media import AudioStream, MediaFacts, VideoStream

Facts = dict[str, Scalar | list[str]]

METHOD = "container"

_SIZES = {
    (7680, 4320): "8K UHD",
    (8192, 4320): "8K DCI",
    (4096, 2160): "4K DCI",
    (3840, 2160): "UHD",
    (2048, 1080): "2K DCI",
    (1920, 1080): "HD 1080",
    (1280, 720): "HD 720",
    (720, 576): "SD PAL",
    (720, 480): "SD NTSC",
    (720, 486): "SD NTSC",
    (640, 480): "SD",
}
_RATES = {
    "12": 12.0,
    "15": 15.0,
    "23.976": 24000 / 1001,
    "24": 24.0,
    "25": 25.0,
    "29.97": 30000 / 1001,
    "30": 30.0,
    "47.95": 48000 / 1001,
    "48": 48.0,
    "50": 50.0,
    "59.94": 60000 / 1001,
    "60": 60.0,
    "100": 100.0,
    "119.88": 120000 / 1001,
    "120": 120.0,
    "240": 240.0,
}
_ASPECTS = {
    "9:16": 9 / 16,
    "4:5": 4 / 5,
    "1:1": 1.0,
    "4:3": 4 / 3,
    "3:2": 3 / 2,
    "1.66:1": 1.66,
    "16:9": 16 / 9,
    "1.85:1": 1.85,
    "2:1": 2.0,
    "2.39:1": 2.39,
}
_CODECS = {
    "h264": "H.264",
    "hevc": "H.265",
    "av1": "AV1",
    "libdav1d": "AV1",
    "vp8": "VP8",
    "vp9": "VP9",
    "prores": "ProRes",
    "dnxhd": "DNxHD",
    "cfhd": "CineForm",
    "mpeg1video": "MPEG-1",
    "mpeg2video": "MPEG-2",
    "mpeg4": "MPEG-4 part 2",
    "mjpeg": "Motion JPEG",
    "jpeg2000": "JPEG 2000",
    "ffv1": "FFV1",
    "rawvideo": "uncompressed video",
    "v210": "uncompressed video",
    "dvvideo": "DV",
    "theora": "Theora",
    "aac": "AAC",
    "mp3": "MP3",
    "mp3float": "MP3",
    "flac": "FLAC",
    "alac": "ALAC",
    "opus": "Opus",
    "vorbis": "Vorbis",
    "ac3": "Dolby Digital",
    "eac3": "Dolby Digital Plus",
    "truehd": "Dolby TrueHD",
    "dts": "DTS",
    "dca": "DTS",
}
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1 sound", 8: "7.1 sound"}
_HDR = {"smpte2084": "HDR PQ", "arib-std-b67": "HDR HLG", "16": "HDR PQ", "18": "HDR HLG"}
_MOST_PROBLEMS = 50
_INTERLACED = {"tt", "bb", "tb", "bt"}
_LENGTHS = (
    (10.0, "under 10 seconds"),
    (60.0, "under a minute"),
    (600.0, "1 to 10 minutes"),
    (3600.0, "10 to 60 minutes"),
)


def describe_streams(facts: MediaFacts, sequence: Sequence | None = None) -> tuple[list[Tag], Facts]:
    """Name what the container and its first streams say.

    Args:
        facts: Of the media.
        sequence: Of an image sequence: its rate and so its length are assumed, and it has no sound to miss.

    Returns:
        Tags, and the numbers behind them.
    """
    tags: list[Tag] = []
    numbers: Facts = {"container": facts.container, "duration_seconds": round(facts.duration, 3)}
    if facts.bit_rate:
        numbers["bit_rate"] = facts.bit_rate
    if sequence:
        _frames(sequence, tags, numbers)
    elif not facts.still and facts.duration > 0:
        length = next((name for limit, name in _LENGTHS if facts.duration < limit), "over an hour")
        tags.append(_tag(length, "duration", facts.duration))
    if facts.video:
        _picture(facts, facts.video[0], sequence is not None, tags, numbers)
    if facts.audio:
        _sound(facts.audio, tags, numbers)
    elif facts.video and not facts.still and not sequence:
        tags.append(_tag("no audio", "sound"))
    if facts.subtitles:
        tags.append(_tag("subtitle track", "subtitles", float(facts.subtitles)))
    numbers["media"] = _media_type(facts, sequence is not None)
    tags.append(_tag(str(numbers["media"]), "type"))
    return tags, numbers


def describe_damage(facts: MediaFacts, problems: Iterable[str]) -> tuple[list[Tag], Facts]:
    """Say that media ends early or could not be decoded in places; nothing where it is whole.

    Args:
        facts: Of the media.
        problems: What the decoder had to leave out, in words.
    """
    found = ["the file ends before its index says"] if facts.truncated else []
    found += problems
    if not found:
        return [], {}
    evidence = tuple(Evidence(text=problem[:500]) for problem in found[:_MOST_PROBLEMS])
    tag = Tag(label="damaged", score=0.95, method=METHOD, group=("technical", "damage"), evidence=evidence)
    return [tag], {"damage": found[:_MOST_PROBLEMS]}


def _frames(sequence: Sequence, tags: list[Tag], numbers: Facts) -> None:
    """Name the frames of a sequence, and the gaps in it."""
    numbers.update(first_frame=sequence.first, last_frame=sequence.last)
    if sequence.missing:
        numbers["missing_frames"] = len(sequence.missing)
        evidence = tuple(Evidence(frame=frame) for frame in sequence.missing[:_MOST_PROBLEMS])
        tags.append(
            Tag(label="missing frames", score=1.0, method=METHOD, group=("technical", "damage"), evidence=evidence)
        )


def name_size(width: int, height: int) -> str:
    """Name a picture size; empty where it has no name."""
    long, short = max(width, height), min(width, height)
    exact = _SIZES.get((long, short))
    if exact:
        return exact
    if long > 4096 or short > 2160:
        return "over 4K"
    for (wide, _), name in ((size, name) for size, name in _SIZES.items() if size[0] >= 1280):
        if long == wide:  # letterboxed or cropped, such as 3840x1600
            return name
    return "low resolution" if short < 480 else ""


def name_rate(rate: float) -> str:
    """Name a frame rate as editors do, within 0.02 %, so that 23.976 and 24 stay apart; else two decimals."""
    for name, value in _RATES.items():
        if abs(rate - value) <= value * 0.0002:
            return f"{name} fps"
    return f"{rate:.2f} fps".replace(".00", "")


def name_aspect(width: int, height: int, sample_aspect: float) -> str:
    """Name the shape of the displayed picture, within 1.5 %; empty where it has no name."""
    shape = width * (sample_aspect or 1.0) / height
    name, value = min(_ASPECTS.items(), key=lambda item: abs(item[1] - shape) / item[1])
    return name if abs(value - shape) / value <= 0.015 else ""


def _picture(facts: MediaFacts, video: VideoStream, sequence: bool, tags: list[Tag], numbers: Facts) -> None:
    moving = not facts.still
    numbers.update(width=video.width, height=video.height, picture_codec=video.codec)
    _shape(video, moving, tags, numbers)
    if moving:
        _motion(video, sequence, tags, numbers)
    codec = _CODECS.get(video.codec, "")
    if codec and moving and not sequence:
        tags.append(_tag(codec, "codec"))
    if video.color_transfer in _HDR:
        tags.append(_tag(_HDR[video.color_transfer], "colour"))
    if video.bit_depth > 8:
        tags.append(_tag(f"{video.bit_depth}-bit", "colour", float(video.bit_depth)))
    numbers["bit_depth"] = video.bit_depth


def _shape(video: VideoStream, moving: bool, tags: list[Tag], numbers: Facts) -> None:
    size = name_size(video.width, video.height) if moving else ""
    if size:
        tags.append(_tag(size, "resolution"))
    if not moving:
        numbers["megapixels"] = round(video.width * video.height / 1e6, 2)
    aspect = name_aspect(video.width, video.height, video.sample_aspect)
    if aspect:
        numbers["aspect"] = aspect
        tags.append(_tag(aspect, "aspect"))
    shape = video.width * (video.sample_aspect or 1.0) / video.height
    if shape < 0.95:
        tags.append(_tag("vertical", "orientation", round(shape, 3)))
    elif shape < 1.05:
        tags.append(_tag("square", "orientation", round(shape, 3)))


def _motion(video: VideoStream, sequence: bool, tags: list[Tag], numbers: Facts) -> None:
    if video.frame_rate and not sequence and video.frames != 1:
        numbers["frame_rate"] = round(video.frame_rate, 3)
        if video.variable_rate:
            tags.append(_tag("variable frame rate", "frame rate", round(video.frame_rate, 3)))
        else:
            tags.append(_tag(name_rate(video.frame_rate), "frame rate", round(video.frame_rate, 3)))
    if video.frames:
        numbers["frames"] = video.frames
    if video.field_order.lower() in _INTERLACED:
        tags.append(_tag("interlaced", "scan"))
    if video.timecode:
        numbers["timecode"] = video.timecode
        tags.append(
            Tag(
                label="timecode",
                score=1.0,
                method=METHOD,
                group=("technical", "timecode"),
                evidence=(Evidence(text=video.timecode),),
            )
        )


def _sound(streams: tuple[AudioStream, ...], tags: list[Tag], numbers: Facts) -> None:
    first = streams[0]
    numbers.update(sound_codec=first.codec, sample_rate=first.rate, channels=first.channels)
    numbers["sound_tracks"] = len(streams)
    codec = "PCM" if first.codec.startswith("pcm_") else _CODECS.get(first.codec, "")
    if codec:
        tags.append(_tag(codec, "codec"))
    if first.channels:
        layout = _LAYOUTS.get(first.channels, f"{first.channels} channels")
        tags.append(_tag(layout, "sound", float(first.channels)))
    if len(streams) > 1:
        tags.append(_tag(f"{len(streams)} audio tracks", "sound", float(len(streams))))


def _media_type(facts: MediaFacts, sequence: bool) -> str:
    if sequence:
        return "image sequence"
    if facts.still:
        return "still"
    return "video" if facts.video else "sound recording"


def _tag(label: str, group: str, value: float | None = None) -> Tag:
    evidence = (Evidence(value=value),) if value is not None else ()
    return Tag(label=label, score=1.0, method=METHOD, group=("technical", group), evidence=evidence)
