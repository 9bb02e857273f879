"""Speakers told apart by their voices, on real ones: how often, how rightly, and how often one is taken for two.

    python bench/voices.py FOLDER [--alike 0.49]

FOLDER has one folder for each voice, with files of that voice alone. Two Debian packages and a wheel have ten voices:

    apt-get download asterisk-core-sounds-{en,es,fr,it,ru}-g722 pocketsphinx-testdata
    pip download --no-deps pyannote.audio==4.0.7    # pyannote/audio/sample: a call, with who speaks when

Every pair takes turns, four phrases each, in one mono recording. Each voice also talks alone: as it is, and with the
second half on a telephone, under noise, or in a reverberant room. Words are made of what is louder than -30 dB, so that
the recogniser plays no part.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from callboard.media import AudioBlock
from callboard.runtime.local import LocalRuntime
from callboard_caption import voices
from callboard_caption.truth import speech
from callboard_schemas import Word

Sound = np.ndarray[Any, Any]
Part = tuple[int, Sound]
RATE = speech.RATE
TURNS = 4
_ROOM = 0.4  # seconds that the room sounds on


def words_of(sound: Sound, at: float) -> list[Word]:
    """Make words of a third of a second of what is not silent."""
    frames = sound[: len(sound) // 320 * 320].reshape(-1, 320)
    levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    loud = levels > np.percentile(levels, 95) - 30
    joined = np.convolve(loud, np.ones(8), "full")[: len(loud)] > 0  # pauses under 0.16 s are none
    edges = np.flatnonzero(np.diff(np.concatenate([[0], joined.astype(int), [0]])))
    made: list[Word] = []
    for first, last in zip(edges[::2] * 0.02, edges[1::2] * 0.02, strict=True):
        count = max(round((last - first) / 0.33), 1)
        steps = np.linspace(at + first, at + last, count + 1)
        made += [Word(text="x", start=float(a), end=float(b), confidence=1.0) for a, b in pairwise(steps)]
    return made


def recorded(parts: list[Part]) -> tuple[Sound, list[Word], list[int]]:
    """Put *parts* one after another: the sound, its words, and who says each."""
    sounds: list[Sound] = []
    words: list[Word] = []
    who: list[int] = []
    for speaker, sound in parts:
        made = words_of(sound, sum(map(len, sounds)) / RATE)
        words += made
        who += [speaker] * len(made)
        sounds += [sound, np.zeros(RATE // 2, np.float32)]
    return np.concatenate(sounds), words, who


def told(parts: list[Part], runtime: LocalRuntime) -> tuple[int, float, float]:
    """Give how many speakers are found, and the shares of speech that are wrong, and of which nothing is said."""
    sound, words, truth = recorded(parts)
    found = [one for one in voices.phrases(words, "en") if one.seconds >= 0.5]
    blocks = (AudioBlock(at / RATE, RATE, sound[at : at + 10 * RATE]) for at in range(0, len(sound), 10 * RATE))
    voices.encode(runtime, blocks, found)
    who = voices.told_by_voice(found, len(words)).who
    if not who:
        return 1, 0.0, 1.0
    lengths = np.array([word.end - word.start for word in words])
    said, right = np.array(who), np.array(truth)
    hits = np.array([[lengths[(said == a) & (right == b)].sum() for b in range(2)] for a in range(max(who) + 1)])
    best = max(hits[a, 0] + hits[b, 1] for a in range(len(hits)) for b in range(len(hits)) if a != b)
    known = lengths[said >= 0].sum()
    return max(who) + 1, float((known - best) / lengths.sum()), float(1 - known / lengths.sum())


def telephone(sound: Sound) -> Sound:
    """Leave 300 to 3400 Hz."""
    spectrum, hertz = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    narrow: Sound = np.fft.irfft(spectrum, len(sound)).astype(np.float32)
    return narrow


def noisy(snr: float) -> Callable[[Sound], Sound]:
    """Lay white noise under it."""
    return lambda sound: speech.over(sound, speech.noise(len(sound), np.random.default_rng(5)), snr)


def room(sound: Sound) -> Sound:
    """Let it sound on."""
    count = int(_ROOM * RATE)
    answer = np.random.default_rng(6).normal(0, 1, count) * np.exp(-np.arange(count) / (0.08 * RATE))
    answer[0] = 6.0
    size = len(sound) + count
    heard = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(answer, size), size)[: len(sound)]
    return speech.level(heard.astype(np.float32), -20.0)


CHANGES: dict[str, Callable[[Sound], Sound]] = {
    "as it is": lambda sound: sound,
    "telephone": telephone,
    "noise, 10 dB": noisy(10.0),
    "noise, 5 dB": noisy(5.0),
    "room": room,
}


def read(folder: Path, random: np.random.Generator) -> Iterator[Sound]:
    """Give recordings of 0.7 to 6 seconds, at random, as many as two tries need."""
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    kept = 0
    for at in random.permutation(len(paths)):
        sound = speech.read(paths[at])
        if len(sound) >= 0.7 * RATE and kept < 2 * TURNS:
            kept += 1
            yield sound[: 6 * RATE]


def main() -> None:
    """Measure, and print what came out."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, nargs="?")
    options.add_argument("--alike", type=float, default=voices.ALIKE)
    given = options.parse_args()
    if given.folder is None:
        print("no folder of voices: bench/voices.py --help says where some are")
        return
    voices.joined.__defaults__ = (given.alike,)
    random = np.random.default_rng(7)
    heard = {one.name: list(read(one, random)) for one in sorted(given.folder.iterdir()) if one.is_dir()}
    began, spoken = time.perf_counter(), 0.0
    with LocalRuntime() as runtime:
        found: dict[str, tuple[int, float, float]] = {}
        for one, other in combinations(heard, 2):
            turns = zip_longest(((0, s) for s in heard[one][:TURNS]), ((1, s) for s in heard[other][:TURNS]))
            parts = [part for pair in turns for part in pair if part is not None]
            spoken += sum(len(sound) for _, sound in parts) / RATE
            found[f"{one} and {other}"] = told(parts, runtime)
        two = {name: row for name, row in found.items() if row[0] > 1}
        wrong, unsaid = (float(np.mean([row[at] for row in two.values()])) if two else 0.0 for at in (1, 2))
        print(
            f"pairs: {len(two)} of {len(found)} told apart; {sum(row[0] > 2 for row in two.values())} as more than two"
        )
        print(f"of those: {wrong:.2%} of speech wrong, {unsaid:.2%} unsaid")
        print(f"taken for one: {', '.join(name for name in found if name not in two) or 'none'}")
        for name, change in CHANGES.items():
            false = []
            for voice, sounds in heard.items():
                half = len(sounds) // 2
                parts = [(0, sound if at < half else change(sound)) for at, sound in enumerate(sounds)]
                spoken += sum(len(sound) for _, sound in parts) / RATE
                false += [voice] * (told(parts, runtime)[0] > 1)
            print(f"one voice, second half {name}: {len(false)} of {len(heard)} taken for two {' '.join(false)}")
    print(f"{(time.perf_counter() - began) / spoken:.3f} s for each second of speech")


if __name__ == "__main__":
    main()
