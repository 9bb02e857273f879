"""The sidebar: how the connection stands, what waits, what can be asked for, what landed. Draws prepared state only."""

from __future__ import annotations

from typing import Any

from . import connection, preferences, thumbnails, words
from .inbox import SHOWN_PARTS, Part, Row
from .inside import bpy
from .link import Done, Link

_LETTER = 6.2
"""Points that a letter of Blender's own font takes on average, at a scale of 1."""
_ICON = 4
"""Letters that an icon takes the room of."""
_EXCERPT = 90
"""Letters of a text that are shown in a row; the whole is inside."""


def _width(context: Any, lost: float = 30.0) -> int:
    """Say how many letters fit into a line of the sidebar, *lost* points being taken already."""
    scale = context.preferences.system.ui_scale or 1.0
    return max(int((context.region.width / scale - lost) / _LETTER), 12)


def _lines(layout: Any, text: str, width: int, icon: str = "NONE", most: int = 6) -> None:
    """Write a text in as many lines as it needs."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    room = width if icon == "NONE" else max(width - _ICON, 8)
    for number, line in enumerate(words.wrapped(text, room)[:most]):
        column.label(text=line, icon=icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE")


class _Sidebar:
    """Where each of our panels is."""

    bl_region_type = "UI"
    bl_category = "Callboard"


class _Connection(_Sidebar):
    """How the connection stands, and what to do next."""

    bl_label = "Callboard"

    def draw(self, context: Any) -> None:
        """Draw it."""
        layout = self.layout  # type: ignore[attr-defined]  # bpy's
        link = connection.current()
        if link is None:
            return
        status = link.status
        layout.label(text=status.headline, icon=status.icon)
        if status.advice:
            _lines(layout, status.advice, _width(context), icon="BLANK1")
        if link.bridge is None:
            layout.operator(
                "preferences.addon_show", text="Open Preferences", icon="PREFERENCES"
            ).module = preferences.ADDON
        if link.online and link.strange:
            _lines(layout, link.strange, _width(context), icon="INFO")
        if link.waiting_to_apply:
            number = words.count(link.waiting_to_apply, "result")
            _lines(layout, f"{number} will be applied when the render or edit is done.", _width(context), icon="TIME")


class _Inbox(_Sidebar):
    """What waits for a person."""

    bl_label = "To Review"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Only with a project."""
        link = connection.current()
        return link is not None and link.bridge is not None

    def draw_header_preset(self, _context: Any) -> None:
        """Say how many there are."""
        link = connection.current()
        if link is not None and link.inbox.waiting:
            self.layout.label(text=str(link.inbox.waiting))  # type: ignore[attr-defined]  # bpy's

    def draw(self, context: Any) -> None:
        """Draw it."""
        layout = self.layout  # type: ignore[attr-defined]  # bpy's
        link = connection.current()
        if link is None:
            return
        inbox = link.inbox
        if not link.saved:
            _lines(layout, "Save this file first: Callboard knows a project by its file.", _width(context), "INFO")
            return
        if not inbox.rows:
            layout.label(text="Nothing waits for you." if inbox.known else "Not known yet.", icon="BLANK1")
            return
        for row in inbox.page():
            _draw_row(layout, context, link, row)
        if inbox.pages > 1:
            line = layout.row(align=True)
            line.operator("callboard.page", text="", icon="TRIA_LEFT").by = -1
            line.label(text=f"{inbox.page_number + 1} of {inbox.pages}")
            line.operator("callboard.page", text="", icon="TRIA_RIGHT").by = 1


def _draw_row(layout: Any, context: Any, link: Link, row: Row) -> None:
    box = layout.box()
    head = box.row()
    icon = thumbnails.icon(row.picture)
    if icon:
        picture = head.column()
        picture.template_icon(icon_value=icon, scale=3.6)
    said = head.column(align=True)
    said.scale_y = 0.85
    said.label(text=row.name)
    said.label(text=row.line, icon=row.icon if row.open else "CANCEL")
    if row.flags:
        said.label(text=words.first(row.flags), icon="ERROR")
    opened = link.inbox.opened == row.id
    if not row.open:
        _lines(box, row.text, _width(context, 60.0))
        box.operator("callboard.hide", text="Got It", icon="CHECKMARK").proposal = row.id
        return
    if row.text and not opened:
        excerpt = row.text if len(row.text) <= _EXCERPT else row.text[: _EXCERPT - 1].rstrip() + "…"
        _lines(box, excerpt, _width(context, 60.0), most=3)
    if row.id in link.inbox.refused:
        _lines(
            box, "Callboard did not take your decision; look inside and decide again.", _width(context, 60.0), "INFO"
        )
    if opened:
        _draw_inside(box, context, link)
    _draw_buttons(box, link, row, opened=opened)


def _draw_buttons(box: Any, link: Link, row: Row, *, opened: bool) -> None:
    buttons = box.row(align=True)
    if row.refs:
        buttons.operator("callboard.jump", text="", icon="RESTRICT_SELECT_OFF").proposal = row.id
    look = buttons.operator(
        "callboard.look", text="", icon="DISCLOSURE_TRI_DOWN" if opened else "DISCLOSURE_TRI_RIGHT", depress=opened
    )
    look.proposal = row.id
    left_out = len(link.inbox.without) if opened else 0
    accept = buttons.row(align=True)
    accept.enabled = not (left_out and left_out == len(link.inbox.parts))
    text = f"Accept without {left_out}" if left_out else "Accept"
    accept.operator("callboard.accept", text=text, icon="CHECKMARK").proposal = row.id
    buttons.operator("callboard.reject", text="Reject", icon="X").proposal = row.id


def _draw_inside(box: Any, context: Any, link: Link) -> None:
    inbox = link.inbox
    if inbox.loading:
        box.label(text="Asking Callboard …", icon="SORTTIME")
        return
    if inbox.summary:
        _lines(box, inbox.summary, _width(context, 60.0))
    for part in inbox.parts[:SHOWN_PARTS]:
        _draw_part(box, context, inbox.opened, part, taken=part.key not in inbox.without)
    more = len(inbox.parts) - SHOWN_PARTS
    if more > 0:
        box.label(text=f"and {more} more", icon="BLANK1")


def _draw_part(box: Any, context: Any, proposal: str, part: Part, *, taken: bool) -> None:
    line = box.row()
    tick = line.column()
    tick.operator(
        "callboard.leave_out", text="", icon="CHECKBOX_HLT" if taken else "CHECKBOX_DEHLT", emboss=False
    ).part = part.key
    if part.at >= 0:
        jump = line.column().operator("callboard.jump", text="", icon="PLAY", emboss=False)
        jump.proposal, jump.seconds = proposal, part.at
    column = line.column(align=True)
    column.active = taken
    width = _width(context, 115.0)
    _lines(column, part.text, width, most=3)
    if part.why:
        why = column.column()
        why.alert = part.grave
        _lines(why, "; ".join(part.why), width - 3, icon="ERROR", most=3)


class _Ask(_Sidebar):
    """What can be asked for."""

    bl_label = "Ask For"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Only with a project."""
        link = connection.current()
        return link is not None and link.bridge is not None

    def draw(self, _context: Any) -> None:
        """Draw it."""
        column = self.layout.column(align=True)  # type: ignore[attr-defined]  # bpy's
        column.label(text="For the selected strips")
        row = column.row(align=True)
        row.operator("callboard.request_captions", icon="FILE_TEXT")
        row.operator("callboard.request_tags", icon="BOOKMARKS")
        column.operator("callboard.request_translation", text="Translation …", icon="WORLD")
        column.separator()
        column.label(text="At the playhead")
        column.operator("callboard.request_placeholder", text="Placeholder in the Gap …", icon="IMAGE_DATA")


class _Results(_Sidebar):
    """What landed, and what did not."""

    bl_label = "Last Results"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Only where there are any."""
        link = connection.current()
        return link is not None and bool(link.done)

    def draw(self, context: Any) -> None:
        """Draw it."""
        link = connection.current()
        if link is not None:
            for done in link.done:
                _draw_done(self.layout.column(align=True), context, done)  # type: ignore[attr-defined]  # bpy's


def _draw_done(column: Any, context: Any, done: Done) -> None:
    _lines(column, done.line, _width(context), icon=done.icon)
    for text in done.more[:4]:
        _lines(column, text, _width(context), icon="BLANK1", most=3)
    if len(done.more) > 4:
        column.label(text=f"and {len(done.more) - 4} more", icon="BLANK1")
    if done.stale:
        buttons = column.row(align=True)
        buttons.operator("callboard.apply_anyway").command = done.command
        buttons.operator("callboard.dismiss").command = done.command


def _both(part: type, name: str, *, parent: str = "", closed: bool = False) -> list[Any]:
    """Make a panel for the 3D viewport and one for the sequencer."""
    made = []
    for space, mark in (("VIEW_3D", "view3d"), ("SEQUENCE_EDITOR", "sequencer")):
        body: dict[str, Any] = {"bl_idname": f"CALLBOARD_PT_{mark}_{name}", "bl_space_type": space}
        if parent:
            body["bl_parent_id"] = f"CALLBOARD_PT_{mark}_{parent}"
        if closed:
            body["bl_options"] = {"DEFAULT_CLOSED"}
        made.append(type(f"{part.__name__}_{mark}", (part, bpy.types.Panel), {**body, "__doc__": part.__doc__}))
    return made


CLASSES = (
    *_both(_Connection, "connection"),
    *_both(_Inbox, "inbox", parent="connection"),
    *_both(_Ask, "ask", parent="connection"),
    *_both(_Results, "results", parent="connection"),
)
