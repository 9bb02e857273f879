"""Times in TTML: clock times, frames, ticks and offsets, on the media's clock or in SMPTE timecode."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from callboard.timedtext.formats.reading import Reading
from callboard.timedtext.rate import Rate, rate_of

PARAMETER: Final = "{http://www.w3.org/ns/ttml#parameter}"

_CLOCK: Final = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,12})|([:;])(\d{1,3})(?:\.(\d{1,4}))?)?")
_OFFSET: Final = re.compile(r"(\d{1,18})(?:\.(\d{1,12}))?(h|ms|m|s|f|t)")
_DEFAULT: Final = 30
"""Frames per second where a document counts frames and does not say how many: TTML2, 7.2.7."""


class Timing:
    """How one document counts: read from the attributes of its root.

    Args:
        attributes: of ``tt``.
        line: where ``tt`` begins.
        reading: takes notes; its rate counts where the document says none, and says whether timecode drops frames.
    """

    def __init__(self, attributes: dict[str, str], line: int, reading: Reading) -> None:
        self.reading = reading
        self.declared = f"{PARAMETER}frameRate" in attributes
        self.fps = self._fps(attributes, line)
        if not 1 <= self.fps <= 1000:
            raise reading.refuse(line, f"{float(self.fps):.3f} frames a second")
        self.sub = int(self._whole(attributes, "subFrameRate", line) or 1)
        ticks = self._whole(attributes, "tickRate", line)
        self.ticks = Fraction(ticks) if ticks else self.fps * self.sub if self.declared else Fraction(1)
        base = attributes.get(f"{PARAMETER}timeBase", "media")
        self.smpte = base == "smpte"
        if base not in ("media", "smpte"):
            reading.note(line, f"times on the {base[:20]!r} clock: read as on the media's")
        mode = attributes.get(f"{PARAMETER}dropMode", "")
        if mode == "dropPAL":
            raise reading.refuse(line, "timecode that drops frames as PAL-M does, which is not supported")
        given = reading.rate is not None and reading.rate.drop and reading.rate.fps == self.fps
        self.drop = self.smpte and (mode == "dropNTSC" or (given and mode != "nonDrop"))
        try:
            self.rate = rate_of(self.fps, drop=self.drop or given)
        except ValueError as error:
            raise reading.refuse(line, f"frame rate and drop mode do not fit: {error}") from None
        self._told = False

    def _fps(self, attributes: dict[str, str], line: int) -> Fraction:
        rate = self._whole(attributes, "frameRate", line)
        if rate is None:
            return self.reading.rate.fps if self.reading.rate else Fraction(_DEFAULT)
        text = attributes.get(f"{PARAMETER}frameRateMultiplier", "1 1").replace(":", " ").replace("/", " ")
        parts = text.split()
        if not 1 <= len(parts) <= 2 or not all(re.fullmatch(r"[1-9]\d{0,5}", part) for part in parts):
            raise self.reading.refuse(line, f"frameRateMultiplier {text[:40]!r} is no fraction")
        return Fraction(rate) * Fraction(int(parts[0]), int(parts[1]) if len(parts) == 2 else 1)

    def _whole(self, attributes: dict[str, str], name: str, line: int) -> int | None:
        text = attributes.get(f"{PARAMETER}{name}")
        if text is None:
            return None
        if not re.fullmatch(r"[1-9]\d{0,9}", text.strip()):
            raise self.reading.refuse(line, f"{name} {text[:40]!r} is no positive number")
        return int(text)

    def seconds(self, text: str, line: int) -> Fraction:
        """Read one time expression.

        Raises:
            SubtitleError: it is none.
        """
        text = text.strip()
        offset = _OFFSET.fullmatch(text)
        if offset:
            value = _decimal(offset[1], offset[2])
            unit = {
                "h": Fraction(3600),
                "m": Fraction(60),
                "s": Fraction(1),
                "ms": Fraction(1, 1000),
                "f": 1 / self.fps,
                "t": 1 / self.ticks,
            }[offset[3]]
            if offset[3] == "f":
                self._tell_default(line)
            return value * unit
        found = _CLOCK.fullmatch(text)
        if found is None or int(found[2]) > 59 or int(found[3]) > 60:
            raise self.reading.refuse(line, f"{text[:40]!r} is no time")
        whole = (int(found[1]) * 60 + int(found[2])) * 60 + int(found[3])
        if found[6] is None:
            return self._clocked(Fraction(whole) + _decimal("0", found[4]), text, line)
        return self._framed(text, found, Fraction(whole), line)

    def _clocked(self, value: Fraction, text: str, line: int) -> Fraction:
        """A clock time without frames; in timecode of fractional rates its seconds are longer than those of a clock."""
        if not self.smpte or self.fps.denominator == 1 or "." in text:
            return value
        return Fraction(self.rate.frame_of(f"{text}:00")) / self.fps

    def _framed(self, text: str, found: re.Match[str], whole: Fraction, line: int) -> Fraction:
        self._tell_default(line)
        frames = _decimal(found[6], None) + Fraction(int(found[7] or 0), self.sub)
        if int(found[6]) >= self.rate.nominal:
            raise self.reading.refuse(line, f"{text[:40]!r} counts frames past {self.rate.nominal - 1}")
        if not self.smpte:
            if self.fps.denominator != 1 and not self._told:
                self._told = True
                self.reading.note(
                    line,
                    "frames on the media's clock at a fractional rate: read as the standard says, as clock time and "
                    "frames, not as timecode",
                )
            return whole + frames / self.fps
        code = f"{int(found[1]):02d}:{found[2]}:{found[3]}:{int(found[6]):02d}"
        rate = Rate(self.rate.numerator, self.rate.denominator, self.drop)
        try:
            return (rate.frame_of(code) + Fraction(int(found[7] or 0), self.sub)) / self.fps
        except ValueError as error:
            raise self.reading.refuse(line, str(error)) from None

    def _tell_default(self, line: int) -> None:
        if self.declared or self._told:
            return
        self._told = True
        source = "as it was told" if self.reading.rate else "as the standard says"
        self.reading.note(line, f"times in frames without a frame rate: read at {self.rate}, {source}")


def _decimal(whole: str, fraction: str | None) -> Fraction:
    return int(whole) + Fraction(int(fraction or 0), 10 ** len(fraction or ""))


__all__ = ["PARAMETER", "Timing"]
