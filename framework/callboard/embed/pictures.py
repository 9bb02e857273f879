"""What is done to a picture before an image tower sees it: the steps of open_clip's own transform, without torch.

Resizing is Pillow's, as it is there, so the pixels are the same to the last bit; only the order of two float32
operations differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np
from msgspec import Struct
from PIL import Image

from callboard.errors import JobError, ModelMissing
from callboard.known_types import know

if TYPE_CHECKING:
    from callboard.packs import Pack

Array = np.ndarray[Any, Any]

CLIP_MEAN: Final = (0.48145466, 0.4578275, 0.40821073)
"""Channel means of the pictures that CLIP was trained on (github.com/openai/CLIP, ``clip.py``)."""
CLIP_STD: Final = (0.26862954, 0.26130258, 0.27577711)

_FILTERS: Final = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


class Preparation(Struct, frozen=True):
    """How pictures are made ready; *size* is height and width in pixels."""

    size: tuple[int, int]
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    resize: Literal["shortest", "longest", "squash"] = "shortest"
    """``shortest`` fills the size and crops the middle, ``longest`` fits it and pads, ``squash`` ignores the shape."""
    fill: int = 0
    """What ``longest`` pads with, 0 to 255."""


def preparation(pack: Pack) -> Preparation:
    """Read how *pack* wants its pictures from its ``preprocess`` table.

    Raises:
        ModelMissing: the table does not say, or says what no preparation is.
    """
    import msgspec

    given = pack.preprocess
    size = given.get("size", 0)
    # Numbers in a tuple of a pack are read as floats.
    both = tuple(map(_whole, size)) if isinstance(size, tuple | list) else (size, size)
    constants = ("mean", "std", "interpolation", "resize", "fill")
    raw: dict[str, object] = {key: given[key] for key in constants if key in given}
    try:
        how = msgspec.convert({**raw, "size": both}, Preparation)
    except msgspec.ValidationError as error:
        raise ModelMissing(pack.name, f"preprocess: {error}", f"Mend {pack.origin}.") from None
    if min(how.size) < 1 or min(how.std) <= 0:
        raise ModelMissing(pack.name, "preprocess: size and std must be above 0", f"Mend {pack.origin}.")
    return how


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def fit(pixels: Array, how: Preparation) -> Array:
    """Resize and crop or pad one picture: uint8, height x width x 3, to uint8 of ``how.size``.

    Raises:
        JobError: it is no such picture.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise JobError(f"a picture must be uint8, height x width x 3, not {pixels.dtype} {pixels.shape}")
    height, width = how.size
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    scaled = _resize(picture, _scaled(picture.height, picture.width, how), how)
    if how.resize == "squash":
        return np.asarray(scaled)
    return _crop_or_pad(np.asarray(scaled), height, width, how.fill)


def prepare(pictures: list[Array], how: Preparation) -> Array:
    """Make pictures ready: uint8, height x width x 3 each, to float32, n x 3 x ``how.size``, normalised.

    Raises:
        JobError: one of them is no such picture.
    """
    made = np.empty((len(pictures), 3, *how.size), np.float32)
    mean, std = (np.asarray(values, np.float32).reshape(3, 1, 1) for values in (how.mean, how.std))
    for row, pixels in zip(made, pictures, strict=True):
        row[:] = fit(pixels, how).transpose(2, 0, 1)
        row /= np.float32(255)
        row -= mean
        row /= std
    return made


def _scaled(height: int, width: int, how: Preparation) -> tuple[int, int]:
    """Say which size, height and width, the whole picture is resized to."""
    if how.resize == "squash":
        return how.size
    if how.resize == "shortest" and how.size[0] == how.size[1]:
        side = how.size[0]
        # The longer side is cut off, not rounded, where the target is square; it is rounded everywhere else.
        if height <= width:
            return side, int(side * width / height)
        return int(side * height / width), side
    ratios = (height / how.size[0], width / how.size[1])
    ratio = max(ratios) if how.resize == "longest" else min(ratios)
    return round(height / ratio), round(width / ratio)


def _resize(picture: Image.Image, size: tuple[int, int], how: Preparation) -> Image.Image:
    if (picture.height, picture.width) == size:
        return picture
    # A non-square target that is filled is always resized bicubically there, whatever the setting says.
    bicubic = how.resize == "shortest" and how.size[0] != how.size[1]
    return picture.resize((size[1], size[0]), _FILTERS["bicubic" if bicubic else how.interpolation])


def _crop_or_pad(pixels: Array, height: int, width: int, fill: int) -> Array:
    gaps = [max(wanted - have, 0) for wanted, have in zip((height, width), pixels.shape[:2], strict=True)]
    if any(gaps):
        sides = [(gap // 2, gap - gap // 2) for gap in gaps]
        pixels = np.pad(pixels, (*sides, (0, 0)), constant_values=fill)
    top, left = (round((have - wanted) / 2) for have, wanted in zip(pixels.shape[:2], (height, width), strict=True))
    return cast("Array", pixels[top : top + height, left : left + width])


know(Preparation)

__all__ = ["CLIP_MEAN", "CLIP_STD", "Preparation", "fit", "preparation", "prepare"]
