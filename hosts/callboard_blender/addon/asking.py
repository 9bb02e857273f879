"""Operators that ask Callboard for something: captions, tags, a translation, a stand-in for a missing shot."""

from __future__ import annotations

import re
from typing import Any

import bpy

from . import connection, gaps, uses, versions, words

_LANGUAGE = re.compile(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
_NOT_CONNECTED = "Name your Callboard project in the preferences first"


def _ready(operator: Any) -> bool:
    link = connection.current()
    if link is None or link.bridge is None:
        operator.poll_message_set(_NOT_CONNECTED)
        return False
    return True


def _sent(operator: Any, what: str) -> set[str]:
    link = connection.current()
    later = "" if link is not None and link.online else "; it is kept until Callboard runs"
    operator.report({"INFO"}, f"Asked for {what}{later}")
    return {"FINISHED"}


class _ForSelection:
    """What operators on the selected strips share."""

    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Need a project to talk to, and something that is selected."""
        if not _ready(cls):
            return False
        if not versions.selected(context):
            cls.poll_message_set("Select strips with footage or sound first")  # type: ignore[attr-defined]  # bpy's
            return False
        return True

    def ask(self, context: Any, what: str, said: str, **more: Any) -> set[str]:
        """Ask for *what* of each selected strip that has a file."""
        chosen = [use for use in uses.selected(context) if use.get("path")]
        link = connection.current()
        if not chosen or link is None:
            self.report({"WARNING"}, "None of the selected strips has a file that Callboard can look at")  # type: ignore[attr-defined]  # bpy's
            return {"CANCELLED"}
        link.request(what, uses=chosen, **more)
        return _sent(self, f"{said} of {words.count(len(chosen), 'strip')}")


class RequestCaptions(_ForSelection, bpy.types.Operator):
    """Write down what is said in the selected strips. You review it before anything is changed"""

    bl_idname = "callboard.request_captions"
    bl_label = "Captions"

    def execute(self, context: Any) -> set[str]:
        """Ask."""
        return self.ask(context, "captions", "captions")


class RequestTags(_ForSelection, bpy.types.Operator):
    """Say what is to be seen in the selected strips. You review it before anything is changed"""

    bl_idname = "callboard.request_tags"
    bl_label = "Tags"

    def execute(self, context: Any) -> set[str]:
        """Ask."""
        return self.ask(context, "tags", "tags")


class RequestTranslation(_ForSelection, bpy.types.Operator):
    """Put the accepted captions of the selected strips into other languages"""

    bl_idname = "callboard.request_translation"
    bl_label = "Translation"
    __annotations__ = {
        "languages": bpy.props.StringProperty(
            name="Languages", description="Codes with commas between them, such as es, pt-BR", default="es"
        )
    }

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Ask into which languages."""
        found: set[str] = context.window_manager.invoke_props_dialog(self, width=320)
        return found

    def execute(self, context: Any) -> set[str]:
        """Ask."""
        codes = [code for code in re.split(r"[\s,;]+", self.languages) if code]
        wrong = [code for code in codes if not _LANGUAGE.match(code)]
        if wrong or not codes:
            self.report({"WARNING"}, f"Not a language code: {wrong[0]}" if wrong else "Name a language, such as es")
            return {"CANCELLED"}
        named = ", ".join(words.language(code) for code in codes)
        return self.ask(context, "translation", f"a translation into {named}", languages=codes)


def gap_at_playhead(context: Any, channel: int) -> tuple[Any, gaps.Hole | None]:
    """Find the gap at the playhead.

    Returns:
        The sequencer's scene, and the gap on its *channel*; nothing where something is there already.
    """
    scene = versions.sequencer_scene(context)
    taken = [versions.span(strip) for strip in versions.strips(scene) if strip.channel == channel]
    return scene, gaps.at(scene.frame_current, taken, scene.frame_start, scene.frame_end)


def active_channel(context: Any) -> int:
    """Say which channel a person works on: the active strip's, else the first."""
    scene = versions.sequencer_scene(context)
    editor = scene.sequence_editor
    active = editor.active_strip if editor is not None else None
    return int(active.channel) if active is not None else 1


class RequestPlaceholder(bpy.types.Operator):
    """Have a stand-in made for the shot that is missing at the playhead"""

    bl_idname = "callboard.request_placeholder"
    bl_label = "Placeholder in the Gap"
    bl_options = {"INTERNAL"}
    __annotations__ = {
        "channel": bpy.props.IntProperty(name="Channel", min=1, max=128, default=1),
        "shot": bpy.props.StringProperty(name="Shot", description="What the shot is called, such as sc010_sh030"),
        "purpose": bpy.props.StringProperty(
            name="What it shows", description="In a few words; a person sees them on the placeholder", maxlen=500
        ),
    }

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Need a project to talk to, and a timeline."""
        if not _ready(cls):
            return False
        if versions.sequencer_scene(context) is None:
            cls.poll_message_set("There is no timeline here")
            return False
        return True

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Ask what the shot is, if there is a gap at all."""
        self.channel = active_channel(context)
        scene, hole = gap_at_playhead(context, self.channel)
        if hole is None:
            return self._no_gap(scene)
        found: set[str] = context.window_manager.invoke_props_dialog(self, width=380)
        return found

    def draw(self, context: Any) -> None:
        """Show which gap is meant, and what may be said of it."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "channel")
        scene, hole = gap_at_playhead(context, self.channel)
        if hole is None:
            layout.label(text="Something is at the playhead on this channel", icon="ERROR")
        else:
            seconds = uses.seconds(scene, hole.end) - uses.seconds(scene, hole.start)
            layout.label(text=f"Frames {hole.start} to {hole.end - 1}, {seconds:.1f} s", icon="SEQ_STRIP_META")
        layout.prop(self, "shot")
        layout.prop(self, "purpose")

    def execute(self, context: Any) -> set[str]:
        """Ask."""
        scene, hole = gap_at_playhead(context, self.channel)
        link = connection.current()
        if hole is None or link is None:
            return self._no_gap(scene)
        link.request("placeholder", gap=gap_of(scene, self.channel, hole, self.shot.strip(), self.purpose.strip()))
        return _sent(self, f"a placeholder of {words.count(hole.end - hole.start, 'frame')}")

    def _no_gap(self, scene: Any) -> set[str]:
        inside = scene.frame_start <= scene.frame_current <= scene.frame_end
        why = f"Channel {self.channel} has no gap here" if inside else "The playhead is outside the scene's frames"
        self.report({"WARNING"}, f"{why}. Move the playhead into the gap")
        return {"CANCELLED"}


def gap_of(scene: Any, channel: int, hole: gaps.Hole, shot: str, purpose: str) -> dict[str, Any]:
    """Describe a gap for the board."""
    start = uses.seconds(scene, hole.start)
    render = scene.render
    return {
        "ref": f"{scene.name}:{channel}:{hole.start}"[:256],
        "start": start,
        "duration": uses.seconds(scene, hole.end) - start,
        "rate": render.fps / render.fps_base,
        "width": max(1, render.resolution_x * render.resolution_percentage // 100),
        "height": max(1, render.resolution_y * render.resolution_percentage // 100),
        "shot": shot,
        "purpose": purpose,
    }


CLASSES = (RequestCaptions, RequestTags, RequestTranslation, RequestPlaceholder)
