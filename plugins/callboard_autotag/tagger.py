"""The tagger: a table of analysers, one pass over the frames, one over the sound, all of it put into one result."""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING, Any

from callboard.errors import MediaError, ModelMissing
from callboard_schemas import Sequence, Tags

from callboard_autotag.bench import Bench, Crew, Part
from callboard_autotag.compose import describe
from callboard_autotag.technical import describe_damage

if TYPE_CHECKING:
    from callboard.context import Context


def _cuts(bench: Bench) -> Any:
    from callboard_autotag.cutting import HardCuts

    return HardCuts(bench.facts.duration) if bench.moving else None


def _light(bench: Bench) -> Any:
    from callboard_autotag.light import Light

    return Light()


def _text(bench: Bench) -> Any:
    from callboard_autotag.reader import Reader
    from callboard_autotag.screen_text import TextFinder

    return TextFinder(Reader(bench.context.runtime), int(bench.number("text_pictures")), bench.model("pp-ocr-rec"))


ANALYSERS: tuple[Part, ...] = (
    Part("cuts", "cuts", "watch", _cuts, dense=True),
    Part("colours", "colours", "watch", _light),
    Part("text", "text", "look", _text),
)
"""Every analyser of pictures, in the order in which their tags are listed."""


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
    bench = Bench(context, context.media.probe(), sequence)
    if bench.facts.video:
        _see(bench)
    if bench.facts.audio and bench.wants("sound"):
        _hear(bench)
    bench.take(describe_damage(bench.facts, context.media.problems))
    if bench.skipped:
        bench.numbers["skipped"] = bench.skipped
    sure = [found.score for found in bench.tags if not found.guess and found.method != "container"]
    return Tags(
        items=tuple(bench.tags),
        confidence=round(sum(sure) / len(sure), 4) if sure else 1.0,
        facts=bench.numbers,
        description=describe(bench.tags, bench.numbers),
        description_method="composed",
    )


def _see(bench: Bench) -> None:
    """Let the frames pass by, choose pictures, look at them."""
    from callboard_autotag.passing import pass_by, shots_between

    watchers = Crew(bench, [part for part in ANALYSERS if part.kind == "watch"])
    lookers = Crew(bench, [part for part in ANALYSERS if part.kind == "look"])
    if not watchers and not lookers:
        return
    chooser = _chooser(bench) if lookers else None
    try:
        pass_by(bench, watchers, chooser)
    except MediaError as error:
        bench.skip(f"picture: {error.message}")
        if error.name and not bench.facts.audio:
            raise
    for part, watcher in watchers.members:
        if part.name == "cuts":
            cuts = [(cut.time, cut.index) for cut in watcher.cuts()]
            bench.shots = shots_between(cuts, bench.facts.duration, bench.facts.video[0].frames)
    watchers.finish()
    if chooser is None:
        return
    seen = 0
    for picture in chooser.choose(bench.shots):
        lookers.do(methodcaller("look", picture))
        bench.progress(0.5, 0.8, picture.time, "looking closely")
        seen += 1
    bench.numbers["pictures_seen"] = seen
    lookers.finish()


def _chooser(bench: Bench) -> Any:
    from callboard_autotag.choose import Chooser

    return Chooser(int(bench.number("pictures")), bench.number("text_every"))


def _hear(bench: Bench) -> None:
    """Pass the sound by, with the speech detector where there is one."""
    from callboard.media.speech import SpeechDetector

    from callboard_autotag.sound import RATE, Listener

    detector: SpeechDetector | None = SpeechDetector(bench.context.runtime)
    listener = Listener(detector.feed if detector else None)
    try:
        for block in bench.context.media.audio(RATE, 10.0):
            try:
                listener.add(block.samples)
            except ModelMissing as error:  # only the first block can find it missing
                bench.skip(f"speech: {error.message}")
                detector, listener = None, Listener()
                listener.add(block.samples)
            bench.progress(0.8, 1.0, block.time + len(block.samples) / RATE, "listening")
    except MediaError as error:
        bench.skip(f"sound: {error.message}")
        if error.name and not bench.facts.video:
            raise
    bench.take(listener.finish())


__all__ = ["ANALYSERS", "tag"]
