"""Draws the picture in the README: ``docs/demo.svg``, a recording of a real ``callboard demo`` on a terminal.

Run it from the root of the repository: ``.venv/bin/python docs/picture.py``.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS, ROWS = 104, 60
TARGET = Path(__file__).with_name("demo.svg")
_PART = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)")


def recorded(command: list[str]) -> str:
    """Run *command* on a terminal of its own and give all that it sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, close_fds=True)
    os.close(theirs)
    sent = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says EIO once the other side is closed
            break
        if not part:
            break
        sent += part
    os.close(ours)
    if process.wait():
        raise SystemExit(f"{command} failed:\n{sent.decode('utf-8', 'replace')}")
    return sent.decode("utf-8", "replace")


def screen(sent: str) -> list[str]:
    """Play the few control sequences that Rich sends, and give the lines that are left, with their colours."""
    lines, row = [""], 0
    for numbers, letter, back, feed, text in _PART.findall(sent):
        if letter == "m":
            lines[row] += f"\x1b[{numbers}m"
        elif letter == "K":
            lines[row] = ""
        elif letter == "A":
            row = max(row - int(numbers or 1), 0)
        elif feed:
            row += 1
            if row == len(lines):
                lines.append("")
        elif text:
            lines[row] += text
        elif back:
            continue
    return [line.rstrip() for line in lines]


def main() -> None:
    """Record and draw."""
    command = [sys.executable, "-m", "callboard", *(sys.argv[1:] or ["demo"])]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "green"), (" ".join(["callboard", *command[3:]]), "bold")))
    for line in screen(recorded(command)):
        console.print(Text.from_ansi(line), soft_wrap=True)
    console.save_svg(str(TARGET), title="callboard")


main()
