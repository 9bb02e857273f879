"""One module for each subtitle format; ``callboard.timedtext.files`` is the door."""

from __future__ import annotations

__all__: list[str] = []
