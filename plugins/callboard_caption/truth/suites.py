"""What ``callboard eval captions`` measures: speech of which the words are known, and sound in which nobody speaks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from callboard_schemas import Cue

from callboard_caption.truth import speech
from callboard_caption.truth.compared import Score, compare
from callboard_caption.truth.sets import breaches, captions_of, measure_set
from callboard_caption.truth.speech import SENTENCES, SPEEDS, VOICES, Sound

if TYPE_CHECKING:
    from callboard.context import Runtime
    from callboard.runtime.local import LocalRuntime
    from callboard_schemas import Captions

BASELINE: Final = Path(__file__).with_name("baseline.json")
"""What was accepted last; with whisper-tiny-en."""
_SECONDS: Final = 20
"""Of each sound in which nobody speaks."""


def _spoken(kind: str) -> Iterator[tuple[Sound, str]]:
    """Make sound and what is said in it."""
    random = np.random.default_rng(4)
    others = [speech.say(text, VOICES[n % 5], SPEEDS[n % 4]) for n, text in enumerate(SENTENCES)]
    for sound, text in zip(others, SENTENCES, strict=True):
        if kind == "noise":
            yield speech.over(sound, speech.noise(len(sound), random), 10.0), text
        elif kind == "babble":
            yield speech.over(sound, speech.babble(len(sound), others, random), 8.0), text
        elif kind == "quiet":
            yield speech.quiet(sound, 30.0, random), text
        else:
            yield sound, text


def _heard(kind: str) -> dict[str, float]:
    with _runtime() as runtime:
        total = Score()
        for sound, text in _spoken(kind):
            captions = _captioned(sound, runtime)
            truth = (Cue(id=1, start=0.0, end=0.0, lines=(text,), confidence=1.0),)
            cues = captions.cues if captions is not None else ()
            total += compare(truth, cues, "en", breaches(captions) if captions is not None else 0)
    measures = total.measures()
    return {name: measures[name] for name in measures if name not in ("start-error", "end-error")}


def _nobody() -> dict[str, float]:
    """Count the cues over sounds in which nobody speaks: there must be none."""
    with _runtime() as runtime:
        made = [_captioned(sound, runtime) for _, sound in speech.nobody(_SECONDS)]
    return {"invented-error": float(sum(len(one.cues) for one in made if one is not None))}


def _captioned(sound: Sound, runtime: Runtime) -> Captions | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.wav"
        speech.write(sound, path)
        return captions_of(path, {}, runtime)


def _runtime() -> LocalRuntime:
    from callboard.runtime.local import LocalRuntime

    return LocalRuntime()


SUITES: Final[dict[str, Callable[[], dict[str, float]]]] = {
    "speech": partial(_heard, ""),
    "speech-under-noise": partial(_heard, "noise"),
    "speech-under-babble": partial(_heard, "babble"),
    "speech-30-dB-down": partial(_heard, "quiet"),
    "nobody-speaks": _nobody,
}
"""Suites by name."""

__all__ = ["BASELINE", "SUITES", "measure_set"]
