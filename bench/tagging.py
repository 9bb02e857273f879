"""Tagging beside its limits: many 12-megapixel JPEGs, and an hour of film; where the time goes.

    python bench/tagging.py [--photos 1000] [--film FILE] [--minutes 60] [--only photos|film]

*photos* asks for what an archive asks for, prints and embeddings to search by, from a ViT-B/32 image tower with random
weights in 8 bits (exported here with open_clip and torch), through ``callboard run`` with all that it does: digests,
catalog, decoding in its own process, the runtime's process. Beside it, in the same run:

* *pipeline*: decode at an eighth of the size with Pillow, resize, and run the same graph, in one process with two
  decoding threads and nothing else: what the photos cost when nobody keeps anything.
* *limit*: cores divided by the processor time of one decode and one inference, each measured alone.
* *full*: the same pipeline with full decoding and 32-bit weights, as most tools do it.

*film* is FILE (else a clip of the tests) repeated without encoding to *minutes*, tagged with everything on. The share
of each stage is the processor time of its processes: decoding and scaling, the models, the analysers, the board.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnxruntime
import psutil
from callboard.packs import find_packs, locate
from callboard.runtime import cores
from PIL import Image

CLIP = Path(__file__).parents[1] / "tests" / "media" / "harbour_take3.mp4"
KINDS = 8
SIZE = (4000, 3000)
_BETWEEN = 0.2
"""Seconds between two repeats: decoding begins that much before what is shown first."""
_STAGES = {
    "callboard.runtime.process": "models",
    "callboard.plugin": "analysers",
    "callboard.media": "decode and scale",
    "nats-server": "broker",
}


def make_photos(folder: Path, count: int) -> None:
    """Write *count* JPEGs of 12 megapixels: a few pictures, each file with a comment of its own, so none is another."""
    rng = np.random.default_rng(0)
    bodies = []
    for _ in range(KINDS):
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.float32)
        for cells, weight in ((8, 70), (40, 40), (200, 22), (1000, 10)):
            coarse = Image.fromarray((rng.random((cells * 3 // 4, cells, 3)) * 255).astype(np.uint8))
            picture += (np.asarray(coarse.resize(SIZE, Image.Resampling.BICUBIC), np.float32) - 128) * weight / 70
        picture += rng.normal(0, 3, picture.shape)
        out = io.BytesIO()
        Image.fromarray(np.clip(picture + 128, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=90)
        bodies.append(out.getvalue())
    for number in range(count):
        body, comment = bodies[number % KINDS], f"{number:06}".encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        (folder / f"photo{number:05}.jpg").write_bytes(body[:2] + segment + body[2:])


def make_film(source: Path, target: Path, minutes: float) -> None:
    """Repeat *source* until it is *minutes* long, without encoding it again."""
    with av.open(str(target), "w") as out:
        shift, wanted = 0.0, minutes * 60
        streams: dict[int, Any] = {}
        while shift < wanted:
            with av.open(str(source)) as film:
                tracks = [stream for stream in film.streams if stream.type in ("video", "audio")]
                for track in tracks:
                    if track.index not in streams:
                        streams[track.index] = out.add_stream_from_template(track)
                for packet in film.demux(tracks):
                    if packet.dts is None or packet.pts is None:
                        continue
                    base = packet.stream.time_base
                    assert base is not None
                    packet.pts += round(shift / base)
                    packet.dts += round(shift / base)
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)
                assert film.duration is not None
                shift += film.duration / 1e6 + _BETWEEN


def export_clip(folder: Path) -> None:
    """Make a ViT-B/32 with random weights and export it, in 32 and in 8 bits."""
    import torch
    from callboard.runtime.engines.vision import import_open_clip
    from safetensors.torch import save_file

    open_clip = import_open_clip()
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32", pretrained=None)
    checkpoint = folder / "checkpoint"
    checkpoint.mkdir()
    save_file(model.state_dict(), str(checkpoint / "open_clip_model.safetensors"))
    config = {"model_cfg": open_clip.get_model_config("ViT-B-32"), "preprocess_cfg": {}}
    (checkpoint / "open_clip_config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "callboard", "models", "export", str(checkpoint), "--name", "clip"]
    for name, more in (("plain", []), ("small", ["--int8", "--force"])):
        where = folder / name
        done = subprocess.run(
            [*command, "--licence", "CC0-1.0", "-o", str(where), *more], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)


def session(folder: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open an exported image tower by hand."""
    pack = find_packs(store=folder)["clip-image"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    path = locate(pack) / next(file.path for file in pack.files if file.path.endswith(".onnx"))
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def prepare(body: bytes, *, scaled: bool) -> np.ndarray[Any, Any]:
    """Decode a JPEG to what the tower takes."""
    picture: Image.Image = Image.open(io.BytesIO(body))
    if scaled:
        picture.draft("RGB", (299, 224))
    picture = picture.convert("RGB")
    ratio = 224 / min(picture.size)
    picture = picture.resize((round(picture.width * ratio), round(picture.height * ratio)), Image.Resampling.BICUBIC)
    pixels = np.asarray(picture, np.float32)
    top, left = (pixels.shape[0] - 224) // 2, (pixels.shape[1] - 224) // 2
    cropped = pixels[top : top + 224, left : left + 224] / 255
    return np.ascontiguousarray(cropped.transpose(2, 0, 1))


def pipeline(bodies: list[bytes], tower: onnxruntime.InferenceSession, *, scaled: bool) -> float:
    """Files per second of the bare pipeline: as many decoding threads as cores, batches of eight."""
    started = time.perf_counter()
    with ThreadPoolExecutor(cores()) as pool:
        batch: list[np.ndarray[Any, Any]] = []
        for one in pool.map(lambda body: prepare(body, scaled=scaled), bodies):
            batch.append(one)
            if len(batch) == 8:
                tower.run(None, {"image": np.stack(batch)})
                batch = []
        if batch:
            tower.run(None, {"image": np.stack(batch)})
    return len(bodies) / (time.perf_counter() - started)


def cpu_ms(work: Callable[[], object], times: int) -> float:
    """Processor milliseconds of one turn of *work*."""
    work()
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times * 1e3


class Shares:
    """Adds up the processor time of a program's processes by what they do, while it runs."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._spent: dict[tuple[int, float], tuple[str, float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            for process in self._processes():
                try:
                    times = process.cpu_times()
                    stage = self._spent.get((process.pid, process.create_time()), ("", 0.0))[0] or _stage(process)
                    self._spent[process.pid, process.create_time()] = (stage, times.user + times.system)
                except psutil.Error:
                    continue

    def _processes(self) -> Iterator[psutil.Process]:
        try:
            yield self._root
            yield from self._root.children(recursive=True)
        except psutil.Error:
            return

    def stop(self) -> dict[str, float]:
        """Give seconds by stage."""
        self._stop.set()
        self._thread.join()
        totals: dict[str, float] = {}
        for stage, seconds in self._spent.values():
            totals[stage] = totals.get(stage, 0.0) + seconds
        return totals


def _stage(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    return next((stage for sign, stage in _STAGES.items() if sign in line), "board")


def run_callboard(folder: Path, settings: str) -> tuple[float, dict[str, float]]:
    """Run the command on a folder with these settings; give seconds, and processor seconds by stage."""
    (folder / "callboard.toml").write_text(settings)
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "callboard", "run", ".", "--plugin", "autotag"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    shares = Shares(process.pid)
    assert process.stdout is not None
    output = process.stdout.read().decode()
    if process.wait():
        raise SystemExit(output[-2000:])
    return time.perf_counter() - started, shares.stop()


def show(spent: dict[str, float], seconds: float) -> None:
    """Print the share of each stage."""
    total = sum(spent.values())
    parts = ", ".join(f"{stage} {value / total:.0%}" for stage, value in sorted(spent.items(), key=lambda x: -x[1]))
    busy = total / seconds / cores()
    print(f"  processor time {total:.0f} s in {seconds:.0f} s ({busy:.0%} of {cores()} cores): {parts}")


def photos(count: int, work: Path) -> None:
    """Compare the whole job on photos with the pipelines and the limit."""
    export_clip(work)
    folder = work / "photos"
    folder.mkdir()
    make_photos(folder, count)
    bodies = [path.read_bytes() for path in random.Random(0).sample(sorted(folder.iterdir()), min(count, 64))]
    small, plain = session(work / "small", 1), session(work / "plain", 1)
    batch = np.stack([prepare(body, scaled=True) for body in bodies[:8]])
    decode = cpu_ms(lambda: prepare(bodies[0], scaled=True), 20)
    infer = cpu_ms(lambda: small.run(None, {"image": batch}), 5) / 8
    limit = cores() * 1000 / (decode + infer)
    bare, full = pipeline(bodies, small, scaled=True), pipeline(bodies[:24], plain, scaled=False)
    off = ("text", "faces", "colours", "quality", "safety")
    switches = "\n".join(f"{name} = false" for name in off)
    settings = f'[runtime]\nstore = "{work / "small"}"\n[plugins.autotag.parameters]\n{switches}\n'
    seconds, spent = run_callboard(folder, settings)
    ours = count / seconds
    print(f"\n{count} JPEGs of 12 megapixels, prints and embeddings    (load {os.getloadavg()[0]:.1f})")
    print(f"  callboard run          {ours:6.1f} files/s")
    print(f"  pipeline, bare         {bare:6.1f} files/s   callboard is {ours / bare:.2f} of it")
    costs = f"({decode:.0f} ms decode, {infer:.0f} ms inference)"
    print(f"  limit                  {limit:6.1f} files/s   callboard is {ours / limit:.2f} of it {costs}")
    print(f"  full decode, 32 bits   {full:6.1f} files/s   callboard is {ours / full:.1f} x it")
    show(spent, seconds)


def film(source: Path, minutes: float, work: Path) -> None:
    """Tag a long film with everything on."""
    folder = work / "film"
    folder.mkdir()
    make_film(source, folder / f"film{source.suffix}", minutes)
    seconds, spent = run_callboard(folder, "")
    print(f"\n{minutes:g} minutes of film, everything on    (load {os.getloadavg()[0]:.1f})")
    print(f"  {seconds:.0f} s, {minutes * 60 / seconds:.1f} x real time")
    show(spent, seconds)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--film", type=Path, default=CLIP)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--only", choices=("photos", "film"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if given.only != "film":
            photos(given.photos, Path(name))
        if given.only != "photos":
            film(given.film, given.minutes, Path(name))


if __name__ == "__main__":
    main()
