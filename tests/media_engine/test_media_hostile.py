"""Hostile and broken files: each is a clear error or a result, and nothing else is opened."""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from callboard import shm
from callboard.errors import MediaCrash, MediaError
from callboard.media.client import open_media

SAMPLES = Path(__file__).parents[1] / "media"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder in shared memory; the test fails when something is left in it."""
    made = shm.make_folder()
    yield made
    assert list(made.iterdir()) == []
    made.rmdir()


def use(path: Path, folder: Path) -> tuple[int, float]:
    """Probe, hear and see everything; return frames and seconds of sound."""
    with open_media(path, shm_folder=folder) as media:
        media.probe()
        seconds = sum(block.samples.size for block in media.audio()) / 16000
        return sum(1 for _ in media.frames(max_side=64)), seconds


def png(width: int, height: int, rows: int) -> bytes:
    """Return a grey PNG that says it is *width* x *height* and holds *rows* rows of it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes((width + 1) * rows))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.mp4", b"", r"empty\.mp4: is empty"),
        ("notes.mp4", b"Dear editor,\nthe reel is in the post.\n" * 40, r"notes\.mp4: is not media that can be opened"),
        ("junk.mov", np.random.default_rng(5).bytes(100_000), r"junk\.mov: "),
        ("head.mp4", b"\x00\x00\x00\x20ftypisom", r"head\.mp4: "),
        ("nothing.jpg", b"\xff\xd8\xff\xe0" + bytes(400), r"nothing\.jpg: "),
        ("page.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", r"page\.svg: is not media"),
        ("print.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", r"print\.eps: is not media"),
        ("huge.png", png(20_000, 10_000, 3), r"huge\.png: is 20000 x 10000, 200 megapixels, past the limit of 134"),
        ("worse.png", png(60_000, 60_000, 1), r"worse\.png: is 60000 x 60000, 3600 megapixels, past the limit of 134"),
        ("cut.png", png(64, 64, 0), r"cut\.png: holds no picture"),
    ],
)
def test_what_is_not_media_is_refused_by_name(
    folder: Path, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """The error names the file and says what is wrong with it."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MediaError, match=message):
        use(path, folder)


def test_pixels_of_a_container_are_bounded_too(folder: Path, tmp_path: Path) -> None:
    """A 200-megapixel picture inside a video container meets the same limit."""
    path = tmp_path / "huge.mkv"
    source = tmp_path / "huge.png"
    source.write_bytes(png(20_000, 10_000, 10_000))
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(source), "-c", "copy", str(path)], check=True)
    with pytest.raises(MediaError, match=r"huge\.mkv: "):
        use(path, folder)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
@pytest.mark.parametrize(
    "name", ["harbour_take3.mp4", "odd_size.mkv", "music_bed.ogg", "still_photo.jpg", "still_bars.png"]
)
def test_truncated_files_give_what_they_hold_or_an_error(folder: Path, tmp_path: Path, name: str, share: float) -> None:
    """A file cut anywhere ends in a result or in a media error, never in a dead or hung decoder."""
    data = (SAMPLES / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: int(len(data) * share)])
    try:
        frames, seconds = use(path, folder)
    except MediaError as error:
        assert error.name == name  # noqa: PT017 - either outcome is right, and each is checked
    else:
        assert frames or seconds


@pytest.mark.parametrize("seed", range(12))
def test_damaged_files_give_what_they_hold_or_an_error(folder: Path, tmp_path: Path, seed: int) -> None:
    """Flipped bytes anywhere in any kind of file never end the process that asked."""
    rng = np.random.default_rng(seed)
    names = ["harbour_take3.mp4", "odd_size.mkv", "music_bed.ogg", "still_photo.jpg", "still_bars.png", "room_tone.wav"]
    name = names[seed % len(names)]
    data = bytearray((SAMPLES / name).read_bytes())
    for at in rng.integers(0, len(data), 60):
        data[at] ^= int(rng.integers(1, 256))
    path = tmp_path / name
    path.write_bytes(data)
    try:
        use(path, folder)
    except (MediaError, MediaCrash) as error:
        assert name in str(error)  # noqa: PT017 - either outcome is right, and each is checked


def _lures(tmp_path: Path, port: int) -> dict[str, bytes]:
    private = tmp_path / "private.ts"
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n{}\n#EXT-X-ENDLIST\n"
    url = f"http://127.0.0.1:{port}/a"
    mpd = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4">'
        '<Representation id="1" bandwidth="1">'
        f"<BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )
    texts = {
        "hls_file.mp4": hls.format(f"file://{private}"),
        "hls_plain.m3u8": hls.format(private),
        "hls_http.mp4": hls.format(url),
        "concat_relative.mov": "ffconcat version 1.0\nfile private.ts\n",
        "concat_absolute.mov": f"ffconcat version 1.0\nfile {private}\n",
        "concat_http.mov": f"ffconcat version 1.0\nfile {url}\n",
        "dash.mpd": mpd,
        "session.mov": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "frames%03d.png": "not a picture",
        "concat:private.ts": "not media",
    }
    return {name: text.encode() for name, text in texts.items()}


def test_files_that_name_other_files_reach_nothing(folder: Path, tmp_path: Path) -> None:
    """Playlists, scripts, sessions and patterns are refused; no neighbour is decoded and nobody is called."""
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(SAMPLES / "one_frame.mp4"), str(tmp_path / "private.ts")], check=True
    )
    for number in (1, 2, 3):
        (tmp_path / f"frames{number:03d}.png").write_bytes((SAMPLES / "plate" / "plate.1001.png").read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        for name, content in _lures(tmp_path, server.getsockname()[1]).items():
            (tmp_path / name).write_bytes(content)
            with pytest.raises(MediaError, match="is not media that can be opened"):
                use(tmp_path / name, folder)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_only_the_file_itself_is_opened_and_only_for_reading(tmp_path: Path) -> None:
    """The system calls of the client and its decoder show one kind of open on media: read only."""
    source = tmp_path / "take.mp4"
    source.write_bytes((SAMPLES / "harbour_take3.mp4").read_bytes())
    lure = tmp_path / "lure.mov"
    lure.write_bytes(f"ffconcat version 1.0\nfile {source}\n".encode())
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from callboard import shm
        from callboard.errors import MediaError
        from callboard.media.client import open_media
        folder = shm.make_folder()
        with open_media(Path(sys.argv[1]), shm_folder=folder) as media:
            media.probe()
            assert list(media.audio()) and list(media.frames(every=1))
        try:
            with open_media(Path(sys.argv[2]), shm_folder=folder) as media:
                media.probe()
        except MediaError:
            folder.rmdir()
    """)
    trace = tmp_path / "trace"
    calls = "trace=open,openat,openat2,creat,rename,renameat2,unlink,unlinkat,truncate,connect,execve"
    subprocess.run(
        [
            *("strace", "-f", "-qq", "-s", "4096", "-e", calls, "-o", str(trace)),
            *(sys.executable, "-B", "-c", script, str(source), str(lure)),
        ],
        check=True,
        timeout=280,
    )
    lines = trace.read_text("utf-8", "replace").splitlines()
    decoder = next(line.split()[0] for line in lines if "execve(" in line and '"callboard.media.decoder"' in line)
    on_media = [line for line in lines if str(tmp_path) in line and "execve" not in line]
    assert len(on_media) == 2
    assert all(re.search(r"openat\(.*O_RDONLY\|", line) for line in on_media)
    assert decoder not in {line.split()[0] for line in on_media}
    theirs = [line for line in lines if line.split()[0] == decoder]
    assert not [line for line in theirs if "O_WRONLY" in line or "O_RDWR" in line or "O_CREAT" in line]
    assert not [line for line in lines if "connect(" in line and "AF_INET" in line]


@pytest.mark.parametrize(
    "name",
    [
        b"-rf.mp4",
        b"new\nline.mp4",
        "emoji \U0001f3ac.mp4".encode(),
        b"quote'\".mp4",
        b"bad\xff\xfeutf8.mp4",
        b"%03d.mp4",
    ],
)
def test_strange_names_are_only_names(folder: Path, tmp_path: Path, name: bytes) -> None:
    """No file name is an option, a pattern or an escape sequence; errors show it on one line."""
    path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    path.write_bytes((SAMPLES / "one_frame.mp4").read_bytes())
    assert use(path, folder) == (1, 0.0)
    path.write_bytes(b"")
    with pytest.raises(MediaError) as raised:
        use(path, folder)
    assert "\n" not in raised.value.message
    raised.value.message.encode("utf-8")


def test_what_is_no_regular_file_is_refused_at_once(folder: Path, tmp_path: Path) -> None:
    """A pipe, a folder, a link, a socket, a device and a missing file are each named for what they are."""
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "link.mp4").symlink_to(SAMPLES / "one_frame.mp4")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket.mp4"))
        for name, problem in (
            ("pipe.mp4", "is a pipe or a device"),
            (".", "is a folder"),
            ("link.mp4", "is a symbolic link"),
            ("socket.mp4", "is a socket"),
            ("gone.mp4", "is not there any more"),
            ("/dev/zero", "is a pipe or a device"),
        ):
            with pytest.raises(MediaError, match=problem):
                open_media(tmp_path / name, shm_folder=folder)


def test_a_huge_sparse_file_costs_little(folder: Path, tmp_path: Path) -> None:
    """A terabyte of nothing is refused without being read through."""
    path = tmp_path / "sparse.mov"
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    done = threading.Event()

    def look() -> None:
        with pytest.raises(MediaError):
            use(path, folder)
        done.set()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(100)  # to read it through takes longer
    assert done.is_set()
