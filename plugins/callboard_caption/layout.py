"""What cues are laid out for: a delivery profile, the frames of the picture, its shot changes, and a language."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from callboard.errors import MediaError
from callboard.timedtext.profile import Profile, load
from callboard.timedtext.rate import Rate, rate_of
from msgspec import Struct

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard.media import MediaFacts

_MILLISECONDS = 1000
_IDEOGRAPHIC = frozenset({"ja", "zh", "yue"})
_UNSPACED = frozenset({"th", "lo", "my", "km", "bo"})
"""Languages that put no spaces between words, though lines are broken between words alone."""
BETWEEN: Final = "\u200b"
"""A space that takes no place."""
_RATES = tuple(Fraction(whole * 1000, 1001) for whole in (24, 30, 48, 60, 120)) + tuple(
    Fraction(whole) for whole in (24, 25, 30, 48, 50, 60, 100, 120)
)
_OFF = 0.0004
"""Share by which an average may be off a standard rate: less than half of the step from 24 to 23.976."""


class Layout(Struct, frozen=True, kw_only=True):
    """Everything that decides how words become cues.

    Times are counted in *units*: frames of the picture, or milliseconds where there is no steady rate.
    """

    profile: Profile = Profile()
    rate: Rate | None = None
    """``None`` where there is no picture, or its rate varies: times are milliseconds then."""
    language: str = ""
    """BCP 47; what it is decides where lines break and what joins words."""
    cuts: tuple[float, ...] = ()
    """Seconds at which new shots begin, in order."""

    labels: bool = False
    """Whether cues say who speaks, where that is known; dashes tell of a change all the same."""

    @property
    def per_second(self) -> float:
        """Units in a second."""
        return float(self.rate.fps) if self.rate else float(_MILLISECONDS)

    @property
    def gap(self) -> int:
        """Units between two cues at least."""
        return self.profile.gap if self.rate else self._frames(self.profile.gap)

    @property
    def close(self) -> int:
        """The longest gap, in units, that is closed to *gap*."""
        if self.rate:
            return self.profile.closed_within(self.rate)
        return max(self._frames(self.profile.close_gaps + 1) - 1, 0) if self.profile.close_gaps else 0

    @property
    def snap(self) -> int:
        """How near, in units, a shot change draws the start or end of a cue."""
        return self.profile.snapped_within(self.rate) if self.rate else self._frames(self.profile.shot_snap)

    @property
    def joint(self) -> str:
        """What stands between two words while lines are broken; ``BETWEEN`` is taken out of them again."""
        language = self.language.split("-")[0].lower()
        return "" if language in _IDEOGRAPHIC else BETWEEN if language in _UNSPACED else " "

    def seconds(self, unit: int) -> float:
        """Give the time of *unit* in seconds."""
        return self.rate.seconds(unit) if self.rate else unit / _MILLISECONDS

    def unit_at(self, seconds: float) -> int:
        """Give the unit whose start is nearest to *seconds*."""
        return self.rate.frame_at(seconds) if self.rate else round(seconds * _MILLISECONDS)

    def last(self, duration: float) -> int | None:
        """Give the last unit at which a cue may end in media of *duration* seconds; ``None`` where that is unknown."""
        return math.floor(duration * self.per_second + 1e-6) if duration > 0 else None

    def _frames(self, count: int) -> int:
        """Give as many milliseconds as *count* frames last at the profile's own rate, and no less."""
        return math.ceil(count * _MILLISECONDS / (self.profile.frames_at or 24.0))


def layout_of(context: Context, facts: MediaFacts, language: str) -> Layout:
    """Read what cues are laid out for from the parameters and the picture.

    Where the profile keeps cues to shot changes and ``shot_changes`` is on, the picture is decoded for them. One that
    cannot be decoded has none: what is said in it is captioned all the same.

    Args:
        context: Parameters ``profile`` and ``shot_changes``, and the media.
        facts: Of the media.
        language: BCP 47, that the cues are in.

    Raises:
        ProfileError: there is no such profile, or its file does not say what it must.
    """
    profile = load(str(context.parameters["profile"]), language)
    cuts: tuple[float, ...] = ()
    if profile.shot_snap and context.parameters["shot_changes"] and facts.video and not facts.still:
        from callboard_caption.shots import shot_changes

        try:
            cuts = shot_changes(context.media)
        except MediaError as error:
            context.log.warning("cues are not kept to shot changes: %s", error.message)
    return Layout(
        profile=profile,
        rate=rate_of_picture(facts),
        language=language,
        cuts=cuts,
        labels=context.parameters["speakers"] == "labels",
    )


def rate_of_picture(facts: MediaFacts) -> Rate | None:
    """Give the steady rate of the picture; ``None`` where there is none, it varies, or nobody knows it."""
    if not facts.video or facts.still or facts.video[0].variable_rate or facts.video[0].frame_rate <= 0:
        return None
    picture = facts.video[0]
    # The average of a few seconds is off by what the last frame lasts; the container's guess is exact then.
    guess = picture.base_rate
    said = guess if guess and abs(guess / picture.frame_rate - 1) < 0.01 else picture.frame_rate
    near = min(_RATES, key=lambda rate: abs(float(rate) - said))
    exact = near if abs(float(near) / said - 1) < _OFF else Fraction(said).limit_denominator(1001)
    drop = ";" in picture.timecode and exact.denominator == 1001 and round(exact) % 30 == 0
    return rate_of(exact, drop=drop) if 0 < exact <= 1000 else None


__all__ = ["BETWEEN", "Layout", "layout_of", "rate_of_picture"]
