"""Each trap of the contract: the stand-in has it, and the adapter does not fall into it."""

from __future__ import annotations

import re
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from callboard_resolve.contract import contract
from callboard_resolve.inside import labels, markers, uses
from callboard_resolve.inside.session import Session, has
from callboard_resolve.inside.studio import VERBS, Studio
from callboard_resolve.inside.watch import Watch
from callboard_resolve.rehearsal import NotInContract, Stage, Terms
from callboard_resolve.rehearsal.house import Hang

CUES = [
    {"id": 1, "start": 0.0, "end": 1.0, "text": "Good evening."},
    {"id": 2, "start": 2.0, "end": 3.5, "text": "Two\nlines."},
]


class Play:
    """A stage with a timeline, one clip on it at ten seconds, and the adapter at work."""

    def __init__(self, folder: Path, terms: Terms | None = None) -> None:
        self.folder = folder
        self.stage = Stage(terms)
        self.resolve = self.stage.resolve
        self.manager = self.resolve.GetProjectManager()
        self.manager.CreateProject("Show")
        self.project = self.manager.GetCurrentProject()
        self.pool = self.project.GetMediaPool()
        self.timeline = self.pool.CreateEmptyTimeline("Reel 1")
        self.clip = self.media("shot.mov")
        end = 240 - (self.stage.terms.version[0] < 19)
        [self.item] = self.append(self.clip, endFrame=end, recordFrame=86640)
        self.session = Session(self.resolve)
        self.studio = Studio(self.session, str(folder / "ours"))

    def media(self, name: str) -> Any:
        """Import an empty file."""
        path = self.folder / name
        path.write_bytes(b"x")
        return self.pool.ImportMedia([str(path)])[0]

    def append(self, clip: Any, **info: int) -> Any:
        """Append to the timeline."""
        return self.pool.AppendToTimeline([{"mediaPoolItem": clip, "startFrame": 0, "trackIndex": 1, **info}])

    def use(self, *, on_timeline: bool = True) -> dict[str, Any]:
        """Give the use of the clip on the timeline, or in the pool."""
        return next(one for one in uses.scan(self.session) if bool(one.get("duration")) is on_timeline)

    def do(self, verb: str, content: dict[str, Any], **more: Any) -> tuple[str, list[str], list[str], str]:
        """Have the adapter do a command for the clip on the timeline."""
        command = {"id": "c1", "host": "h", "verb": verb, "proposal": "p1", "use": self.use(), "content": content}
        return self.studio.apply({**command, **more})

    def subtitles(self) -> list[tuple[str, int]]:
        """Read the subtitle track."""
        items = self.timeline.GetItemListInTrack("subtitle", 1)
        return [(item.GetName(), item.GetStart() - 86400) for item in items]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Set the stage as Studio 20.3."""
    return Play(tmp_path)


def srt(folder: Path, name: str = "a.srt") -> str:
    """Write an SRT with one subtitle."""
    path = folder / name
    path.write_text(f"1\n00:00:01,000 --> 00:00:02,000\n{name}\n", "utf-8")
    return str(path)


def test_every_trap_has_a_test() -> None:
    """Each trap of the table is tested here by its name, and no test is for a trap that the table does not have."""
    tested = re.findall(r"^def test_trap_(\w+)\(", Path(__file__).read_text("utf-8"), re.MULTILINE)
    assert sorted(tested) == sorted(trap.id for trap in contract().traps)


def test_trap_subtitles_need_a_track(play: Play, tmp_path: Path) -> None:
    """An append without a track places nothing though it answers; the adapter makes the track, and reads back."""
    assert play.append(play.pool.ImportMedia([srt(tmp_path)])[0])
    assert play.timeline.GetTrackCount("subtitle") == 0
    state, landed, missing, _ = play.do("subtitles.write", {"cues": CUES, "language": "en"})
    assert (state, missing) == ("applied", [])
    assert landed == ["01:00:10:00 Good evening.", "01:00:12:00 Two lines."]
    assert play.subtitles() == [("Good evening.", 240), ("Two\nlines.", 288)]


def test_trap_subtitles_take_no_position(play: Play, tmp_path: Path) -> None:
    """With a position all subtitles go to the end of the timeline; the adapter gives none."""
    play.timeline.AddTrack("subtitle")
    clip = play.pool.ImportMedia([srt(tmp_path)])[0]
    play.append(clip, recordFrame=86400)
    assert play.subtitles() == [("a.srt", 480 + 24)]


def test_trap_subtitles_stack(play: Play, tmp_path: Path) -> None:
    """A second SRT lies after the first; the adapter empties the track of what is ours first."""
    play.timeline.AddTrack("subtitle")
    for name in ("a.srt", "b.srt"):
        play.pool.AppendToTimeline([{"mediaPoolItem": play.pool.ImportMedia([srt(tmp_path, name)])[0]}])
    assert play.subtitles() == [("a.srt", 24), ("b.srt", 48 + 24)]
    play.timeline.DeleteClips(play.timeline.GetItemListInTrack("subtitle", 1))
    for _ in range(2):
        assert play.do("subtitles.write", {"cues": CUES, "language": "en"})[0] == "applied"
    later = [{"start": 5.0, "end": 6.0, "text": "Later."}]
    assert play.do("subtitles.write", {"cues": later, "language": "en"}, proposal="p2")[0] == "applied"
    assert play.subtitles() == [("Good evening.", 240), ("Two\nlines.", 288), ("Later.", 360)]


@pytest.mark.parametrize("version", [(18, 6, 6), (20, 3, 0)])
def test_trap_end_frame(tmp_path: Path, version: tuple[int, int, int]) -> None:
    """Whatever endFrame means in this version, a stand-in fills its gap exactly, and what it means is asked once."""
    play = Play(tmp_path, Terms(version=version))
    naive = play.append(play.media("naive.mov"), endFrame=24, recordFrame=90000)[0].GetDuration()
    assert naive == (25 if version[0] < 19 else 24)
    for number, start in enumerate((0.0, 4.0)):
        file = tmp_path / f"stand-in {number}.mov"
        file.write_bytes(b"x")
        content = {"file": str(file), "gap": {"ref": "gap//1/0", "start": start, "duration": 2.0}}
        before = len(play.stage.calls)
        state, _, missing, _ = play.do("placeholder.insert", content, proposal=f"p{number}", use=None)
        appends = play.stage.calls[before:].count("MediaPool.AppendToTimeline")
        assert (state, missing) == ("applied", [])
        assert appends == (2 if version[0] < 19 and number == 0 else 1)
    spans = [(item.GetStart() - 86400, item.GetDuration()) for item in play.timeline.GetItemListInTrack("video", 1)]
    assert spans[:2] == [(0, 48), (96, 48)]


def test_trap_record_frame_is_absolute(play: Play, tmp_path: Path) -> None:
    """A record frame of 0 lies an hour before the timeline; the adapter adds the start of the timeline."""
    [lost] = play.append(play.media("lost.mov"), endFrame=24, recordFrame=0)
    assert lost.GetStart() < play.timeline.GetStartFrame()
    content = {"file": str(tmp_path / "shot.mov"), "gap": {"ref": "gap//1/0", "start": 1.0, "duration": 1.0}}
    assert play.do("placeholder.insert", content, use=None)[1] == ["shot.mov at 01:00:01:00 on V1"]
    assert 86424 in [item.GetStart() for item in play.timeline.GetItemListInTrack("video", 1)]


def test_trap_markers_are_relative(play: Play) -> None:
    """A marker one second into a clip at ten seconds is at frame 264 of the timeline, whatever its start frame is."""
    assert play.do("markers.write", {"markers": [{"start": 1.0, "name": "Cut"}]})[0] == "applied"
    assert list(play.timeline.GetMarkers()) == [264.0]


def test_trap_marker_keys_are_floats(play: Play) -> None:
    """Frames come back as floating point numbers, and are still told apart as whole ones."""
    play.timeline.AddMarker(12, "Blue", "a", "", 1, "")
    assert {type(frame) for frame in play.timeline.GetMarkers()} == {float}
    assert set(markers.present(play.timeline)) == {12}


def test_trap_one_marker_a_frame(play: Play) -> None:
    """Where a frame is taken, ours goes to the next free one, and the receipt says so; the person's stays."""
    assert play.timeline.AddMarker(240, "Red", "mine", "", 1)
    assert not play.timeline.AddMarker(240, "Red", "second", "", 1)
    wanted = [{"start": 0.0, "name": "One"}, {"start": 0.0, "name": "Two"}]
    state, landed, _, _ = play.do("markers.write", {"markers": wanted})
    assert state == "applied"
    assert landed == ["One (1 frame later: its frame was taken)", "Two (2 frames later: its frame was taken)"]
    names = {frame: mark["name"] for frame, mark in play.timeline.GetMarkers().items()}
    assert names == {240.0: "mine", 241.0: "One", 242.0: "Two"}


def test_trap_marker_colours(play: Play) -> None:
    """A colour that markers do not have is refused in silence; the adapter takes the nearest that they have."""
    assert not play.timeline.AddMarker(1, "Orange", "a", "", 1)
    wanted = [{"start": 0.0, "name": "A", "colour": "orange"}, {"start": 1.0, "name": "B", "colour": "#00ff00"}]
    assert play.do("markers.write", {"markers": wanted})[0] == "applied"
    assert [mark["color"] for mark in play.timeline.GetMarkers().values()] == ["Yellow", "Blue"]


def test_trap_clip_colours(play: Play, tmp_path: Path) -> None:
    """The colours of clips are others than those of markers; a stand-in has one that clips have."""
    assert not play.clip.SetClipColor("Cream")
    assert set(labels.COLOURS) ^ set(markers.COLOURS) >= {"Orange", "Cream"}
    content = {"file": str(tmp_path / "shot.mov"), "gap": {"ref": "", "start": 1.0, "duration": 1.0}}
    assert play.do("placeholder.insert", content, use=None)[3] == ""
    assert {clip.GetClipColor() for clip in play.session.clips()} == {"", "Orange"}


def test_trap_fractional_frames(tmp_path: Path) -> None:
    """One fraction spoils a whole append in 21; the adapter gives whole frames even for times between two."""
    play = Play(tmp_path, Terms(version=(21, 0, 2), rate="23.976"))
    assert play.append(play.clip, endFrame=24.5, recordFrame=90000) is None  # type: ignore[arg-type]  # the trap
    content = {"file": str(tmp_path / "shot.mov"), "gap": {"ref": "", "start": 0.3333, "duration": 1.111}}
    assert play.do("placeholder.insert", content, use=None)[0] == "applied"
    assert [one.GetDuration() for one in play.timeline.GetItemListInTrack("video", 1)] == [27, 240]


def test_trap_overlap_is_dropped(play: Play, tmp_path: Path) -> None:
    """What would overlap is dropped in silence; the adapter looks for a track that is free, and names it."""
    assert play.append(play.media("late.mov"), endFrame=24, recordFrame=86650) == []
    content = {"file": str(tmp_path / "late.mov"), "gap": {"ref": "gap//1/0", "start": 10.5, "duration": 1.0}}
    assert play.do("placeholder.insert", content, use=None)[1] == ["late.mov at 01:00:10:12 on V2"]
    assert [item.GetStart() for item in play.timeline.GetItemListInTrack("video", 2)] == [86652]


def test_trap_locked_track(play: Play, tmp_path: Path) -> None:
    """Nothing lands on a locked track: a stand-in goes to another one, and captions are refused with the reason."""
    play.timeline.SetTrackLock("video", 1, True)
    assert play.append(play.media("locked.mov"), endFrame=24, recordFrame=90000) == []
    content = {"file": str(tmp_path / "locked.mov"), "gap": {"ref": "gap//1/0", "start": 1.0, "duration": 1.0}}
    assert play.do("placeholder.insert", content, use=None)[1] == ["locked.mov at 01:00:01:00 on V2"]
    play.timeline.AddTrack("subtitle")
    play.timeline.SetTrackLock("subtitle", 1, True)
    state, landed, _, note = play.do("subtitles.write", {"cues": CUES, "language": "en"})
    assert (state, landed, note) == ("refused", [], "subtitle track 1 is locked; unlock it")


def test_trap_mixed_rates(play: Play, tmp_path: Path) -> None:
    """A stand-in of another rate may be a frame short; it stays, and the receipt says so."""
    (tmp_path / "25.mov").write_bytes(b"x")
    play.stage.lengths["25.mov"] = ("25", 1000)
    content = {"file": str(tmp_path / "25.mov"), "gap": {"ref": "", "start": 0.0, "duration": 25 / 24}}
    state, landed, _, note = play.do("placeholder.insert", content, use=None)
    assert (state, len(landed), note) == ("applied", 1, "24 frames of 25: its rate is another")
    assert play.studio.placer.inclusive is None


def test_trap_delete_needs_the_edit_page(play: Play) -> None:
    """Items go only on the edit page; the adapter goes there and comes back."""
    play.resolve.OpenPage("color")
    assert not play.timeline.DeleteClips([play.item])
    assert play.do("subtitles.write", {"cues": CUES, "language": "en"})[0] == "applied"
    assert play.do("subtitles.write", {"cues": CUES[:1], "language": "en"})[0] == "applied"
    assert play.subtitles() == [("Good evening.", 240)]
    assert play.resolve.GetCurrentPage() == "color"


def test_trap_untitled_save_hangs(tmp_path: Path) -> None:
    """Saving a project that has no name waits for ever; the adapter saves nothing, ever."""
    with pytest.raises(Hang):
        Stage().resolve.GetProjectManager().SaveProject()
    play = Play(tmp_path)
    for verb in VERBS:
        play.do(verb, {"cues": CUES, "tags": ["a"], "file": str(tmp_path / "shot.mov"), "markers": []})
    assert "ProjectManager.SaveProject" not in play.stage.calls


def test_trap_errored_append_vanishes(play: Play, tmp_path: Path) -> None:
    """What a failed append left is gone after a save; the adapter takes it away at once and says that it failed."""
    play.stage.terms = Terms(breaks=frozenset({"MediaPool.AppendToTimeline"}))
    with pytest.raises(RuntimeError):
        play.append(play.clip, endFrame=24, recordFrame=90000)
    assert len(play.timeline.GetItemListInTrack("video", 1)) == 2
    assert play.manager.SaveProject()
    assert len(play.timeline.GetItemListInTrack("video", 1)) == 1
    content = {"file": str(tmp_path / "shot.mov"), "gap": {"ref": "", "start": 0.0, "duration": 1.0}}
    for verb in ("placeholder.insert", "subtitles.write"):
        state, landed, _, note = play.do(verb, {"cues": CUES, "language": "en", **content})
        assert (state, landed) == ("refused", [])
        assert note.endswith("what it had placed was taken away again")
    assert len(play.timeline.GetItemListInTrack("video", 1)) == 1
    assert play.subtitles() == []


def test_trap_every_name_is_callable(tmp_path: Path) -> None:
    """Hasattr is true for what is not there; the adapter asks dir(), and falls back to the clip below the playhead."""
    old, new = (Play(tmp_path, Terms(readme=readme)) for readme in (date(2026, 5, 26), date(2026, 7, 24)))
    assert hasattr(old.timeline, "GetSelectedClips")
    assert (has(old.timeline, "GetSelectedClips"), has(new.timeline, "GetSelectedClips")) == (False, True)
    with pytest.raises(NotInContract):
        old.timeline.GetSelectedClips()
    for play, how in ((old, "the clip below the playhead"), (new, "the selected clips of the timeline")):
        timeline = play.stage.house.manager.current.timeline  # type: ignore[union-attr]  # a project is open
        assert timeline is not None
        timeline.playhead, timeline.selected = 86650, timeline.tracks["video"][0][:1]
        chosen, said = uses.selected(play.session)
        assert ([one["ref"] for one in chosen], said) == ([play.use()["ref"]], how)


def test_trap_job_status_is_localised(tmp_path: Path) -> None:
    """A render is over when its percentage or its error says so, in whatever language the window is."""
    play = Play(tmp_path, Terms(language="es"))
    project = play.stage.house.manager.current
    assert project is not None
    watch = Watch(play.session)
    assert [kind for kind, _ in watch.look()] == ["host.scene.loaded"]
    project.jobs["j1"] = {"percent": 40, "error": ""}
    assert play.project.GetRenderJobStatus("j1")["JobStatus"] == "Renderizando"
    assert [kind for kind, _ in watch.look()] == ["host.render.started"]
    assert watch.look() == []
    project.jobs["j1"]["percent"] = 100
    [(kind, data)] = watch.look()
    assert (kind, data["detail"]) == ("host.render.ended", {"jobs": "j1", "failed": ""})
    project.jobs["j2"] = {"percent": 12, "error": "disk full"}
    assert [(kind, data.get("detail")) for kind, data in watch.look()] == [
        ("host.render.started", None),
        ("host.render.ended", {"jobs": "j2", "failed": "j2"}),
    ]
    assert watch.look() == []


def test_trap_import_goes_to_the_current_folder(play: Play, tmp_path: Path) -> None:
    """Imports land where a person is; ours go to a folder of ours, and the person's is open again after."""
    mine = play.pool.AddSubFolder(play.pool.GetRootFolder(), "Dailies")
    assert play.pool.ImportMedia([str(tmp_path / "not there.mov")]) == []
    play.do("subtitles.write", {"cues": CUES, "language": "en"})
    assert play.pool.GetCurrentFolder().GetUniqueId() == mine.GetUniqueId()
    folders = {one.GetName(): one for one in play.pool.GetRootFolder().GetSubFolderList()}
    assert [clip.GetName()[-4:] for clip in folders["Callboard"].GetClipList()] == [".srt"]
    assert folders["Dailies"].GetClipList() == []


def test_trap_metadata_is_text(play: Play) -> None:
    """Only text is taken as metadata; all that the adapter keeps with a clip is text."""
    assert not play.clip.SetThirdPartyMetadata("n", 1)
    play.do("tags.write", {"tags": ["tree"]})
    assert {type(value) for value in play.clip.GetThirdPartyMetadata().values()} == {str}


def test_trap_replacing_takes_metadata(play: Play, tmp_path: Path) -> None:
    """Another file takes a clip's metadata with it; what people and we wrote is there again after a relink."""
    play.clip.SetMetadata("Keywords", "forest")
    play.do("tags.write", {"tags": ["tree"]})
    (tmp_path / "final.mov").write_bytes(b"x")
    assert play.do("relink", {"file": str(tmp_path / "final.mov")})[0] == "applied"
    assert play.clip.GetClipProperty("File Path") == str(tmp_path / "final.mov")
    assert play.clip.GetMetadata("Keywords") == "forest, tree"
    play.do("clear", {})
    assert play.clip.GetMetadata("Keywords") == "forest"


def test_trap_studio_calls_block(tmp_path: Path) -> None:
    """One Studio call on the free edition spoils all later ones; no verb makes one, and the edition is asked first."""
    free = Play(tmp_path, Terms(product="DaVinci Resolve", version=(21, 0, 3)))
    assert not free.session.studio
    for verb in VERBS:
        content = {
            "cues": CUES,
            "tags": ["a"],
            "file": str(tmp_path / "shot.mov"),
            "markers": [{"start": 0, "name": "M"}],
        }
        free.do(verb, {**content, "description": "A tree.", "gap": {"ref": "", "start": 0.0, "duration": 1.0}})
        assert not free.stage.dialog, verb
    fresh = Stage()
    Session(fresh.resolve)
    assert fresh.calls[0] == "Resolve.GetProductName"
    assert free.timeline.CreateSubtitlesFromAudio() is False
    assert free.resolve.GetProductName() is False


def test_trap_creating_discards(tmp_path: Path) -> None:
    """A new project throws away one that was never saved; no verb makes, opens, closes or deletes a project."""
    play = Play(tmp_path)
    assert "Untitled Project" not in play.manager.GetProjectListInCurrentFolder()
    before = len(play.stage.calls)
    for verb in VERBS:
        play.do(verb, {"cues": CUES, "tags": ["a"], "file": str(tmp_path / "shot.mov"), "markers": []})
    touched = {call for call in play.stage.calls[before:] if call.startswith("ProjectManager.")}
    assert touched == {"ProjectManager.GetCurrentProject"}


def test_trap_no_database() -> None:
    """Without a database everything answers, and nothing can be made."""
    manager = Stage(Terms(database=False)).resolve.GetProjectManager()
    assert (manager.GetCurrentDatabase(), manager.CreateProject("a")) == (None, None)


def test_trap_delete_project_needs_close(play: Play) -> None:
    """The open project cannot be deleted; a closed one can."""
    assert not play.manager.DeleteProject("Show")
    assert play.manager.CloseProject(play.project)
    assert play.manager.DeleteProject("Show")


def test_trap_silent_set(tmp_path: Path) -> None:
    """A setter that answers True and keeps nothing is found out: the receipt lists what did not land."""
    deaf = frozenset({"MediaPoolItem.SetMetadata", "Timeline.AddMarker", "MediaPool.AppendToTimeline"})
    play = Play(tmp_path)
    play.stage.terms = Terms(deaf=deaf)
    assert play.do("tags.write", {"tags": ["tree"]})[:3] == ("failed", [], ["tree: Resolve did not keep the keyword"])
    state, landed, missing, _ = play.do("markers.write", {"markers": [{"start": 0.0, "name": "Cut"}]})
    assert (state, landed, missing) == ("failed", [], ["Cut: Resolve put no marker at frame 240"])
    state, landed, missing, _ = play.do("subtitles.write", {"cues": CUES, "language": "en"})
    assert (state, landed, len(missing)) == ("failed", [], 2)
    content = {"file": str(tmp_path / "shot.mov"), "gap": {"ref": "", "start": 0.0, "duration": 1.0}}
    state, landed, _, note = play.do("placeholder.insert", content, use=None)
    assert (state, landed, note) == ("refused", [], "Resolve placed nothing on video track 1")


def test_a_late_command_is_refused(play: Play) -> None:
    """A command past its time does nothing."""
    state, _, _, note = play.do("tags.write", {"tags": ["a"]}, expires=time.time() - 1)
    assert (state, note, play.clip.GetMetadata("Keywords")) == ("refused", "it came too late", "")
