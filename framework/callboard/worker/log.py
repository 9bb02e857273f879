"""What a child process prints, kept in a file that cannot grow without end."""

from __future__ import annotations

import asyncio
from pathlib import Path

LARGEST = 1 << 20
"""Bytes of a log file before it becomes ``NAME.1``; so two of them are kept at most."""


class ProcessLog:
    """Copies a child's stdout and stderr into a bounded file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)

    async def copy(self, reader: asyncio.StreamReader) -> None:
        """Copy until the other end is closed; reading goes on when the disk is full."""
        while chunk := await reader.read(1 << 16):
            self._write(chunk)

    def _write(self, chunk: bytes) -> None:
        try:
            if self._written + len(chunk) > LARGEST:
                self._turn()
            self._file.write(chunk)
            self._written += len(chunk)
        except OSError:
            return  # a full disk costs log lines, never a job

    def _turn(self) -> None:
        self._file.close()
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._file = self.path.open("wb", buffering=0)
        self._written = 0

    def tail(self, length: int = 4000) -> str:
        """Give the last *length* bytes as text."""
        try:
            data = self.path.read_bytes()[-length:]
        except OSError:
            return ""
        return data.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


__all__ = ["ProcessLog"]
