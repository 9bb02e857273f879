"""A slate of the built-in plugin's in a cut: as long as its gap to the frame, and gone once the real shot is in."""

from __future__ import annotations

from pathlib import Path

import av
import opentimelineio as otio
from callboard import codec
from callboard.bus import INTAKE
from callboard.catalog import proposals, standins
from callboard.config import PluginSettings, Settings, Watch, make_project
from callboard.testing import countedclips
from callboard.testing.applications import Served, served
from callboard.timedtext.rate import parse_rate
from callboard_otio.accepted import placeholders, shots
from callboard_otio.choosing import Choice, fill
from callboard_otio.finding import gaps
from callboard_otio.swapping import swap
from callboard_schemas import Placeholder, PlaceholderRequested
from opentimelineio import opentime, schema

RATE, FRAMES = parse_rate("29.97df"), 37


def cut() -> otio.schema.Timeline:
    """Give a timeline with one gap."""
    count = opentime.RationalTime(FRAMES, float(RATE.fps))
    span = opentime.TimeRange(opentime.RationalTime(0, float(RATE.fps)), count)
    track = schema.Track("V1", kind=schema.TrackKind.Video, children=[schema.Gap(name="SH010", source_range=span)])
    timeline = schema.Timeline("cut", tracks=[track])
    timeline.metadata["callboard"] = {"rate": "29.97df"}
    return timeline


async def ready(board: Served, result: str) -> str:
    """Wait for a proposal and accept it; gives its id."""
    found = standins.placeholders if result == "placeholder" else standins.swaps
    await board.until(lambda: board.read(lambda conn: found(conn, "proposed")))
    (one,) = board.read(lambda conn: found(conn, "proposed"))
    own = board.daemon.board
    await own.catalog.write(lambda conn: own.desk.decide_many(conn, [one.id], "accept", "zoe", "it reads well"))
    own.wake()
    return one.id


async def test_a_slate_stands_in_and_gives_way(tmp_path: Path) -> None:
    """The film has the gap's frames, size and rate; fill puts it there, and swap takes it out for the real shot."""
    (tmp_path / "footage").mkdir()
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=0.2),), workers=1, plugins=dict.fromkeys(("autotag", "caption"), off)
    )
    project = make_project(tmp_path, settings)
    timeline = cut()
    async with served(project) as board:
        hole = gaps(timeline, rate=RATE)[0]
        asked = PlaceholderRequested(
            shot="SH010", frames=hole.frames, counted="29.97df", start=hole.timecode, width=countedclips.WIDTH,
            height=countedclips.HEIGHT, engines=("slate",), timeline="cut.otio", ref=hole.ref,
        )  # fmt: skip
        envelope = codec.make("placeholder.requested", asked, source="urn:test")
        await board.bus.publish(f"{INTAKE}.placeholder.requested", codec.encode(envelope), msg_id=envelope.id)
        ident = await ready(board, "placeholder")
        made = board.read(lambda conn: proposals.get(conn, ident))
        assert made is not None
        body = made.body
        assert isinstance(body, Placeholder)
        with av.open(str(tmp_path / body.file)) as film:
            stream = film.streams.video[0]
            assert (stream.width, stream.height, stream.average_rate) == (192, 108, RATE.fps)
            assert sum(1 for _ in film.decode(stream)) == FRAMES
        choice = Choice(accepted=placeholders(project), timeline=Path("cut.otio"))
        (done,) = fill(timeline, gaps(timeline, rate=RATE), choice, RATE, lambda *_: FRAMES)
        assert (done.state, done.what) == ("filled", Path(body.file).name)
        film_path = countedclips.write(tmp_path / "SH010_v001.mov", 7, FRAMES, RATE.fps)
        film_path.replace(board.footage / film_path.name)
        await ready(board, "swap")
        (swapped,) = swap(timeline, shots(project), rate=RATE)
        assert (swapped.state, swapped.now, swapped.handles) == ("swapped", "SH010_v001.mov", (0, 0))
        assert placeholders(project) == []
        (clip,) = timeline.find_clips()
        assert clip.range_in_parent().duration.value == FRAMES
        assert clip.metadata["callboard"]["trail"][0]["reason"] == "it reads well"
