"""The maker: a request becomes versions on disk, labelled, marked and told of; a wrong one becomes an error."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from callboard.sources.ignore import Ignore
from callboard.sources.single import digest_of, files_of
from callboard.testing.harness import HookFailed, PluginHarness, make_event
from callboard_placeholder.maker import rate_of
from callboard_schemas import Placeholder, PlaceholderRequested
from PIL import Image


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project's folder."""
    (tmp_path / "shm").mkdir()
    return tmp_path


def make(project: Path, engines: list[str], **asked: Any) -> list[Placeholder]:
    """Have the plugin answer a request for six small pictures."""
    wanted = PlaceholderRequested(**{"shot": "SH020", "frames": 6, "width": 96, "height": 54, **asked})
    harness = PluginHarness(project / "shm", output=project / "placeholders")
    event = make_event(kind="placeholder.requested", data=wanted)
    given = {"engines": engines, "codec": "png", "slate_voice": False}
    answers = harness.run("callboard_placeholder", event=event, parameters=given)
    assert all(isinstance(one, Placeholder) for one in answers)
    return [one for one in answers if isinstance(one, Placeholder)]


def test_paths_count_from_the_project_and_lead_to_what_is_told(project: Path) -> None:
    """File, sidecar and contact sheet lie in the shot's folder, with the digests that are told."""
    (made,) = make(project, ["slate"])
    assert made.file == "placeholders/SH020/SH020_PLACEHOLDER_v001_slate/SH020_PLACEHOLDER_v001_slate.1001.png"
    assert digest_of(project / made.file) == made.digest
    assert len(files_of(project / made.file)) == made.frames == 6
    beside = {one.what: one for one in made.files}
    assert beside["sheet"].file == "placeholders/SH020/SH020_PLACEHOLDER_sheet.png"
    for one in beside.values():
        assert digest_of(project / one.file) == one.digest


def test_one_sheet_shows_every_engine_and_request(project: Path) -> None:
    """Jobs of one engine each, and a later request, leave one sheet of all; a version's own files depend on none."""
    sheets = []
    for engines, start in ((["slate"], ""), (["black"], ""), (["slate"], "00:00:10:00")):
        (made,) = make(project, engines, start=start)
        (sheet,) = [one for one in made.files if one.what == "sheet"]
        assert sheet.file == "placeholders/SH020/SH020_PLACEHOLDER_sheet.png"
        with Image.open(project / sheet.file) as picture:
            sheets.append(picture.height)
    assert sheets[0] < sheets[1] < sheets[2]
    home = project / "placeholders" / "SH020"
    assert len(list(home.glob("*_row.png"))) == 3
    for path in home.iterdir():  # where placeholders lie in a watched folder, none of it is media
        assert Ignore().rule(path.name.encode()) is not None


def test_without_a_sheet_a_version_is_as_good(project: Path) -> None:
    """Where the sheet cannot be written the versions are made all the same, and name none."""
    (project / "placeholders/SH020/SH020_PLACEHOLDER_sheet.png").mkdir(parents=True)
    (made,) = make(project, ["black"])
    assert (project / made.file).is_file()
    assert [one.what for one in made.files] == ["sidecar"]


def test_the_same_request_adds_nothing(project: Path) -> None:
    """Brief, seed and engine being the same, so are the files; another start takes the next version."""
    first = make(project, ["slate"])
    before = sorted(project.rglob("*.png"))
    assert make(project, ["slate"]) == first
    assert sorted(project.rglob("*.png")) == before
    (other,) = make(project, ["slate"], start="00:00:10:00")
    assert "_PLACEHOLDER_v002_slate" in other.file


def test_chance_alone_makes_versions(project: Path) -> None:
    """Of a slate and of black there is one, however many are asked for, and nothing is compared with neighbours."""
    made = make(project, ["slate", "black"], versions=4)
    assert [one.generator for one in made] == ["slate", "black"]
    assert all(not one.matches for one in made)


def test_odd_sizes_become_even(project: Path) -> None:
    """Codecs of films want even sizes, so the picture is a row or a column larger, and says so."""
    (made,) = make(project, ["black"], width=95, height=53)
    assert (made.width, made.height) == (96, 54)


@pytest.mark.parametrize(
    ("rate", "exact"), [(23.976, Fraction(24000, 1001)), (29.97, Fraction(30000, 1001)), (25.0, 25)]
)
def test_a_rounded_rate_is_taken_for_the_usual_one(rate: float, exact: Fraction) -> None:
    """Where nobody says how it counts, 23.976 is 24000/1001."""
    assert rate_of(PlaceholderRequested(shot="SH020", rate=rate)).fps == exact


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"counted": "fast"}, "no frame rate"),
        ({"start": "noon"}, "noon"),
        ({"counted": "29.97df", "start": "00:01:00;00"}, "00:01:00;00"),
    ],
)
def test_a_wrong_request_is_an_error_that_says_what(project: Path, wrong: dict[str, str], problem: str) -> None:
    """A rate or a timecode that is none, dropped numbers too, is named, and nothing is made."""
    with pytest.raises(HookFailed, match=problem) as failed:
        make(project, ["slate"], **wrong)
    assert failed.value.failure.code == "job"
    assert not (project / "placeholders").exists()
