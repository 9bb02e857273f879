"""Reads FCPXML in exact fractions of a second, so that 23.976 and 29.97 come out on their frames.

Lanes become tracks: the primary storyline is the first video track, what is connected above it the next ones, and
what is only heard becomes audio tracks.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
from callboard.errors import TimelineError
from callboard.strict_xml import parser as strict_parser
from callboard.timedtext.rate import Rate, rate_of
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs
from opentimelineio import schema

from callboard_otio.lanes import Placed, tracks_of
from callboard_otio.ours import put_ours, untagged
from callboard_otio.rates import set_rate, span, time_at

CLIPS = frozenset(("clip", "asset-clip", "video", "audio", "ref-clip", "sync-clip", "mc-clip", "title"))
NOTE = "callboard "
_MAX_NESTED = 16
_MAX_ITEMS = 200_000
_AGAIN = "Export it again from the application that it came from."


def parse(path: Path, data: bytes) -> Any:
    """Make timelines of FCPXML whose entities and depth were checked before.

    Raises:
        TimelineError: there is no sequence, or an element says no time; with its line.
    """
    root = etree.fromstring(data, strict_parser())
    reader = _Reader(path, root)
    found = [reader.timeline(one) for one in root.iter("project") if one.find("sequence") is not None]
    if not found:
        raise TimelineError(str(path), "holds no project with a sequence", "Export a project, not an event.")
    return found[0] if len(found) == 1 else schema.SerializableCollection(children=found)


class _Reader:
    def __init__(self, path: Path, root: Any) -> None:
        self._path, self._items = path, 0
        self._by_id = {one.get("id"): one for one in root.iterfind("resources/*") if one.get("id")}

    def timeline(self, project: Any) -> Any:
        """Make a timeline of a project."""
        sequence = project.find("sequence")
        rate = self._rate(sequence)
        timeline = schema.Timeline(name=project.get("name", ""))
        timeline.global_start_time = time_at(self._frame(sequence, "tcStart", rate), rate)
        set_rate(timeline, rate)
        timeline.tracks = self._stack(sequence, rate, ())
        return timeline

    def _stack(self, sequence: Any, rate: Rate, above: tuple[str, ...]) -> Any:
        begin = self._frame(sequence, "tcStart", rate)
        spine = sequence.find("spine")
        placed = list(self._storyline(spine, -begin, 0, rate, above)) if spine is not None else []
        stack = schema.Stack(name="tracks")
        lanes = sorted({(one.audio, abs(one.lane) if one.audio else one.lane) for one in placed})
        for audio, lane in lanes:
            here = [one for one in placed if one.audio == audio and (abs(one.lane) if audio else one.lane) == lane]
            for track in tracks_of(here, rate, "Audio" if audio else "Video"):
                stack.append(track)
        for kind, letter in (("Video", "V"), ("Audio", "A")):
            for number, track in enumerate((one for one in stack if one.kind == kind), 1):
                track.name = f"{letter}{number}"
        return stack

    def _storyline(self, spine: Any, base: int, lane: int, rate: Rate, above: tuple[str, ...]) -> Iterator[Placed]:
        """Give what stands in a storyline; *base* is added to its offsets."""
        end = base if lane else 0  # where what says no offset begins
        for element in spine:
            if element.tag not in CLIPS and element.tag not in ("gap", "transition"):
                continue
            at = base + self._frame(element, "offset", rate) if element.get("offset") else end
            length = self._frame(element, "duration", rate)
            if element.tag == "transition":
                yield Placed(lane, at, self._transition(element, length, rate), audio=False)
            else:
                yield from self._element(element, at, length, lane, rate, above)
                end = at + length

    def _element(
        self, element: Any, at: int, length: int, lane: int, rate: Rate, above: tuple[str, ...]
    ) -> Iterator[Placed]:
        self._items += 1
        if self._items > _MAX_ITEMS:
            raise self._error(element, f"holds more than {_MAX_ITEMS:,} items")
        if element.tag == "gap":
            yield Placed(lane, at, schema.Gap(source_range=span(0, length, rate)), audio=False)
        else:
            yield Placed(lane, at, self._clip(element, length, rate, above), audio=self._is_audio(element))
        start = self._seconds(element, "start")
        for child in element:
            own = child.get("lane")
            if own is None or element.tag == "sync-clip":
                continue
            number = int(own) if own.lstrip("-").isdigit() else 0
            where = at + round((self._seconds(child, "offset") - start) * rate.fps)
            if child.tag == "spine":
                yield from self._storyline(child, where, number, rate, above)
            elif child.tag in CLIPS:
                yield from self._element(child, where, self._frame(child, "duration", rate), number, rate, above)

    def _clip(self, element: Any, length: int, rate: Rate, above: tuple[str, ...]) -> Any:
        inner, name = self._medium(element), element.get("name", "")
        begin, shift = self._times(element, inner, rate)
        if element.tag == "ref-clip":
            clip: Any = self._nested(element, rate, above)
            clip.name = name
        else:
            clip = schema.Clip(name=name, media_reference=self._reference(inner, rate))
        clip.source_range = span(begin, length, rate)
        clip.enabled = element.get("enabled", "1") != "0"
        for child in element:
            if child.tag in ("marker", "chapter-marker"):
                clip.markers.append(self._marker(child, shift, rate))
            elif child.tag == "note":
                _note(clip, child.text or "")
            elif isinstance(child.tag, str) and child.tag.startswith(("filter-", "adjust-")):
                clip.effects.append(schema.Effect(name=child.get("name", ""), effect_name=child.tag))
        speed = self._speed(element)
        if speed is not None:
            clip.effects.append(schema.LinearTimeWarp(time_scalar=float(speed[0])))
        return clip

    def _times(self, element: Any, inner: Any, rate: Rate) -> tuple[int, int]:
        """Say where in its media a clip begins, and by how much its own times differ from the media's."""
        asset = self._by_id.get(inner.get("ref", ""))
        first = self._frame(asset, "start", rate) if asset is not None and asset.tag == "asset" else 0
        if element is inner:
            begin = self._frame(element, "start", rate) if element.get("start") else first
            speed = self._speed(element)
            if speed is not None and element.get("start"):
                begin = round((self._seconds(element, "start") * speed[0] + speed[1]) * rate.fps)
            return begin, 0
        offset = self._frame(inner, "offset", rate)
        shift = self._frame(inner, "start", rate) - offset if inner.get("start") else 0
        begin = self._frame(element, "start", rate) if element.get("start") else offset
        return begin + shift, shift

    def _medium(self, element: Any) -> Any:
        """Give the element that names the media of a clip: itself, or the first inside it."""
        if element.get("ref") or element.tag == "title":
            return element
        inside = (one for one in element.iter("video", "audio", "asset-clip") if one.get("ref"))
        return next(inside, element)

    def _reference(self, inner: Any, rate: Rate) -> Any:
        resource = self._by_id.get(inner.get("ref", ""))
        if inner.tag == "title":
            return schema.GeneratorReference(name=inner.get("name", ""), generator_kind="title")
        if resource is None:
            return schema.MissingReference(name=inner.get("name", ""))
        if resource.tag == "effect":
            kind = resource.get("name", "generator")
            return schema.GeneratorReference(name=inner.get("name", ""), generator_kind=kind)
        rep = resource.find("media-rep")
        url = resource.get("src") or (rep.get("src") if rep is not None else "") or ""
        length = self._frame(resource, "duration", rate)
        known = span(self._frame(resource, "start", rate), length, rate) if length else None
        if not url:
            return schema.MissingReference(name=resource.get("name", ""), available_range=known)
        made = schema.ExternalReference(target_url=url, available_range=known)
        made.name = resource.get("name", "")
        return made

    def _nested(self, element: Any, rate: Rate, above: tuple[str, ...]) -> Any:
        ident = element.get("ref", "")
        media = self._by_id.get(ident)
        sequence = media.find("sequence") if media is not None else None
        if ident in above or len(above) > _MAX_NESTED:
            raise self._error(element, "holds itself, or is nested too deep")
        if sequence is None:
            return schema.Stack()
        return self._stack(sequence, rate, (*above, ident))

    def _is_audio(self, element: Any) -> bool:
        inner = self._medium(element)
        if inner.tag == "audio" or element.get("srcEnable") == "audio":
            return True
        asset = self._by_id.get(inner.get("ref", ""))
        return asset is not None and asset.tag == "asset" and asset.get("hasVideo", "1") == "0"

    def _transition(self, element: Any, length: int, rate: Rate) -> Any:
        return schema.Transition(
            name=element.get("name", ""),
            transition_type=schema.TransitionTypes.SMPTE_Dissolve,
            in_offset=time_at(0, rate),
            out_offset=time_at(length, rate),
        )

    def _marker(self, element: Any, shift: int, rate: Rate) -> Any:
        done = element.get("completed")
        begin = self._frame(element, "start", rate) + shift
        note, ident = untagged(element.get("note", ""))
        marker = schema.Marker(
            name=element.get("value", ""),
            marked_range=span(begin, self._frame(element, "duration", rate), rate),
            color={"0": "RED", "1": "GREEN"}.get(done or "", "BLUE"),
            comment=note,
        )
        if ident:
            put_ours(marker, {"id": ident})
        return marker

    def _speed(self, element: Any) -> tuple[Fraction, Fraction] | None:
        """Give the constant speed of a clip, and its media time at time 0; nothing where it plays as it is."""
        points = element.findall("timeMap/timept")
        if len(points) != 2:
            return None
        times = [self._seconds(one, "time") for one in points]
        values = [self._seconds(one, "value") for one in points]
        if times[0] == times[1]:
            return None
        speed = (values[1] - values[0]) / (times[1] - times[0])
        return (speed, values[0] - speed * times[0]) if speed != 1 else None

    def _rate(self, sequence: Any) -> Rate:
        known = self._by_id.get(sequence.get("format", ""))
        length = self._seconds(known, "frameDuration") if known is not None else Fraction(0)
        if length <= 0:
            raise self._error(sequence, "its format says no frameDuration")
        try:
            fps = 1 / length
            return rate_of(fps, drop=sequence.get("tcFormat") == "DF" and fps.denominator != 1)
        except ValueError as error:
            raise self._error(sequence, str(error)) from None

    def _frame(self, element: Any, name: str, rate: Rate) -> int:
        return round(self._seconds(element, name) * rate.fps)

    def _seconds(self, element: Any, name: str) -> Fraction:
        text = element.get(name) or "0s"
        try:
            found = Fraction(text.strip().removesuffix("s"))
        except (ValueError, ZeroDivisionError):
            raise self._error(element, f"{name}={text[:40]!r} is no time") from None
        if abs(found) > 10**9:
            raise self._error(element, f"{name}={text[:40]!r} is beyond any clock")
        return found

    def _error(self, element: Any, problem: str) -> TimelineError:
        return TimelineError(str(self._path), f"line {element.sourceline}: <{element.tag}> {problem}", _AGAIN)


def _note(clip: Any, text: str) -> None:
    if not text.startswith(NOTE):
        clip.metadata["fcpxml"] = {"note": text}
        return
    try:
        facts = msgspec.json.decode(text.removeprefix(NOTE))
    except msgspec.DecodeError:
        return
    if isinstance(facts, dict):
        put_ours(clip, facts)


__all__ = ["CLIPS", "NOTE", "parse"]
