"""Names, versions and places of what was made."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from callboard.errors import Blocked
from callboard.hosting.identify import identified
from callboard.shots.naming import PLACEHOLDER
from callboard.sources.ignore import Ignore
from callboard.sources.single import digest_of
from callboard_placeholder import names
from callboard_placeholder.encoding import Written
from callboard_placeholder.placing import put, stem_of


def _film(folder: Path, content: bytes = b"film", name: str = "made.mov") -> Written:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return Written(path=path, files=(path,))


def _sequence(folder: Path, contents: tuple[bytes, ...], sound: bytes = b"") -> Written:
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"made.{1001 + index}.png" for index in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    if sound:
        files.append(folder / "made.wav")
        files[-1].write_bytes(sound)
    return Written(path=files[0], files=tuple(files))


def _tree(folder: Path) -> list[str]:
    """List every file below, but the lock that stays."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".placing.lock")
    return sorted(str(path.relative_to(folder)) for path in found)


def test_versions_count_up_over_all_engines(tmp_path: Path) -> None:
    """Each new content takes the version behind the last, whoever made it."""
    home = tmp_path / "placeholders" / "SH010"
    paths = [
        put(_film(tmp_path / "work", content), home, "SH010", engine)
        for content, engine in ((b"1", "slate"), (b"2", "previs"), (b"3", "slate"))
    ]
    assert [path.name for path in paths] == [
        "SH010_PLACEHOLDER_v001_slate.mov",
        "SH010_PLACEHOLDER_v002_previs.mov",
        "SH010_PLACEHOLDER_v003_slate.mov",
    ]
    assert [path.read_bytes() for path in paths] == [b"1", b"2", b"3"]
    assert _tree(home) == [path.name for path in paths]


def test_the_same_bytes_keep_their_version(tmp_path: Path) -> None:
    """Put again, nothing changes: not a name, not a time; other bytes, and another engine, take a new version."""
    home = tmp_path / "SH010"
    first = put(_film(tmp_path / "work", b"1"), home, "SH010", "slate")
    put(_film(tmp_path / "work", b"2"), home, "SH010", "slate")
    before = first.stat()
    assert put(_film(tmp_path / "work", b"1"), home, "SH010", "slate") == first
    assert (first.stat().st_mtime_ns, first.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert put(_film(tmp_path / "work", b"1"), home, "SH010", "hold").name == "SH010_PLACEHOLDER_v003_hold.mov"


def test_a_sequence_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """Pictures and sound lie together under the version's name; the same again is found, one byte else is not."""
    home = tmp_path / "SH010"
    path = put(_sequence(tmp_path / "a", (b"1", b"2", b"3"), b"wav"), home, "SH010", "slate")
    stem = "SH010_PLACEHOLDER_v001_slate"
    assert path == home / stem / f"{stem}.1001.png"
    expected = [f"{stem}/{stem}.{ending}" for ending in ("1001.png", "1002.png", "1003.png", "wav")]
    assert _tree(home) == expected
    for later in (f"{stem}.1001.png.xmp", f"{stem}-1_sheet.png"):
        path.with_name(later).write_text("comes later")
    assert put(_sequence(tmp_path / "b", (b"1", b"2", b"3"), b"wav"), home, "SH010", "slate") == path
    for other in (
        _sequence(tmp_path / "c", (b"1", b"2", b"4"), b"wav"),
        _sequence(tmp_path / "d", (b"1", b"2"), b"wav"),
        _sequence(tmp_path / "e", (b"1", b"2", b"3")),
    ):
        assert put(other, home, "SH010", "slate").parent.name > stem
    assert len(os.listdir(home)) == 4


def test_what_belongs_to_a_film_takes_its_name_and_is_never_written_over(tmp_path: Path) -> None:
    """A scene carries the version of its film; one that an animator worked in stays as it is."""
    home = tmp_path / "SH010"
    film = put(_film(tmp_path / "work", b"film"), home, "SH010", "previs")
    scene = put(_film(tmp_path / "work", b"scene", "scene.blend"), home, "SH010", "previs", beside=film)
    assert scene == home / "SH010_PLACEHOLDER_v001_previs.blend"
    scene.write_bytes(b"an animator's")
    assert put(_film(tmp_path / "work", b"scene", "scene.blend"), home, "SH010", "previs", beside=film) == scene
    assert scene.read_bytes() == b"an animator's"
    pictures = put(_sequence(tmp_path / "seq", (b"1", b"2", b"3")), home, "SH010", "previs")
    beside = put(_film(tmp_path / "work", b"2", "scene.blend"), home, "SH010", "previs", beside=pictures)
    assert (stem_of(pictures), beside.name) == (pictures.parent.name, f"{pictures.parent.name}.blend")


@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_applications_know_it_by_the_same_digest(count: int, tmp_path: Path) -> None:
    """The digest is the one that a host's path, or a watched folder, gets: of a film, a sequence, a few stills."""
    film = put(_film(tmp_path / "work", b"film"), tmp_path / "out" / "SH010", "SH010", "slate")
    parts = tuple(b"%d" % index for index in range(count))
    first = put(_sequence(tmp_path / "seq", parts, b"wav"), tmp_path / "out" / "SH010", "SH010", "slate")
    root = os.fsencode(tmp_path / "out")
    for path in (film, first):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    for path in first.parent.iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    for path in (film, first):
        seen = identified(root, os.fsencode(path.relative_to(tmp_path / "out")))
        assert seen.digest == digest_of(path)
        assert (seen.sequence is not None) == (path == first and count >= 3)


_RACING = """
import sys
from pathlib import Path
from callboard_placeholder.encoding import Written
from callboard_placeholder.placing import put
home, *paths = map(Path, sys.argv[1:])
sys.stdin.readline()  # all begin at once
for path in paths:
    print(put(Written(path=path, files=(path,)), home, "SH010", path.parent.name).name)
"""


def test_processes_never_take_the_same_version(tmp_path: Path) -> None:
    """Of 24 that put at once, each content has a version of its own, and the same content the same one."""
    home = tmp_path / "out" / "SH010"
    films = [_film(tmp_path / f"{n}" / ("slate", "hold")[n % 2], b"%d" % (n % 16)).path for n in range(24)]
    shares = [films[n::4] for n in range(4)]
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _RACING, str(home), *map(str, share)], stdin=pipe, stdout=pipe, text=True
        )
        for share in shares
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0].split() for process in running]
    placed = dict(
        zip([film for share in shares for film in share], [name for one in told for name in one], strict=True)
    )
    assert sorted(name.split("_v")[1][:3] for name in set(placed.values())) == [f"{n:03d}" for n in range(1, 17)]
    for film, name in placed.items():
        assert (home / name).read_bytes() == film.read_bytes()
        assert name.endswith(f"_{film.parent.name}.mov")
    assert len(os.listdir(home)) == 16


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let this process write no file past 4 KiB, as a full disk would stop it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_room_blocks_and_leaves_nothing_half(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A sequence of which the last picture finds no room is not there at all; what was there stays."""
    home = tmp_path / "out" / "SH010"
    put(_film(tmp_path / "w", b"small"), home, "SH010", "slate")
    written = _sequence(tmp_path / "s", (b"1", b"2", b"3" * 8192))
    request.getfixturevalue("small_files")
    with pytest.raises(Blocked, match="cannot be written") as caught:
        put(written, home, "SH010", "slate")
    assert caught.value.hint
    assert os.listdir(home) == ["SH010_PLACEHOLDER_v001_slate.mov"]


_UNPRIVILEGED = """
import os, sys
from pathlib import Path
from callboard.errors import Blocked
from callboard_placeholder.encoding import Written
from callboard_placeholder.placing import put
path, home = map(Path, sys.argv[1:])
if os.getuid() == 0:  # who may write anywhere
    os.setuid(65534)
try:
    put(Written(path=path, files=(path,)), home, "SH010", "slate")
except Blocked as error:
    print(error)
"""


def test_a_folder_that_may_not_be_written_blocks() -> None:
    """Without the right to write there, and where a file is in the way, the job waits with a hint."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        written, home = _film(folder / "w"), folder / "out" / "SH010"
        home.mkdir(parents=True)
        for closed in (home, home.parent):
            closed.chmod(0o555)
        command = [sys.executable, "-c", _UNPRIVILEGED, str(written.path), str(home)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60)
        for closed in (home.parent, home):
            closed.chmod(0o755)
        assert "you may not write there" in run.stdout, run.stderr
        assert "permissions" in run.stdout
        assert _tree(home.parent) == []
        (folder / "file").write_bytes(b"")
        with pytest.raises(Blocked, match="a file is where a folder should be"):
            put(written, folder / "file", "SH010", "slate")


@pytest.mark.parametrize(
    "shot",
    [
        "sh/010",
        "..\\sh",
        ".",
        "..",
        "",
        "   ",
        "con",
        "NUL",
        "COM1",
        "lpt9.txt",
        "SH010.v2",
        "a:b*c?",
        "x" * 300,
        "é" * 300,
        "\x00\n\x1f",
        "-rf",
        "ends.",
        "ends ",
        "A_PLACEHOLDER_v3",
        "\ud800",
        "🎬",
        "___",
    ],
)
def test_any_name_becomes_one_that_every_disk_takes(shot: str, tmp_path: Path) -> None:
    """Whatever a shot is called, its file is where it belongs, found again, and told from others."""
    safe = names.safe(shot)
    assert len(names.stem(shot, 1, "comfyui").encode()) + len(".10001.png.xmp") < 255
    assert not set(safe) & set('<>:"/\\|?*. ')
    assert safe.isprintable()
    assert safe == unicodedata.normalize("NFC", safe) != shot
    assert safe.strip("-_")
    assert not safe.startswith("-")
    assert safe.lower() not in ("con", "nul", "com1", "lpt9")
    home = names.home(tmp_path, shot)
    assert home.parent == tmp_path
    path = put(_film(tmp_path / "work"), home, shot, "slate")
    assert put(_film(tmp_path / "work"), home, shot, "slate") == path
    assert list(names.versions(home, shot)) == [1]
    assert PLACEHOLDER.search(path.name)


def test_plain_names_stay_and_others_never_meet(tmp_path: Path) -> None:
    """Letters of any script are kept; two names that would look alike on disk differ by a digest."""
    for shot in ("SH010", "010_0020", "Szene-3", "シーン1", "сцена"):
        assert names.safe(shot) == shot
    alike = ["a/b", "a:b", "a b", "a-b", "a..b", "a\\b", "-a-b", "a-b-"]
    assert len({names.safe(shot) for shot in alike}) == len(alike)
    assert names.safe("Café") == names.safe(unicodedata.normalize("NFD", "Café")) == "Café"
    assert names.safe("x" * 300) != names.safe("x" * 301)


def test_watched_folders_pass_over_what_is_put(tmp_path: Path) -> None:
    """Inside a watched folder, no file of ours is taken for footage, not even while it is being put."""
    ignore = Ignore.of(os.fsencode(tmp_path), ())
    home = tmp_path / "SH010"
    film = put(_film(tmp_path / "w"), home, "SH010", "slate")
    first = put(_sequence(tmp_path / "s", (b"1", b"2", b"3")), home, "SH010", "slate")
    for path, folder in ((film, False), (first.parent, True), (home / ".SH010_PLACEHOLDER_v0-ab12", True)):
        assert ignore.rule(os.fsencode(path.relative_to(tmp_path)), folder=folder) is not None
