"""What the adapter does with a project: what it finds in it, what it puts there, and what it takes away again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pysubs2
import pytest
from callboard_resolve.inside import asking, frames, labels, uses
from callboard_resolve.inside.ledger import Ledger
from callboard_resolve.inside.outcome import MOST, Outcome
from callboard_resolve.inside.session import Gone, Session
from callboard_resolve.inside.studio import VERBS, Studio
from callboard_resolve.inside.watch import Watch
from callboard_resolve.rehearsal import NotInContract, Stage, Terms
from callboard_schemas import Gap, Use

CUES = [
    {"id": 1, "start": 0.5, "end": 1.0, "text": "One"},
    {"id": 2, "start": 2.0, "end": 3.0, "text": "Two"},
    {"id": 3, "start": 9.0, "end": 12.0, "text": "Three"},
]


class Cut:
    """A project with one shot twice on its timeline: seconds 5 to 10 of it at 0, seconds 0 to 5 at 20."""

    def __init__(self, folder: Path, terms: Terms | None = None) -> None:
        self.folder, self.stage = folder, Stage(terms)
        self.resolve = self.stage.resolve
        self.manager = self.resolve.GetProjectManager()
        self.manager.CreateProject("Show")
        self.pool = self.manager.GetCurrentProject().GetMediaPool()
        self.reel = self.pool.CreateEmptyTimeline("Reel 1")
        self.shot = self.import_("shot.mov")
        self.put(self.shot, 120, 240, 0)
        self.put(self.shot, 0, 120, 480)
        self.session = Session(self.resolve)
        self.studio = Studio(self.session, str(folder / "ours"))

    def import_(self, name: str) -> Any:
        """Import an empty file."""
        (self.folder / name).write_bytes(b"x")
        return self.pool.ImportMedia([str(self.folder / name)])[0]

    def put(self, clip: Any, first: int, last: int, at: int) -> None:
        """Append frames of a clip at a frame of the timeline."""
        info = {
            "mediaPoolItem": clip,
            "startFrame": first,
            "endFrame": last,
            "recordFrame": 86400 + at,
            "trackIndex": 1,
        }
        assert self.pool.AppendToTimeline([info])

    def uses(self) -> list[dict[str, Any]]:
        """Give what the project uses: the shot, and its two uses."""
        return list(uses.scan(self.session))

    def do(self, verb: str, use: dict[str, Any] | None = None, **content: Any) -> tuple[str, list[str], list[str], str]:
        """Have the adapter do a command of proposal p1."""
        return self.studio.apply({"id": "c", "verb": verb, "proposal": "p1", "use": use, "content": content})

    def subtitles(self, reel: Any = None) -> list[tuple[str, int, int]]:
        """Read the subtitle track."""
        items = (reel or self.reel).GetItemListInTrack("subtitle", 1)
        return [(item.GetName(), item.GetStart() - 86400, item.GetDuration()) for item in items]


@pytest.fixture
def cut(tmp_path: Path) -> Cut:
    """Give the project."""
    return Cut(tmp_path)


def test_uses_say_where_media_lies(cut: Cut) -> None:
    """The shot is in the pool and twice on the timeline, with its times, as messages that the board reads."""
    found = [msgspec.convert(use, Use) for use in cut.uses()]
    assert [(use.start, use.source_in, use.duration, use.speed) for use in found] == [
        (0.0, 0.0, 0.0, 1.0),
        (0.0, 5.0, 5.0, 1.0),
        (20.0, 0.0, 5.0, 1.0),
    ]
    assert {use.path for use in found} == {str(cut.folder / "shot.mov")}
    assert len({use.ref for use in found}) == 3
    assert [use.ref.split("/")[0] for use in found] == ["pool", "item", "item"]


def test_a_use_changes_its_revision_when_it_is_moved_only(cut: Cut) -> None:
    """Tags and markers change no revision; a move of one use changes that one alone."""
    before = {use["ref"]: use.get("revision") for use in cut.uses()}
    cut.do("tags.write", cut.uses()[0], tags=["tree"])
    assert {use["ref"]: use.get("revision") for use in cut.uses()} == before
    item = cut.stage.house.manager.current.timelines[0].tracks["video"][0][1]  # type: ignore[union-attr]  # it is open
    item.start, item.end = item.start + 1, item.end + 1
    after = {use["ref"]: use.get("revision") for use in cut.uses()}
    assert [ref for ref in before if before[ref] != after[ref]] == [cut.uses()[2]["ref"]]


def test_a_retimed_use_says_its_speed(cut: Cut) -> None:
    """A use that shows ten seconds in five plays at double speed, and captions follow it."""
    item = cut.stage.house.manager.current.timelines[0].tracks["video"][0][1]  # type: ignore[union-attr]  # it is open
    item.source_frames = 240
    use = cut.uses()[2]
    assert use["speed"] == 2.0
    assert cut.do("subtitles.write", use, cues=CUES, language="en")[0] == "applied"
    assert cut.subtitles() == [("One", 486, 6), ("Two", 504, 12), ("Three", 588, 12)]


def test_captions_follow_each_use(cut: Cut) -> None:
    """Captions of a shot that is used twice are put where each use shows them, cut to it; the rest is told."""
    _, first, second = cut.uses()
    state, landed, _, note = cut.do("subtitles.write", first, cues=CUES, language="en")
    assert (state, landed) == ("applied", ["01:00:04:00 Three"])
    assert note == "2 of 3 captions lie outside the part that is used"
    state, landed, _, _ = cut.do("subtitles.write", second, cues=CUES, language="en")
    assert landed == ["01:00:20:12 One", "01:00:22:00 Two"]
    assert cut.subtitles() == [("Three", 96, 24), ("One", 492, 12), ("Two", 528, 24)]
    assert cut.do("clear")[0] == "applied"
    assert cut.subtitles() == []


def test_the_subtitle_file_is_one_that_others_read(cut: Cut) -> None:
    """What is given to Resolve is SRT to an independent reader, empty lines and arrows in a text included."""
    cut.do("subtitles.write", cut.uses()[2], cues=[{"start": 0.5, "end": 1.0, "text": "a\n\n1\n--> b"}], language="en")
    [path] = (cut.folder / "ours").glob("*.srt")
    [event] = pysubs2.load(str(path))
    assert (event.start, event.end, event.plaintext) == (20500, 21000, "a\n1\n→ b")


def test_a_persons_subtitles_are_never_touched(cut: Cut) -> None:
    """A track with a person's subtitles is left alone, and so are ours once a person changed them."""
    use = cut.uses()[2]
    assert cut.do("subtitles.write", use, cues=CUES[:2], language="en")[0] == "applied"
    track = cut.stage.house.manager.current.timelines[0].tracks["subtitle"][0]  # type: ignore[union-attr]  # it is open
    track[0].name = "Once"
    state, _, _, note = cut.do("subtitles.write", use, cues=CUES, language="en")
    assert (state, note.split(";")[0]) == ("refused", "a person changed our subtitles on track 1")
    assert [name for name, _, _ in cut.subtitles()] == ["Once", "Two"]
    state, _, missing, _ = cut.do("clear")
    assert (state, len(missing)) == ("failed", 1)
    assert [name for name, _, _ in cut.subtitles()] == ["Once", "Two"]
    (cut.folder / "other").mkdir()
    other = Cut(cut.folder / "other")
    other.reel.AddTrack("subtitle")
    (cut.folder / "mine.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nMine\n")
    other.pool.AppendToTimeline([{"mediaPoolItem": other.pool.ImportMedia([str(cut.folder / "mine.srt")])[0]}])
    state, _, _, note = other.do("subtitles.write", other.uses()[2], cues=CUES, language="en")
    assert (state, note) == ("refused", "subtitle track 1 holds 1 subtitles that are not ours; they were kept")
    assert other.subtitles() == [("Mine", 24, 24)]


def test_two_languages_do_not_mix(cut: Cut) -> None:
    """A second language is refused, since a script reaches one subtitle track only; the first stays."""
    _, first, second = cut.uses()
    cut.do("subtitles.write", second, cues=CUES, language="en")
    state, _, _, note = cut.do("subtitles.write", first, cues=CUES, language="es")
    assert (state, note) == ("refused", "subtitle track 1 holds our captions in 'en'; a script reaches no other track")
    assert len(cut.subtitles()) == 2


def test_only_the_newest_subtitle_file_stays_in_the_pool(cut: Cut) -> None:
    """Applied again, captions leave one SRT of ours in the media pool."""
    for text in ("a", "b", "c"):
        cut.do("subtitles.write", cut.uses()[2], cues=[{"start": 0.0, "end": 1.0, "text": text}], language="en")
    names = [clip.GetName() for clip in cut.session.clips() if clip.GetName().endswith(".srt")]
    assert names == [path.name for path in (cut.folder / "ours").glob("*.srt")]
    assert len(names) == 1
    assert cut.subtitles() == [("c", 480, 24)]


def test_another_timeline_is_reached_and_the_persons_comes_back(cut: Cut) -> None:
    """What is for a timeline that is not open lands there, and the one that a person had open is open again."""
    use = cut.uses()[2]
    other = cut.pool.CreateEmptyTimeline("Reel 2")
    assert cut.do("subtitles.write", use, cues=CUES, language="en")[0] == "applied"
    assert cut.do("markers.write", use, markers=[{"start": 1.0, "name": "Cut"}])[0] == "applied"
    ref = f"gap/{cut.reel.GetUniqueId()}/1/240"
    gap = {"ref": ref, "start": 10.0, "duration": 1.0}
    assert cut.do("placeholder.insert", file=str(cut.folder / "shot.mov"), gap=gap)[0] == "applied"
    assert len(cut.subtitles()) == 2
    assert list(cut.reel.GetMarkers()) == [504.0]
    assert len(cut.reel.GetItemListInTrack("video", 1)) == 3
    assert cut.manager.GetCurrentProject().GetCurrentTimeline().GetName() == "Reel 2"
    assert (other.GetTrackCount("subtitle"), other.GetMarkers(), other.GetItemListInTrack("video", 1)) == (0, {}, [])
    assert cut.do("clear")[0] == "applied"
    assert (cut.subtitles(), cut.reel.GetMarkers()) == ([], {})
    assert cut.manager.GetCurrentProject().GetCurrentTimeline().GetName() == "Reel 2"


def test_markers_again_replace_ours_only(cut: Cut) -> None:
    """A second set replaces the first of the same use; a person's, another use's and one that a person changed stay."""
    _, first, second = cut.uses()
    cut.reel.AddMarker(10, "Red", "mine", "", 1)
    marks = [{"start": 0.5, "name": "A"}, {"start": 1.0, "name": "B"}]
    cut.do("markers.write", second, markers=marks)
    cut.do("markers.write", first, markers=[{"start": 5.0, "name": "first"}])
    reel = cut.stage.house.manager.current.timelines[0]  # type: ignore[union-attr]  # it is open
    reel.marks[492]["note"] = "a person's words"
    state, landed, _, note = cut.do("markers.write", second, markers=[{"start": 2.0, "name": "A2"}, *marks[1:]])
    assert (state, landed, note) == ("applied", ["B"], "markers that a person changed were kept: A2")
    names = {frame: mark["name"] for frame, mark in cut.reel.GetMarkers().items()}
    assert names == {0.0: "first", 10.0: "mine", 492.0: "A", 504.0: "B"}
    cut.do("clear")
    assert [mark["name"] for mark in cut.reel.GetMarkers().values()] == ["mine", "A"]


def test_markers_of_media_in_the_pool_stay_in_its_time(cut: Cut) -> None:
    """A marker for media that is on no timeline is put on the media, at its own time and length."""
    marks = [{"start": 1.0, "name": "Cut", "note": "hard", "duration": 0.5, "colour": "Green"}]
    assert cut.do("markers.write", cut.uses()[0], markers=marks)[0] == "applied"
    [(frame, mark)] = cut.shot.GetMarkers().items()
    assert (frame, mark["color"], mark["note"], mark["duration"]) == (24.0, "Green", "hard", 12.0)
    assert cut.reel.GetMarkers() == {}
    late = cut.do("markers.write", cut.uses()[0], markers=[{"start": 9999.0, "name": "Late"}])
    assert late[:3] == ("failed", [], ["Late: frame 239976 is not there"])


def test_keywords_are_merged(cut: Cut) -> None:
    """A person's keywords stay, doubles in another case are not added, and a second set replaces only ours."""
    cut.shot.SetMetadata("Keywords", "Forest, tree")
    state, landed, _, _ = cut.do("tags.write", cut.uses()[0], tags=["Tree", "river", "a, b"])
    assert (state, landed) == ("applied", ["Tree", "river", "a b"])
    assert labels.keywords(cut.shot) == ["Forest", "tree", "river", "a b"]
    cut.do("tags.write", cut.uses()[1], tags=["bridge"])
    assert labels.keywords(cut.shot) == ["Forest", "tree", "bridge"]
    cut.studio.apply(
        {"verb": "tags.write", "proposal": "p2", "use": cut.uses()[0], "content": {"tags": ["bridge", "sky"]}}
    )
    cut.do("clear")
    assert labels.keywords(cut.shot) == ["Forest", "tree", "sky"]


def test_a_persons_description_stays(cut: Cut) -> None:
    """A description is written where there is none, replaced where it is ours, and kept where a person wrote it."""
    use = cut.uses()[0]
    assert cut.do("description.write", use, description="A tree.")[0] == "applied"
    assert cut.do("description.write", use, description="Two trees.")[:2] == ("applied", ["Description"])
    cut.shot.SetMetadata("Description", "My tree.")
    state, _, missing, _ = cut.do("description.write", use, description="Three trees.")
    assert (state, missing) == ("failed", ["Description: kept, because a person wrote one"])
    assert cut.do("clear")[3] == "the description was kept: a person changed it"
    assert cut.shot.GetMetadata("Description") == "My tree."


def stand_in(cut: Cut, name: str = "slate.mov", start: float = 10.0) -> tuple[str, list[str], list[str], str]:
    """Insert a stand-in."""
    (cut.folder / name).write_bytes(b"x")
    gap = msgspec.to_builtins(Gap(ref=f"gap/{cut.reel.GetUniqueId()}/1/240", start=start, duration=2.0))
    return cut.do("placeholder.insert", file=str(cut.folder / name), gap=gap)


def test_a_stand_in_gives_way(cut: Cut) -> None:
    """A second stand-in replaces the first where a person has moved it, the real shot replaces that, and stays."""
    assert stand_in(cut)[:2] == ("applied", ["slate.mov at 01:00:10:00 on V1"])
    item = cut.stage.house.manager.current.timelines[0].tracks["video"][0][-1]  # type: ignore[union-attr]  # it is open
    item.start, item.end = item.start + 24, item.end + 24
    assert stand_in(cut, "slate 2.mov")[1] == ["slate 2.mov, in the place of the one from before"]
    spans = [(one.GetName(), one.GetStart() - 86400) for one in cut.reel.GetItemListInTrack("video", 1)]
    assert spans == [("shot.mov", 0), ("slate.mov", 264), ("shot.mov", 480)]
    for version in ("SH010_v1.mov", "SH010_v2.mov"):
        (cut.folder / version).write_bytes(b"x")
        assert cut.do("relink", file=str(cut.folder / version))[0] == "applied"
    paths = {clip.GetClipProperty("File Path"): clip.GetClipColor() for clip in cut.session.clips()}
    assert paths == {str(cut.folder / "shot.mov"): "", str(cut.folder / "SH010_v2.mov"): ""}
    assert cut.do("clear")[0] == "applied"
    assert len(cut.reel.GetItemListInTrack("video", 1)) == 3


def test_a_stand_in_comes_back(cut: Cut) -> None:
    """Of two shots that took its place each gives way to what it replaced; a handle is told of."""
    stand_in(cut)

    def do(verb: str, proposal: str, file: str = "", head: float = 0.0) -> tuple[str, list[str], list[str], str]:
        given = {"placeholder": "p1", "former": "s1" if proposal == "s2" else ""}
        content = {"file": str(cut.folder / file), "source_in": head} if file else {}
        made = {"id": "c", "verb": verb, "proposal": proposal, "arguments": given, "content": content}
        return cut.studio.apply(made)

    def shown() -> list[tuple[str, str]]:
        clips = cut.session.clips()
        return [(Path(str(clip.GetClipProperty("File Path"))).name, str(clip.GetClipColor())) for clip in clips][1:]

    for proposal, file in (("s1", "SH010_v1.mov"), ("s2", "SH010_v2.mov")):
        (cut.folder / file).write_bytes(b"x")
        assert do("relink", proposal, file)[0] == "applied"
    assert shown() == [("SH010_v2.mov", "")]
    assert do("clear", "s2")[0] == "applied"
    assert shown() == [("SH010_v1.mov", "")]
    assert do("clear", "s1")[0] == "applied"
    assert shown() == [("slate.mov", "Orange")]
    state, _, told, _ = do("relink", "s3", "SH010_v1.mov", 0.5)
    assert (state, len(told)) == ("partial", 1)
    assert "slip it by 0.500 s" in told[0]


def test_a_stand_in_is_taken_away(cut: Cut) -> None:
    """A clear takes our stand-in off the timeline and out of the pool, and nothing else."""
    stand_in(cut)
    assert cut.do("clear")[0] == "applied"
    assert len(cut.reel.GetItemListInTrack("video", 1)) == 2
    assert [clip.GetName() for clip in cut.session.clips()] == ["shot.mov"]
    assert cut.do("relink", file=str(cut.folder / "shot.mov"))[3] == "its stand-in is not in the open project any more"


def test_what_is_not_there_is_refused(cut: Cut) -> None:
    """Files, uses, timelines and verbs that are not there are refused with the reason; nothing raises."""
    gone = {"ref": "item/none"}
    gap = {"ref": "gap/none/1/0", "start": 0.0, "duration": 1.0}
    refused = [
        cut.do("tags.write", gone, tags=["a"]),
        cut.do("relink", cut.uses()[0], file="/nowhere/a.mov"),
        cut.do("placeholder.insert", file="/nowhere/a.mov", gap=gap),
        cut.do("placeholder.insert", file=str(cut.folder / "shot.mov"), gap=gap),
        cut.do("placeholder.insert", file=str(cut.folder / "shot.mov")),
        cut.do("subtitles.write", cut.uses()[0], cues=CUES, language="en"),
        cut.do("python.run", code="1"),
        cut.studio.apply({"verb": "clear", "proposal": "p1", "project": "Another [0]"}),
    ]
    assert [state for state, _, _, _ in refused] == ["refused"] * len(refused)
    assert all(note for _, _, _, note in refused)
    assert cut.studio.apply({"verb": "tags.write"})[0] in ("failed", "refused")


def test_a_closed_project_is_refused(cut: Cut) -> None:
    """Without an open project every verb is refused, and the watch says that nothing is open."""
    watch = Watch(cut.session)
    assert [kind for kind, _ in watch.look()] == ["host.scene.loaded"]
    cut.stage.house.manager.current = None
    assert {cut.do(verb, {"ref": "pool/x"})[0] for verb in VERBS} == {"refused"}
    assert (watch.look(), watch.project, watch.timeline) == ([], "", "")


def test_a_render_that_runs_when_its_project_closes_has_ended(cut: Cut) -> None:
    """A project that is closed while it renders ends the render, so that models do not wait for ever."""
    watch, project = Watch(cut.session), cut.stage.house.manager.current
    assert project is not None
    project.jobs["j"] = {"percent": 1, "error": ""}
    assert [kind for kind, _ in watch.look()] == ["host.scene.loaded", "host.render.started"]
    cut.manager.CreateProject("Next")
    assert [kind for kind, _ in watch.look()] == ["host.render.ended", "host.scene.loaded"]


def test_a_resolve_that_does_not_answer_is_said() -> None:
    """A connection to nothing is told at once."""
    stage = Stage()
    stage.dialog = True
    with pytest.raises(Gone):
        Session(stage.resolve)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        *(("24", 24.0), ("12.5", 12.5), ("", 0.0), ("x", 0.0)),
        *(("23.976", 24000 / 1001), ("29.97 DF", 30000 / 1001), ("59.94", 60000 / 1001)),
    ],
)
def test_rates_are_exact(text: str, rate: float) -> None:
    """Rates that are written short are the fractions that they stand for."""
    assert frames.rate_of(text) == pytest.approx(rate, abs=1e-9)


def test_timecode_is_read_as_it_is_written() -> None:
    """Frames become timecode and back, with frames dropped where they are, over a day's length."""
    assert frames.timecode(86400, 24.0) == "01:00:00:00"
    assert frames.timecode(1800, 29.97, drop=True) == "00:01:00;02"
    assert frames.timecode(17982, 29.97, drop=True) == "00:10:00;00"
    for rate, drop in ((24.0, False), (29.97, True), (59.94, True), (25.0, False)):
        for frame in range(0, 5_000_000, 98_701):
            assert frames.frame_of(frames.timecode(frame, rate, drop), rate) == frame
    with pytest.raises(ValueError, match="no timecode"):
        frames.frame_of("1:2", 24.0)


def test_a_damaged_ledger_makes_nothing_ours(tmp_path: Path) -> None:
    """Where our notes cannot be read, what is on the track counts as a person's."""
    ledger = Ledger(str(tmp_path), "t")
    ledger.proposals, ledger.landed = {"p": [[0, 1, "a"]]}, [["a", 0, 24]]
    ledger.keep()
    assert Ledger(str(tmp_path), "t").cues() == [(0.0, 1.0, "a")]
    Path(ledger.path).write_text("{")
    assert (Ledger(str(tmp_path), "t").proposals, Ledger(str(tmp_path), "t").landed) == ({}, [])


def test_a_receipt_is_short_enough_for_a_message() -> None:
    """Of thousands of lines a receipt carries some hundred, and the number of the others."""
    outcome = Outcome()
    outcome.landed = ["x" * 1000] * 5000
    landed, _, _ = outcome.lines()
    assert (len(landed), landed[-1]) == (MOST + 1, "… and 4800 more")
    assert sum(map(len, landed)) < 64 * 1024


def test_the_stand_in_is_strict(cut: Cut) -> None:
    """A call that the table does not have, too few arguments, and a named one each raise."""
    with pytest.raises(NotInContract, match="not in the contract"):
        cut.reel.GetTimelineByName("x")
    with pytest.raises(NotInContract, match="5 to 6 arguments"):
        cut.reel.AddMarker(1, "Blue", "x")
    with pytest.raises(NotInContract, match="by position only"):
        cut.reel.GetTrackCount(trackType="video")
    assert "GetTimelineByName" not in dir(cut.reel)
    assert asking.running(str(cut.folder)) is False
