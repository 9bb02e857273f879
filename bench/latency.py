"""From a file's last write to the start of its plugin, less the quiet time: the real board, watcher and plugin process.

python bench/latency.py [FILES]
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from callboard.bus.memory import MemoryBus
from callboard.config import PluginSettings, Project, Settings, Watch
from callboard.daemon import Daemon
from callboard.testing import write_plugin

QUIET = 0.5
STAMP = """
import time
from callboard import hookimpl

@hookimpl
def callboard_handle(event, asset, context):
    started = time.time()
    with open(context.parameters["log"], "a") as log:
        log.write(f"{context.path.name} {started}\\n")
    return None
"""


async def measure(folder: Path, files: int) -> list[float]:
    """Give the seconds from last write to plugin start of each file."""
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=QUIET),),
        allow_plugins=("stamp",),
        plugins={"caption": off, "autotag": off},
    )
    footage = folder / "footage"
    footage.mkdir()
    project = Project(folder=folder, data=folder / "data", settings=settings)
    written: dict[str, float] = {}
    settled = asyncio.Queue[str]()
    async with MemoryBus() as bus:
        daemon = Daemon(project, bus, on_state=lambda key, _state: settled.put_nowait(key))
        serving = asyncio.create_task(daemon.serve())
        await daemon.ready.wait()
        for number in range(files + 1):  # the first starts the plugin's process, and is left out
            name = f"clip{number}.mp4"
            (footage / name).write_bytes(f"frame {number}".encode() * 1000)
            written[name] = time.time()
            await settled.get()
        daemon.stopping.set()
        await serving
    lines = [line.split() for line in (folder / "log").read_text().splitlines()]
    return [float(started) - written[name] for name, started in lines if name != "clip0.mp4"]


def main() -> None:
    """Measure and print."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        site = Path(name) / "site"
        site.mkdir()
        log = {"type": "string", "default": str(Path(name) / "log"), "help": "Where starts are written."}
        write_plugin(site, "stamp", STAMP, parameters={"log": log})
        sys.path.insert(0, str(site))
        os.environ["PYTHONPATH"] = str(site)
        found = asyncio.run(measure(Path(name), files))
    extra = sorted((seconds - QUIET) * 1000 for seconds in found)
    print(f"load average {os.getloadavg()[0]:.1f}; {len(extra)} files, quiet time {QUIET:g} s")
    print(
        f"last write to plugin start, less the quiet time: median {statistics.median(extra):.0f} ms, "
        f"worst {extra[-1]:.0f} ms; goal at most 100 ms"
    )
    print(f"ratio to the quiet time alone: {statistics.median(found) / QUIET:.2f}")


if __name__ == "__main__":
    main()
