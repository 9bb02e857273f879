"""Says exactly what a timeline lost on its way through a format: what was read back, against what was written.

Both are laid out in frames first. A dissolve counts as beginning where it begins on the screen, wherever a format
puts the cut inside it, so the same picture compares as the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from callboard.timedtext.rate import Rate
from msgspec import Struct
from opentimelineio import core, schema

from callboard_otio.ours import NAMESPACE, ours, placeholder_of
from callboard_otio.paths import local_path
from callboard_otio.rates import exactly, frames, start_frame

ASPECTS = (
    "timeline name",
    "frame rate",
    "start timecode",
    "drop frame",
    "video tracks",
    "audio tracks",
    "track names",
    "clips",
    "clip names",
    "source ranges",
    "media paths",
    "media lengths",
    "gaps",
    "generators",
    "transitions",
    "speed changes",
    "effects",
    "nested timelines",
    "switched off",
    "clip markers",
    "marker colours",
    "marker notes",
    "timeline markers",
    "placeholders",
    "tags and captions",
    "other metadata",
)
"""What is compared, in the order that it is told."""
_OF_CLIPS = frozenset(("clip names", "source ranges", "media paths", "media lengths", "speed changes", "effects"))
_OF_MARKERS = frozenset(("marker colours", "marker notes"))
_EXAMPLES = 3


class Loss(Struct, frozen=True, kw_only=True):
    """One aspect of which something is not there, or not as it was."""

    aspect: str
    before: int
    kept: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = f": {'; '.join(self.examples)}" if self.examples else ""
        rest = "…" if self.before - self.kept > len(self.examples) > 0 else ""
        return f"{self.aspect}: {self.before - self.kept} of {self.before} lost or changed{said}{rest}"


def losses(
    before: Any, after: Any, rate: Rate, rate_after: Rate | None = None, *, bundled: bool = False
) -> tuple[Loss, ...]:
    """Compare two timelines.

    Args:
        before: What was written.
        after: What was read back.
        rate: Of *before*.
        rate_after: Of *after*, where it says so itself.
        bundled: Media may have gone into a bundle: its files keep their names, and not their paths.
    """
    # where a dissolve is gone, its clips meet at the cut again: they count as they lie closer
    ways = [_lost(before, after, rate, rate_after or rate, dissolved=way, bundled=bundled) for way in (True, False)]
    return min(ways, key=lambda way: sum(one.before - one.kept for one in way))


def _lost(before: Any, after: Any, rate: Rate, rate_after: Rate, *, dissolved: bool, bundled: bool) -> tuple[Loss, ...]:
    was, now = facts(before, rate, dissolved=dissolved), facts(after, rate_after, dissolved=dissolved)
    if bundled:
        was, now = _by_name(was), _by_name(now)
    found = []
    clips = {fact[:2] for fact in now["clips"]}
    markers = {fact[:-1] for fact in (*now["clip markers"], *now["timeline markers"])}
    for aspect in ASPECTS:
        old, new = was[aspect], now[aspect]
        if aspect in _OF_CLIPS:  # of a clip that is gone altogether, that is said once
            old = Counter({fact: number for fact, number in old.items() if fact[:2] in clips})
        elif aspect in _OF_MARKERS:
            old = Counter({fact: number for fact, number in old.items() if fact[:-1] in markers})
        gone = old - new
        if gone:
            told = tuple(_told(one, rate) for one in list(gone)[:_EXAMPLES])
            found.append(Loss(aspect=aspect, before=old.total(), kept=old.total() - gone.total(), examples=told))
    return tuple(found)


def _by_name(found: dict[str, Counter[Any]]) -> dict[str, Counter[Any]]:
    paths = Counter({(*fact[:-1], Path(fact[-1]).name): number for fact, number in found["media paths"].items()})
    return {**found, "media paths": paths}


def facts(timeline: Any, rate: Rate, *, dissolved: bool = True) -> dict[str, Counter[Any]]:
    """Lay a timeline out as countable facts, by aspect; *dissolved* puts cuts where their dissolves begin."""
    found: dict[str, Counter[Any]] = {aspect: Counter() for aspect in ASPECTS}
    found["timeline name"][timeline.name or ""] += 1
    found["frame rate"][str(Rate(rate.numerator, rate.denominator))] += 1
    found["start timecode"][start_frame(timeline, rate)] += 1
    if rate.drop:
        found["drop frame"]["drop frame"] += 1
    for marker in timeline.tracks.markers:
        _marker(found, "timeline markers", (), marker, 0, rate)
    _metadata(found, ("timeline",), timeline)
    numbers: Counter[str] = Counter()
    for track in timeline.tracks:
        kind = "Audio" if getattr(track, "kind", "") == "Audio" else "Video"
        numbers[kind] += 1
        where = f"{kind[0]}{numbers[kind]}"
        found[f"{kind.lower()} tracks"][where] += 1
        if getattr(track, "name", ""):
            found["track names"][(where, track.name)] += 1
        if not track.enabled:
            found["switched off"][where] += 1
        _metadata(found, (where,), track)
        for one in laid_out(track, rate, dissolved=dissolved):
            _item(found, where, one, rate)
    return found


class Laid(NamedTuple):
    """An item of a track, in frames."""

    item: Any
    number: int
    """Which of the track's items it is."""
    start: int
    frames: int
    source: int
    """First frame of media."""


def laid_out(track: Any, rate: Rate, *, dissolved: bool = False) -> Iterator[Laid]:
    """Lay out the items of a track that have a length.

    Args:
        track: A track, or a stack that stands where one does.
        rate: Frames are counted in it.
        dissolved: Put each cut where its dissolve begins.
    """
    if not isinstance(track, schema.Track):
        whole = track.trimmed_range()
        yield Laid(track, 0, 0, frames(whole.duration, rate), frames(whole.start_time, rate))
        return
    end: Fraction | int = 0
    items = list(track)
    for number, item in enumerate(items):
        at = round(end)
        if isinstance(item, schema.Transition):
            before, behind = frames(item.in_offset, rate), frames(item.out_offset, rate)
            yield Laid(item, number, at - before if dissolved else at, before + behind, 0)
            continue
        whole = item.trimmed_range()
        end += exactly(whole.duration, rate)
        count = round(end) - at  # what is between two frames begins at the nearer one, and the next begins there
        early = _reach(items, number - 1, rate) if dissolved else 0
        late = _reach(items, number + 1, rate) if dissolved else 0
        if count:
            yield Laid(item, number, at - early, count + early - late, frames(whole.start_time, rate) - early)


def _reach(items: list[Any], number: int, rate: Rate) -> int:
    """Say how far the transition at a place reaches to the left of its cut; 0 where there is none."""
    if not 0 <= number < len(items) or not isinstance(items[number], schema.Transition):
        return 0
    return frames(items[number].in_offset, rate)


def _item(found: dict[str, Counter[Any]], where: str, laid: Laid, rate: Rate) -> None:
    item, begin, count, source = laid.item, laid.start, laid.frames, laid.source
    place = (where, begin)
    if isinstance(item, schema.Transition):
        found["transitions"][(*place, count)] += 1
        return
    if isinstance(item, schema.Gap):
        _gap(found["gaps"], where, begin, count)
        return
    found["clips"][(*place, count)] += 1
    if item.name:
        found["clip names"][(*place, item.name)] += 1
    if not item.enabled:
        found["switched off"][place] += 1
    for effect in item.effects:
        if isinstance(effect, schema.LinearTimeWarp):
            found["speed changes"][(*place, round(effect.time_scalar, 4))] += 1
        else:
            found["effects"][(*place, effect.effect_name or effect.name)] += 1
    for marker in item.markers:
        _marker(found, "clip markers", place, marker, source - begin, rate)
    if placeholder_of(item):
        found["placeholders"][place] += 1
    for key, value in ours(item).items():
        if key in ("tags", "captions", "description"):
            found["tags and captions"][(*place, key, str(value))] += 1
    _metadata(found, place, item)
    if isinstance(item, schema.Clip):
        _media(found, place, item, source, count, rate)
    else:
        leaves = sum(1 for one in item.find_children() if isinstance(one, schema.Clip))
        found["nested timelines"][(*place, leaves)] += 1


def _gap(found: Counter[Any], where: str, begin: int, count: int) -> None:
    """Count a gap; two that meet are one."""
    before = next(reversed(found), None)
    if before is not None and before[0] == where and before[1] + before[2] == begin:
        del found[before]
        begin, count = before[1], before[2] + count
    found[(where, begin, count)] += 1


def _media(
    found: dict[str, Counter[Any]], place: tuple[str, int], clip: Any, source: int, count: int, rate: Rate
) -> None:
    reference = clip.media_reference
    if isinstance(reference, schema.GeneratorReference):
        found["generators"][(*place, reference.generator_kind)] += 1
        return
    found["source ranges"][(*place, source, count)] += 1
    path = local_path(getattr(reference, "target_url", "") or "") or getattr(reference, "name_prefix", "")
    if path:
        found["media paths"][(*place, path)] += 1
    known = reference.available_range
    if known is not None and not isinstance(reference, schema.MissingReference):
        whole = (frames(known.start_time, rate), frames(known.duration, rate))
        found["media lengths"][(*place, *whole)] += 1


def _marker(
    found: dict[str, Counter[Any]], aspect: str, place: tuple[Any, ...], marker: Any, shift: int, rate: Rate
) -> None:
    at = frames(marker.marked_range.start_time, rate)
    here = (*place, at - shift)
    found[aspect][(*here, marker.name)] += 1
    if marker.color:
        found["marker colours"][(*here, marker.color)] += 1
    if marker.comment:
        found["marker notes"][(*here, marker.comment)] += 1


def _metadata(
    found: dict[str, Counter[Any]], place: tuple[Any, ...], thing: core.SerializableObjectWithMetadata
) -> None:
    for namespace in thing.metadata:
        if namespace != NAMESPACE:
            found["other metadata"][(*place, namespace)] += 1


def _told(fact: Any, rate: Rate) -> str:
    """Say a fact in a few words: the track, the time from the start, and what it is."""
    if not isinstance(fact, tuple):
        return str(fact)
    words = []
    for number, part in enumerate(fact):
        if number == 1 and isinstance(part, int) and isinstance(fact[0], str):
            words.append(rate.timecode(max(part, 0)))
        else:
            words.append(Path(part).name if isinstance(part, str) and part.startswith("/") else str(part))
    return " ".join(words)


__all__ = ["ASPECTS", "Laid", "Loss", "facts", "laid_out", "losses"]
