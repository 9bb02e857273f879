"""Children that may be hostile: started in a process group and a clean environment, and ended with all they started."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

MARK = "CALLBOARD_PROCESS"
"""Environment variable that marks a child and everything it starts, also what left its process group."""

_KEPT = frozenset(
    (  # noqa: SIM905 - forty names read better as words
        "PATH HOME USER LOGNAME LANG LANGUAGE TZ TMPDIR TEMP TMP SHELL TERM SYSTEMROOT "
        "USERPROFILE APPDATA LOCALAPPDATA PYTHONPATH PYTHONHOME PYTHONUTF8 PYTHONHASHSEED VIRTUAL_ENV "
        "PYTHONDONTWRITEBYTECODE LD_LIBRARY_PATH DYLD_LIBRARY_PATH LD_PRELOAD FONTCONFIG_PATH FONTCONFIG_FILE "
        "XDG_CACHE_HOME XDG_DATA_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR DISPLAY WAYLAND_DISPLAY "
        "CUDA_VISIBLE_DEVICES CUDA_HOME ROCR_VISIBLE_DEVICES HIP_VISIBLE_DEVICES OMP_NUM_THREADS OPENBLAS_NUM_THREADS "
        "MKL_NUM_THREADS SSL_CERT_FILE SSL_CERT_DIR CALLBOARD_MODELS CALLBOARD_FAILPOINT COVERAGE_PROCESS_START "
        "COVERAGE_PROCESS_CONFIG COVERAGE_FILE COVERAGE_RCFILE"
    ).split()
)
"""What a plugin may see of the environment: nothing that could hold a secret."""


def clean_environment(mark: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give a child's environment: the names that are allowed, and the mark."""
    kept = {name: value for name, value in environment.items() if name.upper() in _KEPT or name.startswith("LC_")}
    if "PYTHONPATH" in kept:
        # the child starts in another folder
        kept["PYTHONPATH"] = os.pathsep.join(
            str(Path(part).absolute()) for part in kept["PYTHONPATH"].split(os.pathsep) if part
        )
    return {**kept, MARK: mark, "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}


def kill_group(pid: int) -> None:
    """End the process group that *pid* leads, at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            psutil.Process(pid).kill()


def kill_marked(mark: str) -> int:
    """End every process that carries *mark*: also grandchildren that started a session of their own.

    Reads the environment of this user's processes; run it in a thread.

    Returns:
        How many were ended.
    """
    return sum(_kill(process) for process in _everyone() if _mark_of(process) == mark)


def kill_orphans(prefix: str) -> int:
    """End what a supervisor that is gone has left: marks are *prefix*, the supervisor's pid and a number."""
    ended = 0
    for process in _everyone():
        mark = _mark_of(process)
        if mark.startswith(prefix):
            pid = mark.removeprefix(prefix).partition("-")[0]
            ended += pid.isdigit() and not psutil.pid_exists(int(pid)) and _kill(process)
    return ended


def _everyone() -> Iterator[psutil.Process]:
    """Give every process, looked up now.

    ``psutil.process_iter`` keeps what it once saw under a number: where another process has that number since, it is
    not ended. Linux counts to 32768 by default, which a day of plugins goes through.
    """
    for pid in psutil.pids():
        try:
            process = psutil.Process(pid)
        except psutil.Error:
            continue
        yield process


def _mark_of(process: psutil.Process) -> str:
    if process.pid == os.getpid():
        return ""
    try:
        mark: str = process.environ().get(MARK, "")
    except (psutil.Error, OSError):
        return ""
    return mark


def _kill(process: psutil.Process) -> bool:
    try:
        process.kill()
    except psutil.Error:
        return False
    return True


_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident(pid: int) -> int:
    """Bytes of memory that a process holds; 0 when it is gone."""
    with contextlib.suppress(OSError, IndexError, ValueError):  # asked after each job: psutil takes ten times as long
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
    try:
        held: int = psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0
    return held


def signal_name(status: int) -> str:
    """Say how a process ended: a signal's name or an exit status."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


__all__ = ["MARK", "clean_environment", "kill_group", "kill_marked", "kill_orphans", "resident", "signal_name"]
