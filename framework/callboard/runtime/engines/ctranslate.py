"""The CTranslate2 engine: Whisper speech recognition through faster-whisper, from verified bytes only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ctranslate2
import faster_whisper
import numpy as np
from faster_whisper.transcribe import restore_speech_timestamps
from faster_whisper.vad import VadOptions, get_speech_timestamps

from callboard.config import RuntimeSettings
from callboard.errors import JobError, ModelMissing
from callboard.packs import Pack, read_file
from callboard.runtime import Control, NoMemory, cores
from callboard.runtime.engines import Device
from callboard.runtime.engines.devices import CPU, kind_of, nvidia, ordered, processor
from callboard.runtime.engines.inputs import check_options
from callboard.runtime.engines.memory import Growth, give_back, is_short

if TYPE_CHECKING:
    from callboard.runtime import Session

RATE: Final = 16000
_TEMPERATURES: Final = (0.0, 0.2)
"""Greedy beams first, one retry for a window that repeats itself or is unsure: the time of a window is bounded."""
_VAD: Final = {"min_silence_duration_ms": 500, "speech_pad_ms": 200}
"""Cues should not span pauses of half a second; faster-whisper's own default of 2 s is made for plain text."""
_OPTIONS: Final = {
    "beam_size": (int, 5),
    "initial_prompt": (str | None, None),
    "hotwords": (str | None, None),
    "condition_on_previous_text": (bool, False),
    "word_timestamps": (bool, True),
}


class WhisperEngine:
    """Makes Whisper sessions of CTranslate2 folders."""

    def devices(self, pack: Pack, settings: RuntimeSettings | None = None) -> tuple[str, ...]:
        """The first CUDA device that CTranslate2 finds, and the CPU. Only the CPU has been run: no GPU was at hand."""
        return ordered(_here(), pack, settings)

    def load(self, pack: Pack, folder: Path, settings: RuntimeSettings, device: str = CPU) -> Session:
        """Load *pack*; nothing is fetched and nothing but the pack's files is read.

        The weights are int8 on the CPU and float16 on a GPU that has it, unless ``options.compute_type`` says.

        Raises:
            ModelMissing: a file is not what the pack says, or is no Whisper model.
            NoMemory: it does not fit on *device* now.
        """
        files = {file.path: read_file(pack, folder, file) for file in pack.files}
        if "tokenizer.json" not in files:  # faster-whisper would fetch one
            raise ModelMissing(pack.name, "it lists no tokenizer.json", f"Mend {pack.origin}.")
        parallel = pack.parallel or 1
        try:
            with Growth() as growth:
                model = faster_whisper.WhisperModel(
                    pack.name,
                    device=kind_of(device),
                    compute_type=_compute_type(pack, device),
                    cpu_threads=max(1, (settings.threads or cores()) // parallel),
                    num_workers=parallel,
                    local_files_only=True,
                    files=files,
                )
        except Exception as error:  # noqa: BLE001 - CTranslate2, tokenizers and faster-whisper each raise their own
            if is_short(error):
                raise NoMemory(f"model {pack.name!r}: no memory to load it on {device}") from None
            raise ModelMissing(
                pack.name, f"CTranslate2 cannot load it: {error}", f"Mend {pack.origin} or its files."
            ) from None
        return WhisperSession(pack, model, device, parallel, growth.mb)


def _here() -> tuple[str, ...]:
    return ("cuda:0",) if ctranslate2.get_cuda_device_count() > 0 else ()


def _compute_type(pack: Pack, device: str) -> str:
    chosen = pack.options.get("compute_type")
    if chosen is not None:
        return str(chosen)
    if device == CPU:
        return "int8"
    return "float16" if "float16" in ctranslate2.get_supported_compute_types("cuda") else "int8"


def present() -> list[Device]:
    """The devices that CTranslate2 can use here."""
    gpus = nvidia() or (("CUDA", 0),)
    return [*(Device("ctranslate2", device, *gpus[0]) for device in _here()), processor("ctranslate2")]


class WhisperSession:
    """A loaded Whisper model."""

    def __init__(
        self, pack: Pack, model: faster_whisper.WhisperModel, device: str, parallel: int, grown_mb: int
    ) -> None:
        self._pack, self._model = pack, model
        self.device, self.parallel = device, parallel
        self.memory_mb = max(pack.memory_mb, grown_mb if device == CPU else 0)
        """MiB: what loading took, but at least the pack's figure, which knows the memory of a run."""

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Write down what is said.

        Args:
            inputs: ``samples``: float32 mono, 16 kHz, in [-1, 1], any length.
            options: ``language`` (code, or None to detect it), ``vad`` (default True: only what sounds like speech is
                heard; a mapping overrides thresholds of the detector), ``beam_size``, ``initial_prompt``, ``hotwords``,
                ``condition_on_previous_text``, ``word_timestamps``.
            control: Told how far it is after each segment; a call that is stopped ends there.

        Returns:
            ``language``, ``language_probability``, ``duration`` and ``duration_after_vad`` in seconds, ``speech``
            (pairs of seconds; the whole clip without vad) and ``segments``: mappings with start, end, text,
            avg_logprob, no_speech_prob, compression_ratio, temperature and words (word, start, end, probability).

        Raises:
            JobError: the samples or an option are wrong, or the language is not one the model knows.
            NoMemory: the memory does not suffice for it.
        """
        samples = _samples(self._pack.name, inputs)
        chosen = self._options(options)
        language = self._language(options.get("language"))
        spans = _speech(samples, options.get("vad", True))
        heard = np.concatenate([samples[span["start"] : span["end"]] for span in spans]) if spans else samples[:0]
        answer = {
            "language": language or "",
            "language_probability": 1.0 if language else 0.0,
            "duration": len(samples) / RATE,
            "duration_after_vad": len(heard) / RATE,
            "speech": [[span["start"] / RATE, span["end"] / RATE] for span in spans],
            "segments": [],
        }
        if not len(heard):
            return answer
        try:
            # The retry samples at random; a fixed seed gives the same words for the same sound.
            ctranslate2.set_random_seed(0)
            segments, info = self._model.transcribe(heard, language=language, temperature=_TEMPERATURES, **chosen)
            answer["language"], answer["language_probability"] = info.language, float(info.language_probability)
            answer["segments"] = _collect(segments, spans, len(heard) / RATE, control)
        except (MemoryError, RuntimeError, ValueError) as error:
            if is_short(error):
                raise NoMemory(f"model {self._pack.name!r}: no memory for this clip on {self.device}") from None
            raise JobError(f"model {self._pack.name!r}: {error}") from None
        return answer

    def _options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        check_options(self._pack, options, ("language", "vad", *_OPTIONS))
        chosen = {name: options.get(name, default) for name, (_, default) in _OPTIONS.items()}
        for name, (kind, _) in _OPTIONS.items():
            if not isinstance(chosen[name], kind):
                raise JobError(f"model {self._pack.name!r}: option {name} is {chosen[name]!r}, not {kind}")
        return chosen

    def _language(self, language: object) -> str | None:
        known = self._model.supported_languages
        if language is None:
            return "en" if known == ["en"] else None
        if language not in known:
            raise JobError(f"model {self._pack.name!r} does not know language {language!r}, only {', '.join(known)}")
        return str(language)

    def close(self) -> None:
        """Let go of the memory: the weights, and what the model's threads and its tokenizer keep, which is as much."""
        with contextlib.suppress(AttributeError):  # closed before
            del self._model
        give_back()


def _samples(model: str, inputs: Mapping[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    samples = inputs.get("samples")
    if samples is None or len(inputs) != 1 or samples.dtype != np.float32 or samples.ndim != 1:
        raise JobError(f"model {model!r} takes 'samples': float32, one dimension, 16 kHz mono")
    if not np.isfinite(samples).all():
        raise JobError(f"model {model!r}: the samples are not all finite")
    return samples


def _speech(samples: np.ndarray[Any, Any], vad: object) -> list[dict[str, int]]:
    if not len(samples):
        return []
    if vad is False:
        return [{"start": 0, "end": len(samples)}]
    settings = {**_VAD, **vad} if isinstance(vad, Mapping) else _VAD
    try:
        chosen = VadOptions(**settings)
    except TypeError as error:
        raise JobError(f"vad: {error}") from None
    return [span for span in get_speech_timestamps(samples, chosen) if span["end"] > span["start"]]


def _collect(
    segments: Iterable[Any], spans: list[dict[str, int]], seconds: float, control: Control
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def followed() -> Iterable[Any]:
        for segment in segments:
            if control.stopped:
                return
            control.progress(min(1.0, segment.end / seconds))
            yield segment

    for segment in restore_speech_timestamps(followed(), spans, RATE):
        words = [
            {
                "word": word.word,
                "start": float(word.start),
                "end": float(word.end),
                "probability": float(word.probability),
            }
            for word in segment.words or ()
        ]
        found.append(
            {
                "start": float(segment.start),
                "end": float(segment.end),
                "text": segment.text,
                "avg_logprob": float(segment.avg_logprob),
                "no_speech_prob": float(segment.no_speech_prob),
                "compression_ratio": float(segment.compression_ratio),
                "temperature": float(segment.temperature or 0.0),
                "words": words,
            }
        )
    return found


__all__ = ["WhisperEngine", "WhisperSession", "present"]
