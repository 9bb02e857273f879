"""What only a Blender with its window can tell: that it plays."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def test_playback_is_told(tmp_path: Path) -> None:
    """Pressing play tells that playback started, pressing it again that it ended, and nothing is told before."""
    out = tmp_path / "told.json"
    script = [
        "blender",
        "--factory-startup",
        "--window-geometry",
        "0",
        "0",
        "640",
        "480",
        "-P",
        str(HERE / "gui_playback.py"),
        "--",
        str(out),
    ]
    screen = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24 +extension GLX"]
    done = subprocess.run([*screen, *script], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told = json.loads(out.read_text("utf-8"))
    assert told["quiet"] == []
    assert told["busy"] is False
    assert told["told"] == ["host.playback.started", "host.playback.ended"]
