"""What a workflow put out, as the pictures that were ordered: fetched within limits, and conformed to exact frames."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from callboard.errors import JobError
from callboard.media.client import open_media
from msgspec import Struct

from callboard_placeholder.comfy.address import Away, Http, Refused, away
from callboard_placeholder.comfy.workflow import Workflow
from callboard_placeholder.engine import Array, Order
from callboard_placeholder.moved import conformed, moved
from callboard_placeholder.starting import read_picture

_PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp"})
_FILMS: Final = frozenset({".mp4", ".webm", ".mov", ".mkv", ".gif"})
_PICTURE_BYTES: Final = 128 << 20
_FILM_BYTES: Final = 2 << 30
_TOTAL_BYTES: Final = 8 << 30
_FILES: Final = 20_000
_EARLY: Final = 0.001
"""Seconds by which a film's frame may come late: containers round times to that."""


class Shot(Struct, frozen=True):
    """What came back."""

    pictures: Iterator[Array]
    notes: tuple[str, ...]


def wanted(outputs: Mapping[str, Any], workflow: Workflow) -> list[dict[str, Any]]:
    """Choose the files that are the result: those of the nodes titled so, else of the only node that saves any.

    Raises:
        JobError: there are none, too many, or of several nodes.
    """
    found = {str(node): files for node, given in outputs.items() if (files := _files(given))}
    if workflow.outputs:
        chosen = {node: found[node] for node in workflow.outputs if node in found}
    else:
        saved = {node: [file for file in files if file.get("type") == "output"] for node, files in found.items()}
        chosen = {node: files for node, files in saved.items() if files} or found
    if not chosen:
        raise JobError("the workflow put out no pictures", "Have it end in Save Image, or in a node that saves a film.")
    if len(chosen) > 1:
        names = ", ".join(workflow.title(node) for node in sorted(chosen, key=lambda node: (len(node), node)))
        raise JobError(f"several nodes of the workflow put out pictures: {names}", 'Title one "callboard:output".')
    (files,) = chosen.values()
    if len(files) > _FILES:
        raise JobError(f"the workflow put out {len(files)} files; {_FILES} are taken at most")
    return files


def _files(given: Any) -> list[dict[str, Any]]:
    """Find what a node put out that is a picture or a film, under whatever name it says so."""
    lists = given.values() if isinstance(given, dict) else ()
    return [
        file
        for files in lists
        if isinstance(files, list)
        for file in files
        if isinstance(file, dict) and PurePosixPath(str(file.get("filename"))).suffix.lower() in _PICTURES | _FILMS
    ]


def fetched(http: Http, files: Sequence[Mapping[str, Any]], folder: Path, until: float) -> list[Path]:
    """Fetch *files* into *folder*, numbered, until a time of ``time.monotonic``.

    Raises:
        JobError: one is not there, or is too large.
        Blocked: the server went away.
    """
    paths: list[Path] = []
    total = 0
    for index, file in enumerate(files):
        suffix = PurePosixPath(str(file["filename"])).suffix.lower()
        path = folder / f"{index:06d}{suffix}"
        most = min(_FILM_BYTES if suffix in _FILMS else _PICTURE_BYTES, _TOTAL_BYTES - total)
        try:
            total += http.fetch(file, path, most, max(until - time.monotonic(), 1.0))
        except Away as error:
            raise away(http.address, error) from None
        except Refused as error:
            raise JobError(f"ComfyUI does not give {file['filename']}: {error}") from None
        paths.append(path)
    return paths


def shot(paths: Sequence[Path], order: Order, folder: Path) -> Shot:
    """Make the ordered pictures of what was fetched.

    Args:
        paths: One film, or pictures.
        order: Size, number and rate.
        folder: For a film's decoder, empty.
    """
    films = [path for path in paths if path.suffix in _FILMS]
    if films:
        more = (f"of {len(paths)} files only the first film was used",) if len(paths) > 1 else ()
        return _film(films[0], order, folder, more)
    if len(paths) == 1:
        picture = _picture(paths[0])
        movement = order.brief.movement or "slow push"
        how = "held" if movement == "static" else f"moved ({movement})"
        return Shot(moved(picture, order), (f"one generated picture, {how}: nothing in it moves by itself",))
    notes = () if len(paths) == order.frames else (_spread(len(paths), order),)
    return Shot(_sequence(paths, order), notes)


def _spread(count: int, order: Order) -> str:
    return f"{count} pictures came for {order.frames} frames; each is shown equally long, or some are left out"


def _picture(path: Path) -> Array:
    try:
        return read_picture(path)
    except (OSError, ValueError) as error:
        raise JobError(f"a picture from ComfyUI cannot be read: {error}") from None


def _sequence(paths: Sequence[Path], order: Order) -> Iterator[Array]:
    last, shown = -1, None
    for index in range(order.frames):
        at = index * len(paths) // order.frames
        if at != last or shown is None:
            last, shown = at, _fit(_picture(paths[at]), order)
        yield shown


def _fit(picture: Array, order: Order) -> Array:
    return conformed(picture, order.width, order.height, order.pixel_aspect)


def _film(path: Path, order: Order, folder: Path, notes: tuple[str, ...]) -> Shot:
    folder.mkdir()
    with open_media(path, shm_folder=folder) as media:
        facts = media.probe()
    if not facts.video:
        raise JobError("the film from ComfyUI has no picture")
    frames, rate = facts.video[0].frames, facts.video[0].frame_rate
    if frames == order.frames:
        return Shot(_frames(path, order, folder, by_time=False), notes)
    lasts = frames / rate if frames and rate else facts.duration
    note = f"the film lasts {lasts:.2f} s of {order.seconds:.2f} s that were ordered; " + (
        "its last frame is held" if lasts < order.seconds else "what is over is cut off"
    )
    return Shot(_frames(path, order, folder, by_time=True), (*notes, note))


def _frames(path: Path, order: Order, folder: Path, *, by_time: bool) -> Iterator[Array]:
    """Give the frames of a film: one for one, or the one that is shown at the time of each; then the last."""
    with open_media(path, shm_folder=folder) as media:
        coming = iter(media.frames())
        here = next(coming, None)
        if here is None:
            raise JobError("the film from ComfyUI has no frames")
        after = next(coming, None)
        shown = _fit(here.pixels, order)
        for index in range(order.frames):
            due = order.rate.seconds(index) + _EARLY
            while after is not None and ((after.time <= due) if by_time else index > 0):
                shown, after = _fit(after.pixels, order), next(coming, None)
                if not by_time:
                    break
            yield shown


__all__ = ["Shot", "fetched", "shot", "wanted"]
