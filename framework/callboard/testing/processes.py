"""What a test asks of processes that may end while it looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psutil

PATIENT = 60.0
"""Seconds that only guard against hanging."""


@asynccontextmanager
async def started(*command: str, **options: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program, with the options of ``asyncio.create_subprocess_exec``, until the block ends and no longer."""
    process = await asyncio.create_subprocess_exec(*command, **options)
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await process.wait()
        # What it started may hold its pipes open; left to the collector they would fail a test that comes later.
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - asyncio has no other way


def has_ended(process: psutil.Process) -> bool:
    """Say whether a process has ended; one whose parent has not looked yet has."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # between the two questions
        return True


async def ends(process: psutil.Process | int) -> None:
    """Wait until a process, or the one of a pid, has ended.

    Raises:
        TimeoutError: it has not within a minute.
    """
    try:
        watched = psutil.Process(process) if isinstance(process, int) else process
    except psutil.NoSuchProcess:
        return
    async with asyncio.timeout(PATIENT):
        while not has_ended(watched):  # noqa: ASYNC110 - it may be nobody's child here, so nothing tells of its end
            await asyncio.sleep(0.02)


def children(mark: str, *, parent: int | None = None) -> list[psutil.Process]:
    """List the living children of a process, this one by default, that have *mark* in their command line."""
    found: list[psutil.Process] = []
    for child in psutil.Process(parent).children():
        try:
            if not has_ended(child) and any(mark in word for word in child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:  # it ended meanwhile
            continue
    return found


__all__ = ["PATIENT", "children", "ends", "has_ended", "started"]
