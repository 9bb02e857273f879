"""Takes away what we made for a proposal, and nothing else."""

from __future__ import annotations

from .. import ours
from ..inside import bpy
from . import channels, markers, offline, relink, tags
from .subtitles import remove
from .task import Task


def clear(task: Task) -> None:
    """Remove our strips, markers and tags for the proposal; what a person edited stays, and real shots do.

    A command that names a use is about that use alone.
    """
    use = task.ref or None
    for scene in bpy.data.scenes:
        for strip in ours.strips(scene, task.proposal, use):
            if strip.get(ours.LOST):
                offline.give_back(task, scene, strip)
            elif ours.edited(scene, strip):
                task.miss(strip.name, "a person edited it, so theirs is kept")
            else:
                remove(task, scene, strip)
        if scene.sequence_editor is not None:
            channels.unname(scene)
        markers.clear(task, scene, use)
        if use is None:
            relink.restore(task, scene)
        task.notes += [f"{name} shows the real shot, so it stays" for name in relink.relinked(scene, task.proposal)]
    tags.clear(task, use)
    if not (task.changed or task.missing or task.notes):
        task.notes.append("nothing of it was there")
