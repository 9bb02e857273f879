"""``callboard runtime`` beside a real board whose plugin had a real model loaded."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from callboard.testing import TmpPlugin
from callboard.testing.tinyclip import SIDE, make_tiny_clip

pytestmark = pytest.mark.broker

LOOK = f"""
    import numpy as np
    from callboard import hookimpl, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        seen = context.runtime.call("tiny-image", {{"image": np.zeros((2, 3, {SIDE}, {SIDE}), np.float32)}})
        return Tags(items=(Tag(label=str(len(seen["embedding"])), score=0.9, method="look"),), confidence=0.9)
"""
SETTINGS = """
allow_plugins = ["look"]
workers = 1
[[watch]]
path = "footage"
quiet = 0.2
[runtime]
models = "packs"
threads = 1
[plugins.caption]
enabled = false
[plugins.autotag]
enabled = false
"""


def callboard(*arguments: str, cwd: Path) -> str:
    """Run the real command line and give its stdout."""
    command = [sys.executable, "-m", "callboard", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_tells_of_a_loaded_model(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """Before any job there is no model; after one, the table and the JSON say where it is and how much it did."""
    tmp_plugin("look", LOOK, models=["tiny-image"], events=["media.settled"])
    project = tmp_path / "project"
    (project / "footage").mkdir(parents=True)
    (project / "packs").mkdir()
    make_tiny_clip(project / "packs")
    (project / "callboard.toml").write_text(SETTINGS)
    board = subprocess.Popen(
        [sys.executable, "-m", "callboard", "up"],
        cwd=project,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert board.stdout is not None
    try:
        assert any("Ready in" in line for line in board.stdout)
        assert "No model was asked for yet." in callboard("runtime", cwd=project)
        (project / "footage" / "one.mp4").write_text("x")
        assert "accepted 1 tag: 2" in next(line for line in board.stdout if "one.mp4" in line)
        process, head, row = callboard("runtime", "status", cwd=project).splitlines()
        told: dict[str, Any] = json.loads(callboard("runtime", "--json", cwd=project))
    finally:
        board.send_signal(signal.SIGINT)
        board.communicate(timeout=60)
    (model,) = told["models"]
    assert (model["name"], model["calls"], model["rows"], model["batches"]) == ("tiny-image", 1, 2, 1)
    assert re.fullmatch(rf"runtime process {told['pid']}, \d+ MiB", process)
    assert head.split() == ["model", "on", "memory", "calls", "batch", "waiting", "state"]
    assert row.split() == ["tiny-image", model["device"], str(model["memory_mb"]), "MiB", "1", "2.0", "ready"]
