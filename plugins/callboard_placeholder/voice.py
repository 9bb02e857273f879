"""Scratch voice: dialogue spoken by espeak-ng at its natural length, one voice for each speaker, and the line-up tone.

espeak-ng (https://github.com/espeak-ng/espeak-ng) speaks the same text to the same samples; it runs as a process of its
own, with fixed options and an environment that says nothing but where programs and UTF-8 are.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from callboard.errors import JobError
from callboard_schemas import Line
from msgspec import Struct

from callboard_placeholder import tone
from callboard_placeholder.engine import SAMPLE_RATE, Array, Bench, Order
from callboard_placeholder.resampling import resample

_PROGRAM: Final = "espeak-ng"
_WORDS_A_MINUTE: Final = 165
"""A calm speaker: English drama is spoken at 150 to 170."""
_VARIANTS: Final = ("m1", "f1", "m2", "f2", "m3", "f3", "m4", "f4", "m5", "f5", "m6", "m7", "m8")
"""espeak-ng's numbered voices of men and women, in every version of it."""
_PITCHES: Final = (35, 42, 50, 58, 65)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")
_MOST_SECONDS: Final = 120
"""For one line, or to say its version, which takes milliseconds."""
_LEAD: Final = 0.5
"""Seconds of silence before the first line at most."""
_BREATH: Final = 1.2
"""Seconds between two lines at most: a breath and a look."""
_PEAK: Final = 0.35
"""Of full scale: about -9 dBFS, so that scratch voice is never the loudest in a mix."""
_QUIET: Final = 0.003
"""Of full scale; below is the silence that the program leaves around a line."""
_FADE: Final = 480
"""Samples over which sound that the shot's end cuts goes out."""


class Heard(Struct, frozen=True, kw_only=True):
    """The sound of a placeholder."""

    sound: Array | None = None
    """float32, samples x 1; nothing is silent."""
    notes: tuple[str, ...] = ()
    models: Mapping[str, str] = {}


class _Voices(Struct, frozen=True):
    program: str
    language: str
    folder: Path


def samples_of(order: Order) -> int:
    """Count the samples that last as long as the pictures."""
    return round(order.frames * SAMPLE_RATE / order.rate.fps)


def speak(order: Order, bench: Bench) -> Heard:
    """Make the sound that the plugin's parameters ask for: ``slate_voice``, ``language`` and ``slate_tone``.

    Raises:
        JobError: espeak-ng does not know the language, or failed.
    """
    level = tone.LEVELS[str(order.parameters.get("slate_tone") or "off")]
    lines = order.brief.dialogue if order.parameters.get("slate_voice", True) else ()
    heard = _spoken(order, lines, bench.folder) if lines else Heard()
    if level is None:
        return heard
    length = samples_of(order)
    if heard.sound is None:
        return Heard(sound=tone.tone(length, level), notes=heard.notes, models=heard.models)
    mixed = tone.around(heard.sound, level)
    note = "The line-up tone is silent from the first word to the last."
    return Heard(sound=mixed, notes=(*heard.notes, note), models=heard.models)


def _spoken(order: Order, lines: Sequence[Line], folder: Path) -> Heard:
    program = shutil.which(_PROGRAM)
    if program is None:
        how = "Debian: apt install espeak-ng; macOS: brew install espeak-ng"
        return Heard(notes=(f"There is no scratch voice: install espeak-ng ({how}).",))
    language = str(order.parameters.get("language") or "en").lower().replace("_", "-")
    if not _LANGUAGE.fullmatch(language):
        raise JobError(f"{language!r} is no language", "Set 'language' to a tag such as en-gb, de or ja.")
    voices = _Voices(program, language, folder)
    cast = voices_of([line.speaker for line in lines])
    takes = [_take(voices, line, cast[line.speaker], index) for index, line in enumerate(lines)]
    sound, notes = spread(takes, samples_of(order))
    return Heard(sound=sound, notes=notes, models={_PROGRAM: _version(program)})


def spread(takes: Sequence[Array], length: int) -> tuple[Array, tuple[str, ...]]:
    """Lay lines into a shot with air between them, at their natural length.

    Args:
        takes: Sound of each line, float, at ``SAMPLE_RATE``.
        length: Samples of the shot.

    Returns:
        float32, length x 1, and what a person should know: where the lines are longer than the shot, its end cuts them.
    """
    spoken = sum(len(take) for take in takes)
    free = max(length - spoken, 0) // (len(takes) + 1)
    lead, breath = min(free, round(_LEAD * SAMPLE_RATE)), min(free, round(_BREATH * SAMPLE_RATE))
    whole = np.zeros(max(length, lead + spoken + breath * (len(takes) - 1)))
    at = lead
    cut = 0
    for number, take in enumerate(takes, 1):
        whole[at : at + len(take)] = take
        at += len(take) + breath
        if at - breath > length and not cut:
            cut = number
    notes: tuple[str, ...] = ()
    if spoken > length:
        over = (spoken - length) / SAMPLE_RATE
        whole[length - min(_FADE, length) : length] *= np.linspace(1, 0, min(_FADE, length))
        said = f"The dialogue takes {spoken / SAMPLE_RATE:.1f} s, {over:.1f} s more than the shot"
        notes = (f"{said}: its end cuts line {cut} of {len(takes)}. It is spoken at its natural length.",)
    return tone.stepped(whole[:length])[:, None], notes


def _take(voices: _Voices, line: Line, voice: tuple[str, int], index: int) -> Array:
    """Speak one line: float64 at ``SAMPLE_RATE``, without the silence around it, at the level of scratch voice."""
    path = voices.folder / f"line{index:03d}.wav"
    variant, pitch = voice
    command = [voices.program, "-v", f"{voices.language}+{variant}", "-p", str(pitch), "-s", str(_WORDS_A_MINUTE)]
    command += ["-a", "100", "-b", "1", "-w", str(path), "--stdin"]
    done = subprocess.run(
        command, input=line.text.encode(), capture_output=True, timeout=_MOST_SECONDS, env=_environment(), check=False
    )
    if done.returncode != 0 or not path.is_file():
        said = done.stderr.decode("utf-8", "replace").strip()[:300]
        raise JobError(
            f"espeak-ng cannot speak {voices.language!r}: {said}",
            "Set 'language' to one that 'espeak-ng --voices' lists, or 'slate_voice' to false.",
        )
    sound = resample(*_read(path))
    loud = np.flatnonzero(np.abs(sound) > _QUIET)
    if not len(loud):
        return np.zeros(0)
    sound = sound[loud[0] : loud[-1] + 1]
    take: Array = sound * (_PEAK / np.abs(sound).max())
    return take


def voices_of(speakers: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Give each speaker of a shot a voice; one whose voice another has already takes the next that is free."""
    cast: dict[str, tuple[str, int]] = {}
    heard: dict[str, tuple[str, int]] = {}
    for speaker in speakers:
        key = _plain(speaker)
        if key not in heard:
            variant, pitch = voice_of(speaker)
            choices = [*_VARIANTS[_VARIANTS.index(variant) :], *_VARIANTS]
            free = (one for one in choices if (one, pitch) not in heard.values())
            heard[key] = (next(free, variant), pitch)
        cast[speaker] = heard[key]
    return cast


def _plain(speaker: str) -> str:
    """Write a name as it is the same however it was typed: ``ANNA:`` is Anna."""
    return re.sub(r"\W", "", speaker).casefold()


def voice_of(speaker: str) -> tuple[str, int]:
    """Choose a voice by a speaker's name, the same in every shot: a variant of espeak-ng, and a pitch, 0 to 99."""
    digest = hashlib.sha256(_plain(speaker).encode()).digest()
    return _VARIANTS[digest[0] % len(_VARIANTS)], _PITCHES[digest[1] % len(_PITCHES)]


def _read(path: Path) -> tuple[Array, int]:
    with wave.open(str(path), "rb") as file:
        data = file.readframes(file.getnframes())
        return np.frombuffer(data, "<i2").astype(np.float64) / 32768, file.getframerate()


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def _version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_MOST_SECONDS, check=False)
    found = re.search(r"\d+(?:\.\d+)+", done.stdout)
    return found[0] if found else "unknown"


__all__ = ["Heard", "samples_of", "speak", "spread", "voice_of", "voices_of"]
