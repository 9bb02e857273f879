"""Sidecars follow the states of proposals: written, changed and taken back by the same call."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from callboard.catalog import Catalog
from callboard.catalog.ledger import CatalogLedger
from callboard.config import Sidecars
from callboard.effects import Ledger, MemoryLedger, Subject, Written, sync
from callboard.effects.document import is_document
from callboard.failpoints import armed
from callboard_schemas import (
    Asset,
    Captions,
    Cue,
    Place,
    Proposal,
    ProposalState,
    Provenance,
    Receipt,
    Result,
    Sequence,
    Tag,
    Tags,
    Translation,
    encode_path,
)

MADE = Provenance(plugin="autotag", version="1.0.0", kind="analyse", models={"pp-ocr": "sha256:" + "d" * 64})


@pytest.fixture(params=["memory", "catalog"])
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Both ledgers keep the same contract."""
    if request.param == "memory":
        yield MemoryLedger()
    else:
        with Catalog(tmp_path_factory.mktemp("data")) as catalog:
            yield CatalogLedger(catalog)


def tags(*labels: str, description: str = "") -> Tags:
    """Answer tags."""
    items = tuple(Tag(label=label, score=0.75, method="m", group=("Place",)) for label in labels)
    return Tags(items=items, confidence=0.9, facts={"width": 1920}, description=description)


def said(text: str, language: str = "en") -> Captions:
    """Answer captions of one cue; none for no text."""
    cues = (Cue(id=1, start=0.5, end=1.5, lines=(text,), confidence=0.9),) if text else ()
    return Captions(language=language, cues=cues, confidence=0.9)


def proposal(name: str, body: Result, state: ProposalState = "accepted") -> Proposal:
    """Propose a result."""
    return Proposal(
        id=name,
        run="run 1",
        job="j" * 64,
        kind="analyse",
        result=type(body).__struct_config__.tag,  # type: ignore[arg-type]  # the tag is one of the names
        state=state,
        confidence=0.9,
        provenance=MADE,
        body=body,
    )


def subject(media: Path, *proposals: Proposal, content: str = "a", root: Path | None = None) -> Subject:
    """Place an asset at *media*, inside *root* or its own folder."""
    inside = os.fsencode(media.relative_to(root or media.parent))
    place = Place(root="footage", path=encode_path(inside))
    asset = Asset(digest="sha256:" + content * 64, place=place, kind="video", size=5)
    return Subject(media=os.fsencode(media), asset=asset, proposals=proposals)


def clip(folder: Path, name: str = "clip.mov") -> Path:
    """Put media into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    media = folder / name
    media.write_bytes(b"media")
    return media


def snapshot(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def states(receipts: list[Receipt]) -> dict[str, str]:
    """Say what became of each target."""
    return {receipt.target: receipt.state for receipt in receipts}


def test_accepted_proposals_become_four_sidecars_that_say_it_all(tmp_path: Path, ledger: Ledger) -> None:
    """Tags and captions are written beside the media, known to the ledger, and described by receipts."""
    media = clip(tmp_path)
    done = sync(subject(media, proposal("t", tags("beach")), proposal("c", said("hello"))), Sidecars(), ledger)
    assert states(done) == dict.fromkeys(
        ["clip.en.srt", "clip.en.vtt", "clip.mov.xmp", "clip.mov.callboard.json"], "written"
    )
    assert (tmp_path / "clip.en.srt").read_text("utf-8") == "1\n00:00:00,500 --> 00:00:01,500\nhello\n"
    document = json.loads((tmp_path / "clip.mov.callboard.json").read_bytes())
    assert document["schema"] == "urn:callboard:sidecar:1.0"
    assert document["facts"] == {"autotag": {"width": 1920}}
    assert [found["id"] for found in document["proposals"]] == ["c", "t"]
    assert document["proposals"][1]["provenance"]["models"] == MADE.models
    rows = ledger.written("sha256:" + "a" * 64, os.fsencode(media))
    assert {os.fsdecode(row.path) for row in rows} == {str(tmp_path / receipt.target) for receipt in done}
    assert {receipt.digest for receipt in done} == {row.digest for row in rows}
    assert media.read_bytes() == b"media"


def test_undo_gives_back_the_folder_as_it_was(tmp_path: Path, ledger: Ledger) -> None:
    """With all rejected, or with no proposals at all, not one byte of ours is left."""
    media = clip(tmp_path)
    (tmp_path / "clip.en.srt").write_bytes(b"a person's subtitles")
    (tmp_path / "clip.xmp").write_bytes(
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""/></rdf:RDF>'
    )
    before = snapshot(tmp_path)
    both = [proposal("t", tags("beach", description="Words")), proposal("c", said("hello"))]
    for after in ([proposal("t", tags("beach"), "rejected"), proposal("c", said("hello"), "superseded")], []):
        first = sync(subject(media, *both), Sidecars(), ledger)
        assert set(states(first).values()) == {"written"}
        assert "clip.mov.en.srt" in states(first)
        assert snapshot(tmp_path) != before
        last = sync(subject(media, *after), Sidecars(), ledger)
        assert set(states(last).values()) == {"undone"}
        assert snapshot(tmp_path) == before
        assert ledger.written("sha256:" + "a" * 64, os.fsencode(media)) == []


def test_the_same_states_write_nothing_again(tmp_path: Path, ledger: Ledger) -> None:
    """A second sync finds everything unchanged and touches no file."""
    given = subject(clip(tmp_path), proposal("t", tags("beach")), proposal("c", said("hello")))
    sync(given, Sidecars(), ledger)
    inodes = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    assert set(states(sync(given, Sidecars(), ledger)).values()) == {"unchanged"}
    assert {path.name: path.stat().st_ino for path in tmp_path.iterdir()} == inodes


def test_one_of_two_undone_leaves_the_other(tmp_path: Path, ledger: Ledger) -> None:
    """Rejecting the captions takes the subtitles and leaves the tags."""
    media = clip(tmp_path)
    sync(subject(media, proposal("t", tags("beach")), proposal("c", said("hello"))), Sidecars(), ledger)
    sync(subject(media, proposal("t", tags("beach")), proposal("c", said("hello"), "rejected")), Sidecars(), ledger)
    assert sorted(snapshot(tmp_path)) == ["clip.mov", "clip.mov.callboard.json", "clip.mov.xmp"]
    assert b'"state": "rejected"' in (tmp_path / "clip.mov.callboard.json").read_bytes()


def test_silence_makes_no_subtitles_and_languages_get_their_own(tmp_path: Path, ledger: Ledger) -> None:
    """No cues, no file; a translation is named for its own language."""
    media = clip(tmp_path)
    sync(subject(media, proposal("c", said(""))), Sidecars(), ledger)
    assert sorted(snapshot(tmp_path)) == ["clip.mov", "clip.mov.callboard.json"]
    german = Translation(source_language="en", language="pt-BR", cues=said("olá").cues, confidence=0.9)
    only = Sidecars(subtitles=("vtt",))
    sync(subject(media, proposal("c", said("hello")), proposal("x", german)), only, ledger)
    assert {"clip.en.vtt", "clip.pt-BR.vtt"} < set(snapshot(tmp_path))
    assert not list(tmp_path.glob("*.srt"))


def test_a_persons_subtitles_are_never_overwritten(tmp_path: Path, ledger: Ledger) -> None:
    """Ours take the next free name; with none free there is a conflict and nothing is written."""
    media = clip(tmp_path)
    taken = ["clip.en.srt", "clip.mov.en.srt"]
    for name in taken:
        (tmp_path / name).write_bytes(b"theirs")
    given = subject(media, proposal("c", said("hello")))
    only = Sidecars(subtitles=("srt",))
    assert states(sync(given, only, ledger))["clip.mov.en.callboard.srt"] == "written"
    assert all((tmp_path / name).read_bytes() == b"theirs" for name in taken)
    sync(subject(media), only, ledger)
    for number in range(1, 10):
        extra = f"clip.mov.en.callboard{'.' + str(number) if number > 1 else ''}.srt"
        (tmp_path / extra).write_bytes(b"theirs")
    refused = sync(given, only, ledger)[0]
    assert refused.state == "conflict"
    assert "clip.en.srt: belongs to somebody else, and so does every other name" in refused.note


def test_subtitles_that_a_person_corrected_stay(tmp_path: Path, ledger: Ledger) -> None:
    """Same captions: theirs is kept. New captions: theirs is kept, ours goes beside it. Undo: theirs is kept."""
    media, only = clip(tmp_path), Sidecars(subtitles=("srt",))
    sync(subject(media, proposal("c", said("helo"))), only, ledger)
    mine = tmp_path / "clip.en.srt"
    mine.write_bytes(b"1\n00:00:00,500 --> 00:00:01,500\nhello!\n")
    assert states(sync(subject(media, proposal("c", said("helo"))), only, ledger))["clip.en.srt"] == "kept"
    newer = subject(media, proposal("c", said("helo"), "superseded"), proposal("d", said("hello")))
    assert states(sync(newer, only, ledger))["clip.mov.en.srt"] == "conflict"
    assert states(sync(newer, only, ledger))["clip.mov.en.srt"] == "unchanged"
    sync(subject(media), only, ledger)
    assert sorted(snapshot(tmp_path)) == ["clip.en.srt", "clip.mov"]
    assert mine.read_bytes().endswith(b"hello!\n")


def test_two_media_of_one_stem_share_no_name(tmp_path: Path, ledger: Ledger) -> None:
    """clip.mov and clip.mp4 have their own sidecars, also when both are written at the same moment."""
    one, two = clip(tmp_path), clip(tmp_path, "clip.mp4")
    settings = Sidecars(xmp_name="stem")
    given = [
        subject(media, proposal("t", tags(label)), proposal("c", said(label)), content=content)
        for media, label, content in ((one, "first", "a"), (two, "second", "b"))
    ]
    results: list[list[Receipt]] = []
    threads = [threading.Thread(target=lambda s=s: results.append(sync(s, settings, ledger))) for s in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [state for result in results for state in states(result).values()] == ["written"] * 8
    assert {"clip.mov.xmp", "clip.mp4.xmp", "clip.en.srt"} < set(snapshot(tmp_path))
    words = {path.read_text("utf-8").split("\n")[2] for path in tmp_path.glob("*.srt")}
    assert words == {"first", "second"}
    for one_of in given:
        sync(Subject(media=one_of.media, asset=one_of.asset, proposals=()), settings, ledger)
    assert sorted(snapshot(tmp_path)) == ["clip.mov", "clip.mp4"]


@pytest.mark.parametrize(("there", "scheme"), [("clip.xmp", "full"), ("clip.mov.xmp", "stem")])
def test_the_xmp_that_exists_is_used_whatever_its_name(tmp_path: Path, ledger: Ledger, there: str, scheme: str) -> None:
    """A setting decides for new files only."""
    media = clip(tmp_path)
    (tmp_path / there).write_bytes(
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><!-- theirs --></rdf:RDF>'
    )
    settings = Sidecars(xmp_name="full" if scheme == "full" else "stem")
    sync(subject(media, proposal("t", tags("beach"))), settings, ledger)
    assert [path.name for path in tmp_path.glob("*.xmp")] == [there]
    assert b"<rdf:li>beach</rdf:li>" in (tmp_path / there).read_bytes()
    assert b"<!-- theirs -->" in (tmp_path / there).read_bytes()


def test_xmp_that_cannot_be_changed_safely_is_a_conflict(tmp_path: Path, ledger: Ledger) -> None:
    """The file stays, the reason is told, and the other sidecars are written."""
    media = clip(tmp_path)
    hostile = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    (tmp_path / "clip.mov.xmp").write_bytes(hostile)
    done = sync(subject(media, proposal("t", tags("beach"))), Sidecars(), ledger)
    assert states(done) == {"clip.mov.xmp": "conflict", "clip.mov.callboard.json": "written"}
    assert done[0].note == "clip.mov.xmp has a DOCTYPE, which no XMP needs"
    assert (tmp_path / "clip.mov.xmp").read_bytes() == hostile


def test_a_link_at_the_target_is_refused(tmp_path: Path, ledger: Ledger) -> None:
    """What the link points to is neither read nor written."""
    media = clip(tmp_path / "media")
    outside = tmp_path / "outside"
    outside.write_bytes(b"secret")
    for name in ("clip.mov.xmp", "clip.mov.callboard.json", "clip.en.srt"):
        (media.parent / name).symlink_to(outside)
    given = subject(media, proposal("t", tags("beach")), proposal("c", said("hello")))
    done = states(sync(given, Sidecars(subtitles=("srt",)), ledger))
    assert done == {"clip.en.srt": "conflict", "clip.mov.xmp": "conflict", "clip.mov.callboard.json": "conflict"}
    assert outside.read_bytes() == b"secret"


@pytest.mark.parametrize("name", [b"bad\xff name.mov", "Zo\u00eb \U0001f3ac\n\"'.mov".encode(), b"-rf.mov", b"noext"])
def test_any_name_works(tmp_path: Path, ledger: Ledger, name: bytes) -> None:
    """Names are bytes; receipts write them as text that gives the bytes back."""
    media = clip(tmp_path, os.fsdecode(name))
    given = subject(media, proposal("t", tags("beach")), proposal("c", said("hello")))
    done = sync(given, Sidecars(), ledger)
    assert set(states(done).values()) == {"written"}
    assert encode_path(name + b".callboard.json") in states(done)
    sync(subject(media), Sidecars(), ledger)
    assert os.listdir(os.fsencode(tmp_path)) == [name]


def test_a_name_with_no_room_for_an_ending_is_told_not_raised(tmp_path: Path, ledger: Ledger) -> None:
    """A name of 250 bytes cannot grow: failed for good, not pending."""
    done = sync(subject(clip(tmp_path, "n" * 250), proposal("t", tags("beach"))), Sidecars(), ledger)
    assert states(done) == {"n" * 250 + ".xmp": "written", "n" * 250 + ".callboard.json": "failed"}
    assert done[1].note == "File name too long"


def test_another_folder_mirrors_the_root(tmp_path: Path, ledger: Ledger) -> None:
    """With --out or the setting nothing is written beside the media, and undo finds both."""
    media = clip(tmp_path / "root" / "day 1" / "cam a")
    given = subject(media, proposal("t", tags("beach")), root=tmp_path / "root")
    done = sync(given, Sidecars(), ledger, out=tmp_path / "out")
    assert set(states(done)) == {"day 1/cam a/clip.mov.xmp", "day 1/cam a/clip.mov.callboard.json"}
    sync(given, Sidecars(folder=str(tmp_path / "side")), ledger)
    assert {"clip.mov.xmp"} < set(os.listdir(tmp_path / "out" / "day 1" / "cam a"))
    assert {"clip.mov.xmp"} < set(os.listdir(tmp_path / "side" / "footage" / "day 1" / "cam a"))
    assert os.listdir(media.parent) == ["clip.mov"]
    gone = sync(subject(media, root=tmp_path / "root"), Sidecars(), ledger)
    assert [receipt.state for receipt in gone] == ["undone"] * 4
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "side") == {}


@pytest.mark.parametrize("path", ["../clip.mov", "a/../../clip.mov", "/clip.mov", "a//clip.mov", "."])
def test_a_place_outside_its_root_is_refused(tmp_path: Path, ledger: Ledger, path: str) -> None:
    """A path that climbs is no place, also with --out."""
    given = subject(clip(tmp_path), proposal("t", tags("beach")))
    asset = Asset(digest=given.asset.digest, place=Place(root="r", path=path), kind="video", size=5)
    done = sync(Subject(media=given.media, asset=asset, proposals=given.proposals), Sidecars(), ledger, out=tmp_path)
    assert [receipt.state for receipt in done] == ["conflict"]
    assert os.listdir(tmp_path) == ["clip.mov"]


def test_a_sequence_is_named_for_its_pattern(tmp_path: Path, ledger: Ledger) -> None:
    """The frame number becomes hashes, so no tool takes the name for a pattern."""
    asset = Asset(
        digest="sha256:" + "c" * 64,
        place=Place(root="r", path=encode_path(b"shot.%04d.exr")),
        kind="sequence",
        size=5,
        sequence=Sequence(pattern="shot.%04d.exr", first=1, last=2, count=2),
    )
    media = os.fsencode(tmp_path / "shot.%04d.exr")
    done = sync(Subject(media=media, asset=asset, proposals=(proposal("t", tags("x")),)), Sidecars(), ledger)
    assert states(done) == dict.fromkeys(["shot.####.exr.xmp", "shot.####.exr.callboard.json"], "written")


@pytest.mark.parametrize("code", ["enospc", "eio"])
def test_a_disk_that_refuses_is_pending_and_tried_again(tmp_path: Path, ledger: Ledger, code: str) -> None:
    """Failure is a receipt; the folder and the ledger are as before, and the next sync does it all."""
    given = subject(clip(tmp_path), proposal("t", tags("beach")), proposal("c", said("hello")))
    with armed(f"sidecar.after_write:{code}"):
        done = sync(given, Sidecars(), ledger)
    reason = os.strerror(errno.ENOSPC if code == "enospc" else errno.EIO)
    assert {(receipt.state, receipt.note) for receipt in done} == {("failed", f"pending: {reason}")}
    assert os.listdir(tmp_path) == ["clip.mov"]
    assert ledger.written(given.asset.digest, given.media) == []
    assert set(states(sync(given, Sidecars(), ledger)).values()) == {"written"}


READ_ONLY = """
import os, sys
sys.path[:0] = sys.argv[3:]
from callboard.config import Sidecars
from callboard.effects import MemoryLedger, Subject, sync
import msgspec
from callboard_schemas import Proposal, Asset
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
asset, proposals = msgspec.json.decode(sys.argv[2], type=tuple[Asset, tuple[Proposal, ...]])
done = sync(Subject(media=os.fsencode(sys.argv[1]), asset=asset, proposals=proposals), Sidecars(), MemoryLedger())
print("|".join(f"{r.state} {r.note}" for r in done))
"""


def test_a_read_only_folder_is_pending(tmp_path: Path) -> None:
    """Somebody who may not write gets a receipt that says so, and the folder stays as it is."""
    media = clip(tmp_path / "locked")
    given = subject(media, proposal("t", tags("beach")))
    for parent in (tmp_path, *tmp_path.parents[:3]):  # with several workers pytest's own folders are three
        if parent.stat().st_uid == os.getuid() and parent != Path("/tmp"):
            parent.chmod(stat.S_IMODE(parent.stat().st_mode) | 0o011)
    media.parent.chmod(0o555)
    facts = msgspec.json.encode((given.asset, given.proposals)).decode()
    try:
        found = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(media), facts, *sys.path], capture_output=True, text=True, check=True
        )
    finally:
        media.parent.chmod(0o755)
    assert found.stdout == "failed pending: Permission denied|failed pending: Permission denied\n"
    assert os.listdir(media.parent) == ["clip.mov"]


def test_a_folder_that_is_gone_is_pending_and_keeps_its_rows(tmp_path: Path, ledger: Ledger) -> None:
    """A share that is away loses nothing: its sidecars are still known when it is back."""
    media = clip(tmp_path / "share")
    given = subject(media, proposal("t", tags("beach")))
    sync(given, Sidecars(), ledger)
    (tmp_path / "share").rename(tmp_path / "away")
    for attempt in (given, subject(media)):
        done = sync(attempt, Sidecars(), ledger)
        assert {receipt.note for receipt in done} == {"pending: No such file or directory"}
    (tmp_path / "away").rename(tmp_path / "share")
    assert set(states(sync(subject(media), Sidecars(), ledger)).values()) == {"undone"}
    assert os.listdir(media.parent) == ["clip.mov"]


def test_new_content_at_the_same_path_takes_over_its_sidecars(tmp_path: Path, ledger: Ledger) -> None:
    """A clip that was replaced keeps its names: the sidecars of the old content are written over."""
    media = clip(tmp_path)
    sync(subject(media, proposal("c", said("old"))), Sidecars(), ledger)
    done = sync(subject(media, proposal("d", said("new")), content="b"), Sidecars(), ledger)
    assert set(states(done)) == {"clip.en.srt", "clip.en.vtt", "clip.mov.callboard.json"}
    assert "new" in (tmp_path / "clip.en.srt").read_text("utf-8")
    assert sync(subject(media), Sidecars(), ledger) == []


def test_a_lost_ledger_still_knows_the_document_but_not_an_edited_one(tmp_path: Path) -> None:
    """The document proves by its checksum that it is ours and untouched."""
    media = clip(tmp_path)
    path = tmp_path / "clip.mov.callboard.json"
    sync(subject(media, proposal("t", tags("beach"))), Sidecars(), MemoryLedger())
    assert is_document(path.read_bytes())
    done = sync(subject(media, proposal("t", tags("sea"))), Sidecars(), MemoryLedger())
    assert states(done) == {"clip.mov.xmp": "written", "clip.mov.callboard.json": "written"}
    assert (tmp_path / "clip.mov.xmp").read_bytes().count(b"callboard:schema=") == 1
    assert b"beach" not in (tmp_path / "clip.mov.xmp").read_bytes()
    edited = path.read_bytes().replace(b"sea", b"see")
    path.write_bytes(edited)
    assert not is_document(edited)
    again = sync(subject(media, proposal("t", tags("sun"))), Sidecars(), MemoryLedger())
    assert states(again)["clip.mov.callboard.json"] == "conflict"
    assert path.read_bytes() == edited


class Recorder(MemoryLedger):
    """Notes what was on disk when the ledger was told."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[bytes, bool] = {}

    def intend(self, written: Written, media: bytes) -> None:
        """Look whether the file is there already."""
        self.before[written.path] = os.path.exists(written.path)
        super().intend(written, media)


def test_the_ledger_knows_before_the_file_is_there(tmp_path: Path) -> None:
    """A watcher that sees the new name can always ask whether it is ours."""
    ledger = Recorder()
    sync(subject(clip(tmp_path), proposal("t", tags("x")), proposal("c", said("y"))), Sidecars(), ledger)
    assert list(ledger.before.values()) == [False] * 4


def test_the_source_is_never_opened_for_writing(tmp_path: Path) -> None:
    """Over a whole sync, accept and undo, strace finds no call that could change the media."""
    media, log = clip(tmp_path / "media"), tmp_path / "strace.log"
    script = Path(__file__).with_name("killed_sync.py")
    command = ["strace", "-f", "-e", "trace=open,openat,creat,rename,renameat,renameat2,unlink,unlinkat,truncate"]
    command += ["-o", str(log), sys.executable, str(script)]
    order = json.dumps(["", str(media), str(tmp_path / "data"), "accepted:1", "rejected:1"])
    done = subprocess.run(command, check=True, input=f"{order}\n".encode(), stdout=subprocess.PIPE)
    assert done.stdout.startswith(b"[0,")
    calls = log.read_text("utf-8", "replace").splitlines()
    assert any('"clip.en.srt"' in call and "rename" in call for call in calls)
    touching = [call for call in calls if '"clip.mov"' in call or f'"{media}"' in call]
    assert [call for call in touching if "O_RDONLY" not in call] == []
