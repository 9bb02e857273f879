"""Frame rates as fractions, and the timecode that counts them: SMPTE ST 12-1, drop frame included."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from msgspec import Struct

_NAMED: Final = {
    "23.976": Fraction(24000, 1001),
    "23.98": Fraction(24000, 1001),
    "29.97": Fraction(30000, 1001),
    "47.952": Fraction(48000, 1001),
    "59.94": Fraction(60000, 1001),
    "119.88": Fraction(120000, 1001),
}
_NAMES: Final = {fps: name for name, fps in reversed(_NAMED.items())}
"""As people write them; of two names, the exacter one."""
_RATE: Final = re.compile(r"(\d+(?:\.\d+)?|\d+/\d+)\s*(df|ndf|drop|nd)?", re.IGNORECASE)
_TIMECODE: Final = re.compile(r"(\d{1,3}):([0-5]?\d):([0-5]?\d)([:;.,])(\d{1,3})")


class Rate(Struct, frozen=True):
    """Frames per second as a fraction, and whether timecode drops numbers to keep to the clock."""

    numerator: int = 25
    denominator: int = 1
    drop: bool = False

    @property
    def fps(self) -> Fraction:
        """Frames per second."""
        return Fraction(self.numerator, self.denominator)

    @property
    def nominal(self) -> int:
        """Frames that timecode counts in a second: 24 for 23.976, 30 for 29.97."""
        return -(-self.numerator // self.denominator)

    @property
    def frame(self) -> float:
        """Seconds that one frame lasts."""
        return self.denominator / self.numerator

    def frame_at(self, seconds: float) -> int:
        """Give the frame whose start is nearest to *seconds*; the even one of two."""
        about = seconds * self.numerator / self.denominator
        if abs(about) < 2**40 and abs(about % 1 - 0.5) > 1e-3:  # fractions are slow, and only a tie needs them
            return round(about)
        return round(Fraction(seconds) * self.fps)

    def seconds(self, frame: int) -> float:
        """Give the time at which *frame* starts."""
        return frame * self.denominator / self.numerator

    def snap(self, seconds: float) -> float:
        """Move *seconds* to the nearest start of a frame."""
        return self.seconds(self.frame_at(seconds))

    def timecode(self, frame: int) -> str:
        """Write a frame count as ``HH:MM:SS:FF``, with ``;`` before the frames where numbers are dropped.

        Drop frame leaves out the first two numbers (four at 59.94) of each minute but every tenth.
        """
        if self.drop:
            left_out = 2 * self.nominal // 30
            ten, rest = divmod(frame, self._ten_minutes)
            frame += 9 * left_out * ten
            if rest >= self.nominal * 60:
                frame += left_out * (1 + (rest - self.nominal * 60) // (self.nominal * 60 - left_out))
        seconds, frames = divmod(frame, self.nominal)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if self.drop else ':'}{frames:02d}"

    def frame_of(self, timecode: str) -> int:
        """Read timecode as a frame count.

        Raises:
            ValueError: it is no timecode of this rate, or names a number that is dropped.
        """
        found = _TIMECODE.fullmatch(timecode.strip())
        if found is None:
            raise ValueError(f"{timecode!r} is no timecode")
        hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
        if frames >= self.nominal:
            raise ValueError(f"{timecode!r} counts frames past {self.nominal - 1}")
        total = ((hours * 60 + minutes) * 60 + seconds) * self.nominal + frames
        if not self.drop:
            return total
        left_out = 2 * self.nominal // 30
        if minutes % 10 and seconds == 0 and frames < left_out:
            raise ValueError(f"{timecode!r} is a number that drop frame leaves out")
        whole = hours * 60 + minutes
        return total - left_out * (whole - whole // 10)

    @property
    def _ten_minutes(self) -> int:
        return self.nominal * 600 - 9 * (2 * self.nominal // 30)

    def __str__(self) -> str:
        number = _NAMES.get(self.fps) or (
            str(self.numerator) if self.denominator == 1 else f"{self.numerator}/{self.denominator}"
        )
        return number + ("df" if self.drop else "")


def parse_rate(text: str) -> Rate:
    """Read ``25``, ``23.976``, ``30000/1001`` or ``29.97df``.

    Raises:
        ValueError: it is no rate, or one that has no drop frame timecode.
    """
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no frame rate")
    try:
        fps = _NAMED.get(found[1]) or Fraction(found[1])
    except ZeroDivisionError:
        raise ValueError(f"{text!r} is no frame rate") from None
    return rate_of(fps, drop=(found[2] or "").lower() in ("df", "drop"))


def rate_of(fps: float | Fraction, *, drop: bool = False) -> Rate:
    """Make a rate of a number; what is within a thousandth of a multiple of 1000/1001 is that.

    Raises:
        ValueError: it is not positive, or *drop* is asked of a rate that has no drop frame timecode.
    """
    if not 0 < fps <= 1000:
        raise ValueError(f"{fps} is no frame rate")
    exact = Fraction(fps).limit_denominator(1001)
    nominal = -(-exact.numerator // exact.denominator)
    if exact.denominator != 1 and abs(Fraction(nominal * 1000, 1001) - exact) < Fraction(1, 200):
        exact = Fraction(nominal * 1000, 1001)
    if drop and (nominal % 30 or exact.denominator == 1):
        raise ValueError(f"{float(exact):.3f} has no drop frame timecode")
    return Rate(exact.numerator, exact.denominator, drop)


__all__ = ["Rate", "parse_rate", "rate_of"]
