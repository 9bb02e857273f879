"""Media paths as timelines write them: URLs with and without a host, percent signs, other systems' drives."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

_DRIVE = re.compile(r"/?[A-Za-z]:[\\/]")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_NUMBER = re.compile(r"%(?=0\d{1,2}d)")
"""Of ``shot.%04d.exr``: where the number of a sequence's frame goes, and no character that was percent-encoded."""


def local_path(url: str) -> str:
    r"""Give the path that a media reference names; empty where it names no file, as http does.

    ``file:///a%20b.mov``, ``file://localhost/a b.mov``, ``/a b.mov`` and ``D:\a b.mov`` are all understood;
    what is relative stays so.
    """
    if not url or "\0" in url:
        return ""
    if _DRIVE.match(url):
        return url.lstrip("/").replace("\\", "/")
    scheme, mark, rest = url.partition(":")
    if not mark or len(scheme) == 1 or "/" in scheme:
        return _unquoted(url) if _PERCENT.search(url) and not Path(url).exists() else url
    if scheme.lower() != "file":
        return "" if rest.startswith("//") else url
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    found = _unquoted(parts.path)
    if parts.netloc and parts.netloc.lower() != "localhost":
        found = f"//{parts.netloc}{found}"
    return found.lstrip("/") if _DRIVE.match(found) else found


def _unquoted(path: str) -> str:
    return unquote(_NUMBER.sub("%25", path), errors="surrogateescape")


def file_url(path: Path) -> str:
    """Give an absolute path as the URL that every application reads."""
    return path.absolute().as_uri()


__all__ = ["file_url", "local_path"]
