"""Start a program that dies with its parent, even when the parent is killed with SIGKILL.

Run as a script: ``python -I -S leash.py PARENT_PID PROGRAM ARGUMENT...``. It asks the kernel for a signal at the
parent's death, then becomes the program: the wish survives ``exec`` (prctl(2), PR_SET_PDEATHSIG). Done here and not in
``preexec_fn``, which may deadlock in a process that has threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""


def main() -> None:
    """Tie this process to its parent, then become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the wish was heard
            sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - an argument list, no shell


if __name__ == "__main__":
    main()
