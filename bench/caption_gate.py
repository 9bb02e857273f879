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
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import jiwer
import numpy as np
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard_caption.truth.speech import (
    RATE,
    SENTENCES,
    SPEEDS,
    VOICES,
    Sound,
    babble,
    level,
    nobody,
    noise,
    over,
    quiet,
    read,
    say,
    write,
)
from callboard_schemas import Captions, Cue
from captions import SAMPLES, plain, read_sphinx
from msgspec import Struct, to_builtins

WRONG = 1 / 3
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


def beneath(kind: str, length: int, others: Sequence[Sound], random: np.random.Generator) -> Sound:
    """Make what lies under speech, at -20 dBFS."""
    if kind == "noise":
        return noise(length, random)
    if kind == "babble":
        return babble(length, others, random)
    return level(np.resize(read(SAMPLES / "music_bed.ogg"), length), -20.0)


def spoken(people: Path | None) -> Iterator[Case]:
    """Make the set."""
    random = np.random.default_rng(4)
    said = [(text, say(text, VOICES[n % 5], SPEEDS[n % 4])) for n, text in enumerate(SENTENCES)]
    others = [sound for _, sound in said]
    for turn, (kind, snr) in enumerate(LEVELS):
        for number, text in enumerate(SENTENCES):
            voice, speed = VOICES[(number + turn) % len(VOICES)], SPEEDS[(number + 2 * turn) % len(SPEEDS)]
            sound = say(text, voice, speed)
            yield Case(f"{voice} {speed} {kind} {snr:g} dB", mixed(sound, kind, snr, others, random), text)
    for clip in read_sphinx(people) if people else ():
        for kind, snr in LEVELS:
            yield Case(f"person {kind} {snr:g} dB", mixed(read(clip.path), kind, snr, others, random), clip.truth or "")


def mixed(sound: Sound, kind: str, snr: float, others: Sequence[Sound], random: np.random.Generator) -> Sound:
    """Lay *sound* over something; or let it follow a loud sentence, 30 dB down."""
    if kind == "clear":
        return sound
    if kind == "quiet":
        return quiet(sound, -snr, random)
    return over(sound, beneath(kind, len(sound), others, random), snr)


def silent(seconds: int) -> Iterator[Case]:
    """Make sound in which nobody speaks."""
    length = seconds * RATE
    yield from (Case(name, sound, "") for name, sound in nobody(seconds))
    for name in ("music_bed.ogg", "room_tone.wav"):
        yield Case(name, np.resize(read(SAMPLES / name), length), "")


def listen(case: Case, harness: PluginHarness, folder: Path) -> None:
    """Caption a case, and compare each cue with what was said."""
    path = folder / "case.wav"
    write(case.sound, path)
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
        cases = [*spoken(asked.speech)]
        for case in cases:
            listen(case, harness, folder)
        show(cases)
        unspoken = [*silent(600 if asked.hours else 40)]
        for case in unspoken:
            listen(case, harness, folder)
            print(f"{case.name:18} {len(case.sound) / RATE:6.0f} s: {len(case.cues)} cues, {case.left_out} left out")
    print(f"cues where nobody speaks: {sum(len(case.cues) for case in unspoken)}")
    if asked.dump:
        lines = [
            json.dumps({"case": case.name, "wer": rate, "truth": case.truth, "cue": to_builtins(cue)})
            for case in [*cases, *unspoken]
            for cue, rate in zip(case.cues, case.bad, strict=True)
        ]
        asked.dump.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
