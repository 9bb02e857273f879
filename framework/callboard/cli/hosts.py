"""``callboard hosts``: the applications people work in: which are here, and Callboard's part in them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from callboard.cli.options import Group, json_flag, unknown
from callboard.cli.output import cell, console, print_json, print_table, table
from callboard.config import find_project, require_project
from callboard.errors import HostError, UsageError
from callboard.hosting import HostPackage, Installation, KnownPlaces
from callboard.hosting.packages import Seen, hosts, look

_LATER = {name: f"callboard.cli.hosts_{name}" for name in ("bridge", "doctor", "install", "run", "uninstall")}


@click.group("hosts", cls=Group, later=_LATER, plain="list")
@json_flag
def command(as_json: bool) -> None:
    """Put Callboard into the applications that people work in, and take it away again."""


@command.command("list")
@json_flag
def list_(as_json: bool) -> int:
    """List the applications that are found here.

    Says for each where Callboard's part goes, what runs it, whether it is in and of which version, and what it can do.
    """
    seen = [look(found) for found in hosts()]
    if as_json:
        print_json({"hosts": [_document(one) for one in seen]})
        return 0
    shown = table("host", "found", "callboard", "folder", "run by", whole=("host",))
    for one in seen:
        for row in _rows(one):
            shown.add_row(cell(one.found.name), *row)
    print_table(shown)
    out = console()
    for one in seen:
        if one.problem is not None:
            out.print(f"[red]broken[/red]: {cell(one.problem.message)} [dim]{cell(one.problem.hint)}[/dim]")
        elif one.found.package is not None:
            out.print(f"[bold]{cell(one.found.name)}[/bold] can: {cell(', '.join(one.found.package.verbs))}")
    out.print("'callboard hosts install NAME --dry-run' says what would be written; without --dry-run it is.")
    return 0


def _rows(one: Seen) -> list[tuple[str, str, str, str]]:
    if one.problem is not None:
        return [("[red]broken[/red]", "", "", "")]
    if not one.installations:
        return [("[yellow]not found[/yellow]", "", "", "")]
    return [
        (
            cell(place.application),
            _inside(place),
            cell(place.folder),
            cell(place.interpreter),
        )
        for place in one.installations
    ]


def _inside(place: Installation) -> str:
    """Say which version of ours is in an application; one without a folder for it is served from outside."""
    if not place.folder:
        return "outside"
    return f"[green]{cell(place.installed)}[/green]" if place.installed else "no"


def _document(one: Seen) -> dict[str, Any]:
    package, problem = one.found.package, one.problem
    return {
        "name": one.found.name,
        "title": package.title if package else "",
        "verbs": package.verbs if package else (),
        "distribution": one.found.distribution,
        "distribution_version": one.found.distribution_version,
        "installations": one.installations,
        "error": {"code": problem.code, "message": problem.message, "hint": problem.hint} if problem else None,
    }


def chosen(name: str) -> HostPackage:
    """Give the host package of that name.

    Raises:
        click.UsageError: there is none.
        CallboardError: it cannot be used.
    """
    found = {one.name: one for one in hosts()}
    if name not in found:
        raise unknown("host", name, found, click.get_current_context(), f"There are: {', '.join(found)}.")
    return found[name].use()


class Place(NamedTuple):
    """Where Callboard's part goes, and where else it could."""

    chosen: Installation
    others: Sequence[Installation] = ()
    here: bool = True
    """Whether it was found, and not only said by the application's documents."""


def place(package: HostPackage, where: str, *, usual: bool = False) -> Place:
    """Choose an installation: by *where*, its version, program or folder, or any folder; without it the newest.

    One of which the program is here goes before one of which only folders are; with *usual*, where its documents say
    that it would be goes for an application that is not found.

    Raises:
        HostError: the application is not found, and no folder was named.
        UsageError: what was named is neither an installation nor a folder.
    """
    there = sorted(package.installations(), key=lambda one: not one.program)
    if not where:
        if there:
            return Place(there[0], there[1:])
        known = package.usual() if isinstance(package, KnownPlaces) else ()
        if known and usual:
            return Place(known[0], known[1:], here=False)
        raise _not_found(package, known)
    named = Path(where).expanduser().absolute()
    for one in there:
        if where in (one.version, one.application) or named in [Path(known) for known in (one.folder, one.program)]:
            return Place(one)
    if os.sep not in where and not named.is_dir():
        versions = ", ".join(one.version or one.application for one in there) or "none"
        raise UsageError(f"no {package.title} {where!r} is found on this machine", f"There are: {versions}.")
    return Place(Installation(application=package.title, version="", folder=str(named)))


def _not_found(package: HostPackage, known: Sequence[Installation]) -> HostError:
    hint = "If it is here all the same, name the folder where it looks for such parts with '--where FOLDER'"
    folders = " or ".join(one.folder for one in known)
    return HostError(
        package.name, f"{package.title} is not found on this machine", f"{hint}: {folders}" if folders else f"{hint}."
    )


def named(installation: Installation) -> str:
    """Say which installation is meant, safe for a terminal."""
    folder = f" in {installation.folder}" if installation.folder else ""
    runs = f", run by {installation.interpreter}" if installation.interpreter else ""
    return cell(f"{installation.application}{folder}{runs}")


def project_folder(given: Path | None) -> Path | None:
    """Give the folder of the project that was named, else of the one that this folder is in, if any.

    Raises:
        UsageError: the folder that was named is in no project.
    """
    if given is not None:
        return require_project(given).folder
    found = find_project(Path.cwd())
    return found.folder if found is not None else None


project_option = click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The Callboard project to connect with; else the one of this folder, if any.",
)
where_option = click.option(
    "--where", default="", metavar="FOLDER", help="Which installation: its version, program or folder; or any folder."
)

__all__ = ["chosen", "command", "named", "place", "project_folder", "project_option", "where_option"]
