"""The picture that a drawn placeholder starts from: a reference of the brief, or a neighbour's frame at the cut."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from callboard.errors import JobError, MediaError
from callboard_schemas import Neighbour
from msgspec import Struct
from PIL import Image, ImageOps

from callboard_placeholder.engine import Array, Bench, Order
from callboard_placeholder.engines import engine

SOURCES: Final = ("nothing", "reference", "before", "after", "previs")
"""What the parameters ``diffusion_from`` and ``comfy_from`` may say."""
_FORMATS: Final = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
_PIXELS: Final = 100_000_000
_BYTES: Final = 256 << 20


class Start(Struct, frozen=True):
    """A picture to start from."""

    picture: Array
    """height x width x 3, uint8, RGB, upright."""
    name: str
    digest: str
    told: str
    """Where it is from, in words."""
    scene: Path | None = None
    """The .blend that it was rendered from."""
    models: Mapping[str, str] = {}
    """What rendered it."""


class _Under:
    """The bench of an engine that works for another."""

    def __init__(self, bench: Bench) -> None:
        self.context, self.folder, self._above = bench.context, bench.folder / "previs", bench
        self.folder.mkdir()

    def progress(self, fraction: float, note: str = "") -> None:
        """Say what is done; it is the other's time that counts."""
        self._above.progress(0.0, note)


def start(order: Order, bench: Bench, source: str) -> tuple[Start | None, tuple[str, ...]]:
    """Find the picture to start from, and what a person should know where there is none.

    Args:
        order: With the references and neighbours of the brief.
        bench: Reaches them.
        source: One of ``SOURCES``.

    Raises:
        JobError: a reference of the brief is not in the project, or is no picture.
    """
    if source == "reference" and order.brief.references:
        first, *others = order.brief.references
        path = bench.context.named(first)
        if path is None:
            raise JobError(
                f"the reference {first} is not in the project",
                "Name pictures by their paths from the project's folder.",
            )
        notes = (f"of {len(others) + 1} references only {first} was used",) if others else ()
        return _read(path, first), notes
    if source == "previs":
        return _previs(order, bench)
    if source in ("before", "after"):
        near = next((one for one in order.brief.neighbours if one.side == source), None)
        return _neighbour(near, bench, source)
    return None, ()


def _read(path: Path, name: str) -> Start:
    try:
        if path.stat().st_size > _BYTES:
            raise JobError(f"the reference {name} has more than {_BYTES >> 20} MiB", "Scale it down.")
        content = path.read_bytes()
        picture = read_picture(path)
    except (OSError, ValueError) as error:
        raise JobError(f"the reference {name} cannot be read: {error}", f"Give {', '.join(_FORMATS)}.") from None
    return Start(picture, name, f"sha256:{hashlib.sha256(content).hexdigest()}", f"the reference {name}")


def read_picture(path: Path) -> Array:
    """Read a picture of a listed format, upright and without its transparency.

    Raises:
        OSError: it is no such picture.
        ValueError: it has too many pixels.
    """
    with Image.open(path, formats=_FORMATS) as image:
        if image.width * image.height > _PIXELS:
            raise ValueError(f"it has {image.width} x {image.height} pixels")
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I;16"):  # which Pillow would cut off at white, not scale
            return np.repeat((np.asarray(upright) >> 8).astype(np.uint8)[..., None], 3, axis=2)
        return np.array(upright.convert("RGB"))


def _previs(order: Order, bench: Bench) -> tuple[Start, tuple[str, ...]]:
    """Have the scene built and its first picture rendered; the rest is not waited for."""
    made = engine("previs")(order, _Under(bench))
    picture = next(made.pictures)
    getattr(made.pictures, "close", lambda: None)()  # ends Blender
    if order.pixel_aspect != 1:  # from here on pixels are square
        wide = Image.fromarray(picture).resize((round(order.width * order.pixel_aspect), order.height))
        picture = np.asarray(wide)
    digest = f"sha256:{hashlib.sha256(picture.tobytes()).hexdigest()}"
    blender = made.models.get("Blender", "Blender")
    return Start(
        picture, "previs", digest, f"a grey-box scene (Blender {blender})", made.scene, made.models
    ), made.notes


def _neighbour(near: Neighbour | None, bench: Bench, side: str) -> tuple[Start | None, tuple[str, ...]]:
    missing = f"it was to start from the shot {side}, which could not be had; it starts from nothing"
    if near is None or near.asset is None:
        return None, (missing,)
    try:
        frame = bench.context.open(near.asset).picture(near.time)
    except MediaError as error:
        return None, (f"{missing} ({error.message})",)
    if frame is None:
        return None, (missing,)
    name = near.name or near.asset.place.path
    told = f"the frame of {name} at {near.time:.3f} s"
    return Start(np.asarray(frame.pixels), near.asset.place.path, near.asset.digest, told), ()


__all__ = ["SOURCES", "Start", "read_picture", "start"]
