"""What the commands of ``callboard timeline`` share: options, the project's folders, and how a result is told."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from callboard.cli.output import cell, console
from callboard.config import Project, find_project
from callboard.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from callboard_otio.losses import Loss
    from callboard_otio.reading import Opened
    from callboard_otio.writing import Written

F = TypeVar("F", bound=Callable[..., Any])

file_argument = click.argument("file", type=click.Path(path_type=Path))
rate_option = click.option("--rate", default="", help="Frames per second, such as 25 or 29.97df, where FILE is silent.")
root_option = click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Look for media there too; the project's watched folders are looked in anyway.",
)


def output_options(function: F) -> F:
    """Give a command ``-o``, ``--in-place``, ``--force`` and ``--flavour``."""
    for option in (
        click.option("--flavour", default="", help="'resolve': .otio as DaVinci Resolve's importer takes it."),
        click.option("--force", is_flag=True, help="Replace the output if it is there."),
        click.option("--in-place", is_flag=True, help="Write over FILE itself."),
        click.option(
            "-o", "--output", type=click.Path(path_type=Path), help="Write there; its ending says the format."
        ),
    ):
        function = option(function)
    return function


def read_in(file: Path, rate: str) -> Opened:
    """Read the timeline that a person named.

    Raises:
        MissingExtra: the library is not installed.
        TimelineError: it cannot be read.
    """
    if importlib.util.find_spec("opentimelineio") is None:
        raise MissingExtra("callboard timeline", "opentimelineio", "timeline")
    from callboard_otio.reading import opened

    return opened(file, rate)


def target(file: Path, output: Path | None, *, in_place: bool) -> Path:
    """Say where the result goes.

    Raises:
        UsageError: nowhere, two places, or over the input without ``--in-place``.
    """
    if in_place and output is not None:
        raise UsageError("--in-place writes over FILE, and -o names another", "Give one of them.")
    if in_place:
        return file
    if output is None:
        raise UsageError("where does it go?", "Give -o OUT, or --in-place to write over FILE.")
    if output.exists() and file.exists() and output.samefile(file):
        raise UsageError(f"{output} is the input itself", "Give --in-place to write over it.")
    return output


def save(
    found: Opened,
    out: Path,
    *,
    in_place: bool,
    force: bool,
    flavour: str = "",
    kind: str = "",
    media: Path | None = None,
) -> Written:
    """Write a timeline, with a bundle's media where it has one.

    Raises:
        UsageError: see ``write``.
        TimelineError: see ``write``.
    """
    import tempfile

    from callboard_otio.bundles import unpack
    from callboard_otio.formats import format_of
    from callboard_otio.writing import write

    wanted = kind or format_of(out)
    over = force or in_place
    packed = [name for name in found.bundle if name.startswith("media/")]
    if media is not None:
        if found.format != "otioz":
            raise UsageError(f"{found.path} is no bundle", "--media unpacks the media of an .otioz.")
        unpack(found.path, found.timeline, media)
    elif packed and wanted in ("otioz", "otiod"):
        with tempfile.TemporaryDirectory(prefix="callboard-") as folder:
            unpack(found.path, found.timeline, Path(folder))
            return write(found.timeline, out, found.rate, kind=wanted, flavour=flavour, base=found.base, force=over)
    elif packed:
        names = f"{len(packed)} media files" if len(packed) > 1 else "a media file"
        _err(f"[yellow]{names} stay in {cell(str(found.path))}; --media FOLDER unpacks them[/yellow]")
    return write(found.timeline, out, found.rate, kind=wanted, flavour=flavour, base=found.base, force=over)


def project() -> Project | None:
    """Give the project of the current folder, if there is one."""
    return find_project(Path.cwd())


def all_roots(given: Sequence[Path]) -> list[Path]:
    """Give the folders that media is looked for in: those that were named, then the project's."""
    from callboard_otio.accepted import roots

    here = project()
    return [*given, *(roots(here) if here else [])]


def tell_notes(notes: Sequence[str]) -> None:
    """Say on stderr what was odd."""
    for note in notes:
        _err(f"[dim]note: {cell(note)}[/dim]")


def tell_written(written: Written) -> None:
    """Say on stderr what was written, and exactly what the format lost."""
    tell_notes(written.notes)
    for loss in written.losses:
        _err(f"[yellow]{written.format} does not keep {cell(str(loss))}[/yellow]")
    kept = "; nothing is lost" if not written.losses and not written.notes else ""
    _err(f"Wrote {cell(str(written.path))}{kept}.")


def as_dict(written: Written) -> dict[str, Any]:
    """Give what was written for ``--json``."""
    return {
        "file": str(written.path),
        "format": written.format,
        "losses": [_loss(one) for one in written.losses],
        "notes": written.notes,
    }


def _loss(one: Loss) -> dict[str, Any]:
    return {"aspect": one.aspect, "before": one.before, "kept": one.kept, "examples": one.examples}


def _err(text: str) -> None:
    console(stderr=True).print(text)


__all__ = [
    "all_roots",
    "as_dict",
    "file_argument",
    "output_options",
    "project",
    "rate_option",
    "read_in",
    "root_option",
    "save",
    "target",
    "tell_notes",
    "tell_written",
]
