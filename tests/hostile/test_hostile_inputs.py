"""One real run over a folder of everything that a mailbox of footage may hold: broken, lying, lured and oddly named."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat as modes
import struct
import subprocess
import sys
import time
import unicodedata
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from callboard_schemas import decode_path

SAMPLES = Path(__file__).parents[1] / "media"
SECRET = "Quokka"
"""Said nowhere but in files that only a lured decoder would open."""

pytestmark = [pytest.mark.models, pytest.mark.timeout(600)]


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, shade: int = 128) -> bytes:
    """Return a grey PNG, all of it, compressed row by row so that its size on disk stays small."""
    packer = zlib.compressobj(9)
    row = b"\0" + bytes([shade]) * width
    data = b"".join([packer.compress(row) for _ in range(height)]) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def wav(samples: int, *, claimed: int | None = None, rate: int = 8000, channels: int = 1, seed: int = 1) -> bytes:
    """Return a quiet WAV; *claimed* is how many samples its header says it has."""
    said = 2 * (samples if claimed is None else claimed)
    body = b"".join(struct.pack("<h", (n * seed * 37) % 61 - 30) for n in range(samples))
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    size = min(36 + said, 0xFFFFFFFF)
    return (
        b"RIFF" + struct.pack("<I", size) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", min(said, 0xFFFFFFFF)) + body
    )  # fmt: skip


NAMES = {
    b"new\nline.wav": 11,
    "clap \U0001f3ac \u202egnp.wav".encode(): 12,
    b'it\'s "quoted".wav': 13,
    b"-rf --out=x.wav": 14,
    b"bad\xff\xfeutf8.wav": 15,
    b"n" * 251 + b".wav": 16,
    b"esc\x1b]0;owned\x07\x1b[2J.wav": 17,
    b"100%41 %s %04d.wav": 18,
    b"[red]markup.wav": 19,
}
"""Good files with bad names, and a number that makes the content of each its own."""

BAD_NAMES = {b"void\n\x1b[31m.mp4": b"", b"junk\n\x1b[2J\xff\xe2\x80\xae.mov": b"Dear editor,\n" * 99}
"""Bad files with bad names."""

GOOD = ("harbour_take3.mp4", "one_frame.mp4", "room_tone.wav", "still_photo.jpg")
"""Samples that must come out as if nothing else were there."""

BAD = {
    b"empty.mp4": "empty",
    b"notes.mp4": "media",
    b"no_moov.mp4": "media",
    b"random.mov": "media",
    b"lure.mov": "media",
    b"playlist.mp4": "media",
    b"huge.png": "media",
}
"""What must fail, and with which code."""

EITHER = (b"half.mp4", b"cut.jpg", b"lying.wav", b"endless.wav", b"tiny.mp4", b"dot.png")
"""Broken or odd files that may give what they hold, or fail."""


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg quietly."""
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments], check=True)


def put(folder: Path, name: bytes, content: bytes) -> None:
    """Write a file whose name may be any bytes."""
    with open(os.path.join(os.fsencode(folder), name), "wb") as file:
        file.write(content)


def make_broken(folder: Path) -> None:
    """Write everything that is not what it says."""
    harbour = (SAMPLES / "harbour_take3.mp4").read_bytes()
    moov = harbour.index(b"moov") - 4
    mdat = harbour.index(b"mdat") - 4
    put(folder, b"empty.mp4", b"")
    put(folder, b"notes.mp4", b"Dear editor,\nthe reel is in the post.\n" * 40)
    put(folder, b"half.mp4", harbour[: len(harbour) // 2])
    length = int.from_bytes(harbour[moov : moov + 4], "big")
    without = harbour[:moov] + harbour[moov + length :] if moov < mdat else harbour[:moov]
    put(folder, b"no_moov.mp4", without[: len(without) * 3 // 4])
    put(folder, b"random.mov", b"".join(hashlib.sha256(bytes([n])).digest() for n in range(250)) * 12)
    put(folder, b"huge.png", png(20_000, 10_000))
    put(folder, b"dot.png", png(1, 1))
    put(folder, b"cut.jpg", (SAMPLES / "still_photo.jpg").read_bytes()[:-9000] + b"\xff\xd9\x00garbage" * 300)
    put(folder, b"lying.wav", wav(16_000, claimed=900_000_000))
    put(folder, b"endless.wav", wav(16_000, claimed=1 << 33, rate=8000, seed=3))
    one_pixel = "color=gray:s=2x2:d=1:r=5,format=gray,crop=1:1"
    ffmpeg("-f", "lavfi", "-i", one_pixel, "-c:v", "png", "-f", "mov", str(folder / "tiny.mp4"))


def make_lures(folder: Path, outside: Path) -> None:
    """Write files that name other files, links that lead away, and things that are no files."""
    outside.mkdir()
    ffmpeg("-i", str(SAMPLES / "one_frame.mp4"), "-metadata", f"title={SECRET}", "-metadata", f"service_name={SECRET}",
           "-f", "mpegts", str(folder / "sibling.bin"))  # fmt: skip
    (outside / "private.mp4").write_bytes((SAMPLES / "silent_pan.mp4").read_bytes())
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n{}\n#EXT-X-ENDLIST\n"
    put(folder, b"lure.mov", b"ffconcat version 1.0\nfile sibling.bin\n")
    put(folder, b"playlist.mp4", hls.format(f"file://{folder / 'sibling.bin'}").encode())
    os.mkfifo(folder / "pipe.mp4")
    (folder / "loop.mp4").symlink_to("loop.mp4")
    (folder / "outside.mp4").symlink_to(outside / "private.mp4")
    (folder / "outside_folder").symlink_to(outside, target_is_directory=True)
    (folder / "x.mp4").mkdir()
    (folder / "x.mp4" / "inside.wav").write_bytes(wav(8000, seed=20))


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the folder."""
    top = tmp_path_factory.mktemp("hostile")
    folder = top / "footage"
    folder.mkdir()
    make_broken(folder)
    make_lures(folder, top / "outside")
    for name, seed in NAMES.items():
        put(folder, name, wav(8000, seed=seed))
    for name, content in BAD_NAMES.items():
        put(folder, name, content)
    for sample in GOOD:
        put(folder, sample.encode(), (SAMPLES / sample).read_bytes())
    return folder


class Ran(NamedTuple):
    """What a run of the command did."""

    code: int
    out: bytes
    err: bytes
    before: dict[bytes, tuple[str, int, int]]
    after: dict[bytes, tuple[str, int, int]]
    left: list[str]
    """Processes that outlived it."""
    shared: list[str]
    """What it left in shared memory."""

    @property
    def report(self) -> dict[str, Any]:
        """The JSON document; fails when there is more or less than one."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def originals(folder: Path) -> dict[bytes, tuple[str, int, int]]:
    """Give digest, mtime and mode of each file that is no sidecar, and of each link and pipe where it leads."""
    found: dict[bytes, tuple[str, int, int]] = {}
    for top, folders, files in os.walk(os.fsencode(folder)):
        for name in files + folders:
            path = os.path.join(top, name)
            stat = os.lstat(path)
            if modes.S_ISDIR(stat.st_mode) or name.endswith((b".xmp", b".callboard.json", b".srt", b".vtt")):
                continue
            where = Path(os.fsdecode(path))
            if modes.S_ISLNK(stat.st_mode):
                content = os.fsencode(where.readlink())
            else:
                content = where.read_bytes() if modes.S_ISREG(stat.st_mode) else b""
            found[path] = (hashlib.sha256(content).hexdigest(), stat.st_mtime_ns, stat.st_mode)
    return found


def run(folder: Path, home: Path, *more: str) -> Ran:
    """Run the command as a user does, and look at what it left."""
    before = originals(folder)
    mark = f"hostile-{os.getpid()}-{time.monotonic_ns()}"
    environment = {**os.environ, "CALLBOARD_HOME": str(home), "CALLBOARD_TEST_MARK": mark}
    with subprocess.Popen(
        [sys.executable, "-m", "callboard", "run", str(folder), *more],
        cwd=folder.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=500)
        finally:
            process.kill()
    ends = time.monotonic() + 60
    while (left := marked(mark)) and time.monotonic() < ends:
        time.sleep(0.05)  # what was told to end, or killed, may be about to
    shared = [path.name for path in Path("/dev/shm").glob(f"callboard-{process.pid}-*")]
    return Ran(process.returncode, out, err, before, originals(folder), left, shared)


def marked(mark: str) -> list[str]:
    """Name the live processes that carry *mark* in their environment, whoever their parent is by now."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("CALLBOARD_TEST_MARK") == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {process.cmdline()}")
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module")
def home(footage: Path) -> Path:
    """Give the user's data folder."""
    return footage.parent / "home"


@pytest.fixture(scope="module")
def first(footage: Path, home: Path) -> Ran:
    """Run once; most tests look at this."""
    return run(footage, home, "--json")


def named(report: dict[str, Any], folder: Path) -> dict[bytes, dict[str, Any]]:
    """Give the assets of a report by their path inside the folder."""
    top = os.fsencode(folder) + b"/"
    return {decode_path(asset["path"]).removeprefix(top): asset for asset in report["assets"]}


def failures(asset: dict[str, Any]) -> list[dict[str, Any]]:
    """Give every failure of an asset and of its jobs."""
    found = [asset.get("failure"), *(job.get("failure") for job in asset["jobs"])]
    return [failure for failure in found if failure]


def texts(value: Any) -> list[str]:
    """Give every string of a JSON document, keys too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in texts(item)]
    return [text for item in value for text in texts(item)] if isinstance(value, list) else []


def test_every_input_is_accounted_for(first: Ran, footage: Path) -> None:
    """The run ends with 1; what is good is done, what is bad failed by name, what leads away is passed over aloud."""
    assert first.code == 1, first.err.decode(errors="replace")
    found = named(first.report, footage)
    wanted = {*NAMES, *BAD, *EITHER, *BAD_NAMES, *(name.encode() for name in GOOD), b"x.mp4/inside.wav"}
    assert found.keys() == wanted
    states = {name: asset["state"] for name, asset in found.items()}
    good = {*NAMES, *(name.encode() for name in GOOD), b"x.mp4/inside.wav"}
    assert {name: states[name] for name in good} == dict.fromkeys(good, "done")
    bad = {*BAD, *BAD_NAMES}
    assert {name: states[name] for name in bad} == dict.fromkeys(bad, "failed")
    assert {states[name] for name in EITHER} <= {"done", "failed"}
    codes = {name: {failure["code"] for failure in failures(found[name])} for name in BAD}
    assert codes == {name: {code} for name, code in BAD.items()}
    over = {decode_path(one["path"]).rpartition(b"/")[2]: one["why"] for one in first.report["passed_over"]}
    assert over.keys() == {b"pipe.mp4", b"loop.mp4", b"outside.mp4", b"outside_folder"}
    assert all("link" in why for name, why in over.items() if name != b"pipe.mp4")


def test_failures_are_said_plainly(first: Ran, footage: Path) -> None:
    """Each failure has a code, one line that names the file, and a hint; nothing looks like a crash or an escape."""
    for name, asset in named(first.report, footage).items():
        for failure in failures(asset):
            assert re.fullmatch(r"[a-z-]+", failure["code"])
            assert failure["message"].isprintable(), name
            assert name in BAD_NAMES or name.decode() in failure["message"]
            assert len(failure["hint"]) > 10, failure
            assert failure["cause"] == "deterministic"
    for text in texts(first.report):
        assert "Traceback" not in text
        assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs")], ascii(text)
    assert first.err == b""


def test_nothing_is_taken_from_neighbours(first: Ran, footage: Path) -> None:
    """What a lure points at shows up nowhere: not in the report, not in a sidecar, not in the folder it lies in."""
    sidecars = [Path(path).read_bytes() for path in footage.rglob("*") if path.suffix in (".xmp", ".json")]
    assert sidecars
    assert not [text for text in [first.out, *sidecars] if SECRET.encode() in text]
    assert sorted(os.listdir(footage.parent / "outside")) == ["private.mp4"]
    lured = named(first.report, footage)
    assert not lured[b"lure.mov"]["sidecars"]
    assert not lured[b"playlist.mp4"]["sidecars"]


def test_originals_and_the_machine_are_as_before(first: Ran) -> None:
    """No byte, mode or mtime of an original differs; no process and nothing in shared memory is left."""
    assert first.after == first.before
    assert (first.left, first.shared) == ([], [])


def test_again_runs_no_plugin(first: Ran, footage: Path, home: Path) -> None:
    """The same command again finds everything in the catalog: the same states, all cached."""
    again = run(footage, home, "--json")
    assert again.code == 1
    before, after = named(first.report, footage), named(again.report, footage)
    assert {name: asset["state"] for name, asset in after.items()} == {
        name: asset["state"] for name, asset in before.items()
    }
    jobs = [job for asset in after.values() for job in asset["jobs"]]
    assert all(job["cached"] for job in jobs)
    assert {name: failures(asset) for name, asset in after.items()} == {
        name: failures(asset) for name, asset in before.items()
    }
    assert again.after == first.before
    assert again.left == []


def test_a_terminal_gets_no_escape(first: Ran, footage: Path, home: Path) -> None:
    """The table of the same run holds no control character but the end of a line, and no traceback."""
    shown = run(footage, home)
    assert shown.code == 1
    text = shown.out.decode() + shown.err.decode()
    assert "Traceback" not in text
    assert not [char for char in text if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs")]
    assert "[red]markup.wav" in text
