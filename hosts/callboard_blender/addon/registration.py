"""Puts the add-on's classes into Blender and takes them out again."""

from __future__ import annotations

from . import asking, connection, panel, preferences, reviewing, thumbnails
from .inside import bpy

CLASSES = (*preferences.CLASSES, *reviewing.CLASSES, *asking.CLASSES, *panel.CLASSES)
"""In the order in which Blender must learn them: a panel before those inside it."""


def register() -> None:
    """Register every class, then start the connection."""
    for one in CLASSES:
        bpy.utils.register_class(one)
    thumbnails.open_all()
    connection.start()


def unregister() -> None:
    """Stop the connection, then unregister every class, in reverse."""
    connection.stop()
    thumbnails.close_all()
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
