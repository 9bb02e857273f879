"""Translations go out to people as XLIFF 2.0 or CSV, and come back merged by cue id.

``Sheet`` is what both formats hold: a row for each cue, never its time as something that may be changed. ``sheets``
makes one of a proposal, ``xliff`` and ``table`` write and read it, ``merge`` takes it back.
"""

from callboard.exchange.sheets import Row, Sheet

__all__ = ["Row", "Sheet"]
