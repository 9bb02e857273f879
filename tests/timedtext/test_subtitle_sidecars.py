"""Which subtitle files accepted results leave behind, in every format, and what stays untouched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from callboard.config import Sidecars
from callboard.effects import MemoryLedger, Subject, sync
from callboard.timedtext.files import read, read_file
from callboard_schemas import Asset, Captions, Cue, Place, Proposal, Provenance, Receipt, Result, Translation, Word

ALL = Sidecars(subtitles=("srt", "vtt", "ttml", "ass", "txt", "json"))
CUES = (
    Cue(
        id=1,
        start=1.0,
        end=2.0,
        lines=("<i>Hello</i> &amp;", "you"),
        styled=True,
        confidence=0.9,
        align=8,
        speaker="Zoë",
    ),
    Cue(id=2, start=3.0, end=4.0, lines=("door closes",), kind="sound", confidence=0.9),
    Cue(id=3, start=5.0, end=6.0, lines=("<not a tag>",), confidence=0.9, settings="line:10%"),
)


def proposal(name: str, body: Result, state: str = "accepted") -> Proposal:
    """Propose a result."""
    return Proposal(
        id=name,
        run="run 1",
        job="j" * 64,
        kind="analyse",
        result=type(body).__struct_config__.tag,  # type: ignore[arg-type]  # the tag is one of the names
        state=state,  # type: ignore[arg-type]  # one of the states
        confidence=0.9,
        provenance=Provenance(plugin="caption", version="1.0.0", kind="analyse"),
        body=body,
    )


def subject(folder: Path, *proposals: Proposal) -> Subject:
    """Place an asset with proposals."""
    media = folder / "clip.mov"
    media.write_bytes(b"media")
    asset = Asset(digest="sha256:" + "a" * 64, place=Place(root="r", path="clip.mov"), kind="video", size=5)
    return Subject(media=os.fsencode(media), asset=asset, proposals=proposals)


def states(receipts: list[Receipt]) -> dict[str, str]:
    """Say what became of each target."""
    return {receipt.target: receipt.state for receipt in receipts}


def captions(*cues: Cue) -> Captions:
    """Answer captions on frames of 25 a second."""
    return Captions(language="en", cues=cues or CUES, confidence=0.9, rate="25", profile="web")


def test_every_format_is_written_and_reads_the_same(tmp_path: Path) -> None:
    """Styled, placed and sound cues stand right in each file; all say the same."""
    done = sync(subject(tmp_path, proposal("c", captions())), ALL, MemoryLedger())
    names = [f"clip.en.{kind}" for kind in ALL.subtitles]
    assert states(done) == dict.fromkeys([*names, "clip.mov.callboard.json"], "written")
    for kind in ("srt", "vtt", "ttml", "ass"):
        found = read_file(tmp_path / f"clip.en.{kind}")
        assert [(cue.start, cue.end) for cue in found.cues] == [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)], kind
        assert [(cue.lines, cue.styled) for cue in found.cues] == [
            (("<i>Hello</i> &amp;", "you"), True),
            (("[door closes]",), False),
            (("<not a tag>",), False),
        ], kind
        assert (found.cues[0].align, found.cues[1].kind) == (8, "sound")
        assert found.cues[0].speaker == (None if kind == "srt" else "Zoë")
        assert found.language == "en"
    assert (tmp_path / "clip.en.txt").read_text("utf-8") == "Zoë: Hello & you\n\n[door closes]\n\n<not a tag>\n"
    assert read_file(tmp_path / "clip.en.json").cues == CUES
    assert b"line:10%\n" in (tmp_path / "clip.en.vtt").read_bytes()


def test_the_files_are_taken_back_together(tmp_path: Path) -> None:
    """Undoing leaves the media alone, and the JSON of words is not taken for the document of everything."""
    ledger = MemoryLedger()
    sync(subject(tmp_path, proposal("c", captions())), ALL, ledger)
    changed = Cue(id=1, start=1.0, end=2.0, lines=("new",), confidence=0.9)
    done = sync(subject(tmp_path, proposal("d", captions(changed))), ALL, ledger)
    assert set(states(done).values()) == {"written"}
    assert read_file(tmp_path / "clip.en.json").cues == (changed,)
    effects = {receipt.target: receipt.effect for receipt in done}
    assert effects["clip.en.json"] == "sidecar.words"
    assert effects["clip.mov.callboard.json"] == "sidecar.json"
    sync(subject(tmp_path), ALL, ledger)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mov"]


def test_languages_each_have_their_files(tmp_path: Path) -> None:
    """A translation stands beside what was said, with its own name and language inside."""
    spanish = Translation(source_language="en", language="es", cues=CUES[:1], confidence=0.9, rate="25")
    only = Sidecars(subtitles=("ttml",))
    sync(subject(tmp_path, proposal("c", captions()), proposal("t", spanish)), only, MemoryLedger())
    assert b'xml:lang="es"' in (tmp_path / "clip.es.ttml").read_bytes()
    assert b'begin="25f"' in (tmp_path / "clip.es.ttml").read_bytes()


def test_subtitle_files_that_are_there_are_never_overwritten(tmp_path: Path) -> None:
    """In every format what a person or another program put there keeps its bytes and its name, also after undoing."""
    theirs = {f"clip.en.{kind}": f"theirs {kind}".encode() for kind in ALL.subtitles}
    for name, data in theirs.items():
        (tmp_path / name).write_bytes(data)
    ledger = MemoryLedger()
    done = states(sync(subject(tmp_path, proposal("c", captions())), ALL, ledger))
    assert {f"clip.mov.en.{kind}" for kind in ALL.subtitles} <= set(done)
    assert {name: (tmp_path / name).read_bytes() for name in theirs} == theirs
    sync(subject(tmp_path), ALL, ledger)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("clip.*.*")} == theirs


def test_a_missing_library_is_a_receipt_and_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other formats are written; what was written while the library was there stays."""
    ledger, given = MemoryLedger(), subject(tmp_path, proposal("c", captions()))
    settings = Sidecars(subtitles=("srt", "ttml"))
    sync(given, settings, ledger)
    before = (tmp_path / "clip.en.ttml").read_bytes()
    monkeypatch.setitem(sys.modules, "ttconv", None)
    monkeypatch.delitem(sys.modules, "callboard.timedtext.formats.ttml_write")
    done = {receipt.target: receipt for receipt in sync(given, settings, ledger)}
    assert done["clip.en.srt"].state == "unchanged"
    assert done["clip.en.ttml"].state == "failed"
    assert "needs ttconv, which is not installed: pip install 'callboard[caption]'" in done["clip.en.ttml"].note
    assert (tmp_path / "clip.en.ttml").read_bytes() == before


def test_a_time_that_a_format_cannot_say_is_a_receipt(tmp_path: Path) -> None:
    """Captions at hour ten are written as SRT, and the ASS file says why it is not there."""
    late = Cue(id=4, start=36001.0, end=36002.0, lines=("late",), confidence=0.9)
    done = sync(subject(tmp_path, proposal("c", captions(late))), Sidecars(subtitles=("srt", "ass")), MemoryLedger())
    notes = {receipt.target: (receipt.state, receipt.note) for receipt in done}
    assert notes["clip.en.srt"][0] == "written"
    assert notes["clip.en.ass"] == ("failed", "ASS: cue 4 lies past ten hours, which ASS cannot say")


def test_words_are_in_the_json(tmp_path: Path) -> None:
    """Every word has its time and how sure the recogniser is."""
    word = Word(text="Hi", start=1.0, end=1.2, confidence=0.5)
    made = captions(Cue(id=1, start=1.0, end=2.0, lines=("Hi",), confidence=0.5, words=(word,)))
    sync(subject(tmp_path, proposal("c", made)), Sidecars(subtitles=("json",)), MemoryLedger())
    found = read((tmp_path / "clip.en.json").read_bytes(), "clip.en.json")
    assert found.cues[0].words == (word,)
    assert found.made is not None
    assert found.made.profile == "web"


def test_the_supervisor_loads_no_subtitle_library() -> None:
    """Effects, and writing SRT and WebVTT, bring neither pysubs2 nor ttconv nor numpy along."""
    script = (
        "import sys, callboard.effects\n"
        "from callboard.timedtext.files import write\n"
        "from callboard.timedtext.document import Document\n"
        "write(Document(cues=()), 'srt'), write(Document(cues=()), 'vtt'), write(Document(cues=()), 'txt')\n"
        "print([name for name in ('pysubs2', 'ttconv', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
