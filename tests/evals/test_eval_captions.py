"""``callboard eval captions``: nothing where nobody speaks, and material of one's own beside its right subtitles."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from callboard.cli import main

pytestmark = pytest.mark.models

SAMPLES = Path(__file__).parents[1] / "media"
RIGHT = """1
00:00:00,467 --> 00:00:03,403
I have worked on this film for three years.

2
00:00:04,004 --> 00:00:08,041
The hardest part was the storm, because we only had one camera.
"""


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Give the exit code and the one document of a command."""
    code = main(["eval", "captions", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_nothing_is_invented(capsys: pytest.CaptureFixture[str]) -> None:
    """Silence, noise, hum, tones and melodies give no cue, and one would be told as worse."""
    code, found = told(capsys, "nobody-speaks")
    (row,) = found["measures"]
    assert (code, row["measure"], row["value"]) == (0, "invented-error", 0.0)


def test_material_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A film is compared with the subtitles beside it: words, times and limits."""
    shutil.copy(SAMPLES / "interview.mov", tmp_path)
    (tmp_path / "interview.en.srt").write_text(RIGHT)
    code, found = told(capsys, "--set", str(tmp_path))
    measures = {one["measure"]: one["value"] for one in found["measures"]}
    assert code == 0
    assert measures["word-error"] <= 0.05
    assert measures["start-error"] <= 0.1
    assert measures["violations-error"] == 0.0
