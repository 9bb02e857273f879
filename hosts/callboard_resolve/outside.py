"""A running Resolve, reached from outside of it: Studio only, and only where its preferences allow it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from callboard.errors import HostError, MissingExtra

from callboard_resolve import props
from callboard_resolve.folders import layouts
from callboard_resolve.inside import record as recorder
from callboard_resolve.inside.outcome import Refused
from callboard_resolve.rehearsal.replay import replay

NAME: Final = "resolve"
ALLOW: Final = (
    "Start DaVinci Resolve Studio, and set Preferences > System > General > 'External scripting using' to Local. "
    "The free edition cannot be reached from outside: use its menu, or files."
)
PATIENCE: Final = 30.0
"""Seconds that Resolve gets to answer who it is; some of its calls never come back after a crash."""
RECORDING: Final = 600.0
"""Seconds that all calls of a recording get; there are some hundreds, and the slowest import takes seconds."""
REFUSED: Final = 3
"""The exit code of the process aside where it says why not."""


def places(env: Mapping[str, str] | None = None) -> tuple[Path, Path]:
    """Say where the scripting module and library are: as the environment names them, else where they usually are.

    Raises:
        HostError: they are not there.
    """
    env = os.environ if env is None else env
    usual = next((one for one in layouts(env=env) if one.library.exists()), layouts(env=env)[0])
    api = Path(env.get("RESOLVE_SCRIPT_API") or usual.api)
    library = Path(env.get("RESOLVE_SCRIPT_LIB") or usual.library)
    module = api / "Modules" / "DaVinciResolveScript.py"
    if not module.exists() and not library.exists():
        hint = "Install DaVinci Resolve Studio, or name its folders with RESOLVE_SCRIPT_API and RESOLVE_SCRIPT_LIB."
        raise HostError(NAME, f"its scripting library is not there: {library}", hint)
    return module, library


def reach(env: Mapping[str, str] | None = None) -> Any:
    """Give the ``resolve`` object of the running Resolve.

    Loading the library of another system or Python may end the process, and a wedged Resolve may never answer: ask
    ``who`` first.

    Raises:
        HostError: it is not there, not running, or does not let scripts in.
    """
    module, library = places(env)
    os.environ.setdefault("RESOLVE_SCRIPT_API", str(module.parents[1]))
    os.environ.setdefault("RESOLVE_SCRIPT_LIB", str(library))
    problem = ""
    for path in (module, library):
        if not path.exists():
            continue
        try:
            resolve = _loaded(path).scriptapp("Resolve")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - Blackmagic's module exits when its library does not load
            # its own module needs ``imp``, which Python 3.12 has no more; the library itself does without
            problem = f"{path.name}: {type(error).__name__}: {error}"
            continue
        if resolve:
            return resolve
        problem = "no running Resolve lets scripts in"
        break
    raise HostError(NAME, problem or "its scripting library cannot be loaded", ALLOW)


def _loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(
        "DaVinciResolveScript" if path.suffix == ".py" else "fusionscript", path
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    # Blackmagic's module puts its library in its own place
    return sys.modules[spec.name]


def who() -> dict[str, Any]:
    """Say which Resolve answers: its ``product`` and ``version``.

    Raises:
        HostError: none does.
    """
    return _aside([], PATIENCE)


def record(path: Path) -> dict[str, Any]:
    """Record every call of the contract in the running Resolve.

    Returns:
        Its ``product``, how many ``calls``, ``differences`` from what we thought, and our project if it is ``left``.

    Raises:
        HostError: none answers, its open project is not empty, or it stopped answering.
    """
    return _aside(["record", str(path)], RECORDING)


def _aside(arguments: list[str], patience: float) -> dict[str, Any]:
    """Do it in a process of its own, which may die or hang."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "callboard_resolve.outside", *arguments],
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HostError(NAME, f"it does not answer within {patience:.0f} s", "Quit it, and start it again.") from None
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        told: dict[str, Any] = json.loads(lines[-1])
        return told
    if done.returncode == REFUSED and lines:
        raise HostError(NAME, *json.loads(lines[-1]))
    raise HostError(NAME, f"its scripting library ended the process with {done.returncode}", ALLOW)


def main(arguments: list[str]) -> int:
    """Print as JSON which Resolve answers, or what came of recording it."""
    try:
        resolve = reach()
        told = _record(resolve, Path(arguments[1])) if arguments else _who(resolve)
    except HostError as error:
        print(json.dumps([error.problem, error.hint]))
        return REFUSED
    except (MissingExtra, Refused) as error:
        print(json.dumps([str(error), "Nothing was changed."]))
        return REFUSED
    print(json.dumps(told))
    return 0


def _who(resolve: Any) -> dict[str, Any]:
    return {"product": str(resolve.GetProductName() or ""), "version": str(resolve.GetVersionString() or "")}


def _record(resolve: Any, path: Path) -> dict[str, Any]:
    recorder.ready(resolve)
    with tempfile.TemporaryDirectory(prefix="callboard-resolve-") as folder:
        recording = recorder.record(resolve, props.make(Path(folder)), folder)
    recorder.save(recording, str(path))
    told = {**_who(resolve), "calls": len(recording["calls"]), "left": recording["left"]}
    return {**told, "differences": replay(json.loads(path.read_text("utf-8")))}


__all__ = ["ALLOW", "main", "places", "reach", "record", "who"]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
