"""How many misheard names the glossary puts right, and how many words it harms: ``python bench/glossary.py``.

espeak-ng reads sentences with and without invented names, in four voices and speeds; whisper-tiny hears each alone; the
repairs are counted. Robot voices and the smallest Whisper are the hard case: most names are not even nearly heard. No
name is given to the recogniser. ``--words N`` also counts repairs in N ordinary words, all of them doubted.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from callboard.glossary import Glossary, Term
from callboard.glossary.matching import DOUBTFUL, Repaired, repair
from callboard.glossary.reading import named_terms
from callboard.runtime.local import LocalRuntime
from callboard_schemas import Word
from msgspec import Struct

NAMES = (
    *("Siobhan", "Thraxel", "Orlaith", "Kvothe", "Niamh", "Zephyrine", "Brakkon", "Vellmoor", "Quenlith", "Dunmarrow"),
    *("Mirabeth", "Caerwyn", "Ozymandel", "Hexatrope", "Callistra", "Pellinore", "Drosvik", "Jovanka", "Skelligar"),
    *("Wrenhollow", "Bellerophon", "Aldwych", "Raskolnikov", "Tyrunga", "Lumenforge", "Ostrava"),
    *("Ysolde Marchetti", "Torvald Ekberg", "Tamsin Okonkwo", "Nakamura Station"),
)
SENTENCES = (
    "I told {} to wait by the door.",
    "Have you seen {} since the morning?",
    "We are going to {} after the show.",
    "{} was the last one to leave the boat.",
    "Nobody believed what {} said about the money.",
    "The letter from {} arrived too late.",
    "It was {}'s idea to sell the house.",
    "Are you sure that {} will be there tonight?",
)
PLAIN = (
    "They shipped on Monday and nobody told us.",
    "There was a hex on the old door.",
    "She folded the vellum map and put it away.",
    "The quality of the light changed all afternoon.",
    "I never knew what he wanted from the station.",
    "The marble floor was cold under her feet.",
    "They are going to sell the car and move away.",
    "The doctor will see you when she is ready.",
    "Her brother came back on Thursday with a loan.",
    "Is the dune marrow on the menu tonight?",
    "The lime and forged papers were in the drawer.",
    "Care when you carry that, it breaks easily.",
)
VOICES = (("en-gb", 140), ("en-us", 165), ("en-gb", 190), ("en-us+f3", 150))
BELOW = 0.6
"""Confidence under which the caption plugin doubts a word."""


class Clip(Struct, frozen=True):
    """One sentence as it is read; *name* is empty where it has none of the glossary's."""

    text: str
    name: str
    voice: str
    speed: int


def clips(every: int = 1) -> Iterator[Clip]:
    """Give what is read: each name in four sentences, and each plain sentence twice."""
    for at, name in enumerate(NAMES[::every]):
        for turn, (voice, speed) in enumerate(VOICES):
            yield Clip(SENTENCES[(at * 3 + turn * 2 + turn // 2) % len(SENTENCES)].format(name), name, voice, speed)
    for text in PLAIN[::every]:
        for voice, speed in VOICES[:2]:
            yield Clip(text, "", voice, speed)


def glossary() -> Glossary:
    """Give the names as a glossary without hints."""
    return Glossary(term=named_terms([Term(text=name) for name in NAMES]))


def read_aloud(clip: Clip, folder: Path) -> np.ndarray[Any, Any]:
    """Give a sentence as 16 kHz samples, half a second of silence around it."""
    path = folder / "said.wav"
    subprocess.run(["espeak-ng", "-v", clip.voice, "-s", str(clip.speed), "-w", path, clip.text], check=True)
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=16000)
        parts = [part.to_ndarray().ravel() for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        parts += [part.to_ndarray().ravel() for part in resampler.resample(None)]
    silence = np.zeros(8000, np.float32)
    return np.concatenate([silence, *parts, silence]).astype(np.float32)


def heard(runtime: LocalRuntime, samples: np.ndarray[Any, Any]) -> list[Word]:
    """Recognise words, as the caption plugin has them."""
    answer = runtime.call("whisper-tiny-en", {"samples": samples}, language="en", vad=False, beam_size=5)
    return [
        Word(
            text=word["word"].strip(),
            start=float(word["start"]),
            end=max(float(word["end"]), float(word["start"])),
            confidence=min(max(float(word["probability"]), 0.0), 1.0),
        )
        for segment in answer["segments"]
        for word in segment["words"]
    ]


def measure(found: Sequence[tuple[Clip, list[Word], Repaired]]) -> dict[str, float]:
    """Count names that are right before and after, and repairs that are wrong; *unseen* are those nobody would see."""
    named = [(clip, words, done) for clip, words, done in found if clip.name]
    wrong = [
        one for clip, _, done in found for one in done.repairs if not clip.name or not one.written.startswith(clip.name)
    ]
    made = sum(len(done.repairs) for _, _, done in found)
    return {
        "names": len(named),
        "right before": sum(clip.name in _text(words) for clip, words, _ in named),
        "right after": sum(clip.name in _text(done.words) for clip, _, done in named),
        "repairs": made,
        "precision": 1 - len(wrong) / made if made else 1.0,
        "wrong": len(wrong),
        "wrong and unseen": sum(one.score >= DOUBTFUL for one in wrong),
    }


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def ordinary(number: int) -> dict[str, float]:
    """Count repairs in ordinary words of the licence and the documents, every one of them doubted."""
    root = Path(__file__).parents[1]
    text = " ".join(path.read_text("utf-8") for path in [root / "LICENSE", *sorted((root / "docs").glob("*.md"))])
    texts = re.findall(r"[A-Za-z][A-Za-z']*[,.;:?!]?", text)[:number]
    words = [Word(text=word, start=at / 3, end=at / 3 + 0.3, confidence=0.4) for at, word in enumerate(texts)]
    started = time.process_time()
    done = repair(words, glossary(), "en", below=BELOW)
    seconds = time.process_time() - started
    unseen = sum(one.score >= DOUBTFUL for one in done.repairs)
    return {"words": len(words), "wrong": len(done.repairs), "wrong and unseen": unseen, "seconds": seconds}


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--every", type=int, default=1, help="only every so many names and sentences")
    options.add_argument("--words", type=int, default=0, help="also this many ordinary words")
    given = options.parse_args()
    terms = glossary()
    with tempfile.TemporaryDirectory() as folder, LocalRuntime() as runtime:
        found = []
        for clip in clips(given.every):
            words = heard(runtime, read_aloud(clip, Path(folder)))
            done = repair(words, terms, "en", below=BELOW)
            found.append((clip, words, done))
            for one in done.repairs:
                print(f"  {clip.name or '-'}: {one.heard} -> {one.written} ({one.score:.2f})")
    for name, value in measure(found).items():
        print(f"{name:18} {value:g}")
    if given.words:
        print({name: round(value, 2) for name, value in ordinary(given.words).items()})


if __name__ == "__main__":
    main()
