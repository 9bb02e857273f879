"""``callboard models add-hub``: pins a repository of a model hub as a pack, after showing what it is."""

from __future__ import annotations

import sys

import click

from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json, print_table, table
from callboard.cli.project import here_or_default
from callboard.errors import UsageError
from callboard.packs.packtext import write_pack
from callboard.packs.recipe import RECOMMENDED, Offer, checkpoint_pack, look, name_of
from callboard.packs.store import store_folder


@click.command("add-hub")
@click.argument("repository", required=False)
@click.option("--revision", default="", help="Commit, branch or tag; else the newest commit. The commit is pinned.")
@click.option("--name", default="", help="Of the pack; else made of the repository's name.")
@click.option(
    "--languages", multiple=True, help="Of a translation model that does not say: 'en>es', once for each direction."
)
@click.option("--recommended", is_flag=True, help="List public checkpoints that are known to be of use.")
@click.option("--yes", is_flag=True, help="Do not ask: I have seen its files and its licence.")
@json_flag
def command(
    repository: str | None,
    revision: str,
    name: str,
    languages: tuple[str, ...],
    recommended: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Describe the checkpoint REPOSITORY of a model hub as a pack: every file by size and SHA-256, at one commit.

    Then 'callboard models pull' fetches it; 'callboard models export' makes packs of a CLIP that run without torch.
    """
    if recommended:
        return _recommend(as_json=as_json)
    if not repository:
        raise click.UsageError("Which repository? Give owner/name, or --recommended.")
    offer = look(repository, revision, languages)
    pack = checkpoint_pack(offer, name or name_of(repository))
    if not as_json:
        _show(offer)
    _agree(offer, pack.name, yes=yes, ask=not as_json)
    path = store_folder(here_or_default().settings.runtime.store) / f"{pack.name}.toml"
    write_pack(pack, path)
    if as_json:
        print_json({"added": pack.name, "origin": str(path), "offer": offer})
        return 0
    console().print(f"{cell(pack.name)} is described in {cell(str(path))}. Next:")
    console().print(f"  callboard models pull {cell(pack.name)}")
    if not offer.runs:
        console().print(f"  callboard models export {cell(pack.name)} --name clip")
    return 0


def _recommend(*, as_json: bool) -> int:
    if as_json:
        print_json({"recommended": RECOMMENDED})
        return 0
    shown = table("repository", "for", "size", "licence", "note", whole=("repository",))
    for one in RECOMMENDED:
        shown.add_row(cell(one.repository), one.task, one.size, cell(one.license), cell(one.note))
    print_table(shown)
    console().print("[dim]Pages change: 'callboard models add-hub REPOSITORY' shows what is there now.[/dim]")
    return 0


def _show(offer: Offer) -> None:
    out = console(stderr=True)
    total = sum(file.size for file in offer.files)
    out.print(
        f"{cell(offer.repository)} at {offer.revision}: a checkpoint of {offer.kind}, {total / 1e6:.1f} MB, "
        f"licence {cell(offer.license)}"
    )
    if "-NC" in offer.license.upper():
        out.print("[bold]Its licence forbids commercial work.[/bold]")
    if offer.translator is not None:
        shown = ", ".join(offer.translator.languages[:8]) + (" …" if len(offer.translator.languages) > 8 else "")
        out.print(f"It translates ({offer.translator.family}): {cell(shown)}")
    for file in offer.files:
        out.print(f"  {cell(file.path)}  {file.size:,} bytes  {file.sha256}")


def _agree(offer: Offer, name: str, *, yes: bool, ask: bool) -> None:
    """Have the user say yes.

    Raises:
        UsageError: they did not, or nobody is there to be asked.
    """
    if yes:
        return
    if not ask or not sys.stdin.isatty():
        raise UsageError(
            f"{offer.repository} is not added: nobody said yes",
            f"callboard models add-hub {offer.repository} --revision {offer.revision} --yes",
        )
    if not click.confirm(f"Add it as {name!r}, pinned to these bytes?", default=False, err=True):
        raise UsageError(f"{offer.repository} is not added", "Nothing was written.")


__all__ = ["command"]
