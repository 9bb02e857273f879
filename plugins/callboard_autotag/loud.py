"""Loudness by EBU R 128 put into words: what a delivery would be refused for, and what it was mixed for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard_schemas import Evidence, Tag

if TYPE_CHECKING:
    from callboard.media import Loudness

    from callboard_autotag.analyser import Facts, Found

METHOD = "ebu-r128"
TARGET, TOLERANCE = -23.0, 0.5
"""LUFS and LU: EBU R 128."""
CEILING = -1.0
"""dBTP: the highest true peak that EBU R 128 allows."""
_LOUD, _QUIET = -16.0, -33.0  # LUFS: streaming services turn down what is louder than about -14 to -16
_WIDE = 20.0  # LU: EBU Tech 3342 says of more that it is unsuitable for most homes


def describe_loudness(loudness: Loudness | None) -> Found:
    """Give tags and numbers; nothing where there is no sound."""
    if loudness is None:
        return [], {}
    facts: Facts = {"true_peak_dbtp": loudness.true_peak}
    tags: list[Tag] = []
    if loudness.integrated is not None:
        facts |= {"loudness_lufs": loudness.integrated, "loudness_range_lu": loudness.range}
        for name, value in (("momentary", loudness.momentary), ("short_term", loudness.short_term)):
            if value is not None:
                facts[f"loudness_{name}_lufs"] = value
        if abs(loudness.integrated - TARGET) <= TOLERANCE and loudness.true_peak <= CEILING:
            tags.append(_tag("EBU R 128 loudness", loudness.integrated))
        elif loudness.integrated > _LOUD:
            tags.append(_tag("loud", loudness.integrated))
        elif loudness.integrated < _QUIET:
            tags.append(_tag("quiet", loudness.integrated))
        if loudness.range > _WIDE:
            tags.append(_tag("wide loudness range", loudness.range))
    if loudness.true_peak > 0.0:
        tags.append(_tag("true peak over full scale", loudness.true_peak))
    return tags, facts


def _tag(label: str, value: float) -> Tag:
    return Tag(label=label, score=0.99, method=METHOD, group=("sound", "loudness"), evidence=(Evidence(value=value),))


__all__ = ["CEILING", "METHOD", "TARGET", "describe_loudness"]
