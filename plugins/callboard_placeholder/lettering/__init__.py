"""Letters on pictures: the same fonts on every machine, many scripts, and text that keeps within its edges."""

from __future__ import annotations

from callboard_placeholder.lettering.fonts import LEAST, Weight
from callboard_placeholder.lettering.letters import Colour, Letters, letters_for
from callboard_placeholder.lettering.setting import Setting, cut, fit, wrap
from callboard_placeholder.lettering.ticker import Ticker

__all__ = ["LEAST", "Colour", "Letters", "Setting", "Ticker", "Weight", "cut", "fit", "letters_for", "wrap"]
