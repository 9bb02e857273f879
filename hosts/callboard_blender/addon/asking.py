"""Operators that ask Callboard for something: captions, tags, a translation, a stand-in for a missing shot."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from . import connection, uses, versions, words
from .inside import bpy

_LANGUAGE = re.compile(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
_NOT_CONNECTED = "Name your Callboard project in the preferences first"


def _ready(operator: Any) -> bool:
    link = connection.current()
    if link is None or link.bridge is None:
        operator.poll_message_set(_NOT_CONNECTED)
        return False
    if not link.saved:
        operator.poll_message_set("Save this file first: Callboard knows a project by its file")
        return False
    return True


def _sent(operator: Any, what: str) -> set[str]:
    link = connection.current()
    later = "" if link is not None and link.online else "; it is kept until Callboard runs"
    operator.report({"INFO"}, f"Asked for {what}{later}")
    return {"FINISHED"}


def selected(context: Any) -> bool:
    """Say whether any strip is selected."""
    return any(strip.select for strip in versions.every(versions.scene_of(context)))


class _ForSelection:
    """What operators on the selected strips share."""

    bl_options: ClassVar = {"INTERNAL"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Need a project to talk to, and something that is selected."""
        if not _ready(cls):
            return False
        if not selected(context):
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
    """Write down what is said in the selected strips. You review it before anything is changed."""

    bl_idname = "callboard.request_captions"
    bl_description = "Write down what is said in the selected strips. You review it before anything is changed"
    bl_label = "Captions"

    def execute(self, context: Any) -> set[str]:
        """Ask."""
        return self.ask(context, "captions", "captions")


class RequestTags(_ForSelection, bpy.types.Operator):
    """Say what is to be seen in the selected strips. You review it before anything is changed."""

    bl_idname = "callboard.request_tags"
    bl_description = "Say what is to be seen in the selected strips. You review it before anything is changed"
    bl_label = "Tags"

    def execute(self, context: Any) -> set[str]:
        """Ask."""
        return self.ask(context, "tags", "tags")


class RequestTranslation(_ForSelection, bpy.types.Operator):
    """Put the accepted captions of the selected strips into other languages."""

    bl_idname = "callboard.request_translation"
    bl_description = "Put the accepted captions of the selected strips into other languages"
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


class RequestPlaceholder(bpy.types.Operator):
    """Have a stand-in made for the shot that is missing at the playhead, or between two selected strips."""

    bl_idname = "callboard.request_placeholder"
    bl_label = "Placeholder in the Gap"
    bl_description = "Have a stand-in made for the shot that is missing at the playhead, or between two selected strips"
    bl_options: ClassVar = {"INTERNAL"}
    __annotations__ = {
        "shot": bpy.props.StringProperty(
            name="Shot", description="What the shot is called, such as sc010_sh030", options={"SKIP_SAVE"}
        ),
        "purpose": bpy.props.StringProperty(
            name="What it shows",
            description="In a few words; they are written on the placeholder",
            maxlen=500,
            options={"SKIP_SAVE"},
        ),
    }

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Need a project to talk to, and a timeline with something on it."""
        if not _ready(cls):
            return False
        scene = versions.scene_of(context)
        if scene is None or scene.sequence_editor is None:
            cls.poll_message_set("There are no strips on this scene's timeline")
            return False
        return True

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Ask what the shot is, if there is a gap at all."""
        gap = uses.gap(context)
        if gap is None:
            return self._no_gap()
        self.shot = gap.get("shot", "")
        found: set[str] = context.window_manager.invoke_props_dialog(self, width=380)
        return found

    def draw(self, context: Any) -> None:
        """Show which gap is meant, and what may be said of it."""
        layout = self.layout
        layout.use_property_split = True
        gap = uses.gap(context)
        if gap is not None:
            first, frames = (round(gap[name] * gap["rate"]) for name in ("start", "duration"))
            seconds = f"{gap['duration']:.1f} s"
            layout.label(text=f"Frames {first} to {first + frames - 1}, {seconds}", icon="SEQ_STRIP_META")
        layout.prop(self, "shot")
        layout.prop(self, "purpose")

    def execute(self, context: Any) -> set[str]:
        """Ask."""
        gap, link = uses.gap(context), connection.current()
        if gap is None or link is None:
            return self._no_gap()
        link.request("placeholder", gap={**gap, "shot": self.shot.strip(), "purpose": self.purpose.strip()})
        return _sent(self, f"a placeholder of {gap['duration']:.1f} s")

    def _no_gap(self) -> set[str]:
        self.report({"WARNING"}, "No gap here. Put the playhead into one, or select the strips before and after it")
        return {"CANCELLED"}


CLASSES = (RequestCaptions, RequestTags, RequestTranslation, RequestPlaceholder)
