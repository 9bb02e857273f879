"""Single pictures by Pillow, from a listed set of formats. Runs in the decoder only."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import warnings
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from PIL import ExifTags, Image, ImageFile

from callboard.media import AudioBlock, Frame, Loudness, MediaFacts, VideoStream, Wanted
from callboard.media.geometry import Turn, fit, upright
from callboard.media.limits import Limits
from callboard.media.metadata import clean_metadata
from callboard.media.source import NotMedia

# First bytes and the Pillow format that reads them. EPS, PostScript, SVG and WMF are left out: they run programs.
_MARKS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(mark, re.DOTALL), name)
    for mark, name in (
        (rb"\x89PNG\r\n\x1a\n", "PNG"),
        (rb"\xff\xd8\xff", "JPEG"),
        (rb"II[*+]\x00|MM\x00[*+]", "TIFF"),
        (rb"RIFF....WEBP", "WEBP"),
        (rb"BM....\x00\x00\x00\x00", "BMP"),
        (rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", "JPEG2000"),
        (rb"....ftypavi[fs]", "AVIF"),
        (rb"8BPS", "PSD"),
        (rb"qoif", "QOI"),
        (rb"P[1-6]\s", "PPM"),
    )
)
_UNMARKED = {".tga": "TGA"}

_TURNS = {
    2: Turn(0, mirrored=True),
    3: Turn(180),
    4: Turn(180, mirrored=True),
    5: Turn(270, mirrored=True),
    6: Turn(90),
    7: Turn(90, mirrored=True),
    8: Turn(270),
}
"""EXIF orientation to the turn that undoes it (CIPA DC-008, tag 274)."""

_ENOUGH = 0.75
"""Of the large version's side that is enough, so that 12 megapixels are decoded at a quarter and not at half."""
_AGAIN = "Copy or export it again."
_EXIF_NAMES = ("ImageDescription", "Make", "Model", "Software", "DateTime", "Artist", "Copyright")


def still_formats(head: bytes, suffix: str) -> list[str]:
    """Name the Pillow formats that may read a file starting with *head*; empty when it is no still of ours."""
    found = [name for mark, name in _MARKS if mark.match(head)]
    return found or [_UNMARKED[suffix]] if suffix in _UNMARKED else found


def load_formats() -> None:
    """Import the readers that Pillow would import at the first use of each."""
    Image.preinit()
    for name in ("Avif", "Jpeg2K", "Mpo", "Psd", "Qoi", "Tga", "Tiff", "WebP"):
        importlib.import_module(f"PIL.{name}ImagePlugin")


class Still:
    """One opened picture."""

    def __init__(self, image: ImageFile.ImageFile) -> None:
        self.image = image
        self.problems: list[str] = []
        self._size = image.size  # draft changes image.size
        self._exif: Image.Exif | dict[int, Any] = {}
        with contextlib.suppress(Exception):  # damaged EXIF must not hide the picture
            self._exif = image.getexif()
        self._turn = _TURNS.get(self._exif.get(ExifTags.Base.Orientation, 1), Turn())

    @classmethod
    def try_open(cls, fd: int, formats: list[str], limits: Limits) -> Still | None:
        """Read the header; ``None`` when Pillow does not know this kind, so that another decoder may try.

        Raises:
            NotMedia: it has more pixels than the limit.
        """
        Image.MAX_IMAGE_PIXELS = None  # the check below names the size; Pillow's own only warns up to twice its limit
        file = os.fdopen(os.dup(fd), "rb")
        try:
            file.seek(0)
            image = Image.open(file, formats=formats)
        except Exception:  # noqa: BLE001 - header parsers raise anything; the next decoder says what is wrong
            file.close()
            return None
        width, height = image.size
        if width * height > limits.pixels:
            file.close()
            raise NotMedia(
                f"is {width} x {height}, {width * height / 1e6:.0f} megapixels, "
                f"past the limit of {limits.pixels / 1e6:.0f}",
                "Scale it down, or split it into tiles.",
            )
        return cls(image)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.image.close()

    def facts(self) -> MediaFacts:
        """Say what the header says, as the picture is shown."""
        width, height = self._size[::-1] if self._turn.swaps else self._size
        kind = (self.image.format or "image").lower()
        stream = VideoStream(
            codec=kind,
            width=width,
            height=height,
            pixel_format=self.image.mode.lower(),
            rotation=self._turn.degrees,
            frames=1,
            bit_depth=_bit_depth(self.image),
        )
        return MediaFacts(container=kind, duration=0.0, video=(stream,), still=True, metadata=self._metadata())

    def _metadata(self) -> dict[str, str]:
        found: dict[str, object] = {str(key): text for key, text in self.image.info.items() if isinstance(text, str)}
        for name in _EXIF_NAMES:
            if (value := self._exif.get(ExifTags.Base[name])) is not None:
                found[name] = value
        return clean_metadata(found)

    def sound(self, rate: int, block_seconds: float, *, channels: bool = False) -> Iterator[AudioBlock]:
        """Give nothing: a still is silent."""
        return iter(())

    def loudness(self) -> Loudness | None:
        """Give nothing: a still is silent."""
        return None

    def pictures(self, wanted: Wanted) -> Iterator[Frame]:
        """Give the one frame: decoded once, as small as its largest version lets it be."""
        image = self.image
        if wanted.max_side:
            ask = fit(*self._size, max(wanted.max_side, round(wanted.large_side * _ENOUGH)))
            image.draft("RGB", ask)  # JPEG only: decodes at 1/2, 1/4 or 1/8, in a third of the time
        self._load()
        rgb = _rgb(image)
        large = None
        if wanted.large_side:
            rgb = _shrink(rgb, fit(*rgb.size, wanted.large_side))
            large = upright(np.asarray(rgb), self._turn)
        small = _shrink(rgb, fit(*self._size, wanted.max_side))
        yield Frame(0.0, 0, upright(np.asarray(small), self._turn), large)

    def _load(self) -> None:
        """Decode, and take what there is of a file that ends early."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.image.load()
                return
            except (OSError, SyntaxError, ValueError, EOFError) as error:
                problem = str(error)
            ImageFile.LOAD_TRUNCATED_IMAGES = True
            try:
                self.image.load()
            except (OSError, SyntaxError, ValueError, EOFError):
                raise NotMedia(f"holds no picture that can be decoded: {problem}", _AGAIN) from None
            finally:
                ImageFile.LOAD_TRUNCATED_IMAGES = False
        if _blank(self.image):
            raise NotMedia(f"holds no picture that can be decoded: {problem}", _AGAIN)
        self.problems.append(f"the picture is damaged or cut off: {problem}")


def _shrink(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _blank(image: Image.Image) -> bool:
    """Whether every pixel is the same, as in a picture of which nothing was decoded."""
    ranges = image.getextrema()
    pairs = ranges if isinstance(ranges[0], tuple) else (ranges,)
    return all(isinstance(pair, tuple) and pair[0] == pair[1] for pair in pairs)


def _bit_depth(image: ImageFile.ImageFile) -> int:
    if image.mode in ("F", "I"):
        return 32
    raw = str(image.tile[0][3]) if image.tile else ""
    return 16 if ";16" in image.mode or ";16" in raw else 8


def _rgb(image: Image.Image) -> Image.Image:
    """Convert to 8-bit RGB: deep greys scaled, transparency laid over black."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):
        deep = np.asarray(image)
        shift = 8 if deep.max(initial=0) <= 0xFFFF else 24
        return Image.fromarray((deep.clip(0) >> shift).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        linear = np.nan_to_num(np.asarray(image)).clip(0.0, 1.0)
        return Image.fromarray((255 * srgb(linear)).round().astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        straight = image.convert("RGBA")
        flat = Image.new("RGB", straight.size)
        flat.paste(straight, mask=straight.getchannel("A"))
        return flat
    return image.convert("RGB")


def srgb(linear: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Encode linear light, 0 to 1, with the sRGB curve (IEC 61966-2-1)."""
    low = linear <= 0.0031308
    return np.where(
        low, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4, where=~low, out=np.zeros_like(linear)) - 0.055
    )


__all__ = ["Still", "load_formats", "srgb", "still_formats"]
