"""Finds host packages, and commands that packages contribute, by their entry points.

A module under ``callboard.hosts`` has ``package()``, which gives a ``HostPackage``; one under ``callboard.commands``
has ``command``, a click command. One that cannot be imported is a value with its reason, and hides no other.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import click
from callboard_schemas import VERBS

from callboard.discovery import OURS, entries
from callboard.errors import CallboardError, HostError, JobError, MissingExtra
from callboard.hosting import HostPackage, Installation

HOSTS: Final = "callboard.hosts"
COMMANDS: Final = "callboard.commands"
_OFFERED: Final = ("installations", "install", "uninstall", "doctor", "run")


class Found(NamedTuple):
    """A host package that an installed distribution offers; broken ones are found too."""

    name: str
    distribution: str
    distribution_version: str
    package: HostPackage | None = None
    problem: CallboardError | None = None
    """Why it cannot be used."""

    def use(self) -> HostPackage:
        """Give the package.

        Raises:
            CallboardError: it cannot be used; the error says why.
        """
        if self.package is None:
            raise self.problem or HostError(self.name, "cannot be used")
        return self.package


class Seen(NamedTuple):
    """A host package, and where its application is on this machine."""

    found: Found
    installations: Sequence[Installation] = ()
    problem: CallboardError | None = None
    """Why it cannot be used, or cannot tell."""


def hosts() -> list[Found]:
    """Import every host package, in order of name; of two with one name ours counts, else the first."""
    found: dict[str, Found] = {}
    for entry, dist in entries(HOSTS):
        if entry.name not in found or dist.metadata["Name"] == OURS:
            found[entry.name] = _host(entry, dist)
    return sorted(found.values(), key=lambda one: one.name)


def look(found: Found) -> Seen:
    """Have a host package look for its application; whatever goes wrong there is its problem."""
    try:
        return Seen(found, tuple(found.use().installations()))
    except CallboardError as error:
        return Seen(found, problem=error)
    except Exception as error:  # noqa: BLE001 - a package that looks in the wrong place hides no other
        return Seen(found, problem=HostError(found.name, f"cannot look for the application: {_said(error)}"))


def contributed(name: str) -> click.Command | None:
    """Import a contributed command; ``None`` where nobody offers it.

    Raises:
        MissingExtra: it needs libraries that are not installed.
        JobError: it cannot be imported, or is no command.
    """
    offers = sorted((one for one in entries(COMMANDS) if one[0].name == name), key=lambda one: one[1].name != OURS)
    for entry, dist in offers[:1]:
        what = f"'callboard {name}'"
        command = getattr(_imported(entry, dist, what), "command", None)
        if not isinstance(command, click.Command):
            raise JobError(f"{what}: {entry.value} of {dist.name} has no click command named 'command'")
        return command
    return None


def _host(entry: importlib.metadata.EntryPoint, dist: importlib.metadata.Distribution) -> Found:
    found = Found(entry.name, dist.name, dist.version)
    package = None
    try:
        package = _imported(entry, dist, f"host {entry.name!r}").package()
        wrong = _unfit(entry.name, package)
    except CallboardError as error:
        return found._replace(problem=error)
    except Exception as error:  # noqa: BLE001 - somebody else's package; its fault is a line in the list
        wrong = f"its package() does not work: {_said(error)}"
    if wrong:
        return found._replace(problem=HostError(entry.name, wrong, f"It comes with {dist.name} {dist.version}."))
    return found._replace(package=package)


def _unfit(name: str, package: Any) -> str:
    """Say why something is no host package; empty when it is one."""
    missing = [method for method in _OFFERED if not callable(getattr(package, method, None))]
    missing += [text for text in ("name", "title") if not isinstance(getattr(package, text, None), str)]
    if missing:
        return f"its package() gives something without {', '.join(missing)}"
    if package.name != name:
        return f"it calls itself {package.name!r}, and its entry point {name!r}"
    strange = sorted(set(package.verbs) - {*VERBS})
    return f"its verbs are none of ours: {', '.join(strange)}" if strange else ""


def _imported(entry: importlib.metadata.EntryPoint, dist: importlib.metadata.Distribution, what: str) -> Any:
    """Import what an entry point names.

    Raises:
        MissingExtra: a library is not installed.
        JobError: anything else went wrong.
    """
    try:
        return entry.load()
    except ModuleNotFoundError as error:
        library = error.name or str(error)
        if f"{entry.module}.".startswith(f"{library}."):
            again = f"Install {dist.name} again."
            raise JobError(f"{what}: {entry.module} of {dist.name} is not there", again) from None
        extras = dist.metadata.get_all("Provides-Extra") or ()
        raise MissingExtra(what, library, entry.name if entry.name in extras else "", dist.name) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an import runs whatever its author wrote
        raise JobError(f"{what}: {entry.value} of {dist.name} cannot be imported: {_said(error)}") from None


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


__all__ = ["COMMANDS", "HOSTS", "Found", "Seen", "contributed", "hosts", "look"]
