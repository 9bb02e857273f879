"""``callboard models info``: everything that is known of one pack."""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec

from callboard.cli.models import chosen, known_packs
from callboard.cli.models_pull import place_of
from callboard.cli.models_remove import users_of
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.packs import Pack, PackStatus, Tensor, download_size, status
from callboard.packs.terms import permissive


@click.command("info")
@click.argument("name")
@json_flag
def command(name: str, as_json: bool) -> int:
    """Say everything about the pack NAME: files, source, licence, inputs and outputs, how it runs, where it is."""
    pack = chosen((name,), known_packs())[0]
    one, users = status(pack), users_of(pack.name)
    if as_json:
        print_json({"model": msgspec.to_builtins(pack), "digest": pack.digest, "status": one, "used_by": users})
        return 0
    out = console()
    for what, value in _rows(pack, one, users):
        out.print(f"[bold]{what:<11}[/bold] {cell(value)}")
    return 0


def _rows(pack: Pack, one: PackStatus, users: list[str]) -> Iterator[tuple[str, str]]:
    """Give what there is to say, line by line."""
    yield "model", f"{pack.name} {pack.version}"
    yield "state", one.state + (f": {one.problem}" if one.problem else "")
    if one.hint:
        yield "", one.hint
    if pack.problem:
        return
    yield "summary", pack.summary
    yield "task", f"{pack.task}, by {pack.engine}"
    terms = "permits every use" if permissive(pack.license) else "read it before you use this"
    yield "licence", f"{pack.license} ({terms})"
    yield "source", place_of(pack)
    if download_size(pack):
        yield "download", f"{download_size(pack) / 1e6:.1f} MB"
    yield "where", one.folder or "not here"
    yield "described", pack.origin
    yield "digest", pack.digest
    for file in pack.files:
        yield "file", f"{file.path}, {file.size} bytes, SHA-256 {file.sha256}"
    yield from (("input", _tensor(tensor)) for tensor in pack.inputs)
    yield from (("output", _tensor(tensor)) for tensor in pack.outputs)
    yield from _running(pack)
    yield "used by", ", ".join(users) or "no plugin that is installed"


def _running(pack: Pack) -> Iterator[tuple[str, str]]:
    yield "memory", f"{pack.memory_mb} MiB loaded"
    if pack.batch is None:
        yield "batch", "calls are run one at a time"
    else:
        padded = f", {', '.join(pack.batch.pad)} padded to one length" if pack.batch.pad else ""
        yield "batch", f"up to {pack.batch.most} rows{padded}"
    if pack.parallel:
        yield "parallel", str(pack.parallel)
    for what, values in (("preprocess", pack.preprocess), ("options", pack.options)):
        yield from ((what, f"{key} = {_value(value)}") for key, value in values.items())
    if pack.parity is not None:
        near = f"largest difference {pack.parity.max_abs:.3g}, least cosine {pack.parity.cosine:.6f}"
        yield "parity", f"{near}, over {pack.parity.rows} rows, against {pack.parity.reference}"


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _tensor(tensor: Tensor) -> str:
    shape = " x ".join("any" if side < 0 else str(side) for side in tensor.shape)
    return f"{tensor.name}: {tensor.dtype} {shape or 'scalar'}" + (f", {tensor.range}" if tensor.range else "")


__all__ = ["command"]
