"""A shot's contact sheet: every placeholder that is there, in one picture, put together of a row that each keeps.

A row lies beside its film: ``SH010_PLACEHOLDER_v003_slate_row.png``. It carries the head of the sheet above itself, as
it was when it was drawn; the newest row's is shown. Who makes a version or takes one away has the sheet composed anew.
"""

from __future__ import annotations

import hashlib
import io
import re
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from callboard.lock import turn

if TYPE_CHECKING:
    from PIL.Image import Image

SHEET: Final = "_PLACEHOLDER_sheet.png"
"""What follows the shot's name."""
_ROW: Final = "_row.png"
_FILM, _HEAD = "callboard film", "callboard head"
"""Texts in a row's PNG: its film's path from the shot's folder, and the height of the head in pixels."""
_VERSION: Final = re.compile(r"_PLACEHOLDER_v(\d+)_", re.IGNORECASE)
_GAP: Final = 12
_SIDE: Final = 40
"""Pixels between rows, and beside and below them."""
_BACK: Final = (30, 30, 30)


def row_of(film: Path) -> Path:
    """Give where the row of a film, or of a sequence's picture in a folder of its own, lies."""
    return home_of(film) / f"{_stem(film)}{_ROW}"


def home_of(film: Path) -> Path:
    """Give the folder of a film's shot."""
    return film.parent.parent if film.parent.name == _stem(film) else film.parent


def _stem(film: Path) -> str:
    return film.name.split(".", 1)[0]


def keep(film: Path, head: Image, row: Image) -> None:
    """Keep the row of a version; one that is there is replaced.

    Args:
        film: What stands in, in its place.
        head: What the sheet says above all rows.
        row: What it says of this version, as wide as *head*.

    Raises:
        OSError: it cannot be written.
    """
    from PIL.Image import new
    from PIL.PngImagePlugin import PngInfo

    both = new("RGB", (head.width, head.height + row.height), _BACK)
    both.paste(head, (0, 0))
    both.paste(row, (0, head.height))
    about = PngInfo()
    about.add_itxt(_FILM, film.relative_to(home_of(film)).as_posix())
    about.add_itxt(_HEAD, str(head.height))
    with _written(row_of(film)) as part:
        both.save(part, "PNG", pnginfo=about)


def compose(sheet: Path) -> str:
    """Put the rows in a sheet's folder together, the oldest version first; the same rows give the same bytes.

    A row whose film is gone is taken away, and so is the sheet where no row is left. Processes may do this at once:
    the last of them leaves the sheet of all.

    Args:
        sheet: Where it goes; what is there is replaced, as a whole.

    Returns:
        The digest of its bytes, ``sha256:…``; empty where there is no sheet.

    Raises:
        OSError: it cannot be written.
    """
    with _alone(sheet.parent):
        pairs = list(_rows(sheet.parent))
        if not pairs:
            sheet.unlink(missing_ok=True)
            return ""
        shown = [pairs[-1][0], *(row for _, row in pairs)]
        from PIL.Image import new

        height = sum(one.height + _GAP for one in shown) + _GAP + _SIDE
        whole = new("RGB", (max(one.width for one in shown) + 2 * _SIDE, height), _BACK)
        top = _GAP
        for one in shown:
            whole.paste(one, (_SIDE, top))
            top += one.height + _GAP
        drawn = io.BytesIO()
        whole.save(drawn, "PNG")
        with _written(sheet) as part:
            part.write_bytes(drawn.getvalue())
        return f"sha256:{hashlib.sha256(drawn.getvalue()).hexdigest()}"


def _rows(folder: Path) -> Iterator[tuple[Image, Image]]:
    """Give head and row of each version, the oldest first."""
    from PIL import Image

    for path in sorted(folder.glob(f"*{_ROW}"), key=_place):
        try:
            with Image.open(path, formats=("PNG",)) as opened:
                whole = opened.convert("RGB")
                film, cut = str(opened.info[_FILM]), int(opened.info[_HEAD])
        except (OSError, SyntaxError, KeyError, ValueError):
            continue  # nobody's row, or half of one
        if not (folder / film).is_file():
            path.unlink(missing_ok=True)
            continue
        yield whole.crop((0, 0, whole.width, cut)), whole.crop((0, cut, whole.width, whole.height))


def _place(path: Path) -> tuple[int, str]:
    found = _VERSION.search(path.name)
    return (int(found[1]) if found else 0, path.name)


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with ExitStack() as held:
        with suppress(OSError):  # a share without locks
            held.enter_context(turn(folder.parent / ".sheets.lock"))
        yield


__all__ = ["SHEET", "compose", "home_of", "keep", "row_of"]
