"""Hears a recording: windows in turn, speech found in each, its words recognised, faint voices listened for again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from callboard.media.speech import RATE, SpeechDetector
from msgspec import Struct

from callboard_caption.doubt import Spoken
from callboard_caption.faint import faint_sound
from callboard_caption.windows import Window, windows

if TYPE_CHECKING:
    from callboard.context import Context, Runtime
    from callboard.media import MediaFacts

    from callboard_caption.choosing import Choice

Spans = list[tuple[float, float]]

PAD: Final = 0.5
"""Seconds that are kept around speech: without them sentences run together, joined by commas."""
PAUSE: Final = 1.0
"""Seconds of silence that stay in what the recogniser hears."""
APART: Final = 2.0
"""Seconds of silence at which another language may begin: heard together, two languages are taken for one."""
CLOSE: Final = -0.3
"""Mean log probability under which the recogniser is asked a second time; it was above it in most of the windows of
clear speech that were measured, and under it in most of those with errors."""
_AHEAD: Final = 2
"""Windows that are heard at once: while one is recognised, the next is decoded and searched for speech."""


class Hearing(Struct, kw_only=True):
    """What was heard in a recording."""

    segments: list[Spoken]
    """In order."""
    spans: Spans
    """Where somebody speaks, in seconds; faint voices included."""
    likeliest: float = 0.0
    """The highest probability of speech of any frame."""
    end: float = 0.0
    """Seconds of sound that there were."""
    language_probability: float = 1.0


class Listener(Struct, frozen=True, kw_only=True):
    """How windows are heard."""

    runtime: Runtime
    choice: Choice
    threshold: float
    faint: float
    """Threshold for what is listened to again; 0 does not."""
    beam: int
    speech_only: bool
    second: bool
    hotwords: str | None = None

    def hear(self, window: Window, expected: str | None) -> tuple[list[Spoken], Spans]:
        """Recognise one window.

        The model hears each window without what was said before: carried over, one invented line breeds the next.

        Returns:
            Segments in order, and spans of speech.
        """
        spans = window.spans(self.threshold)
        found: list[Spoken] = []
        if spans or not self.speech_only:
            found.extend(self._all(window, padded(spans, window) if self.speech_only else None, expected))
        if self.faint:
            quiet = faint_sound(self.runtime, window, padded(spans, window), self.faint)
            if quiet is not None:
                again = Window(window.start, quiet.samples, window.voice)
                found.extend(self._all(again, padded(quiet.spans, window), expected, quiet=True))
                found.sort(key=lambda segment: segment.start)
                spans = sorted([*spans, *quiet.spans])
        return found, spans

    def _all(
        self, window: Window, spans: Spans | None, expected: str | None, *, quiet: bool = False
    ) -> Iterable[Spoken]:
        """Recognise *spans* at once; where the language is to be found out, what long pauses divide one by one."""
        if spans is None or self.choice.language is not None:
            yield from self._recognise(window, spans, expected, quiet=quiet)
            return
        for group in apart(spans):
            yield from self._recognise(window, group, expected, quiet=quiet)

    def _recognise(self, window: Window, spans: Spans | None, expected: str | None, *, quiet: bool) -> Iterable[Spoken]:
        heard: dict[str, Any] = {"vad": False}
        if spans is not None:
            heard = {"spans": [(a - window.start, b - window.start) for a, b in spans]}
        answer = self.runtime.call(
            self.choice.model,
            {"samples": window.samples},
            language=self.choice.language,
            expected_language=expected,
            task=self.choice.task,
            beam_size=self.beam,
            second_look=CLOSE if self.second else None,
            hotwords=self.hotwords,
            **heard,
        )
        name = f"{spans[0][0] if spans else window.start:.3f} {'faint' if quiet else 'loud'}"
        for segment in answer["segments"]:
            yield spoken(segment, window.start, f"{name} {segment['window']}", quiet=quiet)


def hear(context: Context, facts: MediaFacts, listener: Listener) -> Hearing:
    """Hear the asset of *context*, two windows at a time.

    Raises:
        MediaError: the asset cannot be opened.
        ModelMissing: a model is not installed.
        RuntimeGone: the runtime died; the job is tried again.
    """
    detector = SpeechDetector(context.runtime)
    heard = Hearing(segments=[], spans=[])
    longest: Any = context.parameters["window_seconds"]
    waiting: deque[tuple[Window, Future[tuple[list[Spoken], Spans]]]] = deque()

    def take() -> None:
        window, future = waiting.popleft()
        segments, spans = future.result()
        heard.segments.extend(segments)
        heard.spans.extend(spans)
        heard.end = window.end
        context.progress(
            min(window.end / facts.duration, 0.99) if facts.duration else 0.5, f"{len(heard.segments)} lines"
        )

    with ThreadPoolExecutor(_AHEAD, "hearing") as pool:
        for window in _windows(context, detector, longest):
            heard.likeliest = max(heard.likeliest, float(window.voice.max(initial=0.0)))
            while len(waiting) >= _AHEAD:
                take()
            waiting.append((window, pool.submit(listener.hear, window, _language(heard.segments))))
        while waiting:
            take()
    return heard


def _windows(context: Context, detector: SpeechDetector, longest: float) -> Iterator[Window]:
    return windows(context.media.audio(RATE), detector.feed, detector.finish, longest)


def _language(segments: Sequence[Spoken]) -> str | None:
    """Say which language most was spoken in so far; windows that do not tell are taken to be in it."""
    spoken: dict[str, float] = {}
    for segment in segments:
        if segment.language:
            spoken[segment.language] = spoken.get(segment.language, 0.0) + segment.end - segment.start
    return max(spoken, key=lambda code: spoken[code]) if spoken else None


def padded(spans: Spans, window: Window) -> Spans:
    """Give *spans* with what the recogniser hears around them, joined over short pauses."""
    wide: Spans = []
    for start, end in spans:
        start, end = max(start - PAD, window.start), min(end + PAD, window.end)
        if wide and start - wide[-1][1] < PAUSE - 2 * PAD + 1e-6:
            wide[-1] = (wide[-1][0], max(end, wide[-1][1]))
        else:
            wide.append((start, end))
    return wide


def apart(spans: Spans) -> list[Spans]:
    """Divide spans where a pause is long enough for another language to begin after it."""
    groups: list[Spans] = []
    for span in spans:
        if groups and span[0] - groups[-1][-1][1] < APART:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def spoken(segment: Mapping[str, Any], offset: float, window: str = "", *, quiet: bool = False) -> Spoken:
    """Take over one segment of the recogniser, with times from the start of the media; *window* names where it was."""
    start, end = float(segment["start"]) + offset, float(segment["end"]) + offset
    words: list[dict[str, Any]] = []
    unspaced = segment.get("language") in ("ja", "zh", "yue", "th", "lo", "my", "km", "bo")
    for word in segment.get("words") or ():
        given = {**word, "start": float(word["start"]) + offset, "end": float(word["end"]) + offset}
        if words and not unspaced and not str(word["word"]).startswith(" "):  # "42" and ",000" are one word on screen
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
        language=str(segment.get("language") or ""),
        language_probability=float(segment.get("language_probability", 1.0)),
        second=segment.get("second"),
        window=window,
        quiet=quiet,
    )


__all__ = ["CLOSE", "Hearing", "Listener", "hear", "padded", "spoken"]
