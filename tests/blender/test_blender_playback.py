"""What only a Blender with its window can tell: that it plays."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from callboard.testing.displays import display

HERE = Path(__file__).parent


def test_playback_is_told(tmp_path: Path) -> None:
    """Pressing play tells that playback started, pressing it again that it ended, and nothing is told before."""
    out = tmp_path / "told.json"
    window = ["--window-geometry", "0", "0", "640", "480"]
    script = ["blender", "--factory-startup", *window, "-P", str(HERE / "gui_playback.py"), "--", str(out)]
    log = tmp_path / "log"
    with display(1280, 800) as screen, log.open("wb") as said:
        blender = subprocess.Popen(script, stdout=said, stderr=said, env={**os.environ, "DISPLAY": screen})
        try:
            assert blender.wait(200) == 0, log.read_text("utf-8", "replace")[-4000:]
        finally:
            blender.kill()
            blender.wait()
    told = json.loads(out.read_text("utf-8"))
    assert told["quiet"] == []
    assert told["busy"] is False
    assert told["told"] == ["host.playback.started", "host.playback.ended"]
