"""Sidecars when the process dies, when others write, and when the disk refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from callboard.effects.atomic import Changed, Folder, sha256, sweep
from callboard.effects.temps import is_temp, temp_name
from callboard.errors import EffectConflict
from callboard.failpoints import armed

SCRIPT = Path(__file__).with_name("killed_sync.py")
PERSONS = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag><rdf:li>mine</rdf:li>
</rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>
"""


def snapshot(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Scene:
    """A clip with a person's XMP beside it, and a catalog."""

    def __init__(self, base: Path, syncs: subprocess.Popen[bytes]) -> None:
        self.folder, self.data, self._syncs = base / "media", base / "data", syncs
        self.folder.mkdir()
        (self.folder / "clip.mov").write_bytes(b"media")
        (self.folder / "clip.xmp").write_bytes(PERSONS)

    def sync(self, *steps: str) -> list[dict[str, bytes]]:
        """Take steps such as ``accepted:1`` in one process; give what the folder holds after each."""
        code, held = self._run("", steps)
        assert code == 0
        return held

    def killed(self, failpoint: str, *steps: str) -> bool:
        """Take steps in a process that *failpoint* kills; tell whether it did."""
        return self._run(failpoint, steps)[0] == -signal.SIGKILL

    def _run(self, failpoint: str, steps: tuple[str, ...]) -> tuple[int, list[dict[str, bytes]]]:
        assert self._syncs.stdin
        assert self._syncs.stdout
        order = [failpoint, str(self.folder / "clip.mov"), str(self.data), *steps]
        self._syncs.stdin.write(msgspec.json.encode(order) + b"\n")
        self._syncs.stdin.flush()
        return msgspec.json.decode(self._syncs.stdout.readline(), type=tuple[int, list[dict[str, bytes]]])


@pytest.fixture(scope="module")
def syncs() -> Iterator[subprocess.Popen[bytes]]:
    """A program that does syncs, each in a process of its own."""
    with subprocess.Popen([sys.executable, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        yield running
        assert running.stdin
        running.stdin.close()
        assert running.wait(60) == 0


@pytest.fixture
def scene(tmp_path: Path, syncs: subprocess.Popen[bytes]) -> Scene:
    """Give a clip that nothing was done for."""
    return Scene(tmp_path, syncs)


BEFORE = {"clip.mov": b"media", "clip.xmp": PERSONS}
WRITE_WINDOWS = ["before_intend", "after_intend", "after_write", "after_fsync", "after_rename", "before_settle"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, syncs: subprocess.Popen[bytes]) -> dict[str, bytes]:
    """What a sync that nobody kills leaves."""
    return Scene(tmp_path_factory.mktemp("calm"), syncs).sync("accepted:2")[0]


@pytest.mark.parametrize("window", WRITE_WINDOWS)
@pytest.mark.parametrize(("steps", "at"), [(["accepted:2"], 1), (["accepted:2"], 3), (["accepted:1", "accepted:2"], 7)])
def test_a_kill_while_writing_leaves_what_an_undisturbed_run_leaves(
    scene: Scene, undisturbed: dict[str, bytes], window: str, steps: list[str], at: int
) -> None:
    """Killed at any point of the subtitles or the XMP (third of four), the next sync gives the same bytes only."""
    assert scene.killed(f"sidecar.{window}:kill@{at}", *steps)
    assert scene.sync("accepted:2", "rejected:2") == [undisturbed, BEFORE]


@pytest.mark.parametrize(
    "window", ["before_remove@1", "in_remove@1", "in_remove@3", "after_remove@2", "after_rename@5"]
)
def test_a_kill_while_undoing_is_finished_by_the_next_sync(scene: Scene, window: str) -> None:
    """Undo that died half way ends with the folder as it was before anything was accepted."""
    name, _, at = window.partition("@")
    assert scene.killed(f"sidecar.{name}:kill@{at}", "accepted:1", "rejected:1")
    assert scene.sync("rejected:1") == [BEFORE]


def test_a_reader_sees_the_old_or_the_new_file_never_half(tmp_path: Path) -> None:
    """Three hundred rewrites of 65 KB and more under the eyes of a reader: every read is a whole version."""
    versions = [bytes([65 + number]) * 65_000 for number in range(3)]
    whole = {sha256(version) for version in versions}
    stop, torn, reads = threading.Event(), [], 0
    path = tmp_path / "clip.srt"
    path.write_bytes(versions[0])

    def read() -> None:
        nonlocal reads
        while not stop.is_set():
            found = path.read_bytes()
            reads += 1
            if sha256(found) not in whole:
                torn.append(len(found))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with Folder.open(os.fsencode(tmp_path)) as folder:
            number = 0
            while number < 300 or reads < 30:
                number += 1
                folder.replace(b"clip.srt", versions[number % 3], folder.read(b"clip.srt"), temp_name())
    finally:
        stop.set()
        reader.join()
    assert torn == []
    assert [entry.name for entry in tmp_path.iterdir()] == ["clip.srt"]


def test_nothing_that_a_person_saves_meanwhile_is_lost(tmp_path: Path) -> None:
    """A hundred races of ten saves each: the person's last save is always what we end up with, and built on."""
    path = tmp_path / "clip.xmp"
    path.write_bytes(b"person")

    def save(race: int, done: threading.Event) -> None:
        for number in range(10):
            fresh = tmp_path / "person.tmp"
            fresh.write_bytes(b"person %d.%d" % (race, number))
            fresh.replace(path)
        done.set()

    with Folder.open(os.fsencode(tmp_path)) as folder:
        for race in range(100):
            done = threading.Event()
            person = threading.Thread(target=save, args=(race, done))
            person.start()
            alone = False
            while not alone:  # so once at least behind the last save, which then nothing keeps us from building on
                alone = done.is_set()
                if alone:
                    assert path.read_bytes().split(b", ")[-1] == b"person %d.9" % race
                found = folder.read(b"clip.xmp")
                assert found is not None
                try:
                    folder.replace(b"clip.xmp", b"ours, " + found.data.split(b", ")[-1], found, temp_name())
                except Changed:
                    assert not alone
            person.join()
            assert path.read_bytes() == b"ours, person %d.9" % race
    assert [entry.name for entry in tmp_path.iterdir()] == ["clip.xmp"]


def test_a_change_between_look_and_rename_is_noticed(tmp_path: Path) -> None:
    """A file that appeared, changed or went since we looked stays as it is."""
    path = tmp_path / "a"
    with Folder.open(os.fsencode(tmp_path)) as folder:
        path.write_bytes(b"theirs")
        with pytest.raises(Changed):
            folder.replace(b"a", b"ours", None, temp_name())
        found = folder.read(b"a")
        assert found is not None
        path.write_bytes(b"theirs, later")
        with pytest.raises(Changed):
            folder.replace(b"a", b"ours", found, temp_name())
        with pytest.raises(Changed):
            folder.remove(b"a", found, temp_name())
        assert snapshot(tmp_path) == {"a": b"theirs, later"}
        path.unlink()
        with pytest.raises(Changed):
            folder.replace(b"a", b"ours", found, temp_name())
        with pytest.raises(Changed):
            folder.remove(b"a", found, temp_name())
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("action", ["eio", "enospc"])
@pytest.mark.parametrize("window", ["after_write", "after_fsync"])
def test_a_disk_that_refuses_leaves_the_old_file_and_no_other(tmp_path: Path, action: str, window: str) -> None:
    """A write that fails half way is taken back."""
    (tmp_path / "a").write_bytes(b"old")
    with Folder.open(os.fsencode(tmp_path)) as folder, armed(f"sidecar.{window}:{action}"), pytest.raises(OSError):
        folder.replace(b"a", b"new", folder.read(b"a"), temp_name())
    assert snapshot(tmp_path) == {"a": b"old"}


def test_links_are_neither_read_nor_written_through(tmp_path: Path) -> None:
    """A link as target or as folder is refused, and what it points to stays."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "clip.xmp").symlink_to(outside / "secret")
    (root / "shots").symlink_to(outside)
    with Folder.open(os.fsencode(root)) as folder:
        with pytest.raises(EffectConflict, match=r"clip\.xmp: is a link or no plain file; it is left alone"):
            folder.read(b"clip.xmp")
        with pytest.raises(Changed):
            folder.replace(b"clip.xmp", b"ours", None, temp_name())
    with pytest.raises(EffectConflict, match="shots: is a link or no folder"):
        Folder.open(os.fsencode(root), (b"shots",), create=True)
    assert (outside / "secret").read_bytes() == b"secret"
    assert [entry.name for entry in outside.iterdir()] == ["secret"]


def test_a_folder_swapped_for_a_link_changes_nothing_outside(tmp_path: Path) -> None:
    """The folder that was opened is the one written to, whatever its name points to by then."""
    inside, outside, moved = tmp_path / "in", tmp_path / "out", tmp_path / "moved"
    inside.mkdir()
    outside.mkdir()
    with Folder.open(os.fsencode(tmp_path), (b"in",)) as folder:
        inside.rename(moved)
        inside.symlink_to(outside)
        folder.replace(b"a", b"ours", None, temp_name())
    assert list(outside.iterdir()) == []
    assert snapshot(moved) == {"a": b"ours"}


def test_sweep_takes_what_dead_processes_left_and_nothing_else(tmp_path: Path) -> None:
    """Temporary files of the dead and the old go; those of the living and other people's stay."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine = temp_name()
    machine = mine.split(b".cb.")[1].split(b"-")[0].decode()
    left = f".cb.{machine}-{dead.pid}-0011aabb.tmp"
    elsewhere = f".cb.00000000-{dead.pid}-0011aabb.tmp"
    old = f".cb.{machine}-{os.getpid()}-ffffffff.tmp"
    for name in (left, elsewhere, old, os.fsdecode(mine), ".cb.notes.tmp", "clip.mov"):
        (tmp_path / name).write_bytes(b"x")
        assert is_temp(name.encode()) == name.endswith(("bb.tmp", "ff.tmp", mine[-6:].decode()))
    os.utime(tmp_path / old, (1, 1))
    assert sorted(sweep(os.fsencode(tmp_path))) == sorted([left.encode(), old.encode()])
    assert sorted(snapshot(tmp_path)) == sorted([elsewhere, os.fsdecode(mine), ".cb.notes.tmp", "clip.mov"])


def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    """A sidecar shared with a group stays so; a new one is readable by all, less the umask."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o664)
    with Folder.open(os.fsencode(tmp_path)) as folder:
        folder.replace(b"a", b"new", folder.read(b"a"), temp_name())
        folder.replace(b"b", b"new", None, temp_name())
    assert path.stat().st_mode & 0o777 == 0o664
    mask = os.umask(0o022)
    os.umask(mask)
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o644 & ~mask
