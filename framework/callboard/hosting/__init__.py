"""Hosts: the applications people work in. What a host package offers to ``callboard hosts``.

A host package is found by its entry point in the group ``callboard.hosts``: a module with ``package()``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from msgspec import Struct


class Installation(Struct, frozen=True, kw_only=True):
    """An application on this machine, or a folder that a person named in its place."""

    application: str
    """As people say it, with its version: ``Blender 4.5.3``."""
    version: str
    program: str = ""
    """The program's path; empty where only its folders are here."""
    folder: str = ""
    """Where our part goes."""
    interpreter: str = ""
    """Which Python (or Lua) runs our part there, where that can be told."""
    installed: str = ""
    """The version of our part that is there; empty where it is not."""


class Step(Struct, frozen=True, kw_only=True):
    """One thing that an install or an uninstall does."""

    what: Literal["write", "remove", "run"]
    target: str
    """A file, or a command line."""
    note: str = ""


class Finding(Struct, frozen=True, kw_only=True):
    """One line of a doctor's report."""

    state: Literal["ok", "warning", "problem"]
    what: str
    hint: str = ""


class HostPackage(Protocol):
    """What each of our host packages can say and do on this machine."""

    name: str
    """As typed: ``blender``."""
    title: str
    """As people say it: ``Blender``."""
    verbs: tuple[str, ...]
    """What it can do in the application, of ``callboard_schemas.VERBS``."""

    def installations(self) -> Sequence[Installation]:
        """Find the application on this machine, newest first."""
        ...

    def install(self, where: Installation, project: Path | None, *, dry_run: bool) -> Sequence[Step]:
        """Put our part where the application finds it, and connect it with a project; say what was, or would be, done.

        Raises:
            HostError: the folder cannot be written, or this version is not supported.
        """
        ...

    def uninstall(self, where: Installation, *, dry_run: bool) -> Sequence[Step]:
        """Take our part away again, and nothing else."""
        ...

    def doctor(self, where: Installation | None, project: Path | None, *, record: Path | None) -> Sequence[Finding]:
        """Say what is missing; with *record*, try each call in the running application and keep what it answers."""
        ...

    def run(self, project: Path, paths: Sequence[Path], *, stop: Callable[[], bool]) -> int:
        """Serve an application from outside, where its adapter lives outside; else say how it is started instead.

        Raises:
            HostError: this host's adapter runs inside the application.
        """
        ...


@runtime_checkable
class KnownPlaces(Protocol):
    """What a host package may know beside that: where its application looks for parts, by its documents."""

    def usual(self) -> Sequence[Installation]:
        """Give those places, the first one best, whether the application is here or not."""
        ...


__all__ = ["Finding", "HostPackage", "Installation", "KnownPlaces", "Step"]
