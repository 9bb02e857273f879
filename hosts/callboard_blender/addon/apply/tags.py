"""Tags, description and author on assets of the open file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, Final

from .. import limits, ours, uses, versions
from ..inside import bpy
from .task import Task

NOTE: Final = "callboard_id"
"""On an asset's data: what we wrote for each proposal, and what stood there before."""
STRIP_NOTE: Final = "callboard_said"
"""The same on a strip whose file is no asset."""
_FIELDS: Final = ("description", "author")


def write(task: Task) -> None:
    """Add the tags to the asset, in place of those that we added for this proposal before; a person's stay.

    A strip whose file is no asset gets them as a custom property, which Blender shows beside the strip.
    """
    describe_too = any(task.content.get(name) for name in _FIELDS)
    for block in _targets(task):
        _write_tags(task, block.asset_data, [limits.one_line(str(tag)) for tag in task.content.get("tags") or ()])
        if describe_too:
            _write_fields(task, block.asset_data)


def describe(task: Task) -> None:
    """Write the asset's description and author where no person wrote one."""
    for block in _targets(task):
        _write_fields(task, block.asset_data)


def clear(task: Task, use: str | None) -> None:
    """Take away what we wrote for a proposal, where it still is what we wrote."""
    _clear_beside(task, use)
    meant = {uses.of_asset(*pair)["ref"] for pair in _pairs(task)} if use else None  # type: ignore[index]  # assets of this file
    for kind, block in uses.assets():
        note = _read(block.asset_data)
        found = uses.of_asset(kind, block)
        if task.proposal not in note or found is None or (meant is not None and found["ref"] not in meant):
            continue
        entry = note.pop(task.proposal)
        others = {tag for other in note.values() for tag in other.get("tags", ())}
        _drop_tags(task, block.asset_data, set(entry.get("tags", ())) - others)
        for name in _FIELDS:
            if name in entry:
                _put_back(task, block, name, entry[name])
        _keep(block.asset_data, note)


def _targets(task: Task) -> Iterator[Any]:
    pairs = _pairs(task)
    for _, block in pairs:
        yield block
    if not pairs:
        _write_beside(task)


def _write_beside(task: Task) -> None:
    """Keep tags, description and author as custom properties of the strip."""
    found = uses.find_strip(task.ref) if task.ref else None
    if found is None:
        name = str((task.command.get("use") or {}).get("name", "") or "this file")
        return task.miss(
            f"tags of {name}", "Blender keeps tags on assets only; mark one that uses this file as an asset"
        )
    _, strip = found
    content = {name: str(task.content.get(name) or "") for name in _FIELDS}
    if task.command["verb"] == "tags.write":
        content["tags"] = ", ".join(limits.one_line(str(tag)) for tag in task.content.get("tags") or ())
    note = _read(strip, STRIP_NOTE)
    written = {value for entry in note.values() for value in entry.items()}
    entry = note.setdefault(task.proposal, {})
    for name, value in content.items():
        key = f"callboard_{name}"
        if value and key in strip and (name, strip[key]) not in written:
            task.miss(f"{name} of {strip.name}", "a person edited it, so theirs is kept")
        elif value:
            strip[key] = entry[name] = value
            task.changed = True
            task.landed.append(f"{name} of {strip.name}")
    _keep(strip, note, STRIP_NOTE)
    task.notes.append("kept as custom properties of the strip: no asset uses its file")
    return None


def _clear_beside(task: Task, use: str | None) -> None:
    for scene in bpy.data.scenes:
        for strip in versions.every(scene):
            note = _read(strip, STRIP_NOTE)
            if task.proposal not in note or (use is not None and strip.get(uses.REF) != use):
                continue
            for name, value in note.pop(task.proposal).items():
                if strip.get(f"callboard_{name}") == value:
                    del strip[f"callboard_{name}"]
                    task.changed = True
            _keep(strip, note, STRIP_NOTE)


def _pairs(task: Task) -> list[tuple[str, Any]]:
    """Find the asset that is meant; for a strip, all assets of the file that it shows."""
    asset = uses.find_asset(task.ref) if task.ref else None
    if asset is not None:
        return [asset]
    path = str((task.use or task.command.get("use") or {}).get("path", ""))
    if not path:
        return []
    return [pair for pair in uses.assets() if _same(str((uses.of_asset(*pair) or {}).get("path", "")), path)]


def _same(one: str, other: str) -> bool:
    return bool(one) and os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def _read(data: Any, key: str = NOTE) -> dict[str, Any]:
    return ours.read_note(str(data.get(key, "")))


def _keep(data: Any, note: dict[str, Any], key: str = NOTE) -> None:
    if note:
        data[key] = json.dumps(note)
    elif key in data:
        del data[key]


def _write_tags(task: Task, data: Any, wanted: list[str]) -> None:
    note = _read(data)
    entry = note.setdefault(task.proposal, {})
    before = set(entry.get("tags", ()))
    short = {tag: limits.cut(tag, limits.TAG_NAME).strip() for tag in wanted if tag}
    others = {tag for ident, other in note.items() if ident != task.proposal for tag in other.get("tags", ())}
    _drop_tags(task, data, before - set(short.values()) - others)
    standing = {tag.name.casefold() for tag in data.tags}
    mine = []
    for tag, name in short.items():
        if name.casefold() not in standing:
            data.tags.new(name, skip_if_exists=True)
            task.changed = True
            standing.add(name.casefold())
            mine.append(name)
        elif name in before or name in others:
            mine.append(name)
        if name != tag:
            task.miss(f"the end of tag {name!r}", f"Blender keeps {limits.TAG_NAME} bytes of a tag")
    entry["tags"] = mine
    _keep(data, note)
    there = {tag.name.casefold(): tag.name for tag in data.tags}
    for name in short.values():
        if name.casefold() in there:
            task.landed.append(there[name.casefold()])
        else:
            task.miss(name, "it is not among the asset's tags")


def _drop_tags(task: Task, data: Any, names: set[str]) -> None:
    for tag in [tag for tag in data.tags if tag.name in names]:
        task.changed = True
        data.tags.remove(tag)


def _write_fields(task: Task, data: Any) -> None:
    note = _read(data)
    entry = note.setdefault(task.proposal, {})
    for name in _FIELDS:
        wanted, standing = str(task.content.get(name) or ""), str(getattr(data, name))
        if not wanted:
            continue
        written = {other[name][1] for other in note.values() if name in other}
        if standing and standing != wanted and standing not in written:
            task.miss(name, "a person wrote one, so theirs is kept")
            continue
        if standing != wanted:
            before = entry[name][0] if name in entry else standing
            setattr(data, name, wanted)
            task.changed = True
            entry[name] = [before, str(getattr(data, name))]
        task.landed.append(name)
        if getattr(data, name) != wanted:
            task.miss(f"the end of the {name}", f"Blender kept {len(getattr(data, name))} characters")
    _keep(data, note)


def _put_back(task: Task, block: Any, name: str, pair: list[str]) -> None:
    before, written = pair
    if getattr(block.asset_data, name) == written:
        setattr(block.asset_data, name, before)
        task.changed = True
    else:
        task.miss(f"{name} of {block.name}", "a person edited it, so theirs is kept")
