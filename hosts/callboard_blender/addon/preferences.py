"""What a person sets once: which Callboard project, under which names."""

from __future__ import annotations

import getpass
import re
from typing import Any

from . import whereabouts
from .apply import styles
from .inside import bpy

ADDON = __package__ or ""


def _changed(_self: Any, _context: Any) -> None:
    from . import connection

    connection.aim()


class Preferences(bpy.types.AddonPreferences):
    """The add-on's page in Blender's preferences."""

    bl_idname = ADDON
    __annotations__ = {
        "project": bpy.props.StringProperty(
            name="Callboard project",
            description="The folder with callboard.toml; empty means the one named at installation",
            subtype="DIR_PATH",
            update=_changed,
        ),
        "host": bpy.props.StringProperty(
            name="Name of this workplace",
            description="How Callboard calls this Blender, such as edit-1; empty means blender",
            maxlen=40,
            update=_changed,
        ),
        "by": bpy.props.StringProperty(
            name="Your name",
            description="Written beside what you accept and reject; empty means your login name",
            maxlen=80,
            update=_changed,
        ),
        "style": bpy.props.EnumProperty(
            name="Captions",
            description="How text strips look that Callboard makes from now on",
            items=[(name, name.capitalize(), style.about) for name, style in styles.PRESETS.items()],
            default=styles.DEFAULT,
        ),
    }

    def draw(self, _context: Any) -> None:
        """Show the settings, and how the connection stands."""
        from . import connection

        link = connection.current()
        column = self.layout.column()
        column.use_property_split = True
        column.prop(self, "project")
        if link is not None and link.folder:
            column.label(text=f"In use: {link.folder}")
        column.prop(self, "host")
        column.prop(self, "by")
        column.prop(self, "style")
        if link is not None:
            column.label(text=link.status.headline, icon=link.status.icon)
            if link.status.advice:
                column.label(text=link.status.advice)


def _own() -> Any:
    addon = bpy.context.preferences.addons.get(ADDON)
    return addon.preferences if addon is not None else None


def _said(name: str) -> str:
    own = _own()
    return str(getattr(own, name, "") or "").strip() if own is not None else ""


def project() -> str:
    """Say which Callboard project's folder holds; empty where nobody named one."""
    preferred = _said("project")
    return whereabouts.project(bpy.path.abspath(preferred) if preferred else "", bpy.utils.user_resource("CONFIG"))


def host() -> str:
    """Say what this workplace is called, in letters that fit into a subject of the bus; empty if it has no name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", _said("host")).strip("-")


def by() -> str:
    """Say who decides here."""
    named = _said("by")
    if named:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a farm's account may have no name
        return "Blender"


def style() -> str:
    """Say which of ``styles.PRESETS`` captions look like; empty where nobody chose."""
    return _said("style")


def allowed(url: str) -> str:
    """Say why *url* may not be talked to; empty where it may.

    Blender's switch "Allow Online Access" is there from 4.2 on, and it is about other machines, not this one.
    """
    if whereabouts.on_this_machine(url) or getattr(bpy.app, "online_access", True):
        return ""
    return f"The board is on another machine ({url}). Switch on Preferences > System > Allow Online Access."


CLASSES = (Preferences,)
