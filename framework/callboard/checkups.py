"""What plugins find on this machine, such as the engines that they could use; each is asked in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

import msgspec
from callboard_schemas import Captions, Manifest
from msgspec import Struct

from callboard import own_files
from callboard.catalog import proposals, view
from callboard.config import Project
from callboard.discovery import CHECK_SECONDS, discover
from callboard.errors import UsageError
from callboard.manifests import resolve_parameters
from callboard.packs.store import PACKS_VARIABLE, VARIABLE, store_folder
from callboard.process_group import clean_environment, signal_name

Level = Literal["ok", "note", "problem"]


class Finding(Struct, frozen=True):
    """What was looked at, how it is, and what to do about it."""

    what: str
    level: Level
    found: str
    mend: str = ""


def checkups(project: Project) -> Iterator[Finding]:
    """Have every plugin whose manifest names a ``report`` say what it finds.

    The module is run with one JSON object on stdin: ``parameters``, as they are set, and ``languages``, those of the
    project's accepted captions. The last line that it prints is a JSON list of findings.
    """
    for one in discover(project.settings.allow_plugins):
        if one.usable and not one.missing and one.manifest is not None and one.manifest.report:
            try:
                asked = _asked(project, one.manifest)
            except UsageError:
                continue  # which the look at the settings says
            yield from _answered(project, f"{one.package}.{one.manifest.report}", one.id, asked)


def _asked(project: Project, manifest: Manifest) -> bytes:
    given = project.settings.plugins.get(manifest.id)
    parameters = resolve_parameters(manifest, given.parameters if given is not None else {})
    whole = own_files.told(manifest, parameters, project.folder)
    return msgspec.json.encode({"parameters": whole, "languages": _languages(project)})


def _languages(project: Project) -> list[str]:
    with view(project.data) as catalog:
        if not catalog.path.exists():
            return []
        found = catalog.read(lambda conn: [one.body for one in proposals.accepted_captions(conn)])
    return sorted({body.language for body in found if isinstance(body, Captions)} - {"", "und"})


def _answered(project: Project, module: str, plugin: str, asked: bytes) -> Iterator[Finding]:
    runtime = project.settings.runtime
    places = {
        VARIABLE: str(store_folder(runtime.store)),
        **({PACKS_VARIABLE: runtime.models} if runtime.models else {}),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module],
            input=asked,
            capture_output=True,
            timeout=CHECK_SECONDS,
            check=False,
            env={**clean_environment("check"), **places},
        )
    except subprocess.TimeoutExpired:
        yield Finding(f"plugin {plugin}", "problem", f"{module} said nothing in {CHECK_SECONDS:g} s")
        return
    lines = done.stdout.splitlines()
    try:
        found = msgspec.json.decode(lines[-1] if lines else b"", type=list[Finding])
    except msgspec.DecodeError:
        why = f"{module} gave no findings: {signal_name(done.returncode)}"
        found = [Finding(f"plugin {plugin}", "problem", why, f"callboard plugins check {plugin}")]
    yield from found


__all__ = ["Finding", "Level", "checkups"]
