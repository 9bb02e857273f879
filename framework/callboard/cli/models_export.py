"""``callboard models export``: an open_clip or transformers checkpoint becomes ONNX packs, proven against torch."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from callboard.cli.models import known_packs
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json, print_table, table
from callboard.cli.project import here_or_default
from callboard.export import Wish, export
from callboard.packs.store import partial, store_folder


@click.command("export")
@click.argument("source")
@click.option("--name", required=True, help="Of the pack; a CLIP becomes NAME-image and NAME-text.")
@click.option("--int8", is_flag=True, help="Store the weights of products in 8 bits: smaller, faster, less exact.")
@click.option("--open-clip", "open_clip", metavar="MODEL", help="An open_clip checkpoint, of this architecture.")
@click.option("--transformers", "transformers", metavar="CLASS", help="A transformers checkpoint, of this class.")
@click.option("--licence", default="", metavar="SPDX", help="Its licence; that of the pack where SOURCE is one.")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder; else the store.")
@click.option("--force", is_flag=True, help="Keep what came out too different from the original.")
@json_flag
def command(
    source: str,
    name: str,
    int8: bool,
    open_clip: str | None,
    transformers: str | None,
    licence: str,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Turn SOURCE, a pack of torch weights or a folder with safetensors, into ONNX packs.

    What comes out runs without torch. It is compared with the original on fixed inputs, and not kept when too
    different. Needs: pip install 'callboard[export]'.
    """
    if open_clip is not None and transformers is not None:
        raise click.UsageError("A checkpoint is of open_clip or of transformers, not of both.")
    kind = "open_clip" if open_clip is not None else "transformers" if transformers is not None else ""
    wish = Wish(
        source=source,
        name=name,
        int8=int8,
        kind=kind,
        model=open_clip or transformers or "",
        licence=licence,
        force=force,
    )
    store = output.absolute() if output is not None else store_folder(here_or_default().settings.runtime.store)
    out = console(stderr=True)
    made = export(wish, known_packs(), store, lambda words: None if as_json else out.print(f"[dim]{cell(words)}[/dim]"))
    if output is not None:
        shutil.rmtree(partial(store), ignore_errors=True)  # of use to the store alone
    if as_json:
        print_json({"exported": made})
        return 0
    shown = table("model", "size", "least cosine", "largest difference", "folder")
    for one in made:
        parity = one.parity
        size = f"{one.bytes / 1e6:.1f} MB"
        shown.add_row(cell(one.name), size, f"{parity.cosine:.6f}", f"{parity.max_abs:.3g}", cell(one.folder))
    print_table(shown)
    if output is not None:
        console().print(f"[dim]A project finds them with: \\[runtime] models = {cell(repr(str(store)))}[/dim]")
    return 0


__all__ = ["command"]
