"""Commands at closed projects, without the application: what lands, what is kept, what is taken back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from callboard.errors import TimelineError
from callboard_kdenlive import saving, srt
from callboard_kdenlive.labels import DOT
from callboard_kdenlive.ledger import NAME
from callboard_kdenlive.measure import measure
from callboard_kdenlive.outcome import Measured, Outcome
from callboard_kdenlive.project import Project
from callboard_kdenlive.properties import prop, put
from callboard_kdenlive.refs import number_of
from callboard_kdenlive.times import clock_of, frames_of
from callboard_kdenlive.tracks import items, tracks
from callboard_kdenlive.uses import missing, open_gaps, uses
from callboard_schemas import Command, Content, Gap, HostCue, HostMarker, Use
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

DOCUMENT_ID = "kdenlive:docproperties.documentid"
PICTURE = b"\x89PNG\r\n\x1a\n"
CUES = (
    HostCue(id=1, start=0.0, end=0.5, text="Hello\nyou", italic=True),
    HostCue(id=2, start=0.52, end=1.01, text="and you", align=8),
    HostCue(id=3, start=2.1, end=2.4, text="cut away"),
)


class Closed:
    """A closed project in a folder of its own, and commands at it."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.path = folder / "edit.kdenlive"
        self.path.write_text(template.read_text("utf-8").replace("@FOLDER@", str(folder)), "utf-8")
        self.side = folder / "edit.kdenlive.srt"
        self.picture = folder / "standin.png"
        self.picture.write_bytes(PICTURE)

    def read(self) -> Project:
        """Read the project from disk."""
        return saving.read(str(self.path))[0]

    def named(self) -> dict[str, Use]:
        """Give the uses under names that a person can read: ``bin red``, ``V1 blue``."""
        names = ((use.ref.partition("-")[0], Path(use.path).stem, use) for use in uses(self.read()))
        return {f"{where} {media}": use for where, media, use in names}

    def use(self, name: str) -> Use:
        """Give the use of a name."""
        return self.named()[name]

    def clip(self, name: str) -> Any:
        """Give the bin's clip of a use."""
        project = self.read()
        return project.clip(number_of(project, self.use(name).ref))

    def gap(self) -> Gap:
        """Give its first gap."""
        return open_gaps(self.read())[0]

    def do(
        self, verb: str, content: Content | None = None, *, ref: str = "", proposal: str = "p1", **keys: Any
    ) -> Outcome:
        """Apply a command to it."""
        use = keys.pop("use", None) or (self.use(ref) if ref else None)
        command = Command(id="c1", host="h", verb=verb, proposal=proposal, use=use, content=content, **keys)
        return saving.patch(str(self.path), command, measure, now=1_800_000_000.0)

    def change(self, change: Callable[[Project], None]) -> None:
        """Change the project as a person would."""
        project = self.read()
        change(project)
        self.path.write_bytes(project.to_bytes())

    def json(self, name: str, clip: str = "") -> list[dict[str, Any]]:
        """Read a list that Kdenlive keeps on a clip, or on the project."""
        element = self.clip(clip) if clip else self.read().bin
        return list(json.loads(prop(element, name) or "[]"))


@pytest.fixture
def closed(pytestconfig: pytest.Config, tmp_path: Path) -> Closed:
    """Give a project of two tracks with pictures, a gap, and a person's marks."""
    return Closed(pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive", tmp_path)


def test_uses_of_bin_and_timeline_are_told_with_their_times(closed: Closed) -> None:
    """Each clip of the bin and of the timeline is a use; the sound of a clip with its picture is none of its own."""
    found = closed.named()
    assert list(found) == ["bin red", "bin blue", "V1 red", "V1 blue", "V2 red"]
    assert found["bin red"].path == str(closed.path.parent / "red.mp4")
    assert found["bin blue"].name == "the blue one"
    assert (found["V1 blue"].start, found["V1 blue"].source_in, found["V1 blue"].duration) == (2.8, 0.4, 1.6)


def test_the_gap_is_where_no_track_shows_a_picture(closed: Closed) -> None:
    """What a clip on another track covers is no gap."""
    (gap,) = open_gaps(closed.read())
    assert (gap.start, gap.duration, gap.rate, gap.width) == (1.2, 1.6, 25.0, 1280)


def test_a_moved_clip_keeps_its_name_and_gets_another_revision(closed: Closed) -> None:
    """A use is found again after it was moved; that it was moved shows in its revision."""
    before = closed.use("V2 red")
    closed.change(
        lambda project: items(project, tracks(project)[2])[0].entry.getprevious().set("length", "00:00:03.000")
    )
    after = closed.use("V2 red")
    assert after.start == 3.0
    assert after.revision != before.revision
    assert closed.use("V1 red").revision != after.revision


@pytest.mark.parametrize(
    "text", ["", "x", "-", "9" * 5000, "1e999999999", "1/0", "00:00:1e9", "nan", "00:99999999999:00", "1:2:3:4:5"]
)
def test_a_time_that_is_none_costs_nothing(closed: Closed, text: str) -> None:
    """Whatever stands where a time should, a project is read in no time, and its clips have no length below none."""

    def spoil(project: Project) -> None:
        for element in project.root.iter("entry", "blank"):
            for name in ("in", "out", "length"):
                if name in element.attrib:
                    element.set(name, text)

    closed.change(spoil)
    project = closed.read()
    assert all(use.duration >= 0 for use in uses(project))
    assert all(gap.duration > 0 for gap in open_gaps(project))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (NAME, "["),
        (NAME, '{"p1":{"bin-x":{"markers":[["x",null,3]],"placeholder":{"clip":7}}}}'),
        (NAME, "[" * 100_000),
        ("kdenlive:docproperties.guides", '[{"pos":"x"}]'),
        ("kdenlive:docproperties.guides", "{}"),
        (DOCUMENT_ID, "9" * 5000),
        (DOCUMENT_ID, "x"),
    ],
)
def test_what_others_wrote_in_our_places_harms_nothing(closed: Closed, name: str, text: str) -> None:
    """A list of ours that is none counts as empty, markers that cannot be read are kept, and no number is too long."""
    closed.change(lambda project: put(project.bin, name, text))
    marks = Content(markers=(HostMarker(start=1.0, name="face"),))
    outcome = closed.do("markers.write", marks, ref="V1 red", arguments={"as": "guides"})
    unreadable = name == "kdenlive:docproperties.guides"
    assert bool(outcome.refused) is unreadable
    assert (prop(closed.read().bin, name) == text) is (unreadable or name == DOCUMENT_ID)
    assert closed.do("subtitles.write", Content(cues=CUES), ref="V1 red").landed
    assert closed.do("clear").missing == []


@pytest.mark.parametrize(
    "text",
    ["a\n\n7\n00:00:09,000 --> 00:00:09,500\nb", "\x00\x0b\ufffe", "{\\an8}<i>x", "]]>&amp;", "1", " \n "],
)
def test_hostile_text_stays_text(closed: Closed, text: str) -> None:
    """Whatever a cue or a tag says, it makes no second cue and no mark-up, and the project stays XML."""
    closed.do("subtitles.write", Content(cues=(HostCue(id=1, start=0.0, end=1.0, text=text),)), ref="V1 red")
    closed.do("tags.write", Content(tags=(text,)), ref="bin red")
    closed.do("description.write", Content(description=text), ref="bin red")
    blocks = srt.read(closed.side.read_bytes(), "x") if closed.side.exists() else []
    assert len(blocks) == (1 if text.strip(" \n\x00\x0b\ufffe") else 0)
    assert all((block.start, block.end) == (0.0, 1.0) and "<i>" not in block.text for block in blocks)
    assert closed.read().bin is not None
    closed.do("clear")
    assert not closed.side.exists()


@given(
    frames=st.integers(0, 10_000_000),
    fps=st.sampled_from([Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(60000, 1001), Fraction(240)]),
)
def test_a_time_that_is_written_is_the_same_frame_when_read(frames: int, fps: Fraction) -> None:
    """A clock time to the millisecond names one frame at every rate that people edit in."""
    assert frames_of(clock_of(frames, fps), fps) == frames


@pytest.mark.parametrize("speed", ["0", "nan", "inf", "1e400", "x", ""])
def test_a_speed_that_is_none_counts_as_normal(closed: Closed, speed: str) -> None:
    """A broken speed keeps nobody from being told of the clip."""

    def spoil(project: Project) -> None:
        source = items(project, tracks(project)[1])[1].producer
        put(source, "mlt_service", "timewarp")
        put(source, "warp_speed", speed)

    closed.change(spoil)
    assert closed.use("V1 blue").speed == 1.0


def test_missing_media_is_named(closed: Closed) -> None:
    """A clip whose file is not there is told of, one whose file is there is not."""
    (closed.path.parent / "red.mp4").write_bytes(b"x")
    assert [(one.ref, one.name) for one in missing(closed.read())] == [(closed.use("bin blue").ref, "the blue one")]


def test_a_retimed_clip_maps_media_to_the_timeline(closed: Closed) -> None:
    """A clip at twice its speed says so, and begins later in its media."""

    def faster(project: Project) -> None:
        entry = items(project, tracks(project)[1])[1].entry
        source = project.named(entry.get("producer"))
        put(source, "mlt_service", "timewarp")
        put(source, "resource", f"2:{closed.path.parent}/blue.mp4")
        put(source, "warp_speed", "2")

    closed.change(faster)
    use = closed.use("V1 blue")
    assert (use.speed, use.source_in, use.path) == (2.0, 0.8, str(closed.path.parent / "blue.mp4"))


def test_tags_stand_on_the_clip_with_a_dot_and_in_its_description(closed: Closed) -> None:
    """Tags are found by the bin's search, carry a dot, and are there for scripts."""
    outcome = closed.do("tags.write", Content(tags=("tree", "outdoor")), ref="bin red")
    clip = closed.clip("bin red")
    assert outcome.landed == ["tag outdoor", "tag tree"]
    assert outcome.missing == []
    assert prop(clip, "kdenlive:tags") == DOT
    assert prop(clip, "kdenlive:callboard.tags") == "tree, outdoor"
    assert prop(clip, "kdenlive:description") == "Tags: tree, outdoor"


def test_a_persons_description_and_dots_stay(closed: Closed) -> None:
    """A description that a person wrote is kept, and said to be in the way; a dot is added beside theirs."""
    outcome = closed.do("tags.write", Content(tags=("tree",)), ref="V1 blue")
    clip = closed.clip("bin blue")
    assert prop(clip, "kdenlive:description") == "kept for the trailer"
    assert prop(clip, "kdenlive:tags") == f"#ff0000;{DOT}"
    assert outcome.landed == ["tag tree"]
    assert outcome.missing == ["description: a person wrote one, which is kept"]


def test_a_second_apply_replaces_what_the_first_made(closed: Closed) -> None:
    """Other tags of the same proposal take the place of those before; those of another stand beside."""
    closed.do("tags.write", Content(tags=("tree",)), ref="bin red")
    closed.do("tags.write", Content(tags=("car",)), ref="bin red")
    closed.do("tags.write", Content(tags=("night",)), ref="bin red", proposal="p2")
    closed.do("description.write", Content(description="A red wall.", author="Ada"), ref="bin red", proposal="p2")
    clip = closed.clip("bin red")
    assert prop(clip, "kdenlive:callboard.tags") == "car, night"
    assert prop(clip, "kdenlive:description") == "A red wall.\nTags: car, night"


def test_markers_lie_at_times_of_the_media(closed: Closed) -> None:
    """A marker goes to its frame of the clip; one where a person's is stays out, and is said to."""
    content = Content(
        markers=(
            HostMarker(start=1.0, name="face", note="Ada", colour="green", duration=0.5),
            HostMarker(start=0.4, name="x"),
        )
    )
    outcome = closed.do("markers.write", content, ref="V1 red")
    assert closed.json("kdenlive:markers", "bin red") == [
        {"comment": "first smile", "pos": 10, "type": 3},
        {"comment": "face: Ada (0.5 s)", "pos": 25, "type": 3},
    ]
    assert outcome.landed == ["marker 00:00:01.000 face: Ada (0.5 s)"]
    assert outcome.missing == ["marker 'x': another is at 00:00:00.400, and one frame holds one"]


def test_guides_lie_where_the_media_is_shown(closed: Closed) -> None:
    """Guides of a clip go to where the timeline shows it; what is cut away gets none."""
    content = Content(markers=(HostMarker(start=1.0, name="in"), HostMarker(start=0.1, name="out")))
    outcome = closed.do("markers.write", content, ref="V1 blue", arguments={"as": "guides"})
    assert [(g["pos"], g["comment"]) for g in closed.json("kdenlive:docproperties.guides")] == [
        (60, "act two"),
        (85, "in"),
    ]
    assert outcome.notes == ["marker 'out' is of what the timeline does not show"]


def test_a_marker_that_a_person_changed_is_theirs(closed: Closed) -> None:
    """After a person renamed one of ours, a second apply and a clear leave it, and say so."""
    closed.do("markers.write", Content(markers=(HostMarker(start=1.0, name="face"),)), ref="bin red")

    def rename(project: Project) -> None:
        clip = project.clips()[0]
        put(clip, "kdenlive:markers", (prop(clip, "kdenlive:markers") or "").replace('"face"', '"Ada\'s face"'))

    closed.change(rename)
    outcome = closed.do("markers.write", Content(markers=(HostMarker(start=2.0, name="car"),)), ref="bin red")
    assert [m["comment"] for m in closed.json("kdenlive:markers", "bin red")] == ["first smile", "Ada's face", "car"]
    assert outcome.missing == ["1 earlier marker(s): changed or taken out by a person; left as they are"]
    closed.do("clear")
    assert [m["comment"] for m in closed.json("kdenlive:markers", "bin red")] == ["first smile", "Ada's face"]


def test_subtitles_lie_on_the_timeline_on_whole_frames(closed: Closed) -> None:
    """Cues go to where their media is shown, cut at its end, into the file beside the project, which is then shown."""
    outcome = closed.do("subtitles.write", Content(cues=CUES), ref="V1 red")
    assert closed.side.read_text("utf-8") == (
        "1\n00:00:00,000 --> 00:00:00,480\n<i>Hello\nyou</i>\n\n2\n00:00:00,520 --> 00:00:01,000\n{\\an8}and you\n"
    )
    (shown,) = (f for f in closed.read().main.findall("filter") if prop(f, "mlt_service") == "avfilter.subtitles")
    assert prop(shown, "av.filename") == str(closed.side)
    assert prop(closed.read().bin, DOCUMENT_ID) == "1800000000000"
    assert outcome.landed == ["subtitle 00:00:00.000 <i>Hello you</i>", "subtitle 00:00:00.520 {\\an8}and you"]
    assert outcome.notes == ["1 subtitle(s) are of what the timeline does not show"]


def test_a_persons_subtitles_are_never_rewritten(closed: Closed) -> None:
    """Cues of a person keep their marks, win where ours would overlap, and survive a second apply and a clear."""
    theirs = '7\n00:00:00,520 --> 00:00:00,900\n<font color="#ff0000">Mine</font>  \n{\\i1}two{\\i0}\n'
    closed.side.write_text(theirs, "utf-8")
    outcome = closed.do("subtitles.write", Content(cues=CUES), ref="V1 red")
    closed.do("subtitles.write", Content(cues=CUES[:2]), ref="V1 red")
    assert '<font color="#ff0000">Mine</font>' in closed.side.read_text("utf-8")
    assert closed.side.read_text("utf-8").count("Hello") == 1
    assert outcome.missing == ["subtitle 00:00:00.520 {\\an8}and you: another is shown at that time"]
    closed.do("clear")
    assert closed.side.read_text("utf-8").split("\n")[1:4] == theirs.rstrip().replace("  \n", "  \n").split("\n")[1:4]


def test_subtitles_of_a_clip_of_the_bin_go_to_all_of_its_uses(closed: Closed) -> None:
    """A clip that is shown twice has its cues twice, each where its use shows them."""
    cue = HostCue(id=1, start=1.1, end=1.5, text="twice")
    outcome = closed.do("subtitles.write", Content(cues=(cue,)), ref="bin red")
    assert outcome.landed == ["subtitle 00:00:01.120 twice", "subtitle 00:00:03.280 twice"]


def test_a_placeholder_fills_the_gap_and_moves_nothing(closed: Closed) -> None:
    """The stand-in lies in the gap to the frame, and every other clip lies where it lay."""
    before = closed.named()
    outcome = closed.do("placeholder.insert", Content(gap=closed.gap(), file=str(closed.picture)))
    after = closed.named()
    new = after["V1 standin"]
    assert {name: after[name] for name in before} == before
    assert (new.start, new.duration, new.path) == (1.2, 1.6, str(closed.picture))
    assert open_gaps(closed.read()) == []
    assert outcome.landed == ["stand-in standin.png at 00:00:01.200 on V1"]


def test_a_second_placeholder_takes_the_place_of_the_first(closed: Closed) -> None:
    """Another file for the same gap is shown where the first lies, also after a person moved that."""
    gap = closed.gap()
    closed.do("placeholder.insert", Content(gap=gap, file=str(closed.picture)))
    other = closed.picture.with_name("other.png")
    other.write_bytes(PICTURE)

    def trim(project: Project) -> None:
        entry = items(project, tracks(project)[1])[1].entry
        entry.set("out", "00:00:00.960")
        entry.addnext(etree.Element("blank", length="00:00:00.600"))

    closed.change(trim)
    closed.do("placeholder.insert", Content(gap=gap, file=str(other)))
    use = closed.use("V1 other")
    assert (use.path, use.duration) == (str(other), 1.0)
    assert len(closed.read().clips()) == 3
    outcome = closed.do("clear")
    assert outcome.missing == ["stand-in at 00:00:01.200: moved, cut or changed by a person; kept"]
    assert closed.use("V1 other").duration == 1.0


def test_a_gap_that_was_filled_meanwhile_is_left_alone(closed: Closed) -> None:
    """Where no track has room at the gap any more, nothing is placed and nothing is written."""
    gap = closed.gap()
    for proposal in ("p1", "p2"):
        closed.do("placeholder.insert", Content(gap=gap, file=str(closed.picture)), proposal=proposal)
    before = closed.path.read_bytes()
    outcome = closed.do("placeholder.insert", Content(gap=gap, file=str(closed.picture)), proposal="p3")
    assert outcome.stale == "no free track at 00:00:01.200 for 00:00:01.600"
    assert closed.path.read_bytes() == before


def test_a_relink_reaches_every_source_of_the_clip(closed: Closed) -> None:
    """The bin and each track show the new file; a clear points all of them back."""
    shot = closed.path.parent / "shot.png"
    shot.write_bytes(PICTURE)
    before = closed.use("bin red")
    outcome = closed.do("relink", Content(file=str(shot)), ref="bin red")
    assert sorted(closed.named()) == ["V1 blue", "V1 shot", "V2 shot", "bin blue", "bin shot"]
    assert closed.use("bin shot").ref == before.ref
    assert {prop(p, "resource") for p in closed.read().of_clip("4")} == {str(shot)}
    assert outcome.landed == [f"{before.ref}: {shot}"]
    closed.do("clear")
    assert sorted(closed.named()) == ["V1 blue", "V1 red", "V2 red", "bin blue", "bin red"]


def test_a_command_for_another_revision_waits_for_a_person(closed: Closed) -> None:
    """A clip that was moved since is stale and the file stays as it is; agreed to, the command is done."""
    use = closed.use("V1 red")
    before = closed.path.read_bytes()
    outcome = closed.do("subtitles.write", Content(cues=CUES), use=use, revision="0000000000000000")
    assert outcome.stale == "red.mp4 was moved, cut or retimed since"
    assert closed.path.read_bytes() == before
    agreed = closed.do("subtitles.write", Content(cues=CUES), use=use, revision="0", arguments={"anyway": True})
    assert len(agreed.landed) == 2


def test_the_file_as_it_was_is_kept_beside(closed: Closed) -> None:
    """The project before the last change is beside it, byte for byte, and no temporary file is left."""
    before = closed.path.read_bytes()
    closed.do("tags.write", Content(tags=("tree",)), ref="bin red")
    assert closed.path.with_name("edit.kdenlive.callboard-backup").read_bytes() == before
    assert sorted(os.listdir(closed.path.parent)) == ["edit.kdenlive", "edit.kdenlive.callboard-backup", "standin.png"]


def test_the_same_command_twice_changes_nothing(closed: Closed) -> None:
    """A command that is delivered again leaves the very same bytes."""
    closed.do("markers.write", Content(markers=(HostMarker(start=1.0, name="face"),)), ref="bin red")
    once = closed.path.read_bytes()
    outcome = closed.do("markers.write", Content(markers=(HostMarker(start=1.0, name="face"),)), ref="bin red")
    assert closed.path.read_bytes() == once
    assert outcome.landed == ["marker 00:00:01.000 face"]


def test_a_save_in_between_is_never_overwritten(closed: Closed) -> None:
    """Where a person saves while a change is made, theirs stands, and ours says so."""
    theirs = closed.path.read_bytes().replace(b"act two", b"act three")
    film = closed.picture.with_name("film.mp4")
    film.write_bytes(b"x")

    def meanwhile(_path: str) -> Measured:
        closed.path.write_bytes(theirs)
        return Measured(10.0, video=True, audio=False)

    content = Content(gap=closed.gap(), file=str(film))
    command = Command(id="c", host="h", verb="placeholder.insert", proposal="p", content=content)
    with pytest.raises(TimelineError) as caught:
        saving.patch(str(closed.path), command, meanwhile)
    assert caught.value.problem == "was saved by someone else meanwhile"
    assert closed.path.read_bytes() == theirs


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text.replace(">1.04<", ">1.1<"), "is of project version 1.1 (Kdenlive 22.12.3); only 1.04"),
        (lambda text: text.replace('id="main_bin"', 'id="other"'), "has no project bin"),
        (lambda text: text[:400], "is no XML"),
        (lambda text: text.replace("<mlt ", "<!DOCTYPE mlt [<!ENTITY a 'b'>]><mlt ", 1), "declares a document type"),
        (lambda text: text.replace('frame_rate_den="1"', 'frame_rate_den="0"'), "does not say its frame rate"),
    ],
)
def test_a_file_that_is_not_known_whole_is_refused(closed: Closed, change: Callable[[str], str], problem: str) -> None:
    """Another version, or what is no project, is refused before anything is written, with what to do instead."""
    closed.path.write_text(change(closed.path.read_text("utf-8")), "utf-8")
    before = closed.path.read_bytes()
    with pytest.raises(TimelineError) as caught:
        saving.patch(str(closed.path), Command(id="c", host="h", verb="clear", proposal="p"), measure)
    assert problem in caught.value.message
    assert caught.value.hint
    assert closed.path.read_bytes() == before


def _ours_aside(data: bytes, path: Path) -> bytes:
    """Give a project in a canonical form, without what is neither ours nor a person's: the document's id."""
    project = Project(data, str(path))
    put(project.bin, DOCUMENT_ID, "")
    for element in project.root.iter("property"):
        if element.get("name") in ("kdenlive:markers", "kdenlive:docproperties.guides"):
            element.text = json.dumps(json.loads(element.text or "[]"))
    return bytes(etree.tostring(project.root, method="c14n"))


def _with_subtitles(project: Project) -> None:
    """Show subtitles, as a project of a person's does that has some."""
    shown = etree.SubElement(project.main, "filter", id="filter9")
    for name, value in (("mlt_service", "avfilter.subtitles"), ("av.filename", "/tmp/1795303099000.srt")):
        put(shown, name, value)


commands = st.one_of(
    st.tuples(
        st.sampled_from(["tags.write", "description.write"]),
        st.sampled_from(["bin red", "bin blue", "V1 red", "V2 red"]),
        st.builds(
            Content,
            tags=st.lists(st.sampled_from(["tree", "car", "ü & <x>", "夜"]), max_size=3).map(tuple),
            description=st.sampled_from(["", "A wall.", "<b> & co"]),
        ),
    ),
    st.tuples(
        st.just("markers.write"),
        st.sampled_from(["bin red", "V1 blue"]),
        st.lists(st.builds(HostMarker, start=st.floats(0, 3), name=st.sampled_from(["a", "b", "é"])), max_size=4).map(
            lambda found: Content(markers=tuple(found))
        ),
    ),
    st.tuples(
        st.just("subtitles.write"),
        st.sampled_from(["bin red", "bin blue", "V1 red", "V1 blue"]),
        st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 1)), max_size=4).map(
            lambda spans: Content(
                cues=tuple(HostCue(id=i, start=s, end=s + d, text=f"cue {i}") for i, (s, d) in enumerate(spans))
            )
        ),
    ),
    st.tuples(st.just("placeholder.insert"), st.just(""), st.just(Content())),
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(done=st.lists(st.tuples(st.sampled_from(["p1", "p2"]), st.booleans(), commands), min_size=1, max_size=6))
def test_whatever_is_applied_a_clear_brings_the_persons_project_back(
    closed: Closed, pytestconfig: pytest.Config, done: list[Any]
) -> None:
    """After any commands, and a clear of each proposal, project and subtitles are as the person left them."""
    fresh = Closed(pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive", closed.path.parent)
    theirs = "1\n00:00:03,000 --> 00:00:03,400\n<i>mine</i> {\\an8}\n"
    fresh.side.write_text(theirs, "utf-8")
    fresh.change(_with_subtitles)
    before, gap = fresh.path.read_bytes(), fresh.gap()
    for proposal, guides, (verb, ref, content) in done:
        placing = verb == "placeholder.insert"
        content = Content(gap=gap, file=str(fresh.picture)) if placing else content
        fresh.do(verb, content, ref=ref, proposal=proposal, arguments={"as": "guides"} if guides else {})
    for proposal in ("p1", "p2"):
        assert fresh.do("clear", proposal=proposal).missing == []
    assert _ours_aside(fresh.path.read_bytes(), fresh.path) == _ours_aside(before, fresh.path)
    assert prop(fresh.read().bin, NAME) is None
    assert fresh.side.read_text("utf-8") == theirs
    shutil.rmtree(fresh.path.parent)
    fresh.path.parent.mkdir()
