"""What is in a media file: read in a process of its own, which a broken file may take down.

``python -m callboard_kdenlive.measure PATH`` prints it as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

from callboard.errors import MediaError, MissingExtra

from callboard_kdenlive.outcome import Measured

_SECONDS: Final = 20.0
_NO_LIBRARY: Final = 3
"""What the process ends with where PyAV is not installed."""


def measure(path: str) -> Measured:
    """Measure a file.

    Raises:
        MediaError: it cannot be read.
        MissingExtra: PyAV is not installed.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "callboard_kdenlive.measure", path],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MediaError(path, f"not read within {_SECONDS:.0f} s") from None
    if done.returncode == _NO_LIBRARY:
        raise MissingExtra("measuring moving media", "av", "media")
    if done.returncode != 0:
        raise MediaError(path, (done.stderr.strip().splitlines() or ["cannot be read"])[-1])
    return Measured(*json.loads(done.stdout))


def main(path: str) -> int:
    """Print what is in a file; give the process's exit status."""
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        return _NO_LIBRARY
    try:
        with av.open(f"file:{path}") as file:
            video, audio = file.streams.video, file.streams.audio
            seconds = float(file.duration or 0) / av.time_base
            if video and video[0].duration and video[0].time_base:
                seconds = float(video[0].duration * video[0].time_base)
            print(json.dumps([seconds, bool(video), bool(audio)]))
    except (FFmpegError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))

__all__ = ["main", "measure"]
