"""The captions' gate measured: of the cues that it stops, how many are wrong, and of the wrong ones, how many it stops.

    python bench/caption_gate.py [--speech FOLDER] [--hours] [--dump FILE]

The set is made here, always the same: sentences by espeak-ng in several voices and speeds, clear and under noise,
babble and music at known levels, some 30 dB down; with --speech also people, clear and under noise (see captions.py).
A cue is wrong when a third of its words or more are. Then 40 s each of silence, noise, hum, tones and music, or with
--hours ten minutes of each: every cue there is invented.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import jiwer
import numpy as np
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard_schemas import Captions, Cue
from captions import SAMPLES, plain, read_sphinx
from msgspec import Struct, to_builtins

RATE = 16000
WRONG = 1 / 3
VOICES = ("en-us", "en-gb", "en-gb-scotland", "en-us+f3", "en-gb-x-rp+m4", "en-us+whisper")
SPEEDS = (130, 165, 210, 270)
SENTENCES = (
    "It was the best of times, it was the worst of times. It was the age of wisdom.",
    "Call me Ishmael. Some years ago I thought I would sail about a little.",
    "The studio door stays closed while the red lamp is on.",
    "Please bring forty metres of cable and both spare batteries to stage nine.",
    "She said that the second camera had drifted out of focus before the rain began.",
    "We moved the interview to Thursday, because the harbour was full of boats.",
    "Nobody told the orchestra that the conductor was already in the building.",
    "All happy families are alike; each unhappy family is unhappy in its own way.",
)
LEVELS: tuple[tuple[str, float], ...] = (
    ("clear", 0.0),
    ("noise", 15.0),
    ("noise", 5.0),
    ("noise", 0.0),
    ("babble", 8.0),
    ("babble", 2.0),
    ("music", 10.0),
    ("music", 0.0),
    ("quiet", -30.0),
)
"""What is under the speech, and how many dB the speech is above it."""

Sound = np.ndarray[Any, Any]


class Case(Struct):
    """Sound, what is said in it, and what came of it."""

    name: str
    sound: Sound
    truth: str
    cues: list[Cue] = []
    bad: list[float] = []
    """Word error rate of each cue."""
    left_out: int = 0
    missed: float = 0.0
    """Share of the words that are in no cue."""


def say(text: str, voice: str, speed: int, folder: Path) -> Sound:
    """Have espeak-ng say *text*; float32 at 16 kHz, half a second of silence around it."""
    raw = folder / "said.wav"
    subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-w", str(raw), text], check=True)
    return np.pad(read(raw), RATE // 2)


def read(path: Path) -> Sound:
    """Read any media file as float32 at 16 kHz, mono, its loudest second at about -20 dBFS."""
    parts = []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        for frame in [*container.decode(audio=0), None]:
            parts += [one.to_ndarray()[0] for one in resampler.resample(frame)]
    return level(np.concatenate(parts), -20.0)


def level(sound: Sound, to: float) -> Sound:
    """Bring *sound* to *to* dBFS, over the parts of it that are not silent."""
    loud = sound[np.abs(sound) > 0.01 * (np.abs(sound).max() + 1e-9)]
    rms = float(np.sqrt(np.mean(loud.astype(np.float64) ** 2))) if len(loud) else 1.0
    return (sound * (10 ** (to / 20) / max(rms, 1e-9))).astype(np.float32)


def beneath(kind: str, length: int, others: Sequence[Sound], random: np.random.Generator) -> Sound:
    """Make what lies under speech, at -20 dBFS."""
    if kind == "noise":
        return level(random.normal(0, 0.1, length), -20.0)
    if kind == "babble":
        mixed = np.zeros(length, np.float32)
        for one in random.choice(len(others), 4, replace=False):
            mixed += np.resize(np.roll(others[one], int(random.integers(len(others[one])))), length)
        return level(mixed, -20.0)
    return level(np.resize(read(SAMPLES / "music_bed.ogg"), length), -20.0)


def spoken(folder: Path, people: Path | None) -> Iterator[Case]:
    """Make the set."""
    random = np.random.default_rng(4)
    said = [(text, say(text, VOICES[n % 5], SPEEDS[n % 4], folder)) for n, text in enumerate(SENTENCES)]
    others = [sound for _, sound in said]
    for turn, (kind, snr) in enumerate(LEVELS):
        for number, text in enumerate(SENTENCES):
            voice, speed = VOICES[(number + turn) % len(VOICES)], SPEEDS[(number + 2 * turn) % len(SPEEDS)]
            sound = say(text, voice, speed, folder)
            yield Case(f"{voice} {speed} {kind} {snr:g} dB", mixed(sound, kind, snr, others, random), text)
    for clip in read_sphinx(people) if people else ():
        for kind, snr in LEVELS:
            yield Case(f"person {kind} {snr:g} dB", mixed(read(clip.path), kind, snr, others, random), clip.truth or "")


def mixed(sound: Sound, kind: str, snr: float, others: Sequence[Sound], random: np.random.Generator) -> Sound:
    """Lay *sound* over something; or let it follow a loud sentence, 30 dB down."""
    if kind == "clear":
        return sound
    if kind == "quiet":
        return sound * np.float32(10 ** (snr / 20)) + random.normal(0, 10 ** (-75 / 20), len(sound)).astype(np.float32)
    return sound + beneath(kind, len(sound), others, random) * np.float32(10 ** (-snr / 20))


def silent(seconds: int) -> Iterator[Case]:
    """Make sound in which nobody speaks."""
    random = np.random.default_rng(11)
    time = np.arange(seconds * RATE) / RATE
    notes = 220 * 2 ** (np.array([0, 4, 7, 12, 7, 4, 0, 5, 9, 12])[(time * 2).astype(int) % 10] / 12)
    white = random.normal(0, 1, len(time))
    sounds = {
        "silence": np.zeros(len(time)),
        "dither": white * 10 ** (-90 / 20),
        "room": np.cumsum(white - np.mean(white)) * 1e-5,
        "faint noise": white * 10 ** (-60 / 20),
        "noise": white * 0.1,
        "swelling noise": white * 0.1 * (0.5 + 0.5 * np.sin(2 * np.pi * 0.4 * time)),
        "hum": 0.2 * np.sign(np.sin(2 * np.pi * 50 * time)),
        "line-up tone": 0.1 * np.sin(2 * np.pi * 1000 * time),
        "melody": 0.3 * np.sin(2 * np.pi * np.cumsum(notes) / RATE) * np.exp(-3 * (time * 2 % 1)),
        "faint melody": 0.003 * np.sin(2 * np.pi * np.cumsum(notes) / RATE) * np.exp(-3 * (time * 2 % 1)),
        "music": np.resize(read(SAMPLES / "music_bed.ogg"), len(time)),
        "room tone": np.resize(read(SAMPLES / "room_tone.wav"), len(time)),
        "clicks": (random.random(len(time)) > 0.9998) * 0.5,
    }
    for name, sound in sounds.items():
        yield Case(name, sound.astype(np.float32), "")


def listen(case: Case, harness: PluginHarness, folder: Path) -> None:
    """Caption a case, and compare each cue with what was said."""
    path = folder / "case.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((case.sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
    results = [one for one in harness.run("callboard_caption", path) if isinstance(one, Captions)]
    case.cues = [cue for one in results for cue in one.cues]
    case.left_out = sum(len(one.left_out) for one in results)
    case.bad, case.missed = errors(case.truth, case.cues)


def errors(truth: str, cues: Sequence[Cue]) -> tuple[list[float], float]:
    """Give each cue's word error rate, words left out charged to the cue before them, and the share missed."""
    words = [(number, word) for number, cue in enumerate(cues) for word in plain(" ".join(cue.lines)).split()]
    if not words or not truth:
        return [1.0 for _ in cues], float(bool(truth))
    found = jiwer.process_words(plain(truth), " ".join(word for _, word in words))
    wrong, size = np.zeros(len(cues)), np.zeros(len(cues))
    for number, _ in words:
        size[number] += 1
    deleted = 0
    for part in found.alignments[0]:
        if part.type == "equal":
            continue
        if part.type == "delete":
            deleted += part.ref_end_idx - part.ref_start_idx
            wrong[words[min(max(part.hyp_start_idx - 1, 0), len(words) - 1)][0]] += (
                part.ref_end_idx - part.ref_start_idx
            )
        for at in range(part.hyp_start_idx, part.hyp_end_idx):
            wrong[words[at][0]] += 1
    return [float(min(a / max(b, 1), 1.0)) for a, b in zip(wrong, size, strict=True)], deleted / len(
        plain(truth).split()
    )


def show(cases: Sequence[Case]) -> None:
    """Print precision and recall of the gate, by what is under the speech."""
    heads = f"{'cues':>5} {'wrong':>6} {'stopped':>8} {'rightly':>8} {'let through':>12} {'missed words':>13}"
    print(f"{'under the speech':18} {heads}")
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(" ".join(case.name.split()[-3:] if case.truth else ["nobody speaks"]), []).append(case)
    for name, some in [*groups.items(), ("all", list(cases))]:
        pairs = [
            (rate >= WRONG, bool(cue.failed)) for case in some for cue, rate in zip(case.cues, case.bad, strict=True)
        ]
        bad, stopped = sum(one for one, _ in pairs), sum(other for _, other in pairs)
        rightly = sum(one and other for one, other in pairs)
        missed = sum(case.missed for case in some) / len(some)
        print(f"{name:18} {len(pairs):5} {bad:6} {stopped:8} {rightly:8} {bad - rightly:12} {100 * missed:11.1f} %")
        if name == "all":
            print(f"precision {rightly / max(stopped, 1):.2f}, recall {rightly / max(bad, 1):.2f}")


def main() -> None:
    """Measure the gate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, metavar="FOLDER")
    parser.add_argument("--hours", action="store_true", help="ten minutes of each sound in which nobody speaks")
    parser.add_argument("--dump", type=Path, metavar="FILE", help="every cue with its evidence, as JSON lines")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, LocalRuntime() as runtime:
        folder = Path(name)
        harness = PluginHarness(folder, runtime)
        cases = [*spoken(folder, asked.speech)]
        for case in cases:
            listen(case, harness, folder)
        show(cases)
        nobody = [*silent(600 if asked.hours else 40)]
        for case in nobody:
            listen(case, harness, folder)
            print(f"{case.name:18} {len(case.sound) / RATE:6.0f} s: {len(case.cues)} cues, {case.left_out} left out")
    print(f"cues where nobody speaks: {sum(len(case.cues) for case in nobody)}")
    if asked.dump:
        lines = [
            json.dumps({"case": case.name, "wer": rate, "truth": case.truth, "cue": to_builtins(cue)})
            for case in [*cases, *nobody]
            for cue, rate in zip(case.cues, case.bad, strict=True)
        ]
        asked.dump.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
