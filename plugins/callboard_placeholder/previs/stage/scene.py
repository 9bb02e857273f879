"""Begins inside Blender: ``blender -b --factory-startup --python-exit-code 3 --python scene.py -- plan.json``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    # As a package of its own: what is above it needs libraries that Blender's Python does not have.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    importlib.import_module("stage.building").main(sys.argv[sys.argv.index("--") + 1])
