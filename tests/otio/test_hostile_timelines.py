"""Files that are broken or mean harm are refused with the line, quickly, and nothing of them is run or unpacked."""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from callboard.errors import CallboardError, TimelineError, UsageError
from callboard.timedtext.rate import Rate
from callboard_otio import edl, guard, read, write
from callboard_otio.bundles import unpack
from callboard_otio.rates import span
from callboard_otio.reading import opened
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimelineio import schema

BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE x [\n<!ENTITY a "aaaaaaaaaa">\n'
    + "\n".join(f'<!ENTITY a{n} "{"&a%s;" % (n - 1 if n else "") * 10}">' for n in range(12))
    + "\n]>\n<{0}>&a11;</{0}>"
)
XXE = (
    '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>\n<{0}><sequence>&f;</sequence></{0}>'
)
EDL = "TITLE: t\n001  R  V  C  01:00:00:00 01:00:01:00 01:00:00:00 01:00:01:00\n"


def _file(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def _otio(**changes: Any) -> str:
    timeline = schema.Timeline("t")
    track = schema.Track(kind="Video")
    track.append(schema.Clip("a", schema.MissingReference(), span(0, 5, Rate(24))))
    timeline.tracks.append(track)
    text = str(timeline.to_json_string())
    for old, new in changes.items():
        text = text.replace(f'"{old}": ', f'"{old}": {new}, "was": ', 1)
    return text


def _nested(name: str, depth: int) -> str:
    return f"<{name}>" * depth + f"</{name}>" * depth


CASES: dict[str, tuple[str | bytes, str]] = {
    "empty.otio": ("", "is empty"),
    "cut.otio": (_otio()[:200], "line "),
    "list.otio": ("[1, 2]", "no OpenTimelineIO"),
    "deep.otio": ("[" * 1_000_000, "nested deeper"),
    "deeper.otio": ('{"OTIO_SCHEMA": "Timeline.1", "metadata": ' + '{"a":' * 400 + "1" + "}" * 401, "deeper than 256"),
    "unknown.otio": ('{"OTIO_SCHEMA": "Bomb.99"}', "no timeline or clip"),
    "old.otio": ('{"OTIO_SCHEMA": "Timeline.99", "name": "x"}', "cannot be read as otio"),
    "huge.otio": (_otio(value="1e300"), "are no time"),
    "rate.otio": (_otio(rate="0.0"), "are no time"),
    "bomb.xml": (BOMB.replace("{0}", "xmeml"), "line 3: declares entities"),
    "bomb.fcpxml": (BOMB.replace("{0}", "fcpxml"), "line 3: declares entities"),
    "xxe.xml": (XXE.replace("{0}", "xmeml"), "line 2: declares entities"),
    "open.xml": ("<xmeml>\n<sequence>\n</xmeml>", "line 3: mismatched tag"),
    "deep.xml": (_nested("xmeml", 1000), "too deep"),
    "html.xml": ("<html>\n</html>", "its root is <html>"),
    "none.xml": ('<xmeml version="4"/>', "cannot be read as fcp7"),
    "none.fcpxml": ('<fcpxml version="1.9"/>', "holds no project"),
    "text.edl": ("hello\n1 this is no event\n", "line 2: is no event"),
    "binary.edl": (b"TITLE\0\1", "is not text"),
    "false.aaf": (b"not an aaf at all", "is no AAF"),
    "cut.aaf": (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "cannot be read as aaf"),
    "x.ale": ("Heading\nFPS\t24\n\nColumn\nName\tStart\n\nData\na\tb\tc\td\n", "cannot be read as ale"),
    "x.prproj": ("x", "no timeline format that is known"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_read_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    """Each says what is wrong, where that can be told the line, and what to do; none takes long."""
    data, why = CASES[name]
    begin = time.process_time()
    with pytest.raises(TimelineError, match=why) as caught:
        read(_file(tmp_path, name, data))
    assert caught.value.hint
    assert time.process_time() - begin < 20, "milliseconds on a quiet machine; what it claims would take for ever"


def test_times_that_are_none_name_the_clip(tmp_path: Path) -> None:
    """NaN and infinity, which JSON of this library may hold, are refused with the clip that has them."""
    for value in ("NaN", "Infinity"):
        with pytest.raises(TimelineError):
            read(_file(tmp_path, "a.otio", _otio(value=value)))
    with pytest.raises(TimelineError, match=r"clip \d+ 'a'"):
        read(_file(tmp_path, "b.otio", _otio(value="1e30")))


def test_fcpxml_that_holds_itself_is_refused(tmp_path: Path) -> None:
    """A compound clip inside itself is named with its line, and so is a time that is none."""
    text = """<fcpxml version="1.8"><resources><format id="r1" frameDuration="1/25s"/>
    <media id="m"><sequence format="r1"><spine>
    <ref-clip ref="m" duration="1s"/></spine></sequence></media></resources>
    <project><sequence format="r1"><spine><ref-clip ref="m" duration="1s"/></spine></sequence></project></fcpxml>"""
    with pytest.raises(TimelineError, match="line 3: <ref-clip> holds itself"):
        read(_file(tmp_path, "a.fcpxml", text))
    with pytest.raises(TimelineError, match=r"line 4: <ref-clip> duration='1/0s' is no time"):
        read(_file(tmp_path, "b.fcpxml", text.replace('duration="1s"/></spine></sequence></project>', 'duration="1/0s"/></spine></sequence></project>')))  # fmt: skip  # noqa: E501 - one text


def _bundle(path: Path, entries: dict[str, bytes], content: str | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("content.otio", _otio() if content is None else content)
        for name, data in entries.items():
            bundle.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["../out.mov", "/etc/out.mov", "media/../../out.mov", "..\\out.mov", "C:/out.mov"])
def test_a_bundle_that_leads_out_of_itself_is_refused(name: str, tmp_path: Path) -> None:
    """No entry may climb out, from its root, with a drive or with the other slash; nothing is written."""
    path = _bundle(tmp_path / "a.otioz", {name: b"x"})
    with pytest.raises(TimelineError, match="leads out of the bundle"):
        read(path)
    with pytest.raises(TimelineError, match="leads out of the bundle"):
        unpack(path, schema.Timeline(), tmp_path / "media")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.otioz"]


def test_a_bundle_that_unpacks_to_a_mountain_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeline larger than any, in a bundle of a few kilobytes, is told by its own table of contents."""
    monkeypatch.setattr(guard, "MAX_BYTES", 1 << 20)
    path = _bundle(tmp_path / "a.otioz", {}, _otio() + " " * (8 << 20))
    assert path.stat().st_size < 20_000
    with pytest.raises(TimelineError, match="unpacks to more"):
        read(path)
    with pytest.raises(TimelineError, match="a timeline may have"):
        read(_file(tmp_path, "a.otio", _otio() + " " * (2 << 20)))


def test_links_and_missing_timelines_in_bundles_are_refused(tmp_path: Path) -> None:
    """A symbolic link is no media; a zip without a timeline is no bundle; half a zip is none either."""
    link = zipfile.ZipInfo("media/a.mov")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.otioz", "w") as bundle:
        bundle.writestr("content.otio", _otio())
        bundle.writestr(link, "/etc/passwd")
    with pytest.raises(TimelineError, match="leads out"):
        read(tmp_path / "a.otioz")
    with zipfile.ZipFile(tmp_path / "b.otioz", "w") as bundle:
        bundle.writestr("readme.txt", "x")
    with pytest.raises(TimelineError, match=r"no content\.otio"):
        read(tmp_path / "b.otioz")
    (tmp_path / "c.otioz").write_bytes((tmp_path / "a.otioz").read_bytes()[:60])
    with pytest.raises(TimelineError, match="no whole zip"):
        read(tmp_path / "c.otioz")


def test_media_of_a_bundle_goes_into_a_new_file_only(tmp_path: Path) -> None:
    """It is unpacked by its bare name; what is there already is not touched."""
    path = _bundle(tmp_path / "a.otioz", {"media/a.mov": b"film"})
    found = opened(path)
    found.timeline.tracks[0][0].media_reference = schema.ExternalReference("media/a.mov")
    assert unpack(path, found.timeline, tmp_path / "m") == 1
    assert (tmp_path / "m" / "a.mov").read_bytes() == b"film"
    assert found.timeline.tracks[0][0].media_reference.target_url == (tmp_path / "m" / "a.mov").as_uri()
    with pytest.raises(UsageError, match="there already"):
        unpack(path, found.timeline, tmp_path / "m")


def _answered(path: Path) -> bool:
    """Say whether a file is a timeline, or is refused with what to do next."""
    try:
        return isinstance(read(path), schema.Timeline)
    except CallboardError as error:
        return bool(error.hint)


@given(data=st.binary(max_size=300), name=st.sampled_from(["a.otio", "a.edl", "a.xml", "a.fcpxml", "a.ale", "a.otioz"]))
def test_no_bytes_raise_anything_else(data: bytes, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever a file holds, the answer is a timeline or a reason."""
    path = _file(tmp_path_factory.getbasetemp(), name, data)
    assert _answered(path)


@settings(max_examples=40)
@given(cut=st.integers(0, 3000), at=st.integers(0, 3000), byte=st.integers(0, 255))
def test_no_damage_raises_anything_else(cut: int, at: int, byte: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A good file with a byte changed, or its end cut off, is a timeline or a reason too."""
    folder = tmp_path_factory.getbasetemp()
    for name in ("good.edl", "good.fcpxml", "good.xml"):
        good = folder / name
        if not good.exists():
            timeline = opened(_file(folder, "good.otio", _otio())).timeline
            write(timeline, good, Rate(24))
        data = bytearray(good.read_bytes())
        data[at % len(data)] = byte
        assert _answered(_file(folder, f"bad-{name}", bytes(data[: max(cut, 1)])))


def test_an_edl_of_more_events_than_anyone_cuts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One event more than the limit is counted, not built."""
    monkeypatch.setattr(edl, "MAX_EVENTS", 1000)
    line = EDL.splitlines()[1] + "\n"
    with pytest.raises(TimelineError, match="1,001 events"):
        read(_file(tmp_path, "a.edl", "TITLE: t\n" + line * 1001))


def test_metadata_of_any_kind_is_carried_not_run(tmp_path: Path) -> None:
    """What a file says in our own namespace is data: odd shapes there are no error, and come back as they were."""
    text = json.loads(_otio())
    odd = [{"placeholder": 5}, {"placeholder": {"id": {"a": [1]}}}, {"tags": "x"}, {"rate": "0/0"}, {"captions": [1]}]
    for said in odd:
        text["tracks"]["children"][0]["children"][0]["metadata"] = {"callboard": said}
        text["metadata"] = {"callboard": said}
        found = opened(_file(tmp_path, "a.otio", json.dumps(text)))
        write(found.timeline, tmp_path / "b.otio", found.rate, force=True)
        write(found.timeline, tmp_path / "b.xml", found.rate, force=True)
