"""The licence of everything that Callboard stands on: its dependencies by extra, and the model packs.

Read from what is installed; nothing is fetched. A wheel may carry libraries under another licence than its own,
so the native libraries in each are looked at too.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from callboard.packs import find_packs
from callboard.packs.terms import permissive

Copyleft = Literal["none", "weak", "strong", "unknown"]

CORE = "core"
UNKNOWN = "unknown"
_RANK: dict[Copyleft, int] = {"none": 0, "weak": 1, "strong": 2, "unknown": 3}

_SPDX = {
    "apache 2 license": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "mit license": "MIT",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "gnu library or lesser general public license (lgpl)": "LGPL-3.0-or-later",
    "isc license (iscl)": "ISC",
    "psfl": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "gplv3": "GPL-3.0-only",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "the unlicense (unlicense)": "Unlicense",
}
"""What package metadata says, in lower case, to its SPDX identifier."""

_STRONG = re.compile(r"^(A?GPL)\b")
_WEAK = re.compile(r"^(LGPL|MPL|EPL|CDDL)\b")

_GPL_LIBRARY = re.compile(r"\.(?:libs|dylibs)/(lib(?:x264|x265|postproc|exiv2|rubberband|xvidcore))\b")
"""Native libraries under the GPL that wheels are known to carry; FFmpeg lists its own in its LICENSE.md."""


class Dependency(Struct, frozen=True, kw_only=True):
    """A distribution that Callboard needs, itself or through another."""

    name: str
    version: str
    """Empty where it is not installed."""
    licence: str
    """An SPDX expression, or ``unknown``."""
    copyleft: Copyleft
    """How far the licence, or that of a library inside, reaches into a work that includes it."""
    needed_by: tuple[str, ...]
    """``core``, or the extras that bring it."""
    carries: tuple[str, ...] = ()
    """Native libraries under the GPL that are inside its wheel."""


class ModelLicence(Struct, frozen=True, kw_only=True):
    """A model pack and its licence."""

    name: str
    version: str
    licence: str
    copyleft: Copyleft
    origin: str


class _Requirement(Struct, frozen=True):
    name: str
    extras: frozenset[str]
    extra: str
    """Only with this extra of the distribution that asks."""
    conditional: bool
    """Only on some platforms or Pythons."""


def normal(name: str) -> str:
    """Write a distribution's name as the package index does."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _requirements(distribution: importlib.metadata.Distribution) -> Iterator[_Requirement]:
    for line in distribution.requires or ():
        asked, _, marker = line.partition(";")
        found = re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?", asked)
        if found is None:
            continue
        extras = frozenset(normal(extra.strip()) for extra in (found[2] or "").split(",") if extra.strip())
        extra = re.search(r"""extra\s*==\s*["']([^"']+)["']""", marker)
        rest = re.sub(r"""\(?\s*extra\s*==\s*["'][^"']+["']\s*\)?""", "", marker).replace("and", "").strip()
        yield _Requirement(normal(found[1]), extras, normal(extra[1]) if extra else "", bool(rest))


def _closure(name: str, extras: frozenset[str]) -> set[str]:
    """Walk from a distribution with *extras* to everything that it needs, itself left out."""
    todo, seen, names = [(normal(name), extras)], set(), set()
    while todo:
        asked = todo.pop()
        if asked in seen:
            continue
        seen.add(asked)
        try:
            distribution = importlib.metadata.distribution(asked[0])
        except importlib.metadata.PackageNotFoundError:
            continue
        for need in _requirements(distribution):
            if need.extra and need.extra not in asked[1]:
                continue
            if need.conditional and not _installed(need.name):
                continue
            todo.append((need.name, need.extras))
            names.add(need.name)
    return names - {normal(name)}


def _installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def spdx(distribution: importlib.metadata.Distribution) -> str:
    """Give a distribution's licence as an SPDX expression: its own, or read from older metadata."""
    metadata = distribution.metadata
    expression = next(iter(metadata.get_all("License-Expression") or ()), "")
    if expression:
        return expression
    said = next(iter(metadata.get_all("License") or ()), "").strip()
    if said and "\n" not in said and (said.lower() in _SPDX or copyleft(said) != UNKNOWN):
        return _SPDX.get(said.lower(), said)
    classifiers = [
        line.rpartition("::")[2].strip() for line in metadata.get_all("Classifier") or () if "License ::" in line
    ]
    known = sorted({_SPDX[name.lower()] for name in classifiers if name.lower() in _SPDX})
    return " AND ".join(known) or UNKNOWN


def copyleft(expression: str) -> Copyleft:
    """Say how far a licence reaches: of alternatives the mildest counts, of what holds together the strictest."""

    def one(name: str) -> Copyleft:
        name = name.strip(" ()")
        if _STRONG.match(name) and "WITH" not in name:
            return "strong"
        if _WEAK.match(name) or _STRONG.match(name):
            return "weak"
        return "none" if permissive(name.partition(" WITH ")[0]) else "unknown"

    choices: list[Copyleft] = [
        max((one(part) for part in choice.split(" AND ")), key=_RANK.__getitem__) for choice in expression.split(" OR ")
    ]
    return min(choices, key=_RANK.__getitem__)


def dependencies(distribution: str = "callboard") -> list[Dependency]:
    """List everything that *distribution* needs, by name; what no extra of it is needed for is ``core``."""
    metadata = importlib.metadata.distribution(distribution).metadata
    core = _closure(distribution, frozenset())
    needed: dict[str, tuple[str, ...]] = dict.fromkeys(core, (CORE,))
    for extra in sorted(map(normal, metadata.get_all("Provides-Extra") or ())):
        for name in _closure(distribution, frozenset({extra})) - core:
            needed[name] = (*needed.get(name, ()), extra)
    return [_dependency(name, needed[name]) for name in sorted(needed)]


def _dependency(name: str, needed_by: tuple[str, ...]) -> Dependency:
    if not _installed(name):
        return Dependency(name=name, version="", licence=UNKNOWN, copyleft="unknown", needed_by=needed_by)
    distribution = importlib.metadata.distribution(name)
    licence = spdx(distribution)
    libraries = {found[1] for file in distribution.files or () if (found := _GPL_LIBRARY.search(str(file)))}
    return Dependency(
        name=name,
        version=distribution.version,
        licence=licence,
        copyleft="strong" if libraries else copyleft(licence),
        needed_by=needed_by,
        carries=tuple(sorted(libraries)),
    )


def models() -> list[ModelLicence]:
    """List every model pack that the installed plugins describe, present or not."""
    return [
        ModelLicence(
            name=pack.name,
            version=pack.version,
            licence=pack.license,
            copyleft=copyleft(pack.license),
            origin=pack.origin,
        )
        for _, pack in sorted(find_packs().items())
    ]


__all__ = ["CORE", "Dependency", "ModelLicence", "copyleft", "dependencies", "models", "normal", "spdx"]
