"""Invented names read aloud, heard by the smallest Whisper, and put right by the glossary."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import pytest
from callboard.glossary import parse
from callboard.glossary.matching import DOUBTFUL, FLAG
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard_schemas import Captions

NAMES = ("Vellmoor", "Brakkon", "Torvald Ekberg", "Hexatrope", "Callistra", "Pellinore")
SAID = (
    ("The letter from Vellmoor arrived too late.", "en-gb", 140),
    ("Have you seen Brakkon since the morning?", "en-us+f3", 150),
    ("They are going to sell the car and move away.", "en-us", 150),
    ("Have you seen Torvald Ekberg since the morning?", "en-gb", 140),
    ("Are you sure that Hexatrope will be there tonight?", "en-us", 165),
    ("I told Callistra to wait by the door.", "en-gb", 140),
    ("The letter from Pellinore arrived too late.", "en-us", 165),
    ("The doctor will see you when she is ready.", "en-gb", 150),
)
GLOSSARY = parse("".join(f'[[term]]\ntext = "{name}"\n' for name in (*NAMES, "Thraxel", "Quenlith", "Drosvik")))


def read_aloud(path: Path) -> None:
    """Write all sentences into one WAV file, half a second of silence around each."""
    with wave.open(str(path), "wb") as whole:
        for number, (text, voice, speed) in enumerate(SAID):
            part = path.with_name(f"{number}.wav")
            subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-w", part, text], check=True)
            with wave.open(str(part), "rb") as read:
                if number == 0:
                    whole.setparams(read.getparams())
                silence = bytes(read.getframerate())
                whole.writeframes(silence + read.readframes(read.getnframes()) + silence)


@pytest.mark.models
def test_most_misheard_names_are_put_right(plugin_harness: PluginHarness, tmp_path: Path) -> None:
    """With the glossary most names are right that were not, each repair is told in its cue, and other words stay."""
    read_aloud(tmp_path / "said.wav")
    with LocalRuntime() as runtime:
        (captions,) = plugin_harness.run(
            "callboard_caption",
            tmp_path / "said.wav",
            parameters={"keywords": False},
            runtime=runtime,
            glossary=GLOSSARY,
        )
    assert isinstance(captions, Captions)
    after = " ".join(line for cue in captions.cues for line in cue.lines)
    changed = [(cue, one) for cue in captions.cues for one in cue.repairs]
    before = after
    for _, one in changed:
        assert one.written in before
        before = before.replace(one.written, one.heard, 1)
    assert sum(name in before for name in NAMES) <= 1
    assert sum(name in after for name in NAMES) >= 4
    assert {one.written for _, one in changed} <= {*NAMES}  # the other terms were never said
    assert "They are going to sell the car and move away." in after
    for cue, one in changed:
        assert one.written in " ".join(word.text for word in cue.words[one.word : one.word + len(one.written.split())])
        assert FLAG in cue.flags
        assert any(one.heard in reason for reason in cue.failed) == (one.score < DOUBTFUL)
