"""What a file looks like from outside: its kind, by its extension."""

from __future__ import annotations

from callboard_schemas import MediaKind

_VIDEO = (
    "3g2 3gp asf avi braw dv f4v flv gxf ivf m2t m2ts m4v mj2 mjpeg mkv mov mp4 mpeg mpg mts mxf ogv r3d rm rmvb ts "
    "vob webm wmv y4m"
)
_AUDIO = "aac ac3 aif aifc aiff amr ape au caf dts eac3 flac m4a m4b mka mp2 mp3 oga ogg opus w64 wav wma wv"
_IMAGE = (
    "arw avif bmp cin cr2 cr3 dng dpx exr gif hdr heic heif j2k jp2 jpeg jpg jxl nef orf pbm pgm png pnm ppm psd raf "
    "rw2 sgi tga tif tiff webp"
)
_SUBTITLES = "ass dfxp imsc itt srt ssa stl ttml vtt"

KINDS: dict[bytes, MediaKind] = {
    **dict.fromkeys((b"." + name for name in _VIDEO.encode().split()), "video"),
    **dict.fromkeys((b"." + name for name in _AUDIO.encode().split()), "audio"),
    **dict.fromkeys((b"." + name for name in _IMAGE.encode().split()), "image"),
    **dict.fromkeys((b"." + name for name in _SUBTITLES.encode().split()), "subtitles"),
}
"""Lower-case extension, with its dot, to kind."""


def extension(name: bytes) -> bytes:
    """Give the last extension of a file name in lower case, with its dot; empty where there is none."""
    head, dot, last = name.rpartition(b".")
    return dot + last.lower() if head else b""


def kind_of(name: bytes) -> MediaKind | None:
    """Give the kind of a file name, or None where its extension is not one of media."""
    return KINDS.get(extension(name))
