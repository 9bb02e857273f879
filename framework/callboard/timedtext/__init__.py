"""Timed text: subtitle documents in every format, the rules that a delivery must keep, and how lines are broken.

A cue is ``callboard_schemas.Cue``: times in seconds from the first frame of the media, its lines, and why a person
should look at it. ``Rate`` counts frames and timecode, ``Profile`` is what a delivery allows.
"""

from callboard.timedtext.profile import Profile
from callboard.timedtext.rate import Rate

__all__ = ["Profile", "Rate"]
