"""Watching folders: what a burst costs and loses, beside a raw inotify loop, and how soon a settled file is said.

python bench/watch.py            10,000 files per burst; --files 50000 for the figure that is claimed
python bench/watch.py latency    only the time from the last write of a file to its event
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

QUIET = 0.5
FOLDERS = 100
CONTENT = b"x" * 200


def cpu() -> float:
    """CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Tally:
    """What a child saw."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.times: dict[str, float] = {}
        self.began = cpu()

    def add(self, name: str) -> None:
        """Count a file."""
        self.seen[name] += 1
        self.times[name] = time.monotonic()

    def serve(self) -> None:
        """Answer on stdin: ``n`` counts, ``times`` gives all times."""
        print("ready", flush=True)
        for line in sys.stdin:
            if line.strip() == "times":
                print(json.dumps(self.times), flush=True)
                continue
            doubles = sum(count - 1 for count in list(self.seen.values()))
            answer = {"seen": len(self.seen), "doubles": doubles, "cpu": cpu() - self.began}
            print(json.dumps(answer), flush=True)
        os._exit(0)


def child_callboard(root: str) -> None:
    """Watch *root* with Callboard's source."""
    from callboard.config import Watch
    from callboard.sources import SourceEvent, WatchSource

    tally = Tally()

    async def emit(event: SourceEvent) -> None:
        if event.seen is not None:
            tally.add(os.fsdecode(event.seen.path))

    async def main() -> None:
        watch = Watch(path=root, quiet=QUIET)
        source = WatchSource(watch, Path(root), emit=emit, note=lambda *_: None, known={}, ours=lambda _: False)
        task = asyncio.create_task(source.run())
        await source.ready.wait()
        tally.began = cpu()
        threading.Thread(target=tally.serve, daemon=True).start()
        await task

    asyncio.run(main())


def child_raw(root: str) -> None:
    """Watch *root* with nothing but inotify: every close and move counts."""
    from inotify_simple import INotify, flags

    notify = INotify()
    tally = Tally()
    folders: dict[int, str] = {}
    mask = flags.CREATE | flags.CLOSE_WRITE | flags.MOVED_TO

    def add(folder: str, *, report: bool) -> None:
        folders[notify.add_watch(folder, mask)] = folder
        for entry in os.scandir(folder):
            if entry.is_dir():
                add(entry.path, report=report)
            elif report:
                tally.add(os.path.relpath(entry.path, root))

    add(root, report=False)
    threading.Thread(target=tally.serve, daemon=True).start()
    tally.began = cpu()
    while True:
        for event in notify.read():
            folder = folders.get(event.wd, root)
            if event.mask & flags.ISDIR and event.mask & (flags.CREATE | flags.MOVED_TO):
                add(f"{folder}/{event.name}", report=True)
            elif event.mask & (flags.CLOSE_WRITE | flags.MOVED_TO) and event.name.endswith(".mov"):
                tally.seen[os.path.relpath(f"{folder}/{event.name}", root)] = 1


class Child:
    """A watcher in its own process."""

    def __init__(self, kind: str, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--child", kind, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def ask(self, what: str) -> dict[str, float]:
        """Send a line and read the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        answer: dict[str, float] = json.loads(self.process.stdout.readline())
        return answer

    def rest(self, want: int, seconds: float) -> tuple[dict[str, float], float]:
        """Wait until it saw *want* files, or nothing new came for five seconds; give the answer and when it came."""
        end, best, news = time.monotonic() + seconds, -1.0, time.monotonic()
        while True:
            answer, now = self.ask("n"), time.monotonic()
            if answer["seen"] > best:
                best, news = answer["seen"], now
            if best >= want or now > end or now - news > 5:
                return answer, news
            time.sleep(0.05)

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def write(path: str) -> None:
    fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
    os.write(fd, CONTENT)
    os.close(fd)


def burst(root: Path, case: str, count: int) -> None:
    """Make *count* files in the way that *case* says."""
    for n in range(count):
        if case == "folders":
            folder = f"{root}/new{n // 200}/m{n // 10}"
            if n % 10 == 0:
                os.makedirs(folder)
            write(f"{folder}/{n}.mov")
        elif case == "renamed":
            part = Path(f"{root}/d{n % FOLDERS}/{n}.part")
            write(str(part))
            part.rename(part.with_suffix(".mov"))
        else:
            write(f"{root}/d{n % FOLDERS}/{n}.mov")


def measure(kind: str, case: str, count: int) -> dict[str, float]:
    """Run one case with one watcher."""
    root = Path(tempfile.mkdtemp(prefix="callboard-bench-"))
    try:
        for n in range(FOLDERS):
            (root / f"d{n}").mkdir()
        child = Child(kind, root)
        try:
            if case == "stopped":
                os.kill(child.process.pid, signal.SIGSTOP)
            burst(root, case, count)
            if case == "stopped":
                os.kill(child.process.pid, signal.SIGCONT)
            ended = time.monotonic()
            answer, last = child.rest(count, 120)
            time.sleep(1.0)  # whatever would be said twice is said now
            answer = child.ask("n")
            return {**answer, "lag": last - ended, "missed": count - answer["seen"]}
        finally:
            child.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)


def bursts(scale: int) -> None:
    cases = {"written": scale, "renamed": scale // 5, "folders": scale // 10, "stopped": scale * 2 // 5}
    print("case         files  missed  twice  last after  CPU us/file  x raw  raw missed")
    for case, count in cases.items():
        raw, ours = measure("raw", case, count), measure("callboard", case, count)
        print(
            f"{case:10}{count:8}{ours['missed']:8.0f}{ours['doubles']:7.0f}{ours['lag']:10.2f} s"
            f"{ours['cpu'] / count * 1e6:13.0f}{ours['cpu'] / max(raw['cpu'], 0.01):7.1f}{raw['missed']:12.0f}"
        )


def latency(count: int = 40) -> None:
    """Time from the last write of a file to its event, less the quiet time."""
    root = Path(tempfile.mkdtemp(prefix="callboard-bench-"))
    child = Child("callboard", root)
    wrote: dict[str, float] = {}
    try:
        for n in range(count):
            write(f"{root}/{n}.mov")
            wrote[f"{n}.mov"] = time.monotonic()
            time.sleep(0.07)
        child.rest(count, 30)
        times = child.ask("times")
    finally:
        child.stop()
        shutil.rmtree(root, ignore_errors=True)
    over = sorted(1000 * (times[name] - at - QUIET) for name, at in wrote.items())
    print(f"last write to event, less the quiet time: median {statistics.median(over):.1f} ms, worst {over[-1]:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["all", "bursts", "latency"], default="all")
    parser.add_argument("--files", type=int, default=10_000, help="files of the largest burst")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        kind, root = options.child
        {"callboard": child_callboard, "raw": child_raw}[kind](root)
        return
    if options.what != "bursts":
        latency()
    if options.what != "latency":
        bursts(options.files)


if __name__ == "__main__":
    main()
