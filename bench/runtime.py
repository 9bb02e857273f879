"""The model runtime beside bare onnxruntime, LitServe, and a session for each plugin.

    callboard models pull minilm-l6-v2
    python bench/runtime.py [--rounds N] [--seconds S] [--only text|picture|overhead|memory]

*text* is MiniLM-L6 (real weights) on texts of 4 to 160 words; *picture* a ViT-B/32 image tower with random weights. In
each round every variant runs in a process of its own, one after the other; a ratio is the median of the rounds' ratios.
*offline* is the limit: all inputs are known and sorted by length, and are run in the best of three batch sizes. *per
call* is what a plugin would do by itself: each caller runs its own input on a session that they share. Callers are a
closed loop: each sends its next input when it has its answer, so the latency at 32 callers is 32 divided by the rate.
One caller at a time leaves nothing to gather: *per call* is the most that it can have.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import psutil
from callboard.config import RuntimeSettings
from callboard.packs import locate, packs_of
from callboard.runtime import cores

Feed = Mapping[str, np.ndarray[Any, Any]]
Run = Callable[[Feed], Any]
CALLERS = (1, 4, 32)
PICTURE = "bench-vit-b-32"
TEXT = "minilm-l6-v2"


def texts() -> list[Feed]:
    """Make 192 texts as token ids; lengths are log-normal, as those of cues and descriptions are."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(3.2, 0.9, 192), 5, 200).astype(int)
    found: list[Feed] = []
    for length in lengths:
        ids = np.concatenate([[101], rng.integers(1000, 28000, length), [102]]).astype(np.int64)[None]
        found.append({"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)})
    return found


def pictures() -> list[Feed]:
    """Make 64 prepared pictures."""
    rng = np.random.default_rng(0)
    return [{"image": rng.standard_normal((1, 3, 224, 224), np.float32)} for _ in range(64)]


def stack(feeds: Sequence[Feed]) -> Feed:
    """Put inputs into one batch, padded with zeros to the longest."""
    joined = {}
    for name in feeds[0]:
        arrays = [feed[name] for feed in feeds]
        longest = max(array.shape[1] for array in arrays)
        rest = [(0, 0)] * (arrays[0].ndim - 2)
        joined[name] = np.concatenate([np.pad(a, [(0, 0), (0, longest - a.shape[1]), *rest]) for a in arrays])
    return joined


def graph(model: str, folder: Path) -> Path:
    """The ONNX file of a model."""
    pack = packs_of(RuntimeSettings(models=str(folder)))[model]
    return locate(pack) / pack.files[0].path


def bare(path: Path, threads: int, *, spinning: bool = True) -> onnxruntime.InferenceSession:
    """Open a session of our own; by default threads spin while they wait."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spinning else "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def drive(run: Run, feeds: Sequence[Feed], callers: int, seconds: float) -> dict[str, float]:
    """Have *callers* threads call *run* in a closed loop, after a warm-up; counted are answers within *seconds*.

    Each takes the next input of all, so that whoever is served more often does not choose which lengths are measured.
    """
    latencies: list[float] = []
    turns = itertools.count()
    began = time.perf_counter()
    run(feeds[0])
    begin = time.perf_counter() + max(1.0, 2.0 * callers * (time.perf_counter() - began) / cores())
    until = begin + seconds

    def caller() -> None:
        while (started := time.perf_counter()) < until:
            run(feeds[next(turns) % len(feeds)])
            if begin <= (answered := time.perf_counter()) < until:
                latencies.append(answered - started)

    threads = [threading.Thread(target=caller) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies.sort()
    return {
        "rate": len(latencies) / seconds,
        "p50": latencies[len(latencies) // 2] * 1e3,
        "p99": latencies[int(len(latencies) * 0.99)] * 1e3,
        "mb": psutil.Process().memory_info().rss / 2**20,
    }


def offline(path: Path, feeds: Sequence[Feed], seconds: float) -> dict[str, float]:
    """Run sorted batches, in one session with all cores and in as many as there are cores; give the best rate."""
    ordered = sorted(feeds, key=lambda feed: next(iter(feed.values())).shape[1])
    best = 0.0
    for workers, size in ((1, 16), (1, 8), (cores(), 4), (cores(), 8)):
        session = bare(path, cores() if workers == 1 else 1)
        batches = [stack(ordered[at : at + size]) for at in range(0, len(ordered), size)]
        session.run(None, dict(batches[0]))
        started, done = time.perf_counter(), 0
        with ThreadPoolExecutor(workers) as pool:
            while time.perf_counter() - started < seconds / 2:
                done += sum(pool.map(partial(_rows, session), batches))
        best = max(best, done / (time.perf_counter() - started))
    return {"rate": best, "p50": 0.0, "p99": 0.0, "mb": psutil.Process().memory_info().rss / 2**20}


def _rows(session: onnxruntime.InferenceSession, batch: Feed) -> int:
    session.run(None, dict(batch))
    return len(next(iter(batch.values())))


def served(path: Path, feeds: Sequence[Feed], callers: int, seconds: float) -> dict[str, float]:
    """Ask LitServe over HTTP; each caller keeps its connection."""
    import http.client

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = Path(__file__).with_name("_litserve.py")
    server = subprocess.Popen(
        [sys.executable, str(script), str(port), str(path), str(cores())],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _until_up(port, server)
        local = threading.local()

        def ask(feed: Feed) -> None:
            if not hasattr(local, "link"):
                local.link = http.client.HTTPConnection("127.0.0.1", port)
            body = json.dumps({"ids": feed["input_ids"][0].tolist()})
            local.link.request("POST", "/predict", body, {"Content-Type": "application/json"})
            answer = local.link.getresponse()
            content = answer.read()
            assert answer.status == 200, content

        return drive(ask, feeds, callers, seconds)
    finally:
        for child in psutil.Process(server.pid).children(recursive=True):
            child.kill()
        server.kill()
        server.wait()


def _until_up(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                answer.read()
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("LitServe did not come up")


def in_process(model: str, folder: Path, feeds: Sequence[Feed], callers: int, seconds: float) -> dict[str, float]:
    """Call our runtime in this process."""
    from callboard.runtime.local import LocalRuntime

    with LocalRuntime(RuntimeSettings(models=str(folder))) as runtime:
        return drive(lambda feed: runtime.call(model, feed), feeds, callers, seconds)


def through_process(model: str, folder: Path, feeds: Sequence[Feed], callers: int, seconds: float) -> dict[str, float]:
    """Call the runtime process, as plugins do."""
    with RuntimeProcess(folder) as (client, pid):
        found = drive(lambda feed: client.call(model, feed), feeds, callers, seconds)
        found["mb"] = psutil.Process(pid).memory_info().rss / 2**20
        return found


class RuntimeProcess:
    """The runtime process as the board starts it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> tuple[Any, int]:
        """Start it and connect."""
        from callboard.runtime.client import RuntimeClient

        self._home = tempfile.TemporaryDirectory()
        shared = Path(self._home.name) / "shm"
        shared.mkdir()
        address = str(Path(self._home.name) / "runtime.sock")
        settings = json.dumps({"models": str(self._folder)})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "callboard.runtime.process", address, str(shared), "--settings", settings],
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self._client = RuntimeClient(address, shared)
        return self._client, self._process.pid

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait()
        self._home.cleanup()


def overhead(folder: Path) -> dict[str, float]:
    """Say what one call costs over ``session.run``: medians of alternating calls of the smallest input, in ms."""
    from callboard.runtime.local import LocalRuntime

    feed = dict(texts()[0])
    small = {name: array[:, :5] for name, array in feed.items()}
    session = bare(graph(TEXT, folder), cores())
    plain = bare(graph(TEXT, folder), 1, spinning=False)
    with LocalRuntime(RuntimeSettings(models=str(folder))) as runtime, RuntimeProcess(folder) as (client, _):
        sides: dict[str, Run] = {
            "bare": lambda one: session.run(None, dict(one)),
            "bare, a thread as ours": lambda one: plain.run(None, dict(one)),
            "in process": lambda one: runtime.call(TEXT, one),
            "through the process": lambda one: client.call(TEXT, one),
        }
        times: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(250):
            for name, run in sides.items():
                started = time.perf_counter()
                run(small)
                if turn >= 50:
                    times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) * 1e3 for name, values in times.items()}


def memory(plugins: int, shared: bool, folder: Path) -> dict[str, float]:
    """Resident MiB of *plugins* callers of one model: through one runtime, or each with a session of its own."""
    feeds = texts()[:16]
    if shared:
        with RuntimeProcess(folder) as (client, pid):
            with ThreadPoolExecutor(plugins) as pool:
                list(pool.map(lambda _: [client.call(TEXT, feed) for feed in feeds], range(plugins)))
            return {"mb": psutil.Process(pid).memory_info().rss / 2**20}
    sessions = [bare(graph(TEXT, folder), 1) for _ in range(plugins)]
    for session in sessions:
        for feed in feeds:
            session.run(None, dict(feed))
    return {"mb": psutil.Process().memory_info().rss / 2**20}


def one(kind: str, model: str, callers: int, seconds: float, folder: Path) -> dict[str, float]:
    """Run one variant in this process."""
    if kind == "overhead":
        return overhead(folder)
    if kind in ("one runtime", "own sessions"):
        return memory(callers, kind == "one runtime", folder)
    feeds = texts() if model == TEXT else pictures()
    path = graph(model, folder)
    if kind == "offline":
        return offline(path, feeds, seconds)
    if kind == "per call":
        session = bare(path, cores() if callers == 1 else 1)
        gate = threading.Semaphore(cores())

        def call(feed: Feed) -> None:
            with gate:
                session.run(None, dict(feed))

        return drive(call, feeds, callers, seconds)
    if kind == "litserve":
        return served(path, feeds, callers, seconds)
    ways = {"in process": in_process, "through the process": through_process}
    return ways[kind](model, folder, feeds, callers, seconds)


def make_picture_model(folder: Path) -> None:
    """Export a ViT-B/32 image tower with random weights, and describe it as a pack."""
    import hashlib

    import torch
    from callboard.runtime.engines.vision import import_open_clip

    open_clip = import_open_clip()
    torch.manual_seed(0)
    visual = open_clip.create_model("ViT-B-32", pretrained=None).visual.eval()
    path = folder / "vit.onnx"
    torch.onnx.export(
        visual,
        (torch.randn(2, 3, 224, 224),),
        str(path),
        input_names=["image"],
        output_names=["embedding"],
        dynamic_axes={"image": {0: "rows"}, "embedding": {0: "rows"}},
        opset_version=17,
        dynamo=False,
    )
    content = path.read_bytes()
    (folder / f"{PICTURE}.toml").write_text(
        f'name = "{PICTURE}"\nversion = "1"\ntask = "image-embedding"\nengine = "onnxruntime"\nlicense = "CC0-1.0"\n'
        'summary = "A ViT-B/32 image tower with random weights."\nmemory_mb = 400\nsource = {kind = "file"}\n'
        f'[[files]]\npath = "vit.onnx"\nsize = {len(content)}\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        '[[inputs]]\nname = "image"\ndtype = "float32"\nshape = [-1, 3, 224, 224]\n'
        '[[outputs]]\nname = "embedding"\ndtype = "float32"\nshape = [-1, 512]\n[batch]\nmost = 16\n'
    )


def child(kind: str, model: str, callers: int, seconds: float, folder: Path) -> dict[str, float]:
    """Run one variant in a process of its own."""
    command = [sys.executable, __file__, "--one", json.dumps([kind, model, callers, seconds, str(folder)])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=180)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def throughput(model: str, rounds: int, seconds: float, folder: Path) -> None:
    """Print rates, latencies and ratios for one model."""
    for callers in CALLERS:
        kinds = ["offline", "per call", "in process", "through the process"]
        if model == TEXT and callers == max(CALLERS):
            kinds.append("litserve")
        table: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for kind in kinds:
                table[kind].append(child(kind, model, callers, seconds, folder))
        print(f"\n{model}, {callers} at once    (load {os.getloadavg()[0]:.1f})")
        for kind, found in table.items():
            middle = {key: statistics.median(one[key] for one in found) for key in found[0]}
            sides = list(zip(found, table["offline"], table["per call"], strict=True))
            ratios = [own["rate"] / max(a["rate"], b["rate"]) for own, a, b in sides]
            alone = [own["rate"] / b["rate"] for own, _, b in sides]
            print(
                f"  {kind:20} {middle['rate']:8.1f}/s   p50 {middle['p50']:7.1f}  p99 {middle['p99']:7.1f} ms"
                f"   {middle['mb']:6.0f} MiB   {statistics.median(ratios):5.2f} of the better of offline and per call,"
                f" {statistics.median(alone):.2f} of per call"
            )
        if "litserve" in table:
            for way in ("in process", "through the process"):
                pairs = zip(table[way], table["litserve"], strict=True)
                print(f"  {way} / litserve: {statistics.median(a['rate'] / b['rate'] for a, b in pairs):.1f} x")


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", choices=("text", "picture", "overhead", "memory"))
    parser.add_argument("--one", default="")
    given = parser.parse_args()
    if given.one:
        kind, model, callers, seconds, folder = json.loads(given.one)
        print(json.dumps(one(kind, model, callers, seconds, Path(folder))))
        return
    wanted = {given.only} if given.only else {"text", "picture", "overhead", "memory"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "overhead" in wanted:
            found = child("overhead", TEXT, 1, 0, folder)
            print("one call of five tokens, median ms: " + ", ".join(f"{k} {v:.2f}" for k, v in found.items()))
            for way in ("in process", "through the process"):
                for beside in ("bare", "bare, a thread as ours"):
                    print(f"  {way}: {found[way] - found[beside]:+.2f} ms, {found[way] / found[beside]:.2f} x {beside}")
        if "memory" in wanted:
            alone = child("one runtime", TEXT, 1, 0, folder)["mb"]
            ten = child("one runtime", TEXT, 10, 0, folder)["mb"]
            own = child("own sessions", TEXT, 10, 0, folder)["mb"]
            print(
                f"ten plugins on one model: {ten:.0f} MiB, {ten / alone:.2f} x one plugin; own sessions {own:.0f} MiB"
            )
        if "text" in wanted:
            throughput(TEXT, given.rounds, given.seconds, folder)
        if "picture" in wanted:
            make_picture_model(folder)
            throughput(PICTURE, given.rounds, given.seconds, folder)


if __name__ == "__main__":
    main()
