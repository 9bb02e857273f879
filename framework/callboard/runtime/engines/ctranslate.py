"""The CTranslate2 engine: Whisper speech recognition through faster-whisper, from verified bytes only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ctranslate2
import numpy as np
from faster_whisper.transcribe import restore_speech_timestamps
from faster_whisper.vad import VadOptions, get_speech_timestamps
from msgspec import structs

from callboard.config import RuntimeSettings
from callboard.errors import JobError, ModelMissing
from callboard.packs import Pack, read_file
from callboard.runtime import Control, NoMemory, cores
from callboard.runtime.engines import Device
from callboard.runtime.engines.devices import CPU, kind_of, nvidia, ordered, processor
from callboard.runtime.engines.inputs import check_options
from callboard.runtime.engines.listening import Listener, Look
from callboard.runtime.engines.memory import Growth, give_back, is_short

if TYPE_CHECKING:
    from callboard.runtime import Session

RATE: Final = 16000
_VAD: Final = {"min_silence_duration_ms": 500, "speech_pad_ms": 200}
"""Cues should not span pauses of half a second; faster-whisper's own default of 2 s is made for plain text."""
_OPTIONS: Final = {
    "beam_size": (int, 5),
    "initial_prompt": (str | None, None),
    "hotwords": (str | None, None),
    "condition_on_previous_text": (bool, False),
    "word_timestamps": (bool, True),
    "task": (str, "transcribe"),
}
_OURS: Final = ("language", "expected_language", "vad", "spans", "second_look")


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
        threads = settings.threads or cores()
        # Half of a call is features, alignment and the decoder's small steps, which one thread does: two calls at once
        # fill two cores, 1.5 times as fast for short clips as one by one.
        parallel = pack.parallel or (2 if device == CPU and threads > 1 else 1)
        try:
            with Growth() as growth:
                model = Listener(
                    pack.name,
                    device=kind_of(device),
                    compute_type=_compute_type(pack, device),
                    cpu_threads=max(1, threads // pack.parallel if pack.parallel else threads),
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
        model.margin = round(100 * float(pack.options.get("margin_seconds", -0.01)))  # type: ignore[arg-type]  # packs say numbers
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

    def __init__(self, pack: Pack, model: Listener, device: str, parallel: int, grown_mb: int) -> None:
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
            options: ``language`` (code, or None to find it out in each window), ``expected_language`` (of a window that
                does not tell), ``task`` (``transcribe``, or ``translate`` into English), ``spans`` (pairs of seconds
                that are heard) or ``vad`` (default True: only what sounds like speech is heard; a mapping overrides
                thresholds of the detector), ``second_look`` (mean log probability under which a window is decoded a
                second time; None never), ``beam_size``, ``initial_prompt``, ``hotwords``,
                ``condition_on_previous_text``, ``word_timestamps``.
            control: Told how far it is after each segment; a call that is stopped ends there.

        Returns:
            ``language``, ``language_probability``, ``duration`` and ``duration_after_vad`` in seconds, ``speech``
            (pairs of seconds; the whole clip without vad) and ``segments``: mappings with start, end, text,
            avg_logprob, no_speech_prob, compression_ratio, temperature, language, language_probability, ``window``
            (its number), ``second`` (what another decoding of the window says, or None) and words (word, start, end,
            probability).

        Raises:
            JobError: the samples or an option are wrong, or the language is not one the model knows.
            NoMemory: the memory does not suffice for it.
        """
        samples = _samples(self._pack.name, inputs)
        chosen = self._options(options)
        language = self._language(options.get("language"))
        expected = self._language(options.get("expected_language")) or ""
        close = options.get("second_look")
        if not isinstance(close, float | int | None):
            raise JobError(f"model {self._pack.name!r}: option second_look is {close!r}, not a number")
        spans = _given(samples, options["spans"]) if "spans" in options else _speech(samples, options.get("vad", True))
        heard = np.concatenate([samples[span["start"] : span["end"]] for span in spans]) if spans else samples[:0]
        answer: dict[str, Any] = {
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
            found = self._model.hear(heard, language, expected, close, **chosen)
            answer["segments"] = _collect(found, spans, len(heard) / RATE, control)
        except (MemoryError, RuntimeError, ValueError) as error:
            if is_short(error):
                raise NoMemory(f"model {self._pack.name!r}: no memory for this clip on {self.device}") from None
            raise JobError(f"model {self._pack.name!r}: {error}") from None
        if not language:
            answer["language"], answer["language_probability"] = _mostly(answer["segments"])
        return answer

    def _options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        check_options(self._pack, options, (*_OURS, *_OPTIONS))
        chosen = {name: options.get(name, default) for name, (_, default) in _OPTIONS.items()}
        for name, (kind, _) in _OPTIONS.items():
            if not isinstance(chosen[name], kind):
                raise JobError(f"model {self._pack.name!r}: option {name} is {chosen[name]!r}, not {kind}")
        if chosen["task"] not in ("transcribe", "translate"):
            raise JobError(f"model {self._pack.name!r}: task is {chosen['task']!r}, not transcribe or translate")
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


def _given(samples: np.ndarray[Any, Any], spans: object) -> list[dict[str, int]]:
    """Turn pairs of seconds into samples; they must be in order and not overlap."""
    try:
        found = [(round(float(start) * RATE), round(float(end) * RATE)) for start, end in spans]  # type: ignore[attr-defined]  # anything may be given
    except (TypeError, ValueError):
        raise JobError("spans: not pairs of seconds") from None
    edges = [edge for span in found for edge in span]
    if edges != sorted(edges) or (edges and edges[0] < 0):
        raise JobError("spans: they must be in order and not overlap")
    return [{"start": start, "end": min(end, len(samples))} for start, end in found if start < min(end, len(samples))]


def _collect(
    heard: Iterable[tuple[Any, Look]], spans: list[dict[str, int]], seconds: float, control: Control
) -> list[dict[str, Any]]:
    looks: list[Look] = []
    places: list[int] = []

    def followed() -> Iterable[Any]:
        for segment, look in heard:
            if control.stopped:
                return
            control.progress(min(1.0, segment.end / seconds))
            if not looks or look is not looks[-1]:
                looks.append(look)
            places.append(len(looks) - 1)
            yield segment

    return [
        {**_plain(segment), "window": place, **structs.asdict(looks[place])}
        for segment, place in zip(restore_speech_timestamps(followed(), spans, RATE), places, strict=False)
    ]


def _plain(segment: Any) -> dict[str, Any]:
    words = [
        {"word": word.word, "start": float(word.start), "end": float(word.end), "probability": float(word.probability)}
        for word in segment.words or ()
    ]
    return {
        "start": float(segment.start),
        "end": float(segment.end),
        "text": segment.text,
        "avg_logprob": float(segment.avg_logprob),
        "no_speech_prob": float(segment.no_speech_prob),
        "compression_ratio": float(segment.compression_ratio),
        "temperature": float(segment.temperature or 0.0),
        "words": words,
    }


def _mostly(segments: list[dict[str, Any]]) -> tuple[str, float]:
    """Say which language most of the time is spoken in, and how sure that is."""
    spoken: dict[str, float] = {}
    sure: dict[str, float] = {}
    for segment in segments:
        seconds = max(segment["end"] - segment["start"], 0.01)
        spoken[segment["language"]] = spoken.get(segment["language"], 0.0) + seconds
        sure[segment["language"]] = sure.get(segment["language"], 0.0) + seconds * segment["language_probability"]
    if not spoken:
        return "", 0.0
    most = max(spoken, key=lambda code: spoken[code])
    return most, sure[most] / spoken[most]


__all__ = ["WhisperEngine", "WhisperSession", "present"]
