"""The same pictures are the same bytes in every process and on every processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import ctypes, hashlib, json, os, sys
from pathlib import Path

import av
import numpy as np

plain, processors, folder = sys.argv[1] == "plain", int(sys.argv[2]), Path(sys.argv[3])
if plain:  # what FFmpeg would do on a processor without a single extension
    maps = Path("/proc/self/maps").read_text().split()
    library = ctypes.CDLL(next(name for name in maps if "libavutil" in name))
    library.av_force_cpu_flags(0)
    assert library.av_get_cpu_flags() == 0
os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:processors]))

from callboard.media import Wanted
from callboard.media.limits import Limits
from callboard.media.pictures import frames
from callboard.media.streams import Container
from callboard.timedtext.rate import parse_rate
from callboard_placeholder.encoding import Target, samples, suffix, write
from callboard_placeholder.engine import Order
from callboard_schemas import Brief

random = np.random.default_rng(7)
across = np.add.outer(np.arange(130), np.arange(258))[..., None] * np.array([1, 2, 3]) / 5
found = {}
for codec, long_gop in (("prores", 0), ("dnxhr", 0), ("h264", 0), ("h264", 1), ("png", 0), ("exr", 0)):
    order = Order(
        shot="SH010", brief=Brief(), frames=11, rate=parse_rate("29.97df"), width=258, height=130, start=107892,
        parameters={"long_gop": bool(long_gop)},
    )
    noisy = np.random.default_rng(3)
    pictures = [np.clip(across % 256 + noisy.normal(0, 5, (130, 258, 3)), 0, 255).astype(np.uint8) for _ in range(9)]
    pictures[3:3] = [pictures[2], pictures[2]]
    length = samples(order.rate, 11)
    sound = (np.sin(np.arange(length) / 9)[:, None] * [0.5, 0.3] + noisy.normal(0, 0.02, (length, 2))).astype("f4")
    made = write(iter(pictures), sound, Target(codec=codec, order=order), folder / f"made{suffix(codec)}")
    digest = hashlib.sha256()
    for file in made.files:
        digest.update(file.name.encode() + file.read_bytes())
    found[f"{codec} {long_gop}"] = digest.hexdigest()
    if codec in ("prores", "h264"):  # and back: what a fill would take from it
        fd = os.open(made.path, os.O_RDONLY)
        with Container(fd, made.path.stat().st_size, Limits(), lambda: None) as film:
            digest = hashlib.sha256(b"".join(frame.pixels.tobytes() for frame in frames(film, Wanted())))
        found[f"{codec} {long_gop} seen"] = digest.hexdigest()
print(json.dumps(found))
"""


def _digests(folder: Path, processor: str, processors: int, **environment: str) -> dict[str, str]:
    folder.mkdir()
    command = [sys.executable, "-c", _SCRIPT, processor, str(processors), str(folder)]
    env = {**os.environ, **environment}
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=280, env=env, cwd=folder)
    return dict(json.loads(run.stdout))


def test_the_same_pictures_are_the_same_bytes_anywhere(tmp_path: Path) -> None:
    """Time zone, language, folder, processors and their extensions change no byte of any codec, nor what is decoded."""
    here = _digests(tmp_path / "here", "native", 64)
    assert len(set(here.values())) == 9
    one = _digests(tmp_path / "one processor", "native", 1, TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="1")
    plain = _digests(tmp_path / "plain", "plain", 64, TZ="America/Lima", LANG="de_DE.UTF-8", PYTHONHASHSEED="2")
    assert one == here
    assert plain == here
