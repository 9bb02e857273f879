"""Writes FCPXML 1.8 in exact fractions of a second: Resolve and Final Cut Pro both take it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
from callboard.timedtext.rate import Rate
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs
from opentimelineio import schema

from callboard_otio.fcpxml import NOTE
from callboard_otio.ours import marker_id, ours, tagged
from callboard_otio.rates import frames, start_frame

_SOLID = ".../Generators.localized/Solids.localized/Custom.localized/Custom.motn"


def text_of(timeline: Any, rate: Rate, size: tuple[int, int] = (1920, 1080)) -> bytes:
    """Write a timeline as FCPXML.

    Args:
        timeline: What is written.
        rate: Its frames per second, and whether timecode drops numbers.
        size: Of the picture in pixels, which no timeline says.
    """
    return _Writer(rate, size).document(timeline)


class _Writer:
    def __init__(self, rate: Rate, size: tuple[int, int]) -> None:
        self._rate, self._number = rate, 1
        self._root = etree.Element("fcpxml", version="1.8")
        self._resources = etree.SubElement(self._root, "resources")
        frame = f"{rate.denominator}/{rate.numerator}s"
        width, height = map(str, size)
        etree.SubElement(self._resources, "format", id="r1", frameDuration=frame, width=width, height=height)
        self._known: dict[tuple[str, ...], str] = {}

    def document(self, timeline: Any) -> bytes:
        """Give the whole document."""
        name = timeline.name or "timeline"
        event = etree.SubElement(etree.SubElement(self._root, "library"), "event", name=name)
        project = etree.SubElement(event, "project", name=name)
        project.append(self._sequence(timeline.tracks, start_frame(timeline, self._rate)))
        doctype = "<!DOCTYPE fcpxml>"
        return bytes(
            etree.tostring(self._root, encoding="UTF-8", xml_declaration=True, pretty_print=True, doctype=doctype)
        )

    def _sequence(self, stack: Any, start: int) -> Any:
        counted = "DF" if self._rate.drop else "NDF"
        length = frames(stack.duration(), self._rate) if len(stack) else 0
        made = etree.Element(
            "sequence", format="r1", tcStart=self._time(start), tcFormat=counted, duration=self._time(length)
        )
        spine = etree.SubElement(made, "spine")
        tracks = [one if isinstance(one, schema.Track) else _row(one) for one in stack]
        video = [one for one in tracks if one.kind != "Audio"]
        audio = [one for one in tracks if one.kind == "Audio"]
        primary = self._primary(spine, video[0] if video else schema.Track(), start, length)
        for lane, track in [*enumerate(video[1:], 1), *((-n, one) for n, one in enumerate(audio, 1))]:
            self._connect(primary, track, lane)
        for element in spine.iter():  # what a clip holds comes in the order that the format asks for
            element[:] = sorted(element, key=lambda one: one.tag == "marker")
        return made

    def _primary(self, spine: Any, track: Any, start: int, length: int) -> list[tuple[int, int, int | Fraction, Any]]:
        """Write the first video track. Returns where each element begins and ends, and its own time there."""
        found = []
        at = 0
        for item in track:
            if isinstance(item, schema.Transition):
                before, after = frames(item.in_offset, self._rate), frames(item.out_offset, self._rate)
                name = item.name or "Cross Dissolve"
                times = {"offset": self._time(start + at - before), "duration": self._time(before + after)}
                etree.SubElement(spine, "transition", name=name, **times)
                continue
            count = frames(item.trimmed_range().duration, self._rate)
            if count == 0:
                continue
            element, own = self._element(item, count)
            element.set("offset", self._time(start + at))
            spine.append(element)
            found.append((at, at + count, own, element))
            at += count
        if at < length:
            rest = etree.SubElement(
                spine, "gap", name="Gap", offset=self._time(start + at), duration=self._time(length - at)
            )
            found.append((at, length, 0, rest))
        return found

    def _connect(self, primary: list[tuple[int, int, int | Fraction, Any]], track: Any, lane: int) -> None:
        at = 0
        for item in track:
            if isinstance(item, schema.Transition):
                continue
            count = frames(item.trimmed_range().duration, self._rate)
            under = next((one for one in primary if one[0] <= at < one[1]), None)
            if not isinstance(item, schema.Gap) and under is not None and count:
                element, _ = self._element(item, count, audio=lane < 0)
                element.set("lane", str(lane))
                element.set("offset", self._time(under[2] + at - under[0]))
                under[3].append(element)
            at += count

    def _element(self, item: Any, count: int, *, audio: bool = False) -> tuple[Any, int | Fraction]:
        """Write one item. Returns it with its own time at its first frame."""
        length = self._time(count)
        if isinstance(item, schema.Gap):
            return etree.Element("gap", name="Gap", duration=length), 0
        begin = frames(item.trimmed_range().start_time, self._rate)
        speed = _speed(item)
        own = Fraction(begin) / speed if speed else Fraction(begin)
        if isinstance(item, schema.Clip):
            element = etree.Element(*self._tag(item, audio=audio))
        else:
            element = etree.Element("ref-clip", ref=self._media(item))
        element.set("name", item.name or "")
        element.set("start", self._time(own))
        element.set("duration", length)
        if not item.enabled:
            element.set("enabled", "0")
        facts = ours(item)
        if facts:
            etree.SubElement(element, "note").text = NOTE + msgspec.json.encode(facts).decode()
        elif item.metadata.get("fcpxml", {}).get("note"):
            etree.SubElement(element, "note").text = str(item.metadata["fcpxml"]["note"])
        if speed:
            points = etree.SubElement(element, "timeMap")
            end = own + count
            etree.SubElement(points, "timept", time="0s", value="0s", interp="linear")
            etree.SubElement(points, "timept", time=self._time(end), value=self._time(end * speed), interp="linear")
        for marker in item.markers:
            element.append(self._marker(marker))
        return element, own

    def _tag(self, clip: Any, *, audio: bool) -> tuple[str, dict[str, str]]:
        reference = clip.media_reference
        if isinstance(reference, schema.GeneratorReference):
            kind = reference.generator_kind or "Custom"
            return "video", {"ref": self._resource("effect", kind, {"name": kind, "uid": _SOLID})}
        url = getattr(reference, "target_url", "") or ""
        if isinstance(reference, schema.ImageSequenceReference):
            url = reference.target_url_for_image_number(0) if reference.available_range else ""
        known = reference.available_range or clip.trimmed_range()
        facts = {
            "name": reference.name or clip.name or "",
            "src": url,
            "start": self._time(frames(known.start_time, self._rate)),
            "duration": self._time(frames(known.duration, self._rate) if reference.available_range else 0),
            "hasVideo": "0" if audio else "1",
            "hasAudio": "1" if audio else "0",
            "format": "r1",
        }
        if not reference.available_range:
            facts["start"] = "0s"
        return "asset-clip", {"ref": self._resource("asset", url or f"missing:{facts['name']}", facts)}

    def _resource(self, tag: str, key: str, facts: dict[str, str]) -> str:
        whole = (tag, key, *facts.values())
        if whole not in self._known:
            self._number += 1
            self._known[whole] = f"r{self._number}"
            etree.SubElement(self._resources, tag, id=self._known[whole], **facts)
        return self._known[whole]

    def _media(self, item: Any) -> str:
        self._number += 1
        ident = f"r{self._number}"
        stack = item if isinstance(item, schema.Stack) else _wrapped(item)
        sequence = self._sequence(stack, 0)
        media = etree.SubElement(self._resources, "media", id=ident, name=item.name or ident)
        media.append(sequence)
        return ident

    def _marker(self, marker: Any) -> Any:
        whole = marker.marked_range
        begin, count = frames(whole.start_time, self._rate), frames(whole.duration, self._rate)
        made = etree.Element("marker", start=self._time(begin), duration=self._time(max(count, 1)), value=marker.name)
        note = tagged(marker.comment or "", marker_id(marker))
        if note:
            made.set("note", note)
        done = {"RED": "0", "GREEN": "1"}.get(marker.color or "")
        if done:
            made.set("completed", done)
        return made

    def _time(self, count: int | Fraction) -> str:
        seconds = Fraction(count) / self._rate.fps
        return f"{seconds.numerator}s" if seconds.denominator == 1 else f"{seconds.numerator}/{seconds.denominator}s"


def _speed(item: Any) -> Fraction | None:
    for effect in item.effects:
        if isinstance(effect, schema.LinearTimeWarp) and not isinstance(effect, schema.FreezeFrame):
            speed = Fraction(effect.time_scalar).limit_denominator(10_000)
            return speed if speed > 0 and speed != 1 else None
    return None


def _row(item: Any) -> Any:
    """Give a nested stack that stands where a track does as a track of its own."""
    track = schema.Track(kind="Video")
    track.append(item.deepcopy())
    return track


def _wrapped(track: Any) -> Any:
    stack = schema.Stack()
    stack.append(track.deepcopy())
    return stack


__all__ = ["text_of"]
