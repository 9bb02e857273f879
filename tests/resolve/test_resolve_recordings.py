"""Recordings of a real Resolve are held against the stand-in; until there is one, the stand-in's own is."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from callboard_resolve.contract import contract
from callboard_resolve.inside.outcome import Refused
from callboard_resolve.inside.record import record
from callboard_resolve.rehearsal import Stage, Terms
from callboard_resolve.rehearsal.replay import rehearse, replay

RECORDINGS = Path(__file__).with_name("recordings")
NEVER_RECORDED = {
    "Timeline.CreateSubtitlesFromAudio": "a Studio call that needs speech, and that nothing of ours makes",
}


@pytest.fixture(scope="module")
def recording() -> dict[str, Any]:
    """Record the stand-in."""
    return rehearse(Terms(readme=date(2026, 7, 24)))


def test_every_recording_is_what_the_stand_in_plays() -> None:
    """Each recording that people gave us of a real Resolve is answered alike by the stand-in."""
    for path in sorted(RECORDINGS.glob("*.json")):
        assert replay(json.loads(path.read_text("utf-8"))) == [], path.name


@pytest.mark.parametrize(
    "terms",
    [
        Terms(version=(18, 6, 6), readme=date(2024, 10, 28)),
        Terms(version=(20, 3, 0)),
        Terms(version=(21, 1, 0), readme=date(2026, 7, 24)),
    ],
)
def test_a_recording_replays(terms: Terms) -> None:
    """What was recorded of one version is answered alike when that version is played again."""
    assert replay(rehearse(terms)) == []


def test_a_recording_makes_every_call_of_the_contract(recording: dict[str, Any]) -> None:
    """No method of the table is left out of a recording without a reason."""
    made = {f"{line['on']['object']}.{line['call']}" for line in recording["calls"]}
    table = {f"{kind}.{name}" for kind, methods in contract().objects.items() for name in methods}
    # finding out whether anything may be lost comes before the first line of a recording
    asked_before = {"ProjectManager.GetProjectListInCurrentFolder"}
    assert table - made - asked_before == NEVER_RECORDED.keys()
    assert made <= table


@pytest.mark.parametrize(
    ("call", "gives"),
    [
        ("AddMarker", True),
        ("GetDuration", 13),
        ("GetMarkers", {}),
        ("AppendToTimeline", []),
        ("GetTrackCount", 7),
        ("SetClipColor", None),
    ],
)
def test_a_replay_notices_a_difference(recording: dict[str, Any], call: str, gives: Any) -> None:
    """One answer that is another one in the recording is found, and named."""
    changed = copy.deepcopy(recording)
    line = next(one for one in changed["calls"] if one["call"] == call and one["gives"] != gives)
    line["gives"] = gives
    [difference] = replay(changed)
    assert f".{call}: {gives!r} there" in difference


def test_a_replay_notices_a_missing_method(recording: dict[str, Any]) -> None:
    """A Resolve without a method that every README has is told of."""
    changed = copy.deepcopy(recording)
    changed["methods"]["Timeline"].remove("GetMarkers")
    assert "Timeline.GetMarkers: this Resolve does not have it" in replay(changed)


def test_a_replay_notices_another_order(recording: dict[str, Any]) -> None:
    """A call that is not there any more is found, and what comes after it is not compared."""
    changed = copy.deepcopy(recording)
    del changed["calls"][5]
    assert len(replay(changed)) == 1


def test_a_recording_of_another_format_is_refused(recording: dict[str, Any]) -> None:
    """A format that this program does not know is not compared."""
    with pytest.raises(ValueError, match="format 2"):
        replay({**recording, "format": 2})


def test_a_recording_names_nothing_of_the_machine(recording: dict[str, Any], tmp_path: Path) -> None:
    """No path and no unique id is left in a recording."""
    text = json.dumps(recording)
    assert str(tmp_path.parent.parent) not in text
    assert "/tmp/" not in text
    assert "-0000-4000-8000-" not in text


def play(stage: Stage, folder: Path) -> Any:
    """Record a stage with empty files."""
    media = {name: str(folder / name) for name in ("picture", "other", "sound", "subtitles")}
    for path in media.values():
        Path(path).write_bytes(b"")
    return record(stage.resolve, media, str(folder))


def test_a_project_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    """Where media or a timeline is in the open project nothing is made, since another project would throw it away."""
    for used in ("media", "timeline"):
        stage = Stage()
        pool = stage.resolve.GetProjectManager().GetCurrentProject().GetMediaPool()
        (tmp_path / "a.mov").write_bytes(b"")
        assert pool.ImportMedia([str(tmp_path / "a.mov")]) if used == "media" else pool.CreateEmptyTimeline("Mine")
        before = len(stage.calls)
        with pytest.raises(Refused, match="not empty"):
            play(stage, tmp_path)
        assert not any(
            call.split(".")[1].startswith(("Create", "Load", "Close", "Save")) for call in stage.calls[before:]
        )


def test_a_recording_leaves_what_it_found(tmp_path: Path) -> None:
    """After a recording the person's project is open again, ours is gone, and only ours was ever saved."""
    stage = Stage()
    manager = stage.resolve.GetProjectManager()
    manager.CreateProject("Empty one of mine")
    play(stage, tmp_path)
    assert manager.GetCurrentProject().GetName() == "Empty one of mine"
    assert manager.GetProjectListInCurrentFolder() == ["Empty one of mine"]


def test_a_project_that_resolve_does_not_delete_is_named(tmp_path: Path) -> None:
    """Where Resolve keeps our project although it says that it deleted it, the recording names it."""
    stage = Stage(Terms(deaf=frozenset({"ProjectManager.DeleteProject"})))
    assert play(stage, tmp_path)["left"].startswith("Callboard recording ")
    assert play(Stage(), tmp_path)["left"] == ""


def test_a_recording_from_an_untitled_project_ends(tmp_path: Path) -> None:
    """A project without a name is never saved: that would wait for ever."""
    stage = Stage()
    play(stage, tmp_path)
    assert stage.resolve.GetProjectManager().GetProjectListInCurrentFolder() == []


def test_no_database_is_said(tmp_path: Path) -> None:
    """A Resolve that has lost its database is not recorded."""
    with pytest.raises(Refused, match="without a database"):
        play(Stage(Terms(database=False)), tmp_path)
