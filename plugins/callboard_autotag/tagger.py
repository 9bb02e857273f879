"""The tagger: a table of analysers, one pass over the frames, one over the sound, all of it put into one result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callboard.errors import MediaError, ModelMissing
from callboard.packs import find_pack
from callboard.vocabulary import resolve
from callboard_schemas import AnyResult, Sequence, Tags

from callboard_autotag.bench import Bench, Part
from callboard_autotag.compose import describe
from callboard_autotag.technical import describe_damage

if TYPE_CHECKING:
    from callboard.context import Context


def _cuts(bench: Bench) -> Any:
    """Make the finder of shots: the network where its pack is here, else arithmetic."""
    if not bench.moving:
        return None
    if digest := bench.model("transnetv2"):
        from callboard_autotag.shots_net import NetCuts

        return NetCuts(bench.context.runtime, bench.facts.duration, digest)
    from callboard_autotag.cutting import HardCuts

    bench.lack("dissolves and fades between shots", "transnetv2")
    return HardCuts(bench.facts.duration)


def _movement(bench: Bench) -> Any:
    from callboard_autotag.motion import Motion

    return Motion(lambda: bench.shots) if bench.moving else None


def _glitches(bench: Bench) -> Any:
    from callboard_autotag.quality import Glitches

    return Glitches() if bench.moving else None


def _sharpness(bench: Bench) -> Any:
    from callboard_autotag.quality import Sharpness

    return Sharpness()


def _light(bench: Bench) -> Any:
    from callboard_autotag.light import Light

    return Light()


def _text(bench: Bench) -> Any:
    from callboard_autotag.reader import RECOGNISE, Reader
    from callboard_autotag.screen_text import TextFinder

    # A glance first saves half of an archive of photographs. On film, whose pictures are smaller, it saved nothing.
    reader = Reader(bench.context.runtime, glance=not bench.moving)
    return TextFinder(reader, int(bench.number("text_pictures")), bench.model(RECOGNISE))


def _safety(bench: Bench) -> Any:
    from callboard_autotag.safety import PACK, Safety

    return Safety(bench.context.runtime, bench.model(PACK))


def _faces(bench: Bench) -> Any:
    from callboard_autotag.faces import Faces

    return Faces(bench.context.runtime, bench.model("mtcnn-o"))


def _concepts(bench: Bench) -> Any:
    from callboard_autotag.concepts import MISSING, PAIR, make_concepts

    names = (f"{PAIR}-image", f"{PAIR}-text")
    if not all(map(bench.model, names)):
        bench.skip(f"concepts: {MISSING}")
        return None
    found = {name: find_pack(bench.model(name)) for name in names}
    packs = {name: pack for name, pack in found.items() if pack is not None}
    return make_concepts(bench.context.runtime, packs, bench.context.vocabulary, heard=bench.embedded)


def _sentences(bench: Bench) -> Any:
    from callboard_autotag.sentences import PACK, Sentences

    digest = bench.model(PACK)
    pack = find_pack(digest) if digest else None
    if pack is None:
        return None
    from callboard.embed.pictures import preparation

    pictures, threshold = int(bench.number("described_pictures")), bench.number("described_threshold")
    return Sentences(bench.context.runtime, preparation(pack), pictures, threshold)


def _prints(_: Bench) -> Any:
    from callboard_autotag.prints import PrintMaker

    return PrintMaker()


ANALYSERS: tuple[Part, ...] = (
    Part("cuts", "cuts", _cuts, watches="every"),
    Part("camera movement", "movement", _movement, watches="every"),
    Part("colours and light", "colours", _light, watches="some"),
    Part("black, frozen and flash frames", "quality", _glitches, watches="every"),
    Part("sharpness", "quality", _sharpness, looks=True),
    Part("shot size and people", "faces", _faces, looks=True, needs=("mtcnn-p", "mtcnn-r", "mtcnn-o")),
    Part("concepts", "concepts", _concepts, looks=True),
    Part("text", "text", _text, looks=True, must=("pp-ocr-det", "pp-ocr-rec")),
    Part("prints", "prints", _prints, watches="if every", looks=True),
    Part("sentences", "describe", _sentences, looks=True),
    Part("content safety", "safety", _safety, looks=True, needs=("open-nsfw",)),
)
"""Every analyser of pictures, in the order in which their tags are listed."""


def analyse(context: Context, sequence: Sequence | None = None) -> list[AnyResult]:
    """Tag the asset of *context*, and make the prints that it is found by.

    Args:
        context: Of the job.
        sequence: Its frames, where the asset is an image sequence.

    Returns:
        Tags with evidence, the numbers behind them, and a description: a model's where one is here, else composed from
        both. ``facts["skipped"]`` lists what was not done, and why. After them, prints where there is a picture to
        compare.

    Raises:
        MediaError: the asset cannot be opened, or nothing in it can be decoded.
        ModelMissing: a pack that a wanted part must have is not here or not intact; the job waits for it.
        RuntimeGone: the runtime died; the job is tried again.
    """
    bench = Bench(context, context.media.probe(), sequence)
    failures: list[MediaError] = []
    for part, there, work in (("picture", bench.facts.video, _see), ("sound", bench.facts.audio, _hear)):
        try:
            if there:
                work(bench)
        except MediaError as error:
            bench.skip(f"{part}: {error.message}")
            failures.append(error)
    if failures and not bench.frames and "level_dbfs" not in bench.numbers:
        raise failures[0]
    bench.take(describe_damage(bench.facts, context.media.problems))
    if bench.skipped:
        bench.numbers["skipped"] = bench.skipped
    return [_put_together(bench), *bench.results]


def _put_together(bench: Bench) -> Tags:
    composed = describe(bench.tags, bench.numbers)
    if bench.sentence:
        bench.numbers["composed"] = composed
    items = resolve(bench.tags, bench.context.vocabulary)
    sure = [found.score for found in items if not found.guess and found.method != "container"]
    return Tags(
        items=items,
        confidence=round(sum(sure) / len(sure), 4) if sure else 1.0,
        facts=bench.numbers,
        description=bench.sentence or composed,
        description_method="model" if bench.sentence else "composed",
    )


def _see(bench: Bench) -> None:
    """Let the frames pass by, choose pictures, look at them."""
    from callboard_autotag.passing import pass_by

    crew, chooser = pass_by(bench, ANALYSERS)
    finder = crew.find("cuts")
    if finder is not None:
        from callboard_autotag.transitions import shots_of

        gradual = getattr(finder, "transitions", ())
        bench.shots = shots_of(finder.cuts(), gradual, bench.frames, bench.facts.duration)
    seen = 0
    for picture in chooser.choose(bench.shots) if chooser is not None else ():
        crew.look(picture)
        bench.progress(0.5, 0.8, picture.time, "looking closely")
        seen += 1
    if chooser is not None:
        bench.numbers["pictures_seen"] = seen
    crew.finish()
    describer = crew.find("sentences")
    bench.sentence = describer.best if describer is not None else ""
    maker = crew.find("prints")
    if maker is not None:
        for space, picture, vector in bench.vectors:
            maker.take(space, picture, vector)
        prints = maker.prints()
        bench.results += [prints] if prints is not None else []


def _hear(bench: Bench) -> None:
    """Pass the sound by, with the speech detector where there is one; then measure how loud it is."""
    if bench.wants("loudness"):
        from callboard_autotag.loud import describe_loudness

        bench.take(describe_loudness(bench.context.media.loudness()))
    if not bench.wants("sound"):
        return
    from callboard.media.hearing import RATE
    from callboard.media.speech import SpeechDetector

    from callboard_autotag.sound import Listener

    detector: SpeechDetector | None = SpeechDetector(bench.context.runtime)
    listener = Listener(detector.feed if detector else None)
    for block in bench.context.media.audio(RATE, 10.0):
        try:
            listener.add(block.samples)
        except ModelMissing as error:  # only the first block can find it missing
            bench.skip(f"speech: {error.message}; {error.hint}" if error.hint else f"speech: {error.message}")
            detector, listener = None, Listener()
            listener.add(block.samples)
        bench.progress(0.8, 1.0, block.time + len(block.samples) / RATE, "listening")
    bench.take(listener.finish())


__all__ = ["ANALYSERS", "analyse"]
