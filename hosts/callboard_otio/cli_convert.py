"""``callboard timeline convert``: the same timeline in another format, and exactly what that loses."""

from __future__ import annotations

from pathlib import Path

import click
from callboard.cli.options import json_flag
from callboard.cli.output import print_json
from callboard.errors import UsageError

from callboard_otio.cli_shared import (
    as_dict,
    file_argument,
    output_options,
    rate_option,
    read_in,
    save,
    target,
    tell_notes,
    tell_written,
)


@click.command("convert")
@file_argument
@click.argument("out", required=False, type=click.Path(path_type=Path))
@click.option("--to", "kind", default="", help="The format, where OUT's ending does not say it: fcp7, fcpxml, edl…")
@click.option("--media", type=click.Path(file_okay=False, path_type=Path), help="Unpack an .otioz's media there.")
@output_options
@rate_option
@json_flag
def command(
    file: Path,
    out: Path | None,
    kind: str,
    media: Path | None,
    output: Path | None,
    in_place: bool,
    force: bool,
    flavour: str,
    rate: str,
    as_json: bool,
) -> int:
    """Write FILE as OUT, whose ending says the format: .otio .otioz .otiod .edl .xml .fcpxml .aaf.

    What was written is read back and compared; each thing that the format does not keep is said on stderr.
    """
    if out is not None and output is not None:
        raise UsageError(f"into {out} or into {output}?", "Name one output.")
    found = read_in(file, rate)
    written = save(
        found,
        target(file, out or output, in_place=in_place),
        in_place=in_place,
        force=force,
        flavour=flavour,
        kind=kind,
        media=media,
    )
    if as_json:
        print_json({**as_dict(written), "from": found.format, "rate": str(found.rate), "read": found.notes})
        return 0
    tell_notes(found.notes)
    tell_written(written)
    return 0


__all__ = ["command"]
