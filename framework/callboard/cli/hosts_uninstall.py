"""``callboard hosts uninstall``: takes Callboard's part out of an application again, and nothing else."""

from __future__ import annotations

import click

from callboard.cli.hosts import chosen, named, place, where_option
from callboard.cli.hosts_install import agreed, show
from callboard.cli.options import json_flag
from callboard.cli.output import console, print_json


@click.command("uninstall")
@click.argument("name")
@where_option
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@json_flag
def command(name: str, where: str, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Take Callboard out of the application NAME.

    Out of every version that it is in, or with --where out of one. Nothing but Callboard's part is removed.
    """
    package = chosen(name)
    targets = [place(package, where).chosen] if where else [one for one in package.installations() if one.installed]
    planned = [(target, package.uninstall(target, dry_run=True)) for target in targets]
    if not as_json:
        for target, steps in planned:
            console().print(f"{package.title}: {named(target)}")
            show(steps)
    steps_there = any(steps for _, steps in planned)
    if not dry_run and steps_there:
        if not (yes or as_json or agreed()):
            return 1
        planned = [(target, package.uninstall(target, dry_run=False)) for target in targets]
    if as_json:
        told = [{"installation": target, "steps": steps} for target, steps in planned]
        print_json({"host": name, "removed": told, "done": not dry_run})
    elif not steps_there:
        console().print(f"Nothing of Callboard is in {package.title} here.")
    else:
        console().print("Nothing was removed: --dry-run." if dry_run else "Done.")
    return 0


__all__ = ["command"]
