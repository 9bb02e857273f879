"""From inside an application to the board and back: a question on the bridge, beside the same one asked with nats-py.

    python bench/hosts.py [--asks 2000] [--rounds 3] [--inside PROGRAM ...]

Starts ``callboard up`` in a project of its own. Each PROGRAM is asked in turn with the others: a ``blender``, which is
run in the background without a window, or an interpreter, such as one of those that ``tests/bpy.sh`` prints.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nats

ASK = """
import json, os, sys, time
sys.path[:0] = [{hosts!r}]
began = time.perf_counter()
from callboard_bridge import Bridge
taken = [(time.perf_counter() - began) * 1e3]
bridge = Bridge.for_project({project!r}, "Bench", "1")
until = time.monotonic() + 30
while bridge.state != "online" and time.monotonic() < until:
    bridge.poll()
answers = []
for _ in range({asks} if bridge.state == "online" else 0):
    began = time.perf_counter()
    bridge.ask("ping", {{}}, lambda value, problem: answers.append(problem))
    while not answers:
        bridge.poll()
    taken.append((time.perf_counter() - began) * 1e3)
    assert answers.pop() == ""
bridge.close()
print("TOOK " + json.dumps([bridge.problem, *taken]), flush=True)
os._exit(0)  # some of Blender's modules do not end by themselves
"""
HOSTS = Path(__file__).parents[1] / "hosts"


def inside(program: str, project: Path, asks: int) -> tuple[float, list[float]]:
    """Ask from inside a program; give the milliseconds of the import, and of each question."""
    code = ASK.format(hosts=str(HOSTS), project=str(project), asks=asks)
    known = "blender" in Path(program).name
    command = [program, "-b", "--factory-startup", "--python-expr", code] if known else [program, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    line = next((line for line in done.stdout.splitlines() if line.startswith("TOOK ")), "")
    problem, loaded, *taken = json.loads(line.removeprefix("TOOK ")) if line else (done.stderr[-500:], 0.0)
    if not taken:
        raise SystemExit(f"{program}: {problem}")
    return loaded, taken


async def peer(project: Path, asks: int) -> list[float]:
    """Ask with nats-py; give the milliseconds of each question."""
    told = json.loads((project / ".callboard" / "nats" / "board.json").read_text())
    key = str(project / ".callboard" / "keys" / "host.nk")
    bus = await nats.connect(told["url"], nkeys_seed=key, inbox_prefix=b"_INBOX.host")
    taken = []
    for _ in range(asks):
        began = time.perf_counter()
        await bus.request("cb.ctl.host.ping", b"{}", timeout=5)
        taken.append((time.perf_counter() - began) * 1e3)
    await bus.close()
    return taken


def show(name: str, runs: list[list[float]], others: list[list[float]]) -> None:
    """Print the median and the 95th percentile of a side, and how many times as long nats-py takes."""
    half, most = ([sorted(run)[int(len(run) * at)] for run in runs] for at in (0.5, 0.95))
    ratios = [sorted(b)[len(b) // 2] / a for a, b in zip(half, others, strict=True)]
    print(
        f"{name:<44} p50 {statistics.median(half):6.2f} ms   p95 {statistics.median(most):6.2f} ms   "
        f"nats-py takes {statistics.median(ratios):.2f} x"
    )


def main() -> None:
    """Measure every program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--asks", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--inside", nargs="*", default=[], metavar="PROGRAM")
    given = parser.parse_args()
    programs = [sys.executable, *given.inside]
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        callboard = [sys.executable, "-m", "callboard"]
        subprocess.run([*callboard, "init"], cwd=project, check=True, stdout=subprocess.DEVNULL)
        board = subprocess.Popen([*callboard, "up"], cwd=project, stdout=subprocess.PIPE, text=True)
        try:
            assert board.stdout is not None
            if not any("Ready" in line for line in board.stdout):
                raise SystemExit("the board did not come up")
            taken: dict[str, list[list[float]]] = {one: [] for one in (*programs, "nats-py")}
            loaded: dict[str, list[float]] = {one: [] for one in programs}
            for _ in range(given.rounds):
                for program in programs:
                    ms, run = inside(program, project, given.asks)
                    taken[program].append(run)
                    loaded[program].append(ms)
                taken["nats-py"].append(asyncio.run(peer(project, given.asks)))
            print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            for name, runs in taken.items():
                show(name[-44:], runs, taken["nats-py"])
            for program, all_ms in loaded.items():
                print(f"{program[-44:]:<44} import {min(all_ms):.1f} ms at least")
        finally:
            board.send_signal(signal.SIGINT)
            board.communicate(timeout=30)


if __name__ == "__main__":
    main()
