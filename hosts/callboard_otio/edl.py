"""CMX 3600: what the library leaves open. The rate, drop frame, the start, markers, and who made a clip.

An EDL says no frame rate, and the library writes drop frame for every 29.97; here the timeline decides.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from callboard.errors import TimelineError
from callboard.timedtext.rate import Rate
from opentimelineio import schema

from callboard_otio.ours import marker_id, ours, put_ours, tagged, untagged
from callboard_otio.paths import local_path
from callboard_otio.rates import frames, set_rate, span, start_frame, time_at

_TC = r"\d{1,3}:\d{2}:\d{2}[:;.,]\d{2}"
_EVENT = re.compile(rf"\d+\s+\S.*?\s({_TC})\s+({_TC})\s+({_TC})\s+({_TC})\s*$")
_ANY_TC = re.compile(_TC)
_LAST_MARK = re.compile(r"(\d{1,3}:\d{2}:\d{2})[:;.,](\d{2})")
_OURS = "CALLBOARD: "
_LOC = "AT "
_LOCATOR = re.compile(rf"({_TC})\s+(\w+)\s*(.*)")
_NOISE = "OTIO TRUNCATED REEL NAME FROM"
_TO = re.compile(r"TO (?:CLIP|FILE): (.+)")
_GUESSES = ((24, Rate(24)), (25, Rate(25)), (30, Rate(30)), (50, Rate(50)), (60, Rate(60)))
MAX_EVENTS = 100_000


def rate_in(path: Path, text: str, given: Rate | None) -> tuple[Rate, str]:
    """Say which rate an EDL counts in, and how that is known; empty where it is given or certain.

    Raises:
        TimelineError: a line's timecode cannot be of that rate, or is none; the line is named.
    """
    events = [(number, _event(path, number, line)) for number, line in _numbered(text)]
    if len(events) > MAX_EVENTS:
        raise TimelineError(str(path), f"has {len(events):,} events; {MAX_EVENTS:,} are read", "Split it.")
    drop = _says_drop(text) or any(";" in one for _, codes in events for one in codes)
    most = max((int(one[-2:]) for _, codes in events for one in codes), default=0)
    if given is not None:
        rate, how = given, ""
        if drop and not given.drop and given == Rate(30000, 1001):
            rate, how = Rate(30000, 1001, drop=True), "the EDL says drop frame"
    elif drop:
        rate = Rate(30000, 1001, drop=True) if most < 30 else Rate(60000, 1001, drop=True)
        how = f"an EDL says no rate; drop frame makes it {rate}"
    else:
        rate = next((rate for nominal, rate in _GUESSES if most < nominal), Rate(60))
        how = f"an EDL says no rate; {rate} is a guess from its frame numbers, --rate says it"
    for number, codes in events:
        for one in codes:
            _check(path, number, one, rate)
    return rate, how


def _numbered(text: str) -> list[tuple[int, str]]:
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()[:1].isdigit()]


def _event(path: Path, number: int, line: str) -> tuple[str, ...]:
    found = _EVENT.match(line)
    if found is None:
        hint = "An event is a number, reel, channel, C, and four timecodes. Mend the line, or export the EDL again."
        raise TimelineError(str(path), f"line {number}: is no event: {line[:80]!r}", hint)
    return found.groups()


def _check(path: Path, number: int, timecode: str, rate: Rate) -> None:
    try:
        rate.frame_of(timecode)
    except ValueError as error:
        raise TimelineError(str(path), f"line {number}: {error} at {rate}", "Say the rate with --rate.") from None


def _says_drop(text: str) -> bool:
    return re.search(r"^\s*FCM:\s*DROP", text, re.IGNORECASE | re.MULTILINE) is not None


def before_reading(text: str, rate: Rate) -> str:
    """Write each timecode as the library reads it: ``;`` where numbers are dropped, never in ``M2`` lines."""
    out: list[str] = []
    mark, begun = ";" if rate.drop else ":", False
    for line in text.splitlines():
        kept = line.strip()
        begun = begun or kept[:1].isdigit()
        if not begun and not kept.startswith("TITLE:"):
            continue  # the library knows no comment before the first event
        if kept.startswith("* LOC:"):  # the library reads no drop frame here
            kept = f"* {_LOC}{kept[6:].strip()}"
        elif kept[:1].isdigit():
            kept = _LAST_MARK.sub(rf"\g<1>{mark}\g<2>", kept)
        elif kept.startswith("M2"):
            kept = _ANY_TC.sub(lambda found: found[0].replace(";", ":"), kept)
        elif kept and not kept.startswith(("*", "TITLE:", "FCM", "SPLIT")):
            kept = f"* {kept}"  # such as Resolve's lines of markers, and those of effects
        out.append(kept)
    return "\n".join(out)


def after_reading(timeline: Any, rate: Rate) -> None:
    """Let the timeline start where its first event is recorded; give clips their marks back."""
    begins = {id(track): _begin(track, rate) for track in timeline.tracks}
    start = min(begins.values(), default=0)
    timeline.global_start_time = time_at(start, rate)
    set_rate(timeline, rate)
    for track in timeline.tracks:
        track.source_range = None
        if begins[id(track)] > start:
            track.insert(0, schema.Gap(source_range=span(0, begins[id(track)] - start, rate)))
        for clip in track:
            if isinstance(clip, schema.Clip):
                _restore(clip, rate)


def _begin(track: Any, rate: Rate) -> int:
    return 0 if track.source_range is None else -frames(track.source_range.start_time, rate)


def _restore(clip: Any, rate: Rate) -> None:
    """Make markers, media and marks of the comments that the library leaves as they are."""
    known = clip.metadata.get("cmx_3600", {})
    rest = []
    for comment in (str(one).lstrip("* ") for one in known.get("comments", [])):
        if comment.startswith(_LOC):
            _located(clip, comment.removeprefix(_LOC), rate)
        elif comment.startswith(_OURS):
            _marked(clip, comment.removeprefix(_OURS))
        elif (to := _TO.fullmatch(comment)) is not None:  # the library gives both clips of a dissolve one file
            clip.media_reference = schema.ExternalReference(to[1])
        elif not comment.startswith(_NOISE):
            rest.append(comment)
    if rest:
        known["comments"] = rest
    elif "comments" in known:
        del known["comments"]


def _located(clip: Any, text: str, rate: Rate) -> None:
    found = _LOCATOR.fullmatch(text)
    if found is None:
        return
    try:
        at = Rate(rate.numerator, rate.denominator, drop=rate.drop).frame_of(found[1])
    except ValueError:
        return
    name, ident = untagged(found[3])
    marker = schema.Marker(name=name, marked_range=span(at, 1, rate), color=found[2].upper())
    if ident:
        put_ours(marker, {"id": ident})
    clip.markers.append(marker)


def _marked(clip: Any, text: str) -> None:
    try:
        facts = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return
    if isinstance(facts, dict):
        put_ours(clip, facts)


def before_writing(timeline: Any, rate: Rate, path: Path) -> Any:
    """Make a timeline of the first video track that the library writes as it is.

    Raises:
        TimelineError: there is no video track with a clip.
    """
    video = [one for one in timeline.tracks if isinstance(one, schema.Track) and one.kind == "Video" and one.enabled]
    track = next((one for one in video if any(isinstance(item, schema.Clip) for item in one)), None)
    if track is None:
        problem = "an EDL holds one video track, and there is none with a clip"
        raise TimelineError(str(path), problem, "Write .otio or .xml.")
    made, only = schema.Timeline(timeline.name or "timeline"), schema.Track("V", kind="Video")
    start = start_frame(timeline, rate)
    if start > 0:
        only.append(schema.Gap(source_range=span(0, start, rate)))
    for item in track:
        begun = any(isinstance(one, schema.Clip) for one in only)
        if not isinstance(item, schema.Transition) or begun:  # the library reads none before the first clip
            only.append(_simple(copy.deepcopy(item), item, rate))
    made.tracks.append(only)
    return made


def _simple(item: Any, there: Any, rate: Rate) -> Any:
    """Give one item with a range in the EDL's own frames, its markers and marks as comments."""
    if isinstance(item, schema.Transition):
        item.in_offset = time_at(frames(item.in_offset, rate), rate)
        item.out_offset = time_at(frames(item.out_offset, rate), rate)
        return item
    whole = there.trimmed_range()
    if not item.enabled:  # nobody sees it
        return schema.Gap(source_range=span(0, frames(whole.duration, rate), rate))
    count, begin = frames(whole.duration, rate), frames(whole.start_time, rate)
    if isinstance(item, schema.Stack | schema.Track):
        item = schema.Clip(item.name, source_range=span(0, count, rate))
    item.source_range = span(max(begin, 0), count, rate)
    if isinstance(item, schema.Clip):
        known = item.metadata.setdefault("cmx_3600", {})
        comments = [str(one) for one in known.get("comments", [])]
        known["comments"] = comments + [_loc(one, rate) for one in item.markers] + _mark(item)
        item.effects[:] = [one.deepcopy() for one in item.effects if getattr(one, "time_scalar", 0) >= 0]
        known["reel"] = _reel(item, str(known.get("reel") or ""))
        if isinstance(item.media_reference, schema.GeneratorReference):
            known["reel"] = "BARS" if "bars" in item.media_reference.generator_kind.lower() else "BL"
        del item.markers[:]
    return item


def _reel(clip: Any, known: str) -> str:
    """Name the reel in one word; of a name eight letters are taken, as the format's makers meant."""
    if known.strip():
        return re.sub(r"\s+", "_", known.strip())[:32]
    url = getattr(clip.media_reference, "target_url", "") or getattr(clip.media_reference, "name_prefix", "") or ""
    name = Path(local_path(url)).stem or clip.name or ""
    return re.sub(r"[^A-Za-z0-9_]", "", name)[:8] or "AX"


def _loc(marker: Any, rate: Rate) -> str:
    timecode = rate.timecode(max(frames(marker.marked_range.start_time, rate), 0))
    name = tagged(" ".join(marker.name.split()), marker_id(marker))
    return f"LOC: {timecode} {marker.color or 'GREEN':7} {name}"


def _mark(clip: Any) -> list[str]:
    facts = {key: value for key, value in ours(clip).items() if key in ("placeholder", "tags", "captions")}
    if isinstance(facts.get("placeholder"), dict):
        facts["placeholder"] = {key: one for key, one in facts["placeholder"].items() if key != "was"}
    return [_OURS + msgspec.json.encode(facts).decode()] if facts else []


def after_writing(text: str, timeline: Any, rate: Rate) -> str:
    """Write the timecode that the timeline counts in, how far retimed clips reach, and the ``FCM`` line."""
    speeds = iter([_speed(one) for one in timeline.tracks[0] if isinstance(one, schema.Clip)])
    counted = Rate(rate.numerator, rate.denominator, drop=rate.drop)
    out: list[str] = []
    leaving = False  # the library says all of the clip before a dissolve once more
    for line in text.splitlines():
        if line[:1].isdigit():
            leaving = " D " in line
            out.append(_event_line(line, speeds, counted))
        elif line.startswith("M2"):
            out.append(_ANY_TC.sub(lambda found: counted.timecode(_frame(found[0], counted)), line))
        elif not (leaving and line.startswith(("* LOC:", f"* {_OURS}"))):
            out.append(line)
        leaving = leaving and not line.startswith("* TO CLIP NAME")
    head = "FCM: DROP FRAME" if rate.drop else "FCM: NON-DROP FRAME"
    at = 1 if out and out[0].startswith("TITLE:") else 0
    return "\n".join([*out[:at], head, *out[at:], ""])


def _speed(clip: Any) -> float:
    for effect in clip.effects:
        if isinstance(effect, schema.FreezeFrame):
            return 0.0
        if isinstance(effect, schema.LinearTimeWarp):
            return float(effect.time_scalar)
    return 1.0


def _event_line(line: str, speeds: Iterator[float], rate: Rate) -> str:
    found = [_frame(one, rate) for one in _ANY_TC.findall(line)]
    if found[3] > found[2]:  # a dissolve's first line has no length, and no clip of its own
        speed = next(speeds, 1.0)
        if speed not in (0.0, 1.0):
            found[1] = found[0] + max(round((found[3] - found[2]) * abs(speed)), 1)
    codes = iter(rate.timecode(one) for one in found)
    return _ANY_TC.sub(lambda _: next(codes), line)


def _frame(timecode: str, rate: Rate) -> int:
    """Read a timecode of the library, which drops numbers wherever a rate can."""
    return Rate(rate.numerator, rate.denominator, drop=";" in timecode).frame_of(timecode)


__all__ = ["after_reading", "after_writing", "before_reading", "before_writing", "rate_in"]
