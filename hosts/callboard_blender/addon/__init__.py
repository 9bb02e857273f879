"""Callboard inside Blender: what waits for review, what landed, and what the open project tells the board.

This folder is the add-on. Importing it needs no Blender; registering it does.
"""

from __future__ import annotations

bl_info = {
    "name": "Callboard",
    "author": "Callboard developers",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "Sidebar of the 3D viewport and the sequencer, tab Callboard",
    "description": "Captions, tags and placeholders for the footage in your project, reviewed without leaving Blender",
    "category": "Sequencer",
}
"""Read by Blender before 4.2, without running this file; later ones read the manifest."""


def register() -> None:
    """Put the panels, operators and preferences into Blender, and connect."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Take everything out of Blender again, and say goodbye to the board."""
    from . import registration

    registration.unregister()


__all__ = ["register", "unregister"]
