"""The strip picture of a cut as SVG: one file that needs nothing else, legible in print, without colour, and aloud."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

from callboard.coverage.cut import STATES, Cut, Item, State
from callboard.coverage.report import Coverage
from callboard.errors import UsageError
from callboard.replacing import replacing

_NS: Final = "http://www.w3.org/2000/svg"
_WIDTH, _LEFT, _RIGHT = 1200, 76, 16
_LANE, _BETWEEN, _TOP = 34, 8, 58
_THIN: Final = 0.5
"""Units below which neighbours of one state are drawn as one: on paper nobody could tell them apart."""
_FRAMED: Final = 3.0
"""Units from which an item has a frame; it would hide what is thinner."""
_LETTER: Final = 6.2
"""Units that a letter of the names takes at most, so that a name is cut before it leaves its box."""
_MOST_LANES: Final = 64
_TICK: Final = 110
"""Units between two timecodes, at least: one of 11 letters needs 70."""
_FILL: Final[dict[State, str]] = {
    "real": "#2f7d4f",
    "stand-in": "#e0b23c",
    "partial": "#9a5fb5",
    "offline": "#c8372d",
    "gap": "#ffffff",
}
_INK: Final[dict[State, str]] = {
    "real": "#ffffff",
    "stand-in": "#1a1a1a",
    "partial": "#ffffff",
    "offline": "#ffffff",
    "gap": "#c8372d",
}
_MEANS: Final[dict[State, str]] = {
    "real": "real",
    "stand-in": "stand-in",
    "partial": "partial: frames are missing",
    "offline": "offline: media is missing",
    "gap": "gap: nothing is there",
}
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000)
"""Seconds between ticks that people count in."""
_NO_XML: Final = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def save(coverage: Coverage, path: Path) -> None:
    """Draw into a file; what is there is replaced if it is a drawing.

    Raises:
        UsageError: the file's name is no drawing's, or something else is there.
        OSError: it cannot be written.
    """
    if path.suffix.lower() != ".svg":
        raise UsageError(f"{path}: is no name of an SVG file", "End it in .svg.")
    if path.exists():
        with path.open("rb") as file:
            if b"<svg" not in file.read(4096):
                raise UsageError(f"{path}: is there, and no drawing; it is left alone", "Give another name.")
    with replacing(path, durable=False, shared=True) as file:
        file.write(drawn(coverage))


def drawn(coverage: Coverage) -> bytes:
    """Give the drawing: a lane for what is seen, one for each track, timecodes, and what each pattern means."""
    cut = coverage.cut
    lanes = list(_lanes(coverage))
    height = _TOP + len(lanes) * (_LANE + _BETWEEN) + 72
    root = etree.Element(
        f"{{{_NS}}}svg",
        {"viewBox": f"0 0 {_WIDTH} {height}", "width": str(_WIDTH), "height": str(height), "role": "img"},
        nsmap={None: _NS},
    )
    root.set("aria-labelledby", "title desc")
    _text(root, "title", _clean(f"Coverage of {cut.name or Path(cut.path).name}"), id="title")
    _text(root, "desc", _described(coverage), id="desc")
    _style(root)
    _patterns(root)
    _add(root, "rect", width=_WIDTH, height=height, fill="#fbfaf7")
    _text(root, "text", _clean(cut.name or Path(cut.path).name)[:90], x=_LEFT, y=26, **{"class": "head"})
    _text(root, "text", _sub(cut), x=_LEFT, y=44, **{"class": "small"})
    for number, (label, boxes) in enumerate(lanes):
        _lane(root, _TOP + number * (_LANE + _BETWEEN), label, boxes, cut)
    bottom = _TOP + len(lanes) * (_LANE + _BETWEEN)
    _axis(root, cut, bottom)
    _legend(root, coverage, bottom + 46)
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True))


class _Box:
    """Something in a lane; units of the drawing."""

    def __init__(self, x: float, width: float, state: State, name: str, told: str) -> None:
        self.x, self.width, self.name, self.told = x, width, name, told
        self.state: State = state
        self.count = 1


def _lanes(coverage: Coverage) -> Iterator[tuple[str, list[_Box]]]:
    cut = coverage.cut
    by_ref = {one.ref: one for one in cut.items}
    unit = (_WIDTH - _LEFT - _RIGHT) / max(cut.frames if cut.timed else len(cut.items), 1)
    if cut.timed:
        seen = (_box(by_ref.get(one.ref), one.state, one.start, one.frames, unit, cut) for one in coverage.picture)
        yield "picture", _thinned(seen)
    tracks: dict[str, list[Item]] = {name: [] for name in reversed(cut.tracks)}
    for item in cut.items:
        if item.enabled and not item.covered:
            tracks.setdefault(item.track, []).append(item)
    if len(tracks) == 1 and cut.timed:
        return
    for name, items in list(tracks.items())[:_MOST_LANES]:
        spans = enumerate(items) if not cut.timed else ((one.start, one) for one in items)
        yield name, _thinned(_box(one, one.state, at, one.frames if cut.timed else 1, unit, cut) for at, one in spans)


def _box(item: Item | None, state: State, start: int, frames: int, unit: float, cut: Cut) -> _Box:
    name = _clean(item.shot or item.name) if item is not None else ""
    when = f"{cut.timecode(start)}, {frames} frames" if cut.timed else ""
    why = _clean(item.problem) if item is not None else ""
    told = ": ".join(filter(None, (name, "; ".join(filter(None, (state, when, why))))))
    return _Box(_LEFT + start * unit, frames * unit, state, name, told)


def _thinned(boxes: Iterator[_Box]) -> list[_Box]:
    """Draw neighbours of one state as one where they are thinner than anybody can see."""
    kept: list[_Box] = []
    for one in boxes:
        last = kept[-1] if kept else None
        thin = last is not None and max(one.width, last.width / last.count) < _THIN
        if last is not None and thin and last.state == one.state and one.x - last.x - last.width < _THIN:
            last.width = one.x + one.width - last.x
            last.count += 1
            last.name, last.told = "", f"{last.count} items: {one.state}"
        else:
            kept.append(one)
    return kept


def _lane(root: Any, y: float, label: str, boxes: Sequence[_Box], cut: Cut) -> None:
    group = _add(root, "g", role="list")
    group.set("aria-label", _clean(label))
    _text(group, "text", _clean(label)[:10], x=_LEFT - 10, y=y + _LANE / 2 + 4, **{"class": "label"})
    _add(group, "rect", x=_LEFT, y=y, width=_WIDTH - _LEFT - _RIGHT, height=_LANE, fill="#ecebe6")
    for box in boxes:
        inner = _add(group, "g", role="listitem")
        _text(inner, "title", box.told)
        shape = _add(inner, "rect", x=box.x, y=y, width=max(box.width, _THIN), height=_LANE)
        shape.set("class", box.state if box.width >= _FRAMED else f"{box.state} fine")
        letters = int((box.width - 6) / _LETTER)
        name = box.name if len(box.name) <= letters else f"{box.name[: letters - 1]}…"
        if letters >= 3 and box.name:
            line = _text(inner, "text", name, x=box.x + 4, y=y + _LANE / 2 + 4, fill=_INK[box.state])
            line.set("class", "name")


def _axis(root: Any, cut: Cut, y: float) -> None:
    """Write timecodes at whole seconds, as many as find room."""
    if not cut.timed or not cut.frames:
        return
    unit = (_WIDTH - _LEFT - _RIGHT) / cut.frames
    fits = (step for step in _STEPS if step * cut.rate.nominal * unit >= _TICK)
    step = next(fits, _STEPS[-1]) * cut.rate.nominal
    if cut.frames // step > (_WIDTH // _TICK) + 1:
        step = -(-cut.frames // (_WIDTH // _TICK))
    group = _add(root, "g")
    group.set("aria-hidden", "true")
    for frame in range(0, cut.frames, step):
        x = _LEFT + frame * unit
        _add(group, "line", x1=x, x2=x, y1=y - _BETWEEN, y2=y + 4, stroke="#777777")
        if x < _WIDTH - _RIGHT - 66:
            _text(group, "text", cut.timecode(frame), x=x, y=y + 16, **{"class": "small"})


def _legend(root: Any, coverage: Coverage, y: float) -> None:
    x = float(_LEFT)
    for state in STATES:
        total = coverage.totals[state]
        share = f" {total.percent:g} %" if coverage.cut.timed else f" {total.items}"
        words = f"{_MEANS[state]},{share}"
        box = _add(root, "rect", x=x, y=y - 11, width=22, height=14)
        box.set("class", state)
        _text(root, "text", words, x=x + 28, y=y, **{"class": "small"})
        x += 28 + len(words) * 6.1 + 20


def _described(coverage: Coverage) -> str:
    """Say the picture in words."""
    cut = coverage.cut
    parts = [f"{_MEANS[state].partition(':')[0]} {coverage.totals[state].percent:g} %" for state in STATES]
    counts = [f"{coverage.totals[state].items} {state}" for state in STATES]
    return f"{_sub(cut)}. {', '.join(parts) if cut.timed else ', '.join(counts)}."


def _sub(cut: Cut) -> str:
    if not cut.timed:
        return "in the order of the list"
    return f"{cut.rate} fps, {cut.timecode(0)} to {cut.timecode(cut.frames)}, {cut.frames} frames"


def _style(root: Any) -> None:
    rules = [
        "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#1a1a1a}",
        ".head{font-size:17px;font-weight:600}.small{font-size:11px;fill:#444444}",
        ".label{font-size:12px;text-anchor:end}.name{font-size:11px}",
        "rect.real,rect.stand-in,rect.partial,rect.offline,rect.gap{stroke:#fbfaf7;stroke-width:0.6}",
        *(f"rect.{state}{{fill:url(#p-{state})}}" for state in STATES if state != "real"),
        f"rect.real{{fill:{_FILL['real']}}}rect.gap{{stroke:{_FILL['offline']};stroke-dasharray:3 2}}",
        "rect.fine{stroke:none}",
        *(f"text.name[fill='{ink}']{{fill:{ink}}}" for ink in sorted(set(_INK.values()))),
    ]
    _text(root, "style", "".join(rules))


def _patterns(root: Any) -> None:
    """Draw what tells the states apart without colour."""
    lines: dict[State, str] = {
        "stand-in": "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4",
        "partial": "M4,0 v8",
        "offline": "M0,0 l8,8 M8,0 l-8,8",
        "gap": "M0,7.5 h2",
    }
    defs = _add(root, "defs")
    for state, path in lines.items():
        pattern = _add(defs, "pattern", id=f"p-{state}", width=8, height=8, patternUnits="userSpaceOnUse")
        _add(pattern, "rect", width=8, height=8, fill=_FILL[state])
        _add(pattern, "path", d=path, stroke=_INK[state], fill="none").set("stroke-opacity", "0.35")


def _add(parent: Any, tag: str, **given: object) -> Any:
    told = {
        name: f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
        for name, value in given.items()
    }
    return etree.SubElement(parent, f"{{{_NS}}}{tag}", told)


def _text(parent: Any, tag: str, text: str, **given: object) -> Any:
    made = _add(parent, tag, **given)
    made.text = text
    return made


def _clean(text: str) -> str:
    """Leave out what XML cannot hold, and what would steer a terminal or turn text around."""
    return _NO_XML.sub("", re.sub("[\u202a-\u202e\u2066-\u2069\t\n\r]", " ", text))


__all__ = ["drawn", "save"]
