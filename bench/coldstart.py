"""How long a shell waits for ``callboard --help``, beside a bare interpreter, in one go.

python bench/coldstart.py [ROUNDS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
COMMANDS = {
    "bare python -c 0": [sys.executable, "-c", "0"],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "python -c 'import click, rich.console'": [sys.executable, "-c", "import click, rich.console"],
    "callboard --version": [str(BIN / "callboard"), "--version"],
    "callboard --help": [str(BIN / "callboard"), "--help"],
    "callboard run --help": [str(BIN / "callboard"), "run", "--help"],
    "callboard plugins": [str(BIN / "callboard"), "plugins"],
}


def wall(command: list[str]) -> float:
    """Give the milliseconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Run each command in turn, several rounds, and print medians and ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    for command in COMMANDS.values():
        wall(command)
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name].append(wall(command))
    bare = statistics.median(times["bare python -c 0"])
    print(f"load average {os.getloadavg()[0]:.1f}; {rounds} rounds, medians")
    for name, found in times.items():
        print(f"{statistics.median(found):7.0f} ms  {statistics.median(found) / bare:5.1f} x bare  {name}")
    print("goal: callboard --help at most 8 x bare")


if __name__ == "__main__":
    main()
