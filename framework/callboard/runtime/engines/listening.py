"""How Whisper listens here: short sound in short windows, each in its language, twice where it was close.

faster-whisper fills every window up to 30 s with silence, so that three seconds of speech cost as much as thirty.
Where a pack says so, the window ends a little after the sound instead; an answer that is doubtful is then heard again
in a full window. Nothing samples at random: CTranslate2 seeds each thread's numbers once, at their first use, so the
same sound would give other words the next time.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from typing import Any, Final

import faster_whisper
import numpy as np
from faster_whisper.transcribe import pad_or_trim
from msgspec import Struct

REPETITIVE: Final = 2.4
UNLIKELY: Final = -1.0
NO_SPEECH: Final = 0.6
"""The limits of Whisper's own decoder (https://github.com/openai/whisper, transcribe.py)."""
SURE: Final = 0.5
"""Probability of a language from which it is believed against what was spoken before."""
_FULL: Final = 3000
"""Columns of 10 ms in a full window."""


class Look(Struct):
    """What was noticed while one window was heard."""

    language: str = "en"
    language_probability: float = 1.0
    second: str | None = None
    """What another decoding of the same sound says; ``None`` where the first one left no doubt."""


class _Call(threading.local):
    """What the call in this thread wants, and its newest window."""

    detect = False
    expected = ""
    close: float | None = None
    look = Look()
    full: np.ndarray[Any, Any] | None = None
    """The whole window, where the encoder was given less."""


class Listener(faster_whisper.WhisperModel):  # type: ignore[misc]  # the library is not typed
    """faster-whisper's model, listening as this module says."""

    margin: int = -1
    """Columns of 10 ms that a window keeps after its sound; -1 fills it up to 30 s."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._call = _Call()

    def hear(
        self, samples: np.ndarray[Any, Any], language: str | None, expected: str, close: float | None, **chosen: Any
    ) -> Iterator[tuple[Any, Look]]:
        """Give the segments of *samples*, each with what was noticed of its window.

        Args:
            samples: float32, 16 kHz, mono.
            language: A code that the model knows; ``None`` finds it out in each window.
            expected: The language of a window that does not tell; empty takes the likeliest.
            close: Mean log probability under which a window is decoded a second time; ``None`` never does.
            chosen: Further settings of faster-whisper.
        """
        call = self._call
        call.detect, call.expected, call.close = language is None and self.model.is_multilingual, expected, close
        call.look = Look(language=language or "en")
        # a code stands in where it is found out later: without one, faster-whisper listens for it on its own first
        found, _ = self.transcribe(samples, language=language or "en", temperature=0.0, **chosen)
        for segment in found:
            yield segment, call.look

    def encode(self, features: np.ndarray[Any, Any]) -> Any:
        """Encode a window, without most of the silence that fills it up."""
        self._call.full = None
        if self.margin >= 0 and features.ndim == 2 and features.shape[-1] == _FULL:
            filled = np.flatnonzero(features.any(axis=0))  # padding is exactly zero, which no sound is
            width = min(_FULL, (int(filled[-1]) + 1 if len(filled) else 1) + self.margin)
            width += width % 2  # the encoder halves it
            if width < _FULL:
                self._call.full, features = features, np.ascontiguousarray(features[:, :width])
        return super().encode(features)

    def generate_with_fallback(self, encoder_output: Any, prompt: list[int], tokenizer: Any, options: Any) -> Any:
        """Decode a window; a doubtful one again in full, then without loops; a close one a second time to compare."""
        call = self._call
        call.look = look = Look(language=tokenizer.language_code)
        if call.detect:
            prompt = self._speak(encoder_output, prompt, tokenizer, look)
        found = super().generate_with_fallback(encoder_output, prompt, tokenizer, options)
        if _doubtful(found) and call.full is not None:
            encoder_output = super().encode(pad_or_trim(call.full))
            found = max(
                found, super().generate_with_fallback(encoder_output, prompt, tokenizer, options), key=_goodness
            )
        if found[3] > REPETITIVE:
            other = dataclasses.replace(options, no_repeat_ngram_size=4)
            found = max(found, super().generate_with_fallback(encoder_output, prompt, tokenizer, other), key=_goodness)
        if call.close is not None and found[1] < call.close:
            look.second = self._second(encoder_output, prompt, tokenizer, options)
        return found

    def _speak(self, encoder_output: Any, prompt: list[int], tokenizer: Any, look: Look) -> list[int]:
        """Find out the language of a window, and have the model write in it."""
        token, probability = self.model.detect_language(encoder_output)[0][0]
        code = token[2:-2]
        if probability < SURE and self._call.expected:
            code, token = self._call.expected, f"<|{self._call.expected}|>"
        look.language, look.language_probability = code, float(probability)
        before, tokenizer.language = tokenizer.language, tokenizer.tokenizer.token_to_id(token)
        tokenizer.language_code = code
        return [tokenizer.language if one == before else one for one in prompt]

    def _second(self, encoder_output: Any, prompt: list[int], tokenizer: Any, options: Any) -> str:
        """Decode greedily: where the best path and the greedy one part, the sound did not say which is right."""
        bare = self.get_prompt(tokenizer, [], without_timestamps=True)
        other = dataclasses.replace(options, beam_size=1, patience=1, without_timestamps=True, hotwords=None)
        result = super().generate_with_fallback(encoder_output, bare, tokenizer, other)[0]
        return str(tokenizer.decode([one for one in result.sequences_ids[0] if one < tokenizer.eot])).strip()


def _doubtful(found: Any) -> bool:
    """Say whether a decoding loops or is unlikely, and is not plain silence."""
    result, likelihood, _, compression = found
    silent = result.no_speech_prob > NO_SPEECH and likelihood < UNLIKELY
    return bool((compression > REPETITIVE or likelihood < UNLIKELY) and not silent)


def _goodness(found: Any) -> tuple[bool, float]:
    return found[3] <= REPETITIVE, found[1]


__all__ = ["Listener", "Look"]
