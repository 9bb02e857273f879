"""What only a Blender with its window can tell: that it plays."""

from __future__ import annotations

import contextlib
import json
import os
import signal
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
    log = tmp_path / "log"
    with log.open("wb") as said:
        blender = subprocess.Popen([*screen, *script], stdout=said, stderr=said, start_new_session=True)
        try:
            assert blender.wait(200) == 0, log.read_text("utf-8", "replace")[-4000:]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(blender.pid, signal.SIGKILL)  # the display as well
            blender.wait()
    told = json.loads(out.read_text("utf-8"))
    assert told["quiet"] == []
    assert told["busy"] is False
    assert told["told"] == ["host.playback.started", "host.playback.ended"]
