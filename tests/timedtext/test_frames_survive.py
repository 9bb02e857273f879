"""Times that lie on frames name the same frames after writing and reading, in each format at each rate."""

from __future__ import annotations

import pytest
from callboard.timedtext.document import Document, shifted
from callboard.timedtext.files import FORMATS, read, write
from callboard.timedtext.rate import parse_rate
from callboard_schemas import Cue

RATES = ("23.976", "24", "25", "29.97", "29.97df", "30", "50", "59.94", "59.94df")
STARTS = (0, 1, 23, 24, 1799, 1800, 1801, 17981, 17982, 107892, 107893, 500_009, 800_017)


@pytest.mark.parametrize("kind", [one.name for one in FORMATS.values() if one.reads and one.writes])
@pytest.mark.parametrize("name", RATES)
def test_the_frame_is_the_same(kind: str, name: str) -> None:
    """Cues of two frames and more, near minutes that drop numbers and hours into the film, are where they were."""
    rate = parse_rate(name)
    frames = [(start, start + length) for start in STARTS for length in (2, 25)]
    cues = tuple(
        Cue(id=n, start=rate.seconds(start), end=rate.seconds(end), lines=("x",), confidence=1.0)
        for n, (start, end) in enumerate(frames, start=1)
    )
    data = write(Document(cues=cues, rate=rate), kind)
    told, untold = read(data, f"a.{kind}", rate=rate), read(data, f"a.{kind}")
    for found in (told, untold):
        assert sorted((rate.frame_at(cue.start), rate.frame_at(cue.end)) for cue in found.cues) == sorted(frames)
    assert {cue.start for cue in told.cues} == {cue.start for cue in cues}
    assert {cue.end for cue in told.cues} == {cue.end for cue in cues}
    again = read(write(told, kind), f"a.{kind}", rate=rate)
    assert again.cues == told.cues
    if kind in ("ttml", "json"):
        assert untold.rate is not None
        assert untold.rate.fps == rate.fps


@pytest.mark.parametrize("name", RATES)
def test_an_hour_of_timecode_can_be_taken_off(name: str) -> None:
    """A document that counts from 01:00:00:00 is moved to zero by frames, and by not one frame more or less."""
    rate = parse_rate(name)
    hour = rate.frame_of("01:00:00:00")
    frames = [hour + 1, hour + 1799, hour + 107893]
    cues = tuple(
        Cue(id=n, start=rate.seconds(f), end=rate.seconds(f + 9), lines=("x",), confidence=1.0)
        for n, f in enumerate(frames)
    )
    moved = shifted(Document(cues=cues, rate=rate), -rate.seconds(hour))
    assert [cue.start for cue in moved.cues] == [rate.seconds(f - hour) for f in frames]
    with pytest.raises(ValueError, match="before the first frame"):
        shifted(moved, -1.0)


def test_times_that_lie_on_no_frame_are_not_moved() -> None:
    """A rate that is told does not pull cues to frames that they do not name."""
    text = b"1\n00:00:01,020 --> 00:00:02,013\nx\n"
    found = read(text, "a.srt", rate=parse_rate("25"))
    assert (found.cues[0].start, found.cues[0].end) == (1.02, 2.013)
    assert b'begin="00:00:01.020" end="00:00:02.013"' in write(found, "ttml")
