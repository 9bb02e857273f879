"""Placeholders asked for from a timeline, and the delivery that must not slip through with one in it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import opentimelineio as otio
import pytest
from callboard.cli import main
from callboard.config import find_project
from callboard.coverage import Coverage, Cut, Item, Look, cover, read_cut, reading
from callboard.coverage.ondisk import cut_of
from callboard.coverage.requesting import Terms, requests, standing
from callboard.coverage.shotlist import Listed, Shot, read_list
from callboard.coverage.standins import StandIns
from callboard.errors import UsageError
from callboard.timedtext.rate import Rate, parse_rate
from callboard_otio.rates import set_rate, span, time_at
from callboard_schemas import Brief, Neighbour, Placeholder, Proposal, Provenance
from msgspec.structs import replace
from opentimelineio import schema

RATES = ("23.976", "24", "25", "29.97df", "50", "59.94df", "60")
Said = Callable[..., dict[str, Any]]


def film(path: Path, count: int, size: tuple[int, int] = (64, 48)) -> None:
    """Write a small grey film at 25 frames a second."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        grey = np.full((size[1], size[0], 3), 90, np.uint8)
        for _ in range(count):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        file.mux(stream.encode(None))


def timeline(folder: Path, shots: list[tuple[str, int]], rate: Rate) -> Path:
    """Write a timeline from one hour on: a shot without a name is a gap, others name a film of theirs."""
    made = schema.Timeline(
        "cut", global_start_time=time_at(rate.frame_of(f"01:00:00{';' if rate.drop else ':'}00"), rate)
    )
    track = schema.Track(kind="Video")
    for name, frames in shots:
        if name:
            track.append(schema.Clip(name, schema.ExternalReference(f"{name}.mov"), span(0, frames, rate)))
        else:
            track.append(schema.Gap(source_range=span(0, frames, rate)))
    made.tracks.append(track)
    set_rate(made, rate)
    otio.adapters.write_to_file(made, str(folder / "cut.otio"))
    return folder / "cut.otio"


@pytest.fixture
def project(callboard_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a project with a film of one shot and a cut of three, of which one is a gap and one is offline."""
    monkeypatch.chdir(callboard_project)
    film(callboard_project / "SH010.mov", 60)
    timeline(callboard_project, [("SH010", 50), ("", 40), ("SH030", 30)], parse_rate("25"))
    return callboard_project


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Run a command, and give its JSON document with its exit code."""

    def run(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        code = main([*arguments, "--json"])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return {**found, "code": code}

    return run


def found_in(cut: Cut, listed: Listed | None = None) -> Coverage:
    """Hold a cut against nothing."""
    with reading() as headers:
        return cover(cut, headers, StandIns(), listed=listed)


def asked(found: Coverage, listed: Listed | None = None, **terms: Any) -> list[Any]:
    """Ask for what is missing."""
    with reading() as headers:
        return list(requests(found, Terms(**terms), headers, listed=listed))


def one_gap(rate: Rate, frames: int, **cut: Any) -> Cut:
    """Make a cut that begins at one hour, and is a gap behind a hundred frames."""
    items = (
        Item(ref="V1-0", track="V1", start=0, frames=100, state="real", name="SH010"),
        Item(ref="V1-100", track="V1", start=100, frames=frames, state="gap"),
    )
    start = rate.frame_of(f"01:00:00{';' if rate.drop else ':'}00")
    return Cut(path="cut.otio", format="otio", rate=rate, start=start, tracks=("V1",), items=items, **cut)


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("frames", [1, 7, 1001, 17_982, 100_001])
def test_a_request_is_exact_at_every_rate(name: str, frames: int) -> None:
    """Frames, rate and timecode come as they are; the seconds that they make are those frames again."""
    rate = parse_rate(name)
    (one,) = asked(found_in(one_gap(rate, frames)))
    assert (one.frames, one.counted, one.ref, one.timeline) == (frames, name, "V1-100", "cut.otio")
    assert rate.frame_of(one.start) == rate.frame_of(f"01:00:00{';' if rate.drop else ':'}00") + 100
    assert rate.frame_at(one.duration) == frames
    assert msgspec.json.decode(msgspec.json.encode(one), type=type(one)) == one


def test_the_size_is_the_cuts_else_guessed_and_said() -> None:
    """The cut's own size and pixels go before what a person says, and where nobody says any it is marked."""
    rate = parse_rate("25")
    (own,) = asked(found_in(one_gap(rate, 10, width=720, height=576, pixel_aspect="16:15")), size="1x1")
    assert (own.width, own.height, own.pixel_aspect) == (720, 576, "16:15")
    (given,) = asked(found_in(one_gap(rate, 10)), size="2048x858")
    assert (given.width, given.height) == (2048, 858)
    (guessed,) = asked(found_in(one_gap(rate, 10)))
    assert (guessed.width, guessed.height) == (1920, 1080)
    assert "size" in guessed.brief.guesses
    with pytest.raises(UsageError, match="is no size"):
        asked(found_in(one_gap(rate, 10)), size="large")


def test_the_brief_is_the_lists_and_its_gaps_are_filled() -> None:
    """What the list says of a shot goes into its brief; what is guessed is marked as such; neighbours are named."""
    brief = Brief(purpose="Mara finds the door", slug="EXT. HARBOUR - NIGHT", shot_size="close-up")
    listed = Listed(path="s.csv", rate=parse_rate("25"), shots=(Shot(name="SH010"), Shot(name="SH020", brief=brief)))
    found = found_in(one_gap(parse_rate("25"), 40), listed)
    (one,) = asked(found, listed)
    assert (one.shot, one.purpose, one.brief.shot_size) == ("SH020", "Mara finds the door", "close-up")
    assert one.brief.time_of_day == "night"
    assert one.brief.guesses["time_of_day"] == "from the slug line"
    assert one.brief.guesses["shot"] == "from the shot list's order"
    assert "shot_size" not in one.brief.guesses


def test_what_waits_for_another_place_is_no_reason(project: Path) -> None:
    """A stand-in counts for its own place, length and rate, and for the engines that made one."""
    (one,) = asked(found_in(one_gap(parse_rate("25"), 40)))
    body = Placeholder(
        shot=one.shot,
        generator="slate",
        file="a.mov",
        digest=f"sha256:{'0' * 64}",
        confidence=1.0,
        frames=40,
        rate="25",
        timeline="elsewhere/cut.otio",
        ref=one.ref,
    )

    def stands(*, engines: tuple[str, ...] = (), state: str = "proposed", **other: Any) -> bool:
        made = Proposal(
            id="p-1",
            run="r",
            job="j",
            kind="generate",
            result="placeholder",
            state=state,  # type: ignore[arg-type]  # a state
            confidence=1.0,
            provenance=Provenance(plugin="placeholder", version="1", kind="generate"),
            body=replace(body, **other),
        )
        return bool(standing([made], [replace(one, engines=engines)]))

    assert stands()
    assert stands(engines=("slate",), state="accepted")
    assert stands(ref="", timeline="")
    others: list[dict[str, Any]] = [{"ref": "V2-7"}, {"frames": 41}, {"rate": "24"}, {"timeline": "b.otio"}]
    assert not any(stands(**other) for other in others)
    assert not stands(engines=("slate", "previs"))
    assert not stands(state="rejected")


def test_only_what_is_missing_can_be_named() -> None:
    """A ref or a shot chooses; what is there, or not in the cut at all, is refused with its state."""
    found = found_in(one_gap(parse_rate("25"), 40))
    assert [one.ref for one in asked(found, only=("V1-100",))] == ["V1-100"]
    with pytest.raises(UsageError, match="SH010: it is real"):
        asked(found, only=("SH010",))
    with pytest.raises(UsageError, match="SH999: it is not in the cut"):
        asked(found, only=("SH999",))


def test_neighbours_are_those_that_are_seen(project: Path) -> None:
    """The shot before a gap is named, with the middle of its last frame in its own media, and its size is taken."""
    with reading() as headers:
        found = cover(read_cut(Path("cut.otio"), Look(headers=headers)), headers, StandIns())
    (one, _) = asked(found)
    assert (one.width, one.height) == (64, 48)
    assert one.brief.neighbours == (Neighbour(side="before", name="SH010", time=49.5 / 25),)


def test_what_is_asked_for_is_made_once(project: Path, said: Said) -> None:
    """A gap and an offline clip get their frames exactly; asked again, what waits already is left alone."""
    told = said("coverage", "cut.otio", "--request", "--engine", "black", "--size", "96x64")
    assert told["code"] == 0, told["run"]
    assert [(one["ref"], one["frames"]) for one in told["requests"]] == [("V1-50", 40), ("V1-90", 30)]
    made = [one["proposals"][0]["body"] for asset in told["run"]["assets"] for one in asset["jobs"]]
    for body, frames in zip(made, (40, 30), strict=True):
        with av.open(str(project / body["file"])) as file:
            assert sum(1 for _ in file.decode(video=0)) == frames
            assert file.streams.video[0].average_rate == 25
    again = said("coverage", "cut.otio", "--request", "--engine", "black")
    assert (again["requests"], again["standing"], again["run"]) == ([], ["V1-50", "V1-90"], None)


@pytest.mark.broker
def test_a_running_board_is_asked(project: Path, said: Said) -> None:
    """With a board at work the command asks it over the bus and does not wait; the board makes what was asked for."""
    up = subprocess.Popen(
        [sys.executable, "-m", "callboard", "up"],
        cwd=project,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert up.stdout is not None
    try:
        assert any("Ready in" in line for line in up.stdout)
        told = said("coverage", "cut.otio", "--only", "V1-50", "--engine", "black", "--size", "64x48")
        assert (told["code"], [one["path"] for one in told["run"]["assets"]]) == (0, ["V1-50"])
        assert any("placeholder for V1-50 by black" in line for line in up.stdout)
        assert said("coverage", "cut.otio", "--only", "V1-50")["standing"] == ["V1-50"]
    finally:
        up.send_signal(signal.SIGINT)
        try:
            up.communicate(timeout=120)
        finally:
            up.kill()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a project in which a stand-in of a shot was made."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "callboard.toml").write_text("")
    timeline(folder, [("SH020", 12)], parse_rate("25"))
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main(["coverage", "cut.otio", "--request", "--engine", "black", "--size", "64x48", "--json"]) == 0
    finally:
        os.chdir(before)
    return folder


def stand_in(folder: Path) -> Path:
    """Give the file of the stand-in."""
    return next((folder / "placeholders").rglob("*_PLACEHOLDER_v*.mov"))


def by_of(told: dict[str, Any]) -> tuple[str, str]:
    """Give the state of the first item, and how that is known."""
    return told["items"][0]["state"], told["items"][0]["by"]


def test_a_delivery_with_a_stand_in_is_refused(
    made: Path, tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name; renamed, by its sidecar or its content; a real shot under the same name is let through."""
    monkeypatch.chdir(made)
    file, target = stand_in(made), made / "SH020.mov"
    shutil.copy(file, made / file.name)
    cut = json.loads((made / "cut.otio").read_text())
    named = json.dumps(cut).replace("SH020.mov", file.name)
    (made / "named.otio").write_text(named)
    told = said("coverage", "named.otio", "--deliver")
    assert (told["code"], by_of(told)) == (1, ("stand-in", "name"))
    assert told["deliver"] == {"ready": False, "in_the_way": ["V1-0"]}
    shutil.copy(file, target)
    assert by_of(said("coverage", "cut.otio")) == ("real", ""), "a name is looked at; contents only for a delivery"
    told = said("coverage", "cut.otio", "--deliver")
    assert (told["code"], by_of(told)) == (1, ("stand-in", "catalog"))
    sidecar = Path(f"{file}.xmp")
    shutil.copy(sidecar, made / "SH020.mov.xmp")
    assert by_of(said("coverage", "cut.otio", "--deliver")) == ("stand-in", "sidecar")
    film(target, 20)
    told = said("coverage", "cut.otio", "--deliver")
    assert (told["code"], by_of(told)) == (0, ("real", "")), "the sidecar was left behind, and says another content"
    assert told["deliver"] == {"ready": True, "in_the_way": []}


def test_media_that_others_generated_is_told(project: Path, said: Said) -> None:
    """A sidecar of any program that says by IPTC's word that media was generated keeps it out of a delivery."""
    timeline(project, [("SH010", 50)], parse_rate("25"))
    assert said("coverage", "cut.otio", "--deliver")["code"] == 0
    source = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    (project / "SH010.xmp").write_text(f'<x Iptc4xmpExt:DigitalSourceType="{source}"/>')
    told = said("coverage", "cut.otio", "--deliver")
    assert (told["code"], by_of(told)) == (1, ("stand-in", "sidecar"))
    assert "SH010.xmp says that it was generated" in told["items"][0]["problem"]
    (project / "SH010.xmp").write_text(f'<x Iptc4xmpExt:DigitalSourceType="{source[:-24]}digitalCapture"/>')
    assert said("coverage", "cut.otio", "--deliver")["code"] == 0


def test_a_list_alone_asks_for_what_is_not_on_disk(project: Path) -> None:
    """Shots that no folder has are asked for as long as the list says, and four seconds where it does not."""
    (project / "s.csv").write_text("Shot,Duration\nSH010,2\nSH020,1.5\nSH040,\n")
    listed = read_list(project / "s.csv", parse_rate("25"))
    with reading() as headers:
        found = cover(cut_of(listed, [project]), headers, StandIns())
    told = asked(found, listed)
    assert [(one.shot, one.frames, one.start) for one in told] == [("SH020", 38, ""), ("SH040", 100, "")]
    assert told[1].brief.guesses["frames"] == "nobody said; 4 seconds"


def test_errors_are_one_document(project: Path, said: Said) -> None:
    """What cannot be read, and what was named wrongly, are told as JSON with their codes."""
    (project / "bad.otio").write_text("[")
    assert (said("coverage", "bad.otio")["error"]["code"], said("coverage", "gone.otio")["code"]) == ("timeline", 1)
    assert said("coverage", "cut.otio", "--shots", "gone.csv")["error"]["code"] == "system"
    assert said("coverage", "cut.otio", "--only", "V9-9")["code"] == 2
    assert said("coverage", "cut.otio", "--svg", "SH010.mov")["code"] == 2
    assert (project / "SH010.mov").stat().st_size > 100


def test_it_fits_eighty_columns(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names of any length and of any signs leave every line within 80 columns, and nothing reaches the terminal raw."""
    long = "SH\x1b[2J\n" + "長い名前" * 40
    timeline(project, [("SH010", 50), ("", 3), (long, 30), ("e\u0301" * 50, 4)], parse_rate("25"))
    assert main(["coverage", "cut.otio", "--all"]) == 0
    out = capsys.readouterr().out
    from rich.cells import cell_len

    assert max(cell_len(line) for line in out.splitlines()) <= 80
    assert "\x1b" not in out
    assert "offline" in out


def test_a_project_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said) -> None:
    """Coverage reads timelines anywhere, and writes nothing."""
    monkeypatch.chdir(tmp_path)
    timeline(tmp_path, [("SH010", 50)], parse_rate("24"))
    assert find_project(tmp_path) is None
    assert said("coverage", "cut.otio")["totals"]["offline"]["items"] == 1
    assert sorted(os.listdir(tmp_path)) == ["cut.otio"]
