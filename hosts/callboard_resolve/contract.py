"""The contract: every call of Resolve's API that we make, and what the README does not say about them."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Any, Literal, cast

from msgspec import Struct

Evidence = Literal["R", "M", "U"]
"""How we know: read in the scripting README, measured, or reported by several public tools."""


class Method(Struct, frozen=True, kw_only=True):
    """One method: arguments are positional only."""

    least: int
    most: int
    returns: str
    since: date
    """The oldest scripting README in which we read it."""
    evidence: Evidence
    studio: bool = False
    """The free edition refuses it with a dialog; nothing of ours calls it."""


class Trap(Struct, frozen=True, kw_only=True):
    """What surprises whoever trusts the README."""

    id: str
    says: str
    tag: Evidence
    by: str


class Contract(Struct, frozen=True):
    """The whole table."""

    objects: Mapping[str, Mapping[str, Method]]
    traps: tuple[Trap, ...]

    def offered(self, kind: str, readme: date) -> dict[str, Method]:
        """Give the methods that an object of *kind* has in the Resolve that came with the README of a date."""
        return {name: method for name, method in self.objects[kind].items() if method.since <= readme}


@functools.cache
def contract() -> Contract:
    """Read the table that is beside this module."""
    table: dict[str, Any] = tomllib.loads(files("callboard_resolve").joinpath("contract.toml").read_text("utf-8"))
    traps = tuple(Trap(**trap) for trap in table.pop("trap"))
    return Contract({kind: {name: _method(row) for name, row in rows.items()} for kind, rows in table.items()}, traps)


def _method(row: list[str]) -> Method:
    arguments, returns, since, evidence, *flags = row
    names = re.findall(r"\[?\w+\]?", arguments)
    least = sum(not name.startswith("[") for name in names)
    return Method(
        least=least,
        most=len(names),
        returns=returns,
        since=date.fromisoformat(since),
        evidence=cast("Evidence", evidence),
        studio="studio" in flags,
    )


__all__ = ["Contract", "Evidence", "Method", "Trap", "contract"]
