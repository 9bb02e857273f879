"""Streams are named as editors name them."""

from __future__ import annotations

import pytest
from callboard.media import AudioStream, MediaFacts, VideoStream
from callboard_autotag.compose import describe, say_duration
from callboard_autotag.technical import describe_damage, describe_streams, name_aspect, name_rate, name_size
from callboard_schemas import Sequence
from msgspec.structs import replace

FRAMES = Sequence(pattern="plate.%04d.png", first=1001, last=1008, missing=(1005,), count=7)


@pytest.mark.parametrize(
    ("size", "name"),
    [
        ((3840, 2160), "UHD"),
        ((2160, 3840), "UHD"),
        ((3840, 1600), "UHD"),
        ((4096, 2160), "4K DCI"),
        ((1920, 1080), "HD 1080"),
        ((1920, 800), "HD 1080"),
        ((1280, 720), "HD 720"),
        ((720, 576), "SD PAL"),
        ((6144, 3456), "over 4K"),
        ((160, 90), "low resolution"),
        ((1000, 700), ""),
    ],
)
def test_picture_sizes_have_names(size: tuple[int, int], name: str) -> None:
    """Standard sizes, upright ones and those that are cropped to a wide shape are named; others are not."""
    assert name_size(*size) == name


@pytest.mark.parametrize(
    ("rate", "name"),
    [
        (24000 / 1001, "23.976 fps"),
        (23.98, "23.976 fps"),
        (24.0, "24 fps"),
        (25.0, "25 fps"),
        (29.97, "29.97 fps"),
        (30.0, "30 fps"),
        (59.94, "59.94 fps"),
        (60.0, "60 fps"),
        (18.0, "18 fps"),
        (13.37, "13.37 fps"),
    ],
)
def test_frame_rates_have_names(rate: float, name: str) -> None:
    """23.976 is not 24, and 29.97 is not 30."""
    assert name_rate(rate) == name


def test_the_shape_counts_pixels_that_are_not_square() -> None:
    """Anamorphic PAL is shown at 16:9."""
    assert name_aspect(720, 576, 64 / 45) == "16:9"
    assert name_aspect(1920, 804, 1.0) == "2.39:1"
    assert name_aspect(1000, 617, 1.0) == ""


def test_a_camera_file_is_described() -> None:
    """An interlaced 10-bit HLG clip in 5.1 with time code gets a tag for each of these, and its numbers."""
    facts = MediaFacts(
        container="mxf",
        duration=75.0,
        video=(
            VideoStream(
                codec="mpeg2video",
                width=1920,
                height=1080,
                frame_rate=25.0,
                bit_depth=10,
                color_transfer="arib-std-b67",
                field_order="tt",
                timecode="10:00:00:00",
            ),
        ),
        audio=(AudioStream(codec="pcm_s24le", rate=48000, channels=6),),
    )
    tags, numbers = describe_streams(facts)
    found = {tag.label for tag in tags}
    assert found == {
        "1 to 10 minutes", "HD 1080", "16:9", "25 fps", "interlaced", "timecode", "MPEG-2", "HDR HLG", "10-bit",
        "PCM", "5.1 sound", "video",
    }  # fmt: skip
    assert numbers["timecode"] == "10:00:00:00"
    assert describe(tags, numbers) == "Video, 1920 x 1080, 25 fps, 1 min 15 s."


def test_missing_sound_is_said_of_video_only() -> None:
    """A silent video has no audio; a still and a sequence do not miss any."""
    picture = VideoStream(codec="h264", width=640, height=360, frame_rate=25.0)
    video = MediaFacts(container="mp4", duration=5.0, video=(picture,))
    still = MediaFacts(container="png", duration=0.0, video=(picture,), still=True)
    assert "no audio" in {tag.label for tag in describe_streams(video)[0]}
    assert "no audio" not in {tag.label for tag in describe_streams(still)[0]}
    assert "no audio" not in {tag.label for tag in describe_streams(video, FRAMES)[0]}


def test_a_sequence_is_told_by_its_frames() -> None:
    """The frames and the gap in them are named; a length in seconds, which nobody knows, is not."""
    picture = VideoStream(codec="png", width=320, height=180, frame_rate=24.0, frames=7)
    tags, numbers = describe_streams(MediaFacts(container="png", duration=8 / 24, video=(picture,)), FRAMES)
    assert not [tag for tag in tags if tag.group == ("technical", "duration")]
    (gap,) = [tag for tag in tags if tag.label == "missing frames"]
    assert [seen.frame for seen in gap.evidence] == [1005]
    assert describe(tags, numbers) == "Image sequence, 320 x 180, frames 1001 to 1008; 1 frame missing."


def test_damage_is_said_and_whole_media_is_not_accused() -> None:
    """A file that ends early, or of which something could not be decoded, is tagged with what was lost."""
    whole = MediaFacts(container="mp4", duration=5.0)
    assert describe_damage(whole, []) == ([], {})
    (tag,), numbers = describe_damage(replace(whole, truncated=True), ["3 packets could not be decoded"])
    assert tag.label == "damaged"
    assert [seen.text for seen in tag.evidence] == numbers["damage"]
    assert len(tag.evidence) == 2
    assert describe([tag], {"media": "video"}) == "Video; damaged or cut off."


def test_durations_read_well() -> None:
    """Tenths below ten seconds, whole seconds below an hour, minutes above."""
    assert [say_duration(s) for s in (0.44, 12.4, 120.0, 212.1, 3900.0, 7200.0)] == [
        "0.4 s", "12 s", "2 min", "3 min 32 s", "1 h 5 min", "2 h",
    ]  # fmt: skip
