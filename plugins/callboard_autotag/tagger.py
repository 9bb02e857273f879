"""The tagger: streams named, frames and sound passed by once each, text read, all of it put into one result."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from callboard.errors import MediaError, ModelMissing
from callboard_schemas import Scalar, Sequence, Tag, Tags

from callboard_autotag.compose import describe
from callboard_autotag.picture import Look
from callboard_autotag.shots import CutFinder, rhythm
from callboard_autotag.sound import RATE, Listener
from callboard_autotag.technical import describe_damage, describe_streams

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard.media import MediaFacts

SMALL = 64
"""Pixels: longest side of the frames that cuts and colours are found in."""
_FASTEST = 30.0  # frames a second looked at for cuts; of faster footage every second frame is enough
_LOOK_EVERY = 0.5  # seconds between pictures measured for colour
_MOST_STEPS = 2000  # pictures fetched as candidates for reading

Facts = dict[str, Scalar | list[str]]


class _Job:
    """One asset on its way: what was found, what had to be left undone."""

    def __init__(self, context: Context, facts: MediaFacts, sequence: Sequence | None) -> None:
        self.context, self.facts = context, facts
        self.tags, self.numbers = describe_streams(facts, sequence)
        self.skipped: list[str] = []
        self.cuts: list[float] = []
        self.moving = not facts.still and bool(facts.video)

    def wants(self, part: str) -> bool:
        """Say whether the settings ask for *part*."""
        return bool(self.context.parameters[part])

    def take(self, found: tuple[list[Tag], Facts]) -> None:
        """Add what an analyser found."""
        self.tags += found[0]
        self.numbers.update(found[1])

    def progress(self, low: float, high: float, time: float, note: str) -> None:
        """Say how far it is: from *low* to *high* as *time* goes through the media."""
        share = min(max(time / self.facts.duration, 0.0), 1.0) if self.facts.duration else 0.0
        self.context.progress(low + (high - low) * share, note)


def tag(context: Context, sequence: Sequence | None = None) -> Tags:
    """Tag the asset of *context*.

    Args:
        context: Of the job.
        sequence: Its frames, where the asset is an image sequence.

    Returns:
        Tags with evidence, the numbers behind them, and a description composed from both. ``facts["skipped"]`` lists
        what was not done, and why.

    Raises:
        MediaError: the asset cannot be opened.
        RuntimeGone: the runtime died; the job is tried again.
    """
    job = _Job(context, context.media.probe(), sequence)
    if job.facts.video:
        _attempt(job, "picture", _watch)
        if job.wants("text"):
            _attempt(job, "text", _read)
    if job.facts.audio and job.wants("sound"):
        _attempt(job, "sound", _listen)
    job.take(describe_damage(job.facts, job.context.media.problems))
    if job.skipped:
        job.numbers["skipped"] = job.skipped
    sure = [found.score for found in job.tags if not found.guess and found.method != "container"]
    return Tags(
        items=tuple(job.tags),
        confidence=round(sum(sure) / len(sure), 4) if sure else 1.0,
        facts=job.numbers,
        description=describe(job.tags, job.numbers),
        description_method="composed",
    )


def _attempt(job: _Job, part: str, work: object) -> None:
    """Do one part; one that cannot be done is noted, and the others go on."""
    try:
        work(job)  # type: ignore[operator]  # a function of this module
    except ModelMissing as error:
        job.skipped.append(f"{part}: {error.message}")
    except ImportError as error:
        job.skipped.append(f"{part}: {error.name} is not installed")
    except MediaError as error:
        job.skipped.append(f"{part}: {error.message}")
        if error.name and not (job.numbers.keys() & {"colours", "level_dbfs"}):
            raise


def _watch(job: _Job) -> None:
    """Pass the frames by: cuts from every one, colours from some."""
    look, finder = Look(), CutFinder()
    rate = job.facts.video[0].frame_rate
    want_cuts = job.moving and job.wants("cuts")
    every = (2 / rate if rate > _FASTEST * 1.2 else 0.0) if want_cuts else max(2.0, job.facts.duration / 500)
    next_look, last = float("-inf"), 0.0
    for frame in job.context.media.frames(every=every, max_side=SMALL):
        if want_cuts:
            finder.add(frame.time, frame.index, frame.pixels)
        if frame.time >= next_look and job.wants("colours"):
            look.add(frame.pixels)
            next_look = frame.time + _LOOK_EVERY
        if frame.time >= last + 1.0:
            last = frame.time
            job.progress(0.0, 0.5, frame.time, "looking")
    job.take(look.finish())
    if want_cuts:
        cuts = finder.cuts()
        job.cuts = [cut.time for cut in cuts]
        job.take(rhythm(cuts, job.facts.duration, finder.frames))


def _read(job: _Job) -> None:
    """Read text in representative pictures."""
    from callboard_autotag.reader import Reader
    from callboard_autotag.screen_text import SIDE, TextFinder

    parameters = job.context.parameters
    every, most = cast("float", parameters["text_every"]), cast("int", parameters["text_pictures"])
    duration = job.facts.duration
    finder = TextFinder(Reader(job.context.runtime), job.cuts, max(every, duration / most), most)
    # Long films are sampled evenly rather than read to the limit in their first minutes.
    step = max(1.0, duration / _MOST_STEPS, duration / most if len(job.cuts) > most else 0.0)
    for frame in job.context.media.frames(every=step if job.moving else 0.0, max_side=SIDE):
        finder.add(frame.time, frame.index, frame.pixels)
        job.progress(0.5, 0.8, frame.time, "reading text")
    job.take((finder.tags(), {"pictures_read": finder.read}))


def _listen(job: _Job) -> None:
    """Pass the sound by, with the speech detector where there is one."""
    from callboard.media.speech import SpeechDetector

    detector: SpeechDetector | None = SpeechDetector(job.context.runtime)
    listener = Listener(detector.feed if detector else None)
    for block in job.context.media.audio(RATE, 10.0):
        try:
            listener.add(block.samples)
        except ModelMissing as error:  # only the first block can find it missing
            job.skipped.append(f"speech: {error.message}")
            detector, listener = None, Listener()
            listener.add(block.samples)
        job.progress(0.8, 1.0, block.time + len(block.samples) / RATE, "listening")
    job.take(listener.finish())
