"""Shot lists: spreadsheets as production tools export them, shots.toml, and what a cut and a list say of each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from callboard.coverage.cut import Cut, Item
from callboard.coverage.headers import reading
from callboard.coverage.ondisk import cut_of
from callboard.coverage.report import Coverage, cover
from callboard.coverage.shotlist import Listed, read_list
from callboard.coverage.standins import StandIns
from callboard.errors import TimelineError
from callboard.timedtext.rate import parse_rate
from callboard_schemas import Line

RATE = parse_rate("25")


def listed(path: Path, text: str | bytes, rate: str = "25") -> Listed:
    """Write a list and read it."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_list(path, parse_rate(rate))


def covered(cut: Cut, against: Listed | None = None) -> Coverage:
    """Hold a cut against the disk and a list."""
    with reading() as headers:
        return cover(cut, headers, StandIns(), listed=against)


def cut(*shots: tuple[str, int, str], start: int = 0) -> Cut:
    """Make a cut of one track: name, length and state."""
    items, at = [], 0
    for name, frames, state in shots:
        items.append(Item(ref=f"V1-{at}", track="V1", start=at, frames=frames, name=name, state=state))  # type: ignore[arg-type]  # a state
        at += frames
    return Cut(path="cut.otio", format="otio", rate=RATE, tracks=("V1",), items=tuple(items), start=start)


def test_what_a_shot_list_says_becomes_its_brief(tmp_path: Path) -> None:
    """Columns by their usual names; words that a brief does not have go into its notes."""
    text = (
        "Shot,Description,Duration,Shot Size,Angle,Movement,Dialogue,Characters,Slug,Notes,Lens\n"
        'SH010,Mara finds the door,00:00:02:12,MCU,low,push in,"MARA: It was locked.\nJON: Not any more.",'
        '"Mara, Jon",EXT. HARBOUR - NIGHT,rain,35mm\n'
        "SH020,,1.5,Long lens single,,,,,,,\n"
    )
    one, two = listed(tmp_path / "shots.csv", text).shots
    brief = one.brief
    assert (one.name, one.frames, one.where) == ("SH010", 62, "row 2")
    assert (brief.purpose, brief.shot_size, brief.angle) == ("Mara finds the door", "medium close-up", "low angle")
    assert (brief.movement, brief.cast, brief.slug) == ("dolly in", ("Mara", "Jon"), "EXT. HARBOUR - NIGHT")
    assert brief.dialogue == (
        Line(text="It was locked.", speaker="MARA"),
        Line(text="Not any more.", speaker="JON"),
    )
    assert (brief.notes, brief.lens) == ("rain", 35.0)
    assert (two.frames, two.brief.shot_size, two.brief.notes) == (38, None, "Shot Size: Long lens single")


SHOTGRID = '"Shot Code","Sequence","Status","Description","Cut Order","Cut In","Cut Out","Cut Duration"\n'


@pytest.mark.parametrize(
    ("data", "shots"),
    [
        (SHOTGRID + '"010_0020","010","wtg","The pier","2","1009","1056","48"\n', [("010_0020", 48)]),
        ("\ufeffName;Type;Status;Description;Frames\nsh010;Shot;Not started;Pier;120\n", [("sh010", 120)]),
        ("Scene\tShot\tSize\n1\t1\tWS\n1\t2\tCU\n2\t1\tCU\n", [("1_1", 0), ("1_2", 0), ("2_1", 0)]),
        ("Shot|Length\nA1|2 s\n\n  \nA2|1 min 2s 3f\n", [("A1", 50), ("A2", 1553)]),
        ("Shot,Duration\r\nA,0:03\r\n,only a heading\r\nB,60 frames\r\n".encode("utf-16"), [("A", 75), ("B", 60)]),
        ("Shot,Purpose\nA,Caf\xe9\n".encode("cp1252"), [("A", 0)]),
        ("Shot,Frames,FPS\nA,48,24\n", [("A", 50)]),
    ],
)
def test_exports_are_read_as_they_come(tmp_path: Path, data: str | bytes, shots: list[tuple[str, int]]) -> None:
    """Commas, semicolons, tabs and bars; with a byte-order mark or in another encoding; scenes before bare numbers."""
    assert [(one.name, one.frames) for one in listed(tmp_path / "shots.csv", data).shots] == shots


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("s.csv", "Shot,Duration\nA,2\nB,soon\n", "row 3, column 'Duration': 'soon' is no length"),
        ("s.csv", "Shot,Frames\nA,0\n", "row 2, column 'Frames': '0' is no length"),
        ("s.csv", 'Shot,Note\nA,"two\nlines"\nA,again\n', "row 4: shot 'A' stands at row 2 already"),
        ("s.csv", "Colour,Weight\nred,1\n", "row 1: no column names the shots"),
        ("s.csv", 'Shot\n"A\n', "row 2: is no CSV"),
        ("s.csv", "Shot,People\nA,many\n", "row 2, column 'People': 'many' is no number of people"),
        ("s.csv", "Shot,TC In,Frames\nA,01:00:00:30,5\n", "row 2, column 'TC In'"),
        ("s.csv", "", "is empty"),
        ("s.csv", "Shot\n", "has a heading and no shots"),
        ("s.csv", "PK\x03\x04\0\0", "it is no CSV"),
        ("s.toml", "[[shot]]\nname = 'A'\nframes = 'x'\n", "shot[0].frames: expected"),
        ("s.toml", "[[shot]]\nname = 'A'\nshot_size = 'huge'\n", "shot[0].shot_size: 'huge' is none of: extreme"),
        ("s.toml", "[[shot]]\nname = 'A'\ncolour = 1\n", "shot[0]: object contains unknown field `colour`"),
        ("s.toml", "[[shot]]\nname = 'A'\nframes = 1\nduration = 2\n", "shot[0].duration: frames say already"),
        ("s.toml", "[[shot]]\nname = 'A'\nduration = 'soon'\n", "shot[0].duration: 'soon' is no length"),
        ("s.toml", "[[shot]]\nname = 'A'\nstart = 'soon'\n", "shot[0].start: 'soon' is no timecode"),
        ("s.toml", "rate = 'fast'\n[[shot]]\nname = 'A'\n", "rate: 'fast' is no frame rate"),
        ("s.toml", "rate = 25\n", "shot: there is no [[shot]]"),
        ("s.toml", "[[shot]\n", "is no TOML"),
    ],
)
def test_a_mistake_is_named_where_it_is(tmp_path: Path, name: str, text: str, problem: str) -> None:
    """Errors name the row and the column, or the key."""
    with pytest.raises(TimelineError) as refused:
        listed(tmp_path / name, text)
    assert problem in refused.value.message


def test_shots_toml_says_everything(tmp_path: Path) -> None:
    """Every field of a shot; lengths in frames, seconds, words and timecode; sizes in words people use."""
    text = """
    rate = "29.97df"
    size = "1280x720"
    [[shot]]
    name = "SH010"
    purpose = "Mara finds the door open"
    duration = "2 s 12 f"
    start = "01:00:10;00"
    shot_size = "MCU"
    angle = "high"
    movement = "truck left"
    people = 2
    cast = ["Mara", "Jon"]
    dialogue = "MARA: It was locked."
    time_of_day = "sunset"
    interior = false
    lens = 50
    palette = ["#102030"]
    [[shot]]
    name = "SH020"
    duration = 2.5
    start = "01:00:12;12"
    """
    found = listed(tmp_path / "shots.toml", text)
    one, two = found.shots
    assert (str(found.rate), found.width, found.timed) == ("29.97df", 1280, True)
    assert (one.frames, two.frames) == (72, 75)
    assert one.start == found.rate.frame_of("01:00:10;00")
    assert (one.brief.shot_size, one.brief.time_of_day, one.brief.people) == ("medium close-up", "dusk", 2)
    assert (one.brief.interior, one.brief.palette, one.brief.lens) == (False, ("#102030",), 50.0)


def test_a_list_and_a_cut_say_what_only_one_of_them_has(tmp_path: Path) -> None:
    """Shots that are not cut in, clips that no list knows, and shots that grew; versions and capitals do not count."""
    found = covered(
        cut(("sh010_v003.mov", 50, "real"), ("SH-020", 60, "real"), ("insert", 10, "real")),
        listed(tmp_path / "s.csv", "Shot,Frames\nSH010,50\nSH_020,48\nSH030,20\n"),
    )
    assert found.compared is not None
    told = found.compared
    assert (told.absent, told.unknown, told.longer) == (("SH030",), ("insert",), ("SH_020",))
    assert [one.shot for one in found.cut.items] == ["SH010", "SH_020", "insert"]


def test_gaps_get_the_names_that_the_order_leaves(tmp_path: Path) -> None:
    """A gap between two listed shots is the one between them, marked as a guess; where it may be two, it is none."""
    order = listed(tmp_path / "s.csv", "Shot\nSH010\nSH020\nSH030\nSH040\nSH050\nSH060\n")
    found = covered(
        cut(("SH010", 50, "real"), ("", 40, "gap"), ("SH030", 50, "real"), ("", 9, "gap"), ("SH060", 5, "real")), order
    )
    assert [one.shot for one in found.cut.items] == ["SH010", "SH020", "SH030", "", "SH060"]
    assert found.cut.items[1].guesses == {"shot": "from the shot list's order"}
    assert found.compared is not None
    assert found.compared.absent == ("SH040", "SH050")


def test_gaps_get_the_names_that_their_time_has(tmp_path: Path) -> None:
    """A list with timecode names a gap by the shot that covers most of it."""
    text = "Shot,TC In,Frames\nSH010,01:00:00:00,50\nSH020,01:00:02:00,40\nSH030,01:00:03:15,50\n"
    timed = listed(tmp_path / "s.csv", text)
    found = covered(cut(("SH010", 48, "real"), ("", 42, "gap"), ("SH030", 50, "real"), start=90_000), timed)
    assert [one.shot for one in found.cut.items] == ["SH010", "SH020", "SH030"]


def test_a_list_alone_is_held_against_the_disk(tmp_path: Path, samples: Path) -> None:
    """The newest version counts, a real shot before a stand-in; holes in sequences are told; folders are searched."""
    media = tmp_path / "media"
    (media / "deep").mkdir(parents=True)
    film = (samples / "one_frame.mp4").read_bytes()
    for name in ("SH010_v001.mp4", "deep/SH010_v002.mp4", "SH010_PLACEHOLDER_v009_slate.mov"):
        (media / name).write_bytes(film)
    (media / "SH020_PLACEHOLDER_v001_slate.mov").write_bytes(film)
    for number in (1001, 1002, 1003, 1005):
        (media / f"SH030.{number}.exr").write_bytes(b"x")
    shots = listed(tmp_path / "s.csv", "Shot,Frames\nSH010,\nSH020,\nSH030,6\nSH040,\n")
    found = covered(cut_of(shots, [media]))
    told = {one.shot: one for one in found.cut.items}
    assert told["SH010"].media.endswith("deep/SH010_v002.mp4")
    assert told["SH020"].state == "stand-in"
    assert (told["SH030"].state, told["SH030"].missing) == ("partial", ((1004, 1004), (1006, 1006)))
    assert told["SH040"].state == "offline"
    assert not found.cut.timed
    assert found.cut.timecode(0) == ""
