"""Markers as timelines and media carry them."""

from __future__ import annotations

from typing import Any

COLOURS = frozenset(
    {
        *("Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia"),
        *("Rose", "Lavender", "Sky", "Mint", "Lemon", "Sand", "Cocoa", "Cream"),
    }
)


class Marks:
    """Markers by frame: one a frame, 16 colours, floating point keys."""

    def __init__(self) -> None:
        self.marks: dict[int, dict[str, Any]] = {}

    def add_marker(self, frame: float, color: str, name: str, note: str, duration: float, custom: str = "") -> bool:
        """Put a marker; False without a reason where it cannot be."""
        wrong = color not in COLOURS or frame != int(frame) or frame < 0 or duration < 1 or int(frame) in self.marks
        if wrong or not all(isinstance(text, str) for text in (name, note, custom)):
            return False
        mark = {"color": color, "duration": float(duration), "note": note, "name": name, "customData": custom}
        self.marks[int(frame)] = mark
        return True

    def get_markers(self) -> dict[float, dict[str, Any]]:
        """Give all markers."""
        return {float(frame): dict(mark) for frame, mark in sorted(self.marks.items())}

    def delete_marker_by_custom_data(self, custom: str) -> bool:
        """Delete the first marker with this data."""
        frame = next((at for at, mark in sorted(self.marks.items()) if mark["customData"] == custom), None)
        if frame is None:
            return False
        del self.marks[frame]
        return True
