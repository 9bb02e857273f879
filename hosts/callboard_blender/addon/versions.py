"""What differs between Blender 3.4 and 5.2, in one place.

Strips are in ``sequences`` up to 4.3 and in ``strips`` from 4.4; effects take ``length`` for ``frame_end`` from 5.0;
the names of a strip's frames change in 5.1, and the old ones go in 6.0; actions have no ``fcurves`` from 5.0.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from . import limits
from .inside import bpy

CHANNELS: Final = 128
"""How many channels the sequencer has."""
_FRAMES: Final = {
    "first": ("left_handle", "frame_final_start"),
    "end": ("right_handle", "frame_final_end"),
    "head": ("left_handle_offset", "frame_offset_start"),
    "tail": ("right_handle_offset", "frame_offset_end"),
    "content": ("content_duration", "frame_duration"),
    "trim": ("content_trim_start", "animation_offset_start"),
}
render: Final = {"runs": False}
"""Whether a render runs, as its handlers told; in the background nothing else tells."""
_BUSY: Final = ("TRANSFORM_OT_", "SEQUENCER_OT_", "MARKER_OT_", "ANIM_OT_", "RENDER_OT_")


def at_least(major: int, minor: int = 0) -> bool:
    """Tell whether this Blender is that version or newer."""
    return tuple(bpy.app.version[:2]) >= (major, minor)


def scene_of(context: Any = None) -> Any:
    """Give the scene whose strips are edited: from 5.0 the sequencer may show another than the window."""
    context = bpy.context if context is None else context
    return getattr(context, "sequencer_scene", None) or context.scene


def top(scene: Any) -> Any:
    """Give the strips outside all meta strips, as a collection that also makes strips."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def every(scene: Any) -> Any:
    """Give all strips, those inside meta strips too; an empty tuple where the scene has no sequencer."""
    editor = scene.sequence_editor
    if editor is None:
        return ()
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def frames(strip: Any, what: str) -> float:
    """Give a number of frames of a strip; 0 where one of its type has no such thing.

    Args:
        strip: The strip.
        what: ``first`` and ``end`` frame (one past the last), ``head`` and ``tail`` (cut off, in frames of the
            timeline), ``content`` (frames of its media) or ``trim`` (frames of its media never shown at its start).
    """
    return float(getattr(strip, _frame_name(what), 0.0))


def _frame_name(what: str) -> str:
    return _FRAMES[what][0 if at_least(5, 1) else 1]


def place(strip: Any, first: int, end: int) -> None:
    """Let a strip show from frame *first* up to, not including, *end*; its content moves along."""
    name = "content_start" if at_least(5, 1) else "frame_start"
    setattr(strip, name, getattr(strip, name) + first - int(frames(strip, "first")))
    set_end(strip, end)


def set_end(strip: Any, end: int) -> None:
    """Cut or hold a strip so that *end* is the first frame without it."""
    setattr(strip, _frame_name("end"), end)


def set_head(strip: Any, cut: int) -> None:
    """Cut the first frames of a strip's media off; the strip must be placed again afterwards."""
    setattr(strip, _frame_name("head"), cut)


def set_trim(strip: Any, passed: int) -> None:
    """Pass over the first frames of a strip's media for good; the strip must be placed again afterwards."""
    setattr(strip, _frame_name("trim"), passed)


def beside(scene: Any, strip: Any) -> Any:
    """Give the strips that lie where a strip does, in its meta strip or on the timeline, as a collection."""
    meta = strip.parent_meta()
    if meta is None:
        return top(scene)
    return meta.strips if hasattr(meta, "strips") else meta.sequences


def new_text(scene: Any, name: str, channel: int, first: int, end: int) -> Any:
    """Make a text strip on frames *first* up to, not including, *end*."""
    span = {"length": end - first} if at_least(5) else {"frame_end": end}
    return top(scene).new_effect(name=name, type="TEXT", channel=channel, frame_start=first, **span)


def align_text(strip: Any, across: str, along: str) -> None:
    """Say where on the picture a text strip's box is anchored: ``LEFT CENTER RIGHT``, ``TOP CENTER BOTTOM``."""
    if hasattr(strip, "anchor_x"):
        strip.anchor_x, strip.anchor_y, strip.alignment_x = across, along, across
    else:
        strip.align_x, strip.align_y = across, along


def text_limit() -> int:
    """Give how many bytes a text strip keeps; 0 for any number."""
    return 0 if at_least(5) else limits.TEXT


def channel_of(scene: Any, number: int) -> Any:
    """Give what a scene keeps of a channel (``name``, ``lock``, ``mute``), or None."""
    channels = getattr(scene.sequence_editor, "channels", None)
    if channels is None or not 1 <= number <= CHANNELS:
        return None
    # The collection begins with the channel 0 that the sequencer does not show.
    return channels[number] if len(channels) > number else None


def curves(scene: Any) -> Iterator[Any]:
    """Give the animation curves and drivers of a scene."""
    data = scene.animation_data
    if data is None:
        return
    yield from data.drivers
    action = data.action
    if action is None:
        return
    if hasattr(action, "fcurves"):
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                yield from bag.fcurves


def inputs(strip: Any) -> tuple[Any, ...]:
    """Give the strips that an effect strip reads."""
    names = ("input_1", "input_2", "input_3")
    return tuple(found for found in (getattr(strip, name, None) for name in names) if found is not None)


def set_input(strip: Any, old: Any, new: Any) -> None:
    """Let an effect strip read *new* where it read *old*."""
    for name in ("input_1", "input_2", "input_3"):
        if getattr(strip, name, None) == old:
            setattr(strip, name, new)


@contextlib.contextmanager
def unselected(scene: Any) -> Iterator[None]:
    """Leave the selection and the active strip as they are: Blender selects each strip that it makes."""
    chosen = {strip.name for strip in every(scene) if strip.select}
    editor = scene.sequence_editor
    active = editor.active_strip.name if editor is not None and editor.active_strip is not None else ""
    try:
        yield
    finally:
        editor = scene.sequence_editor
        for strip in every(scene):
            if strip.select != (strip.name in chosen):
                strip.select = strip.name in chosen
        if editor is not None:
            editor.active_strip = next((strip for strip in every(scene) if strip.name == active), None)


def windows() -> Iterable[Any]:
    """Give the open windows; none in the background."""
    manager = getattr(bpy.context, "window_manager", None)
    return () if manager is None else tuple(manager.windows)


def busy() -> bool:
    """Tell whether a render runs, or a person drags something: then strips must not be taken away from under it."""
    if bpy.app.background:
        return render["runs"]
    if bpy.app.is_job_running("RENDER"):
        return True
    # 3.4 does not tell which modal operators run.
    return any(
        operator.bl_idname.startswith(_BUSY)
        for window in windows()
        for operator in getattr(window, "modal_operators", ())
    )


def playing() -> bool:
    """Tell whether any window plays the animation."""
    return any(window.screen is not None and window.screen.is_animation_playing for window in windows())


def undo_step(message: str) -> bool:
    """Make all that was done since the last step one step of undo; False where there is none, as in the background."""
    window = next(iter(windows()), None)
    if bpy.app.background or window is None:
        return False
    with contextlib.suppress(RuntimeError), bpy.context.temp_override(window=window):
        bpy.ops.ed.undo_push(message=message)
        return True
    return False
