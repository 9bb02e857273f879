"""Writes the pictures and the sound of a placeholder as a film or an image sequence, the same bytes on each machine."""

from __future__ import annotations

from callboard_placeholder.encoding.sound import samples
from callboard_placeholder.encoding.target import Target, Written, suffix
from callboard_placeholder.encoding.writing import write

__all__ = ["Target", "Written", "samples", "suffix", "write"]
