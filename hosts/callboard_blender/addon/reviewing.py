"""Operators on what waits: look into it, accept, reject, agree to a stale result."""

from __future__ import annotations

from typing import Any, ClassVar

from . import connection, timing, uses, versions
from .inbox import Row
from .inside import bpy
from .link import Link


def _link() -> Link:
    link = connection.current()
    assert link is not None  # operators are registered with it
    return link


class _OnRow:
    """What operators on one row of the inbox share."""

    bl_options: ClassVar = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Need a project to talk to."""
        link = connection.current()
        if link is None or link.bridge is None:
            cls.poll_message_set("Name your Callboard project in the preferences first")  # type: ignore[attr-defined]  # bpy's
            return False
        return True

    def row(self) -> Row | None:
        """Find the row that is meant, or say that it is gone."""
        found = _link().inbox.row(self.proposal)  # type: ignore[attr-defined]  # a bpy property
        if found is None:
            self.report({"INFO"}, "Somebody has decided on this already")  # type: ignore[attr-defined]  # bpy's
        return found


class Accept(_OnRow, bpy.types.Operator):
    """Accept this. It is put into your project, and beside the clip, at once."""

    bl_idname = "callboard.accept"
    bl_description = "Accept this. It is put into your project, and beside the clip, at once"
    bl_label = "Accept"
    __annotations__ = {"proposal": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})}

    def execute(self, _context: Any) -> set[str]:
        """Tell the board."""
        row = self.row()
        if row is None:
            return {"CANCELLED"}
        link = _link()
        link.decide(row.id, "accept")
        later = "" if link.online else "; Callboard hears of it when it is back"
        self.report({"INFO"}, f"Accepted: {row.name}{later}")
        return {"FINISHED"}


class Reject(_OnRow, bpy.types.Operator):
    """Reject this, and say why if you like."""

    bl_idname = "callboard.reject"
    bl_description = "Reject this, and say why if you like"
    bl_label = "Reject"
    __annotations__ = {
        "proposal": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"}),
        "reason": bpy.props.StringProperty(
            name="Reason", description="Kept with the decision; may stay empty", maxlen=200, options={"SKIP_SAVE"}
        ),
    }

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Ask for the reason."""
        found: set[str] = context.window_manager.invoke_props_dialog(self, width=360)
        return found

    def draw(self, _context: Any) -> None:
        """Show the one field there is."""
        row = _link().inbox.row(self.proposal)
        if row is not None:
            self.layout.label(text=f"{row.name}: {row.line}")
        self.layout.prop(self, "reason")

    def execute(self, _context: Any) -> set[str]:
        """Tell the board."""
        row = self.row()
        if row is None:
            return {"CANCELLED"}
        _link().decide(row.id, "reject", self.reason.strip())
        self.report({"INFO"}, f"Rejected: {row.name}")
        return {"FINISHED"}


class Look(_OnRow, bpy.types.Operator):
    """Show what is in it, what is in doubt first."""

    bl_idname = "callboard.look"
    bl_description = "Show what is in it, what is in doubt first"
    bl_label = "Look Inside"
    __annotations__ = {"proposal": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})}

    def execute(self, _context: Any) -> set[str]:
        """Open the row, or close it."""
        inbox = _link().inbox
        if inbox.opened == self.proposal:
            inbox.close()
        else:
            inbox.open(self.proposal)
        connection.redraw()
        return {"FINISHED"}


class Jump(_OnRow, bpy.types.Operator):
    """Select the strips that this is about, and move the playhead there."""

    bl_idname = "callboard.jump"
    bl_label = "Show on the Timeline"
    bl_description = "Select the strips that this is about, and move the playhead there"
    bl_options: ClassVar = {"INTERNAL", "UNDO"}
    __annotations__ = {
        "proposal": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"}),
        "seconds": bpy.props.FloatProperty(default=-1.0, options={"HIDDEN", "SKIP_SAVE"}),
    }

    def execute(self, context: Any) -> set[str]:
        """Go to the first use that shows that time, or to the first one's start."""
        row = self.row()
        shown = versions.scene_of(context)
        found = [one for ref in (row.refs if row is not None else ()) if (one := uses.find_strip(ref)) is not None]
        here = (strip for scene, strip in found if scene == shown)
        strips = sorted(here, key=lambda strip: versions.frames(strip, "first"))
        if not strips:
            self.report({"INFO"}, "None of its strips is on this timeline")
            return {"CANCELLED"}
        for other in versions.every(shown):
            other.select = other in strips
        shown.sequence_editor.active_strip = strips[0]
        spans = [(int(versions.frames(one, "first")), int(versions.frames(one, "end"))) for one in strips]
        frame = spans[0][0]
        if self.seconds >= 0:
            told = [use for one in strips if (use := uses.of_strip(shown, one)) is not None]
            frames = [round(timing.on_timeline(use, self.seconds) * uses.rate_of(shown)) for use in told]
            inside = [at for at, (first, end) in zip(frames, spans, strict=True) if first <= at < end]
            frame = inside[0] if inside else frame
        shown.frame_set(frame)
        return {"FINISHED"}


class LeaveOut(_OnRow, bpy.types.Operator):
    """Leave this out when the rest is accepted."""

    bl_idname = "callboard.leave_out"
    bl_description = "Leave this out when the rest is accepted"
    bl_label = "Leave Out"
    __annotations__ = {"part": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})}

    def execute(self, _context: Any) -> set[str]:
        """Leave it out, or take it in again."""
        _link().inbox.without ^= {self.part}
        connection.redraw()
        return {"FINISHED"}


class Hide(_OnRow, bpy.types.Operator):
    """Take this line away; nothing else happens."""

    bl_idname = "callboard.hide"
    bl_label = "Got It"
    bl_description = "Take this line away; nothing else happens"
    __annotations__ = {"proposal": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})}

    def execute(self, _context: Any) -> set[str]:
        """Hide it."""
        _link().inbox.hide(self.proposal)
        connection.redraw()
        return {"FINISHED"}


class Page(_OnRow, bpy.types.Operator):
    """Show others of what waits."""

    bl_idname = "callboard.page"
    bl_description = "Show others of what waits"
    bl_label = "Turn Page"
    __annotations__ = {"by": bpy.props.IntProperty(default=1, options={"HIDDEN", "SKIP_SAVE"})}

    def execute(self, _context: Any) -> set[str]:
        """Go on or back."""
        _link().inbox.turn(self.by)
        connection.redraw()
        return {"FINISHED"}


class ApplyAnyway(bpy.types.Operator):
    """The strip was changed after this was made for it. Apply it to the strip as it is now."""

    bl_idname = "callboard.apply_anyway"
    bl_description = "The strip was changed after this was made for it. Apply it to the strip as it is now"
    bl_label = "Apply Anyway"
    bl_options: ClassVar = {"INTERNAL"}  # no UNDO: what applies makes the one step itself
    __annotations__ = {"command": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})}

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Not while it renders or something is being edited."""
        link = connection.current()
        if link is None or not link.stale:
            cls.poll_message_set("Nothing waits for you to agree")
            return False
        if link.application.busy():
            cls.poll_message_set("Finish the render or the edit first")
            return False
        return True

    def execute(self, _context: Any) -> set[str]:
        """Apply it."""
        link = _link()
        if not link.apply_anyway(self.command):
            self.report({"INFO"}, "This was applied or taken back meanwhile")
            return {"CANCELLED"}
        done = link.done[0]
        self.report({"WARNING" if done.more else "INFO"}, done.line)
        return {"FINISHED"}


class Dismiss(bpy.types.Operator):
    """Leave the strip as it is."""

    bl_idname = "callboard.dismiss"
    bl_description = "Leave the strip as it is"
    bl_label = "Dismiss"
    bl_options: ClassVar = {"INTERNAL"}
    __annotations__ = {"command": bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})}

    def execute(self, _context: Any) -> set[str]:
        """Take the line away."""
        _link().dismiss(self.command)
        connection.redraw()
        return {"FINISHED"}


CLASSES = (Accept, Reject, Look, Jump, LeaveOut, Hide, Page, ApplyAnyway, Dismiss)
