"""Decoding processes: shut in, replaced when they die or hang, and gone with their owner."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from callboard import shm
from callboard.errors import MediaCrash, MediaError
from callboard.media.client import open_media
from callboard.media.limits import Limits
from callboard.media.pool import Decoder, Pool
from callboard.testing.frozen import freeze
from callboard.testing.processes import PATIENT, children, has_ended

SAMPLES = Path(__file__).parents[1] / "media"
CLIP = SAMPLES / "harbour_take3.mp4"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder in shared memory; the test fails when something is left in it."""
    made = shm.make_folder()
    yield made
    assert list(made.iterdir()) == []
    made.rmdir()


@pytest.fixture
def pool() -> Iterator[Pool]:
    """A pool of its own, whose processes are all gone afterwards."""
    made = Pool()
    before = children("callboard.media.decoder")
    yield made
    made.close()
    assert [child for child in children("callboard.media.decoder") if child not in before] == []


def new_decoder(pool: Pool) -> psutil.Process:
    """Start a decoder in *pool*, and return its process."""
    pool.warm()
    return psutil.Process(pool._idle[-1].pid)


def test_a_killed_decoder_fails_one_file_only(folder: Path, pool: Pool) -> None:
    """Kill -9 in the middle names the file and the signal; the next call gets a new process."""
    process = new_decoder(pool)
    with open_media(CLIP, shm_folder=folder, pool=pool) as media:
        frames = media.frames()
        next(frames)
        process.kill()
        with pytest.raises(MediaCrash, match=r"harbour_take3\.mp4: the decoder died by SIGKILL"):
            list(frames)
        assert len(list(media.frames(every=1.0))) == 13
    assert not process.is_running()
    assert pool.started == 2


def test_a_decoder_killed_while_idle_is_not_noticed(folder: Path, pool: Pool) -> None:
    """A warm process that died is replaced before it is used."""
    process = new_decoder(pool)
    process.kill()
    process.wait(PATIENT)
    with open_media(CLIP, shm_folder=folder, pool=pool) as media:
        assert media.probe().duration > 12


def test_a_hung_decoder_is_stopped(folder: Path, pool: Pool) -> None:
    """Silence for longer than the limit ends the call and the process."""
    process = new_decoder(pool)
    limits = Limits(stall_seconds=0.5)
    freeze(process.pid)
    with (
        open_media(CLIP, shm_folder=folder, pool=pool, limits=limits) as media,
        pytest.raises(MediaCrash, match=r"gave nothing for 0\.5 s and was stopped"),
    ):
        next(media.frames())
    assert not process.is_running()


def test_a_hung_decoder_does_not_hold_up_leaving(folder: Path, pool: Pool) -> None:
    """Closing a generator whose decoder hangs takes seconds, not for ever, and the process is ended."""
    process = new_decoder(pool)
    with open_media(CLIP, shm_folder=folder, pool=pool) as media:
        frames = media.frames()
        next(frames)
        freeze(process.pid)
        frames.close()
    assert not process.is_running()


def test_a_decoder_is_reused_and_renewed(folder: Path, monkeypatch: pytest.MonkeyPatch, pool: Pool) -> None:
    """One process serves many calls, and after a set number a new one takes over."""
    monkeypatch.setattr("callboard.media.pool._CALLS", 3)
    for _ in range(6):
        with open_media(SAMPLES / "one_frame.mp4", shm_folder=folder, pool=pool) as media:
            media.probe()
    assert pool.started == 2


def test_decoders_that_are_used_at_once_stay_warm_for_a_while(
    folder: Path, monkeypatch: pytest.MonkeyPatch, pool: Pool
) -> None:
    """As many calls at once as before start no process; once they are not needed, only the usual number stays."""
    monkeypatch.setattr("callboard.media.pool._LINGER", 600.0)
    monkeypatch.setattr("callboard.media.call._STOP_SECONDS", PATIENT)
    for _ in range(2):
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                media = stack.enter_context(open_media(CLIP, shm_folder=folder, pool=pool))
                stack.enter_context(contextlib.closing(media.frames(every=5.0))).__next__()
    assert pool.started == 4
    assert pool._timer is not None
    pool._timer.cancel()
    pool._thin()
    assert len(pool._idle) == 4
    monkeypatch.setattr("callboard.media.pool._LINGER", 0.0)
    kept, gone = ([psutil.Process(decoder.pid) for decoder in part] for part in (pool._idle[2:], pool._idle[:2]))
    pool._thin()
    assert [process.is_running() for process in (*kept, *gone)] == [True, True, False, False]


def test_memory_is_bounded(folder: Path, pool: Pool, tmp_path: Path) -> None:
    """A picture that needs more memory than a decoder may take is an error that says so; the process lives on."""
    process = new_decoder(pool)
    assert process.rlimit(psutil.RLIMIT_AS) == (Limits().memory, Limits().memory)
    path = tmp_path / "wide.ppm"
    with open(path, "wb") as file:
        file.write(b"P6 11000 11000 255\n")
        file.truncate(11000 * 11000 * 3 + 19)
    limits = Limits(memory=600 << 20)
    with (
        open_media(path, shm_folder=folder, pool=pool, limits=limits) as media,
        pytest.raises(MediaError, match=r"wide\.ppm: decoding it takes more memory than the 600 MiB"),
    ):
        list(media.frames())
    assert process.is_running()


def test_processor_time_is_bounded(folder: Path, pool: Pool, tmp_path: Path) -> None:
    """A call that uses up its processor time is ended by the kernel, and the error says how."""
    path = tmp_path / "long.mp4"
    arguments = ["-stream_loop", "40", "-i", str(CLIP), "-an", "-c", "copy", str(path)]
    subprocess.run(["ffmpeg", "-v", "error", *arguments], check=True)
    limits = Limits(cpu_seconds=1)
    with (
        open_media(path, shm_folder=folder, pool=pool, limits=limits) as media,
        pytest.raises(MediaCrash, match=r"long\.mp4: the decoder died by SIGXCPU"),
    ):
        for _ in media.frames(max_side=160):
            pass


def test_a_decoder_is_shut_in(monkeypatch: pytest.MonkeyPatch, pool: Pool, tmp_path: Path) -> None:
    """It leads its own session, sees no secret, may write no file, and keeps no descriptor of ours."""
    monkeypatch.setenv("CALLBOARD_TEST_TOKEN", "hunter2")
    process = new_decoder(pool)
    with open(tmp_path / "ours", "w") as ours:
        os.set_inheritable(ours.fileno(), True)
        second = new_decoder(pool)
        held = [str(descriptor.readlink()) for descriptor in Path(f"/proc/{second.pid}/fd").iterdir()]
        assert held
        assert str(tmp_path / "ours") not in held
    assert os.getsid(process.pid) == process.pid
    assert not [name for name in process.environ() if name.startswith(("CALLBOARD", "AWS", "HOME", "PATH"))]
    assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert process.children() == []


def test_a_decoder_can_open_nothing(tmp_path: Path) -> None:
    """After the file system is closed, no path can be opened, written or connected to."""
    script = textwrap.dedent("""
        import os, socket, sys
        from callboard.media.landlock import close_file_system
        with open(sys.argv[1]) as before:
            assert close_file_system()
            assert before.read() == "open before"
        for attempt in (
            lambda: os.open(sys.argv[1], os.O_RDONLY),
            lambda: os.open(sys.argv[1] + ".new", os.O_WRONLY | os.O_CREAT),
            lambda: os.listdir("/"),
            lambda: os.execv(sys.executable, [sys.executable, "-V"]),
            lambda: socket.create_connection(("127.0.0.1", 9)),
        ):
            try:
                attempt()
            except PermissionError:
                continue
            sys.exit(f"not refused: {attempt}")
    """)
    path = tmp_path / "file"
    path.write_text("open before")
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)


def test_decoders_do_not_die_with_the_thread_that_asked(folder: Path, pool: Pool) -> None:
    """A decoder started for one thread serves another after the first has ended."""

    def probe() -> None:
        with open_media(CLIP, shm_folder=folder, pool=pool) as media:
            media.probe()

    for _ in range(3):
        thread = threading.Thread(target=probe)
        thread.start()
        thread.join()
    assert pool.started == 1


def test_decoders_die_with_their_owner(tmp_path: Path) -> None:
    """Kill -9 of the process that decodes leaves no decoder behind, even a stopped one."""
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from callboard import shm
        from callboard.media.client import open_media
        from callboard.media.pool import shared
        import psutil
        with open_media(Path(sys.argv[1]), shm_folder=Path(sys.argv[2])) as media:
            frames = media.frames()
            next(frames)
            print(psutil.Process().children()[0].pid, flush=True)
            sys.stdin.read()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", script, str(CLIP), str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        decoder = psutil.Process(int(owner.stdout.readline()))
        decoder.suspend()
        until = time.monotonic() + PATIENT
        while decoder.status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < until
            time.sleep(0.01)  # it is another's child: only that one would be told
        owner.kill()
        while not has_ended(decoder):  # nobody may be there to look at how it ended
            assert time.monotonic() < until + PATIENT
            time.sleep(0.01)
    assert list(tmp_path.iterdir()) == []


def test_many_threads_at_once(folder: Path, pool: Pool) -> None:
    """Threads that open media at the same time each get their own decoder and the right answer."""
    results: list[int] = []

    def work() -> None:
        with open_media(SAMPLES / "silent_pan.mp4", shm_folder=folder, pool=pool) as media:
            results.append(sum(1 for _ in media.frames(max_side=16)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [150] * 4


def test_ending_a_decoder_reaps_it() -> None:
    """No zombie is left, and what ended it is told."""
    decoder = Decoder()
    os.kill(decoder.pid, signal.SIGTERM)  # leaves no core, which could take longer to write than is waited for
    assert decoder.farewell() == "died by SIGTERM"
    assert not psutil.pid_exists(decoder.pid)


def test_a_warm_decoder_serves_every_call(folder: Path, pool: Pool) -> None:
    """Once a decoder is warm, no call starts another."""
    pool.warm()
    for _ in range(15):
        with open_media(SAMPLES / "still_bars.png", shm_folder=folder, pool=pool) as media:
            media.probe()
    assert pool.started == 1
