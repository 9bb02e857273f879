"""What the framework itself costs per event: 20 plugins installed, one of them wants it and does nothing.

Events go in as bytes, are validated, journalled (synchronous=FULL), routed, run in a real plugin process, committed
with their outbox row, and published on the in-process bus. Beside it, in the same run: the same plugin called
directly in a loop, which is the part that is not the framework's.

    python bench/overhead.py [EVENTS]
"""

from __future__ import annotations

import asyncio
import importlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from callboard import codec
from callboard.board import Board
from callboard.bus.memory import MemoryBus
from callboard.catalog import jobs
from callboard.config import Project, Settings
from callboard.testing import write_plugin
from callboard_schemas import HostEvent

ROUNDS = 3
NOTHING = """
from callboard import hookimpl

@hookimpl
def callboard_handle(event):
    return None
"""


async def once(folder: Path, count: int) -> tuple[float, float]:
    """Give wall and supervisor CPU microseconds per event of one round."""
    names = tuple(f"nothing{number}" for number in range(20))
    project = Project(folder=folder, data=folder / "data", settings=Settings(allow_plugins=names, workers=4))
    done = asyncio.Event()
    left = count

    def settled(_key: str, _state: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            done.set()

    async with MemoryBus() as bus, Board(project, bus, command="bench", on_state=settled) as board:
        board.start()
        bodies = [
            codec.encode(codec.make("host.scene.saved", HostEvent(host="blender", project="film"), source="bench"))
            for _ in range(count + 1)
        ]
        left += 1
        await board.intake.take_bytes(bodies[0])  # starts the plugin's process, which is not what is measured
        while left > count:
            await asyncio.sleep(0.01)
        began, cpu = time.perf_counter(), time.process_time()
        for start in range(1, count + 1, 64):
            await asyncio.gather(*(board.intake.take_bytes(body) for body in bodies[start : start + 64]))
        await done.wait()
        await board.postman.drained()
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        assert board.catalog.read(jobs.counts) == {"done": count + 1}
    return wall / count * 1e6, cpu / count * 1e6


def direct(count: int) -> float:
    """Give microseconds per call of the plugin without a framework."""
    module = importlib.import_module("nothing0")
    began = time.perf_counter()
    for _ in range(count):
        module.callboard_handle(None)
    return (time.perf_counter() - began) / count * 1e6


def main() -> None:
    """Run both sides and print the ratio."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as name:
        site = Path(name) / "site"
        site.mkdir()
        for number in range(20):
            wanted = "host.scene.saved" if number == 0 else "host.render.ended"
            write_plugin(site, f"nothing{number}", NOTHING, events=[wanted])
        sys.path.insert(0, str(site))
        os.environ["PYTHONPATH"] = str(site)
        rounds = []
        for number in range(ROUNDS):
            folder = Path(name) / str(number)
            folder.mkdir()
            rounds.append((*asyncio.run(once(folder, count)), direct(count)))
        walls, cpus, calls = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"load average {os.getloadavg()[0]:.1f}; {count} events, {ROUNDS} rounds, medians")
    print(
        f"framework   {walls:8.0f} us wall per event ({1e6 / walls:.0f} events/s), {cpus:.0f} us CPU in the supervisor"
    )
    print(f"direct call {calls:8.2f} us; the framework's CPU is {cpus / calls:.0f} x that, goal at most 100 us")


if __name__ == "__main__":
    main()
