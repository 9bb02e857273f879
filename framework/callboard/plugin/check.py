"""Imports one plugin in a process of its own and says what is wrong with it, as a JSON list on the last line."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import time
from pathlib import Path
from types import ModuleType

from callboard import hookspecs
from callboard.errors import CallboardError
from callboard.manifests import FILE_NAME, load_manifest
from callboard.plugin.answers import one_line
from callboard.plugin.calls import Plugins

SLOW = 5.0
"""Seconds of import above which an author is told: people wait for the first job."""


def problems_of(package: str) -> list[str]:
    """Import *package* and list its problems."""
    started = time.perf_counter()
    try:
        module = importlib.import_module(package)
    except BaseException as error:  # noqa: BLE001 - an import may raise anything, SystemExit among it
        return [f"importing {package!r} failed: {one_line(error)}"]
    took = time.perf_counter() - started
    problems = (
        [f"importing {package!r} took {took:.0f} s; import heavy libraries inside the hook"] if took > SLOW else []
    )
    problems += _unmarked(module)
    try:
        manifest = load_manifest(Path(str(module.__file__)).parent / FILE_NAME)
        Plugins().register(manifest, module)
    except CallboardError as error:
        problems.append(str(error))
    except Exception as error:  # noqa: BLE001 - pluggy's validation, or ours
        problems.append(one_line(error))
    return problems


def _unmarked(module: ModuleType) -> list[str]:
    names = [name for name, _ in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("callboard_")]
    return [
        f"{name} is not marked with @hookimpl, so it is never called"
        for name in names
        if hasattr(module, name) and not hasattr(getattr(module, name), f"{hookspecs.PROJECT}_impl")
    ]


def main() -> None:
    """Check the package named on the command line."""
    problems = problems_of(sys.argv[1])
    sys.stdout.write("\n" + json.dumps(problems) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
