"""What would hang, crash or mislead: pipes for files, media that is none, and readers of others."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from callboard.cli import main
from callboard.coverage import Coverage, Cut, Headers, Item, Look, cover, read_cut, reading
from callboard.coverage.listing import listed_shots
from callboard.coverage.shotlist import read_list
from callboard.coverage.standins import StandIns
from callboard.errors import CallboardError, JobError, MissingExtra, TimelineError
from callboard.testing import TmpPlugin
from callboard.timedtext.rate import parse_rate

RATE = parse_rate("25")


def covered(*media: Path, patience: float = 60.0) -> Coverage:
    """Hold a cut of some files against the disk: ten frames of each."""
    items = tuple(
        Item(
            ref=f"V1-{number * 10}",
            track="V1",
            start=number * 10,
            frames=10,
            state="real",
            name=path.name,
            media=str(path),
            how="there",
            source_frames=10,
        )
        for number, path in enumerate(media)
    )
    cut = Cut(path="cut.otio", format="otio", rate=RATE, tracks=("V1",), items=items)
    with reading(patience) as headers:
        return cover(cut, headers, StandIns())


def opened(path: Path, headers: Headers) -> object:
    """Read a list or a timeline."""
    return read_list(path, RATE) if path.suffix == ".csv" else read_cut(path, Look(headers=headers))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe as a timeline, a list or a sidecar ends at once: with an error, or passed over."""
    for name in ("cut.otio", "cut.kdenlive", "cut.blend", "shots.csv"):
        os.mkfifo(tmp_path / name)
        with reading() as headers, pytest.raises(TimelineError, match=r"is a pipe or a device|is no file"):
            opened(tmp_path / name, headers)
    (tmp_path / "SH010.png").write_bytes(b"x")
    os.mkfifo(tmp_path / "SH010.png.xmp")
    assert [one.state for one in covered(tmp_path / "SH010.png").cut.items] == ["partial"]


def test_media_that_is_none_is_told(tmp_path: Path, samples: Path) -> None:
    """Noise, an empty file and a film that was cut off are not whole; a camera maker's own format is left alone."""
    noise, empty, half, closed = (tmp_path / name for name in ("a.mov", "b.mp4", "c.mp4", "d.braw"))
    noise.write_bytes(bytes(range(256)) * 400)
    empty.touch()
    whole = (samples / "harbour_take3.mp4").read_bytes()
    half.write_bytes(whole[: len(whole) // 2])
    closed.write_bytes(b"\0\0\0\x18wide" + bytes(2000))
    found = covered(noise, empty, half, closed, samples / "harbour_take3.mp4")
    assert [one.state for one in found.cut.items] == ["partial", "partial", "partial", "real", "real"]
    assert all(one.problem for one in found.cut.items[:3])


def test_patience_ends(tmp_path: Path, samples: Path) -> None:
    """When the time for headers is up, the rest is taken as it is, and that is said once."""
    for number in range(5):
        (tmp_path / f"{number}.mp4").write_bytes((samples / "one_frame.mp4").read_bytes())
    found = covered(*sorted(tmp_path.iterdir()), patience=0.0)
    assert {one.state for one in found.cut.items} == {"real"}
    assert [note for note in found.notes if "time is up" in note] == list(found.notes)
    assert len(found.notes) == 1


def test_links_are_followed_to_media(tmp_path: Path, samples: Path) -> None:
    """Media in a cut is often a link; what it leads to is looked into."""
    (tmp_path / "SH010.mp4").symlink_to(samples / "harbour_take3.mp4")
    (one,) = covered(tmp_path / "SH010.mp4").cut.items
    assert (one.state, one.head) == ("real", 0)
    assert one.tail is not None


def test_an_edl_is_a_list_where_a_person_says_so(tmp_path: Path) -> None:
    """Its events are the shots that there should be, with their times."""
    text = (
        "TITLE: list\nFCM: NON-DROP FRAME\n"
        "001  A001 V     C        00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00\n* FROM CLIP NAME: SH010\n"
        "002  A001 V     C        00:00:05:00 00:00:06:15 01:00:02:00 01:00:03:15\n* FROM CLIP NAME: SH020\n"
    )
    (tmp_path / "list.edl").write_text(text)
    with reading() as headers:
        listed = listed_shots(read_cut(tmp_path / "list.edl", Look(headers=headers, rate="25")))
    assert [(one.name, one.frames, one.start) for one in listed.shots] == [("SH010", 50, 90_000), ("SH020", 40, 90_050)]
    assert listed.timed


READER = """
from callboard.coverage import Cut, Item
from callboard.timedtext.rate import Rate
suffixes = (".{name}",)
def read(path, look):
    return Cut(path=str(path), format="{name}", rate=Rate(24), tracks=("V1",),
               items=(Item(ref="V1-0", track="V1", start=0, frames=5, state="gap"),))
"""


def test_others_can_bring_readers(tmp_plugin: TmpPlugin, tmp_path: Path) -> None:
    """A package's reader is found by its entry point; a broken one says why when its files come, and no sooner."""
    tmp_plugin("edits")
    site = Path(next(one for one in sys.path if one.endswith("site")))
    info = next(site.glob("*.dist-info"))
    points = ["[callboard.cuts]", "good = good_cuts", "broken = broken_cuts", "needy = needy_cuts", ""]
    (info / "entry_points.txt").write_text((info / "entry_points.txt").read_text() + "\n" + "\n".join(points))
    (site / "good_cuts.py").write_text(READER.format(name="good"))
    (site / "broken_cuts.py").write_text("raise RuntimeError('worn out')\n")
    (site / "needy_cuts.py").write_text("import surely_not_installed\n")
    importlib.invalidate_caches()  # the folder's time may be that of the last look at it
    told: dict[str, Any] = {}
    with reading() as headers:
        for name in ("good", "broken", "needy"):
            (tmp_path / f"cut.{name}").touch()
            try:
                told[name] = read_cut(tmp_path / f"cut.{name}", Look(headers=headers)).format
            except CallboardError as error:
                told[name] = error
    assert told["good"] == "good"
    assert isinstance(told["broken"], JobError)
    assert "worn out" in told["broken"].message
    assert isinstance(told["needy"], MissingExtra)
    assert told["needy"].library == "surely_not_installed"


def test_help_and_errors_come_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of timelines is imported to say how the command is used."""
    monkeypatch.chdir(tmp_path)
    loaded = set(sys.modules)
    assert main(["coverage", "--help"]) == 0
    assert main(["coverage"]) == 2
    assert not {name for name in set(sys.modules) - loaded if name.startswith(("opentimelineio", "lxml", "av"))}
