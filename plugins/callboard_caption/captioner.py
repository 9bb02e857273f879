"""The captioner: sound in windows, speech found, words recognised, invented lines left out, cues laid out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from callboard.errors import JobError
from callboard.media.speech import RATE, SpeechDetector
from callboard_schemas import Captions, Cue, Envelope, Request, Word
from msgspec.structs import replace

from callboard_caption.cues import Rules, lay_out
from callboard_caption.doubt import MAYBE_NOT_SPEECH, Spoken, flag, why_invented
from callboard_caption.windows import Window, windows

if TYPE_CHECKING:
    from callboard.context import Context, Runtime
    from callboard.media import MediaFacts
    from callboard_schemas import Parameters

MODEL = "whisper-tiny-en"
LANGUAGES = ("en",)
"""Languages that the model hears."""
_ATTACK = 0.05
"""Seconds by which the speech detector may be late: one and a half of its frames."""
_PAUSES = {"min_silence_duration_ms": 1000, "speech_pad_ms": 500}
"""Half a second of silence is kept around speech: without it sentences run together, joined by commas."""

Spans = list[tuple[float, float]]


def check_language(event: Envelope) -> None:
    """Refuse a request for languages that the model does not hear.

    Raises:
        JobError: none of the languages asked for can be recognised.
    """
    if event.type != "captions.requested":
        return
    asked = msgspec.json.decode(event.data, type=Request).languages
    if asked and not any(language.split("-")[0].lower() in LANGUAGES for language in asked):
        raise JobError(
            f"captions in {', '.join(asked)} were asked for; {MODEL} hears {', '.join(LANGUAGES)} only",
            "Ask for captions in the language that is spoken, or install a plugin with a model that hears it.",
        )


def caption(context: Context) -> Captions | None:
    """Caption the asset of *context*.

    Returns:
        Cues, and in ``left_out`` the lines that the recogniser invented; ``None`` when there is no sound.

    Raises:
        MediaError: the asset cannot be opened.
        ModelMissing: a model is not installed.
        RuntimeGone: the runtime died; the job is tried again.
    """
    facts = context.media.probe()
    if not facts.audio:
        return None
    parameters = context.parameters
    threshold = float(parameters["voice_threshold"])  # type: ignore[arg-type]  # the manifest says number
    speech_only = bool(parameters["speech_only"])
    detector = SpeechDetector(context.runtime)
    spans: Spans = []
    heard: list[Spoken] = []
    likeliest, end = 0.0, 0.0
    blocks = context.media.audio(RATE)
    for window in windows(blocks, detector.feed, detector.finish, float(parameters["window_seconds"])):  # type: ignore[arg-type]  # the manifest says number
        found = window.spans(threshold)
        spans.extend(found)
        likeliest = max(likeliest, float(window.voice.max(initial=0.0)))
        if found or not speech_only:
            heard.extend(recognise(context.runtime, window, parameters))
        end = window.end
        context.progress(min(end / facts.duration, 0.99) if facts.duration else 0.5, f"{len(heard)} lines")
    if end == 0.0:  # a stream that never gives a sample is no sound
        return None
    duration = max(facts.duration, end) if not facts.video else facts.duration or end
    return compose(heard, spans, facts, duration, parameters, silence=1.0 - likeliest)


def recognise(runtime: Runtime, window: Window, parameters: Parameters) -> Iterable[Spoken]:
    """Recognise the words of one window.

    The model hears each window without what was said before: carried over, one invented line breeds the next.
    """
    answer = runtime.call(
        MODEL,
        {"samples": window.samples},
        language=parameters["language"],
        vad={**_PAUSES, "threshold": parameters["voice_threshold"]} if parameters["speech_only"] else False,
        beam_size=parameters["beam_size"],
    )
    for segment in answer["segments"]:
        yield spoken(segment, window.start)


def spoken(segment: Mapping[str, Any], offset: float) -> Spoken:
    """Take over one segment of the recogniser, with times from the start of the media."""
    start, end = float(segment["start"]) + offset, float(segment["end"]) + offset
    words: list[dict[str, Any]] = []
    for word in segment.get("words") or ():
        given = {**word, "start": float(word["start"]) + offset, "end": float(word["end"]) + offset}
        if words and not str(word["word"]).startswith(" "):  # "42" and ",000" are one word on the screen
            words[-1] = {**words[-1], "word": words[-1]["word"] + given["word"], "end": given["end"]}
        else:
            words.append(given)
    return Spoken(
        start=min(start, words[0]["start"]) if words else start,
        end=end,
        text=str(segment["text"]).strip(),
        likelihood=float(segment["avg_logprob"]),
        no_speech=float(segment["no_speech_prob"]),
        compression=float(segment["compression_ratio"]),
        words=tuple(words),
    )


def compose(
    heard: Sequence[Spoken], spans: Spans, facts: MediaFacts, duration: float, parameters: Parameters, silence: float
) -> Captions:
    """Make captions from what was recognised.

    Args:
        heard: Segments in order.
        spans: Where the speech detector hears somebody speak, in seconds.
        facts: Of the media.
        duration: Seconds that no cue may leave.
        parameters: Of the plugin.
        silence: How sure it is that nobody speaks, 0 to 1: the confidence where there are no cues.
    """
    rules = _rules(facts, parameters)
    kept: list[Word] = []
    ends: list[int] = []
    doubts: list[tuple[float, float, float]] = []
    left_out: list[Cue] = []
    for segment in heard:
        words = tighten(_words(segment), spans)
        reason = why_invented(segment, spans)
        if reason and (parameters["speech_only"] or not reason.startswith("nobody")):
            left_out.extend(replace(cue, flags=(reason,)) for cue in lay_out(words, rules, duration))
        else:
            kept.extend(words)
            ends.append(len(kept) - 1)
            doubts.append((segment.start, segment.end, segment.no_speech))
    cues = [replace(cue, no_speech=_doubt(cue, doubts)) for cue in lay_out(kept, rules, duration, frozenset(ends))]
    cues = flag(cues, spans, float(parameters["low_confidence"]))  # type: ignore[arg-type]  # the manifest says number
    confidence = _overall(cues) if cues else round(min(max(silence, 0.0), 1.0), 4)
    return Captions(
        language=str(parameters["language"]),
        cues=tuple(cues),
        confidence=confidence,
        # The model knows one language; how well its words fit is all it can say about which one is spoken.
        language_confidence=confidence if cues else 0.0,
        duration=round(duration, 3),
        speech_seconds=round(sum(b - a for a, b in spans), 3),
        left_out=tuple(replace(cue, id=number) for number, cue in enumerate(left_out, 1)),
    )


def tighten(words: Sequence[Word], spans: Spans) -> list[Word]:
    """Pull the edges of words out of silence: the recogniser often starts the first word of a phrase too early."""
    tight: list[Word] = []
    for word in words:
        start, end = word.start, word.end
        inside = [(a, b) for a, b in spans if a < end and b > start]
        if inside:
            start = max(start, inside[0][0] - _ATTACK)
            end = max(min(end, inside[-1][1] + _ATTACK), start)
        tight.append(replace(word, start=round(start, 3), end=round(end, 3)))
    return tight


def _words(segment: Spoken) -> list[Word]:
    if segment.words:
        return [
            Word(
                text=str(word["word"]).strip(),
                start=max(word["start"], 0.0),
                end=max(word["end"], word["start"], 0.0),
                confidence=min(max(float(word["probability"]), 0.0), 1.0),
            )
            for word in segment.words
        ]
    texts = segment.text.split()
    step = (segment.end - segment.start) / max(len(texts), 1)
    return [
        Word(text=text, start=segment.start + at * step, end=segment.start + (at + 1) * step, confidence=0.0)
        for at, text in enumerate(texts)
    ]


def _rules(facts: MediaFacts, parameters: Parameters) -> Rules:
    rate = facts.video[0].frame_rate if facts.video else 0.0
    given: dict[str, Any] = {
        name: parameters[name] for name in ("line_length", "lines", "reading_speed", "shortest", "longest")
    }
    frames: Any = parameters["gap_frames"]
    return Rules(**given, gap=frames / (rate or 25.0))


def _doubt(cue: Cue, doubts: Sequence[tuple[float, float, float]]) -> float:
    first, last = cue.words[0].start, cue.words[-1].end
    found = [doubt for start, end, doubt in doubts if start <= last and end >= first]
    return round(min(max([*found, 0.0]), 1.0), 4)


def _overall(cues: Sequence[Cue]) -> float:
    words = [word for cue in cues for word in cue.words]
    weights = [max(word.end - word.start, 0.02) for word in words]
    mean = sum(word.confidence * weight for word, weight in zip(words, weights, strict=True)) / sum(weights)
    return round(min(max(mean, 0.0), 1.0), 4)


__all__ = ["MAYBE_NOT_SPEECH", "MODEL", "caption", "check_language", "compose", "recognise", "spoken", "tighten"]
