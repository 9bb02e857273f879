"""Coverage as one JSON document; fields are only ever added to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from callboard_schemas import PlaceholderRequested

from callboard.coverage.cut import Cut, Item
from callboard.coverage.report import Coverage
from callboard.report import RunReport


def document(
    coverage: Coverage,
    *,
    deliver: bool = False,
    asked: Sequence[PlaceholderRequested] = (),
    standing: Sequence[PlaceholderRequested] = (),
    report: RunReport | None = None,
) -> dict[str, Any]:
    """Give everything that is known of a cut, as plain values.

    Args:
        coverage: What was found.
        deliver: Also say whether it may be delivered.
        asked: The placeholders that were asked for.
        standing: Those that were not, as they wait or stand in already.
        report: What became of them.
    """
    cut = coverage.cut
    return {
        "file": cut.path,
        "format": cut.format,
        "name": cut.name,
        "rate": str(cut.rate),
        "start": cut.timecode(0),
        "end": cut.timecode(cut.frames),
        "frames": cut.frames,
        "seconds": round(cut.rate.seconds(cut.frames), 6),
        "width": cut.width,
        "height": cut.height,
        "pixel_aspect": cut.pixel_aspect,
        "tracks": cut.tracks,
        "timed": cut.timed,
        "handles": coverage.handles,
        "totals": {state: msgspec.to_builtins(one) for state, one in coverage.totals.items()},
        "items": [item_document(cut, one) for one in cut.items],
        "picture": [msgspec.to_builtins(one) for one in coverage.picture],
        "list": msgspec.to_builtins(coverage.compared) if coverage.compared else None,
        "deliver": _delivery(coverage) if deliver else None,
        "requests": [msgspec.to_builtins(one) for one in asked],
        "standing": [one.ref for one in standing],
        "run": msgspec.to_builtins(report) if report is not None else None,
        "notes": coverage.notes,
    }


def item_document(cut: Cut, item: Item) -> dict[str, Any]:
    """Give an item as plain values."""
    numbered = item.numbered
    return {
        "ref": item.ref,
        "track": item.track,
        "name": item.name,
        "shot": item.shot,
        "state": item.state,
        "start": item.start,
        "frames": item.frames,
        "timecode": cut.timecode(item.start),
        "end": cut.timecode(item.end),
        "media": numbered.pattern if numbered is not None else item.media,
        "found": item.how,
        "reel": item.reel,
        "source": {"first": item.source_in, "frames": item.source_frames},
        "handles": None if item.head is None and item.tail is None else {"head": item.head, "tail": item.tail},
        "short": item.short,
        "missing": item.missing,
        "missing_frames": item.missing_frames,
        "enabled": item.enabled,
        "covered": item.covered,
        "stands": item.stands,
        "by": item.by,
        "problem": item.problem,
        "guesses": item.guesses,
    }


def _delivery(coverage: Coverage) -> dict[str, Any]:
    return {"ready": coverage.ready, "in_the_way": [one.ref for one in coverage.undelivered]}


__all__ = ["document", "item_document"]
