"""Runs inside Blender's Python: does each check on a fresh file and writes what it saw, for the tests to judge.

Usage: python bpy_probe.py -- MEDIA OUT MODULE..., or blender -b -P bpy_probe.py -- MEDIA OUT MODULE...
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "hosts")]


def main() -> None:
    """Run the checks of the modules that are named."""
    started = time.perf_counter()
    from callboard_blender.addon.inside import bpy

    media, out, *modules = sys.argv[sys.argv.index("--") + 1 :]
    report: dict[str, Any] = {"version": list(bpy.app.version), "import": time.perf_counter() - started}
    for module in modules:
        for name, check in vars(importlib.import_module(module)).items():
            if name.startswith("check_"):
                bpy.ops.wm.read_factory_settings(use_empty=True)
                report[name.removeprefix("check_")] = _tried(check, Path(media), Path(out))
    Path(out, "report.json").write_text(json.dumps(report, default=str), "utf-8")


def _tried(check: Any, media: Path, out: Path) -> Any:
    started = time.perf_counter()
    try:
        return {**check(media, out), "seconds": time.perf_counter() - started}
    except Exception:  # noqa: BLE001 - whatever went wrong is told as what was seen
        return {"error": traceback.format_exc()}


main()
